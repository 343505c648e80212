# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permission groups, principals and extended rights of a receive connector.

Source: Microsoft, "Receive connectors" (permission groups and what each grants to whom). A group is nothing but entries
on the connector: one of them can be removed or denied by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from . import principals
from .errors import InputError
from .principals import (
    DOUBTFUL,
    EDGE_SERVERS,
    EXCHANGE_SERVERS,
    HUB_SERVERS,
    LEGACY_SERVERS,
    PARTNERS,
    SERVERS,
    canonical,
    fold,
)
from .values import parse_bool, parse_choice, parse_text

ANONYMOUS = principals.ANONYMOUS
AUTHENTICATED = principals.AUTHENTICATED
EXTERNALLY_SECURED = principals.EXTERNALLY_SECURED

SUBMIT = "ms-Exch-SMTP-Submit"
ANY_RECIPIENT = "ms-Exch-SMTP-Accept-Any-Recipient"
ANY_SENDER = "ms-Exch-SMTP-Accept-Any-Sender"
AUTHORITATIVE_SENDER = "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender"
AUTHENTICATION_FLAG = "ms-Exch-SMTP-Accept-Authentication-Flag"
EXCH50 = "ms-Exch-SMTP-Accept-Exch50"
HEADERS_ROUTING = "ms-Exch-Accept-Headers-Routing"
HEADERS_ORGANIZATION = "ms-Exch-Accept-Headers-Organization"
HEADERS_FOREST = "ms-Exch-Accept-Headers-Forest"
BYPASS_ANTI_SPAM = "ms-Exch-Bypass-Anti-Spam"
BYPASS_SIZE_LIMIT = "ms-Exch-Bypass-Message-Size-Limit"
RIGHTS = (
    SUBMIT,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHORITATIVE_SENDER,
    AUTHENTICATION_FLAG,
    EXCH50,
    HEADERS_ROUTING,
    HEADERS_ORGANIZATION,
    HEADERS_FOREST,
    BYPASS_ANTI_SPAM,
    BYPASS_SIZE_LIMIT,
)

INTERNAL_RIGHTS = (
    "ms-Exch-SMTP-Accept-Xattr",
    "ms-Exch-SMTP-Accept-XProxyFrom",
    "ms-Exch-SMTP-Accept-XSessionParams",
    "ms-Exch-SMTP-Accept-XShadow",
    "ms-Exch-SMTP-Accept-XSysProbe",
    "ms-Exch-SMTP-Send-XMessageContext-ADRecipientCache",
    "ms-Exch-SMTP-Send-XMessageContext-ExtendedProperties",
    "ms-Exch-SMTP-Send-XMessageContext-FastIndex",
)
"""What Exchange servers grant each other: reported, never touched."""
EVERY_RIGHT = ("GenericAll", "ExtendedRight")
"""Access rights that stand for every extended right: full control, and an extended right that is not named."""
_SPELLINGS = {right.lower(): right for right in RIGHTS} | {"ms-exch-accept-exch50": EXCH50}

_SERVERS = (SUBMIT, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, AUTHENTICATION_FLAG, EXCH50, HEADERS_ROUTING)
_TRUSTED = (*_SERVERS, BYPASS_ANTI_SPAM, BYPASS_SIZE_LIMIT)
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "AnonymousUsers": {ANONYMOUS: (SUBMIT, ANY_SENDER, AUTHORITATIVE_SENDER, HEADERS_ROUTING)},
    "ExchangeUsers": {AUTHENTICATED: (SUBMIT, ANY_RECIPIENT, HEADERS_ROUTING, BYPASS_ANTI_SPAM)},
    "ExchangeServers": {
        EXCHANGE_SERVERS: RIGHTS,
        EDGE_SERVERS: RIGHTS,
        HUB_SERVERS: RIGHTS,
        EXTERNALLY_SECURED: _TRUSTED,
    },
    "ExchangeLegacyServers": {LEGACY_SERVERS: _TRUSTED},
    "Partners": {PARTNERS: (SUBMIT, HEADERS_ROUTING)},
}
_GROUP_DENIES = {"ExchangeLegacyServers": {LEGACY_SERVERS: (HEADERS_ORGANIZATION, HEADERS_FOREST)}}
"""Source: Microsoft, "Exchange 2013 deployment permissions reference", Default <Server>."""


class ExtendedRight(NamedTuple):
    """One access control entry. Principals are the same whatever their case, as in Windows."""

    principal: str
    right: str
    deny: bool = False

    def _key(self) -> tuple[str, str, bool]:
        return fold(self.principal), self.right, self.deny

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExtendedRight) and self._key() == other._key()

    def __ne__(self, other: object) -> bool:  # a tuple has one of its own
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return bool(self._key() < other._key())

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return f"{'deny' if self.deny else 'allow'} {self.principal} {self.right}"


class Entry(NamedTuple):
    """An access control entry of a connector as it is read, in any spelling."""

    principal: str
    right: str
    deny: bool
    inherited: bool


class Rights(NamedTuple):
    """The entries of a connector by whose they are, each sorted.

    :ivar groups: the permission groups, in the order of :data:`GROUPS`
    :ivar extended: what the connector has beyond its groups: ours to change
    :ivar removed: what its groups grant and is not there
    :ivar inherited: from a container above it: counted, never changed
    :ivar full_control: own entries of :data:`EVERY_RIGHT`: counted, never changed
    :ivar internal: of rights or principals that are not ours (Exchange's own, the directory's): reported, never touched
    """

    groups: tuple[str, ...]
    extended: tuple[ExtendedRight, ...]
    removed: tuple[ExtendedRight, ...]
    inherited: tuple[ExtendedRight, ...]
    full_control: tuple[ExtendedRight, ...]
    internal: tuple[Entry, ...]


_GROUP_ENTRIES = {
    group: frozenset(
        ExtendedRight(principal, right, deny)
        for deny, table in ((False, GROUPS), (True, _GROUP_DENIES))
        for principal, rights in table.get(group, {}).items()
        for right in rights
    )
    for group in GROUPS
}
_SERVERS_FOLDED = frozenset(map(fold, SERVERS))
_OF_SESSIONS = frozenset(map(fold, (ANONYMOUS, AUTHENTICATED, EXTERNALLY_SECURED, PARTNERS, *DOUBTFUL)))
"""Whose full control is counted: what administrators may do to a connector says nothing about mail."""


def parse_extended_right(value: Any, where: str) -> ExtendedRight:
    if not isinstance(value, dict) or not {"principal", "right"} <= set(value) <= {"principal", "right", "deny"}:
        way_out = "Write {principal: ..., right: ..., deny: false}."
        raise InputError("not an extended right", where=where, value=value, way_out=way_out)
    principal = parse_text(value["principal"], f"{where}.principal").strip()
    if not principal:
        raise InputError(
            "a principal is needed", where=f"{where}.principal", value="", way_out=f"For example {ANONYMOUS}."
        )
    deny = value.get("deny")
    return ExtendedRight(
        canonical(principal),
        _parse_right(value["right"], f"{where}.right"),
        False if deny is None else parse_bool(deny, f"{where}.deny"),
    )


def render_extended_right(entry: ExtendedRight) -> dict[str, Any]:
    """In the form that :func:`parse_extended_right` reads."""
    return dict(entry._asdict())


def parse_held_right(value: Any, where: str) -> ExtendedRight:
    """As :func:`parse_extended_right`, of an entry that is not ours to change: the right may be every right."""
    word = str(value.get("right")) if isinstance(value, dict) else ""
    if word not in EVERY_RIGHT:
        return parse_extended_right(value, where)
    return parse_extended_right({**value, "right": SUBMIT}, where)._replace(right=word)


def _find_right(text: str) -> str | None:
    """A right of ours in any spelling: Microsoft's pages vary in case and print some without the first letter."""
    name = text.strip().lower()
    return _SPELLINGS.get(f"m{name}" if name.startswith("s-exch-") else name)


def _parse_right(value: Any, where: str) -> str:
    text = parse_text(value, where).strip()
    if text.lower() in {right.lower() for right in INTERNAL_RIGHTS}:
        way_out = "Leave it out: Exchange servers grant it each other through ExchangeServers, and it is never changed."
        raise InputError("an internal right of Exchange", where=where, value=value, way_out=way_out)
    return _find_right(text) or parse_choice(text, RIGHTS, where)


def group_entries(groups: Iterable[str]) -> frozenset[ExtendedRight]:
    """The entries that permission groups bring to a connector."""
    return frozenset().union(*(_GROUP_ENTRIES[group] for group in groups))


def beyond_groups(groups: Iterable[str], extended: Iterable[ExtendedRight]) -> tuple[ExtendedRight, ...]:
    """The normal form of ``extended_rights``: without what ``groups`` grant anyway, because nobody could tell it
    apart."""
    return tuple(sorted(set(extended) - group_entries(groups)))


def within_groups(groups: Iterable[str], removed: Iterable[ExtendedRight]) -> tuple[ExtendedRight, ...]:
    """The normal form of ``removed_rights``: what no group grants cannot be missing."""
    return tuple(sorted(group_entries(groups).intersection(removed)))


def own_entries(
    groups: Iterable[str], extended: Iterable[ExtendedRight], removed: Iterable[ExtendedRight]
) -> frozenset[ExtendedRight]:
    """The entries that stand on the connector itself."""
    return group_entries(groups).difference(removed).union(extended)


def is_server(entry: ExtendedRight) -> bool:
    """It is about a group of servers, which not every version names."""
    return fold(entry.principal) in _SERVERS_FOLDED


def read_rights(printed: Iterable[str], entries: Iterable[Entry]) -> Rights:
    """Tell apart whose the entries of a connector are.

    The groups follow from the entries: a group is there if at least half of what it grants to those of its principals
    that hold anything is there. What the server prints counts only where none of them does: after an entry of a group
    was removed by hand, nobody knows what is printed. Groups of servers of which no entry was read lack none.

    :param printed: the groups as the server prints them
    """
    own: set[ExtendedRight] = set()
    places: dict[str, set[Any]] = {"own": own, "inherited": set(), "full_control": set(), "internal": set()}
    for entry in entries:
        place, found = _placed(entry)
        places[place].add(found)
    groups = tuple(group for group in GROUPS if _is_there(group, own, tuple(printed)))
    granted = group_entries(groups)
    held = {(fold(entry.principal), entry.deny) for entry in own}
    missed = (entry for entry in granted - own if not is_server(entry) or (fold(entry.principal), entry.deny) in held)
    return Rights(
        groups=groups,
        extended=tuple(sorted(own - granted)),
        removed=tuple(sorted(missed)),
        **{name: tuple(sorted(places[name])) for name in ("inherited", "full_control", "internal")},
    )


def _placed(entry: Entry) -> tuple[str, Any]:
    """``own``, ``inherited``, ``full_control`` or ``internal``, and what stands there."""
    principal, right = canonical(entry.principal), _find_right(entry.right)
    if right is not None:
        return "inherited" if entry.inherited else "own", ExtendedRight(principal, right, entry.deny)
    if entry.right in EVERY_RIGHT and fold(principal) in _OF_SESSIONS:
        return "inherited" if entry.inherited else "full_control", ExtendedRight(principal, entry.right, entry.deny)
    return "internal", entry


def _is_there(group: str, own: set[ExtendedRight], printed: Iterable[str]) -> bool:
    holders = {fold(entry.principal) for entry in own}
    asked = [entry for entry in _GROUP_ENTRIES[group] if fold(entry.principal) in holders]
    if not asked:
        return group in printed
    return 2 * len(own.intersection(asked)) >= len(asked)


def effective_rights(
    principal: str,
    own: Iterable[ExtendedRight],
    inherited: Iterable[ExtendedRight] = (),
    perhaps: Iterable[str] = (),
) -> frozenset[str]:
    """What ``principal`` may do, in the order of Windows: what is denied on the connector, what is granted on it, what
    is denied above it, what is granted above it; the first of these decides.

    :param own: the entries on the connector, of groups and others
    :param perhaps: groups that the principal may belong to or not: what they are granted counts, what they are denied
        does not
    """
    mine = frozenset({fold(principal)})
    holders = mine.union(map(fold, perhaps))

    def named(entries: Iterable[ExtendedRight], names: frozenset[str], deny: bool) -> frozenset[str]:
        found = (entry.right for entry in entries if entry.deny is deny and fold(entry.principal) in names)
        return frozenset(right for name in found for right in (RIGHTS if name in EVERY_RIGHT else (name,)))

    here, above = tuple(own), tuple(inherited)
    from_above = named(above, holders, False) - named(above, mine, True)
    return (named(here, holders, False) | from_above) - named(here, mine, True)
