# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permission groups, principals and extended rights of a receive connector.

Source: Microsoft, "Receive connectors" (permission groups and what each grants to whom). The content of a group is
fixed:
what one grants cannot be taken away by the entry, only denied.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from . import principals
from .errors import InputError
from .principals import EDGE_SERVERS, EXCHANGE_SERVERS, HUB_SERVERS, LEGACY_SERVERS, PARTNERS, canonical, fold
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


class Separated(NamedTuple):
    """The entries of a connector by whose they are, each sorted.

    :ivar extended: added to the connector: ours to change
    :ivar granted: what its permission groups brought
    :ivar inherited: from a container above it: reported, never touched
    :ivar internal: of rights that are not ours to give (Exchange's own, the directory's): reported, never touched
    """

    extended: tuple[ExtendedRight, ...]
    granted: tuple[ExtendedRight, ...]
    inherited: tuple[ExtendedRight, ...]
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


def separate(groups: Iterable[str], entries: Iterable[Entry]) -> Separated:
    """Tell apart whose the entries of a connector are. What is not there is not missed: a group's content is fixed."""
    extended: set[ExtendedRight] = set()
    inherited: set[ExtendedRight] = set()
    internal: set[Entry] = set()
    for entry in entries:
        right = _find_right(entry.right)
        if right is None:
            internal.add(entry)
        else:
            place = inherited if entry.inherited else extended
            place.add(ExtendedRight(canonical(entry.principal), right, entry.deny))
    granted = extended & group_entries(groups)
    return Separated(
        extended=tuple(sorted(extended - granted)),
        granted=tuple(sorted(granted)),
        inherited=tuple(sorted(inherited)),
        internal=tuple(sorted(internal)),
    )


def effective_rights(
    principal: str,
    groups: Iterable[str],
    extended: Iterable[ExtendedRight],
    inherited: Iterable[ExtendedRight] = (),
) -> frozenset[str]:
    """What ``principal`` may do, in the order of Windows: what is denied on the connector, what is granted on it by a
    group or an entry, what is denied above it, what is granted above it; the first of these decides."""

    def named(entries: Iterable[ExtendedRight], deny: bool) -> frozenset[str]:
        mine = (entry for entry in entries if fold(entry.principal) == fold(principal))
        return frozenset(entry.right for entry in mine if entry.deny is deny)

    own, above = [*group_entries(groups), *extended], tuple(inherited)
    from_above = named(above, False) - named(above, True)
    return (named(own, False) | from_above) - named(own, True)
