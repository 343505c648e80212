# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors, rights, domains and times out of what Exchange prints.

The rows of the property table know every spelling; here is only what they do not see: which properties there are, and
how objects differ that came through a remote session, out of a snapshot or straight from the cmdlet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ...module_utils._connector.errors import RelayError, StoreError
from ...module_utils._connector.model import DOMAIN_TYPES, AcceptedDomain, Connector
from ...module_utils._connector.odd import plain_text
from ...module_utils._connector.principals import ANONYMOUS, EXTERNALLY_SECURED, canonical, fold, is_well_known
from ...module_utils._connector.properties import CONNECTOR_PROPERTIES
from ...module_utils._connector.property import Property, read_leniently, read_value
from ...module_utils._connector.rights import EVERY_RIGHT, GROUPS, Entry, read_rights
from ...module_utils._connector.values import parse_bool, parse_choice, parse_domain
from .calls import Row

_REPORT = "Please report it, with a snapshot (docs/exchange.md)."
_EXACT_BYTES = re.compile(r"\(([0-9][0-9.,'\s\u00a0\u202f\u2019]*) ?[^\W\d_]+\)$")
"""``(37,748,736 bytes)`` in a language that separates thousands, or calls bytes, in another way."""


def read_connector(row: Row, entries: Iterable[Entry] | None) -> Connector:
    """Only what decides who may relay must be readable; anything else is kept as text (:class:`.odd.Odd`).

    :param entries: its access control entries, ``None``: nobody let us read them

    :raises StoreError: a property that every Exchange has is missing, or one that decides who may relay cannot be read
    """
    name = plain_text(row.get("Name"))
    where = f"connector '{name}'"
    fields = {
        prop.option: _property(prop, row, f"{where}, {prop.option} ({prop.exchange})")
        for prop in CONNECTOR_PROPERTIES
        if prop.exchange and prop.readable
    }
    # Exchange has no such list: whoever may send as anybody may
    connector = replace(Connector(name, allowed_senders=("*",)), **fields)
    if entries is None or unread_groups(connector, entries):
        return replace(connector, extended_rights=None)
    rights = read_rights(connector.permission_groups, entries)
    return replace(
        connector,
        permission_groups=rights.groups,
        extended_rights=rights.extended,
        removed_rights=rights.removed,
        inherited_rights=rights.inherited,
        full_control=rights.full_control,
    )


def _property(prop: Property, row: Row, where: str) -> Any:
    """``None``: this version has no such property."""
    if prop.exchange not in row:
        if prop.since != "07":
            return None
        raise StoreError("every Exchange has this property, and it was not read", where=where, way_out=_REPORT)
    value = row[prop.exchange]
    if _is_absent(prop, value):
        return None
    if not prop.may_be_odd:
        return _read(lambda value, where: read_value(prop, value, where), value, where)
    value = _nothing(prop) if value is None else value
    try:
        return read_value(prop, value if prop.least is None else _plain_size(value), where)
    except RelayError:
        return read_leniently(prop, value, where)


def _is_absent(prop: Property, value: Any) -> bool:
    """Nothing stands where something must: this version has no such property."""
    if prop.type == "bool":
        return value is None and prop.may_be_odd
    is_empty = value in (None, "") and not prop.is_list
    return is_empty and prop.since != "07" and (prop.least is not None or bool(prop.choices))


def _nothing(prop: Property) -> Any:
    return [] if prop.is_list else ""


def _plain_size(text: Any) -> Any:
    """The exact number of bytes, where the text has it in brackets."""
    exact = _EXACT_BYTES.search(text) if isinstance(text, str) else None
    return text if exact is None else re.sub(r"\D", "", exact[1])


def _read(parse: Any, value: Any, where: str) -> Any:
    try:
        return parse(value, where)
    except RelayError as error:
        way_out = f"This is no spelling of Exchange that is known here. {_REPORT}"
        seen = value if error.value is None else error.value  # of a list the entry
        what = f"cannot be read ({error.what})"
        raise StoreError(what, where=error.where or where, value=seen, way_out=way_out) from error


def read_entries(rows: Iterable[Row], local_names: Mapping[str, str]) -> dict[str, list[Entry]]:
    """Rows of Get-ADPermission by ``for``, the number of the connector they were asked for.

    :param local_names: folded name of a well-known principal in the language of the server to the name that we write
    :raises StoreError: they are of several objects: Exchange returns all when it does not find the one
    """
    found: dict[str, list[Entry]] = {}
    objects: dict[str, str] = {}
    for row in rows:
        number, identity = row["for"], fold(str(row.get("Identity")))
        if objects.setdefault(number, identity) != identity:
            raise StoreError(
                "the rights of several objects came back where those of one were asked for",
                where="Get-ADPermission",
                value=identity,
                way_out=_REPORT,
            )
        found.setdefault(number, []).extend(_entries(row, local_names))
    if len(set(objects.values())) != len(objects):
        raise StoreError("the rights of one connector came back twice", where="Get-ADPermission", way_out=_REPORT)
    return found


def _entries(row: Row, local_names: Mapping[str, str]) -> Iterable[Entry]:
    """One for each extended right, or one for all of them; a row may be about none."""
    principal = read_principal(row, local_names)
    deny = _read(parse_bool, row.get("Deny"), "Get-ADPermission, Deny")
    inherited = _read(parse_bool, row.get("IsInherited"), "Get-ADPermission, IsInherited")
    return [Entry(principal, right, deny, inherited) for right in _rights(row)]


def _rights(row: Row) -> list[str]:
    """The extended rights, or which of the access rights stands for all of them."""
    access = {text.lower() for text in texts(row.get("AccessRights"))}
    named = texts(row.get("ExtendedRights"))
    every, any_extended = EVERY_RIGHT
    if every.lower() in access:
        return [every, *named]
    return [any_extended] if any_extended.lower() in access and not named else named


def read_principal(row: Row, local_names: Mapping[str, str]) -> str:
    """By SID where it is a well-known one, because names are translated; else by name, because SIDs say nothing. The
    name is in ``User``, or in what that was made of."""
    sid = str(row.get("User.SecurityIdentifier") or "")
    if is_well_known(sid):
        return canonical(sid)
    names = [str(row[column]) for column in ("User", "User.RawIdentity") if row.get(column)]
    found = [canonical(local_names.get(fold(name), name)) for name in names] or [sid]
    return next(filter(is_well_known, found), found[0])


def texts(value: Any) -> list[str]:
    """A collection: a list, or its text ``{a, b}`` or ``a, b``."""
    if value is None:
        return []
    entries = value if isinstance(value, (list, tuple)) else str(value).strip().strip("{}").split(",")
    return [text for text in (str(entry).strip().strip("{}") for entry in entries) if text]


def unread_groups(connector: Connector, entries: Iterable[Entry]) -> list[str]:
    """Printed groups that sessions without AUTH live by and of which no entry was read.

    Then nobody has any entry, or somebody of an unknown name holds what the group grants: that may be its principal in
    another language. No other group matters: without its entries its members may do nothing.

    :param connector: with the groups as they are printed
    """
    found = [(canonical(entry.principal), entry.right.lower(), entry.inherited) for entry in entries]
    groups = {"AnonymousUsers": ANONYMOUS}
    if "ExternalAuthoritative" in connector.auth_mechanism:
        groups["ExchangeServers"] = EXTERNALLY_SECURED
    unread = []
    for group, principal in groups.items():
        granted = {right.lower() for right in GROUPS[group][principal]}
        held = Counter(name for name, right, _inherited in found if right in granted and not is_well_known(name))
        has_own = any(right in granted and not inherited for _name, right, inherited in found)
        is_read = any(name == principal for name, _right, _inherited in found)
        doubtful = not has_own or any(2 * count >= len(granted) for count in held.values())
        if group in connector.permission_groups and not is_read and doubtful:
            unread.append(group)
    return unread


def read_domains(rows: Iterable[Row]) -> list[AcceptedDomain]:
    """A domain that matches its subdomains (``MatchSubDomains``) is two here: itself and ``*.`` below it."""
    found: dict[str, AcceptedDomain] = {}
    wider: dict[str, AcceptedDomain] = {}
    for row in rows:
        where = f"accepted domain '{row.get('DomainName')}'"
        name = _read(parse_domain, row.get("DomainName"), f"{where}, DomainName")
        kind = _read(lambda value, at: parse_choice(value, DOMAIN_TYPES, at), row.get("DomainType"), f"{where}, type")
        found[name] = AcceptedDomain(name, kind)
        below = row.get("MatchSubDomains")
        if below is not None and _read(parse_bool, below, f"{where}, MatchSubDomains") and not name.startswith("*"):
            wider[f"*.{name}"] = AcceptedDomain(f"*.{name}", kind)
    return sorted({**wider, **found}.values(), key=lambda item: item.key)


def read_time(value: Any, where: str) -> datetime | None:
    """A time in the round-trip form of .NET; without a zone it is UTC. ``None``: there is none."""
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise StoreError("not a time", where=where, value=value, way_out=_REPORT) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def changed(row: Row, where: str) -> datetime | None:
    """When an object of the directory was changed. Exchange 2007 has local time only."""
    return read_time(row.get("WhenChangedUTC") or row.get("WhenChanged"), where)
