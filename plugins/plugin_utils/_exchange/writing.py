# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the operations of a plan to cmdlet calls. Values travel as data, never as text of a script.

Sources: Microsoft, New-, Set-, Remove-ReceiveConnector, Add-, Remove-ADPermission. Whether Set-ReceiveConnector with
PermissionGroups grants a right again that somebody had taken away, or takes one away that is left of a group that it
does not print, is not documented; so both are looked at, and mended, right after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._connector.model import Connector
from ...module_utils._connector.odd import Odd
from ...module_utils._connector.properties import CONNECTOR_PROPERTIES
from ...module_utils._connector.property import Property, render_value
from ...module_utils._connector.rights import ExtendedRight, group_entries
from ...module_utils._engine.backend import Change
from ...module_utils._engine.operations import (
    APART,
    Create,
    Delete,
    Disable,
    Enable,
    Grant,
    Operation,
    Revoke,
    Set,
    apply_operation,
)
from ...module_utils._policy.state import State
from .calls import DECISIVE, HOST, READ, pinned
from .journal import Entry, journal, write_journal
from .seen import Seen

_ROWS = {row.option: row for row in CONNECTOR_PROPERTIES if row.exchange}
_CMDLETS = ("Add-ADPermission", "Remove-ADPermission")
Call = dict[str, Any]


def write_request(change: Change, seen: Seen, session: str) -> dict[str, Any]:
    """The request that writes a change: it begins only if all is as it was read, and ends with reading all again."""
    calls: list[Call] = []
    state = change.before.state
    made: dict[str, str] = {}
    for number, operation in enumerate(change.operations):
        calls += _Writer(f"op{number}", state, change.wanted, seen, made).calls(operation)
        state = apply_operation(state, operation)
    calls = [*_journaled(change, seen, calls)]
    first = next((place for place, call in enumerate(calls) if _gives_rights(call)), None)
    if first is not None:
        calls.insert(first, {**_MARK, "id": f"{str(calls[first]['id']).partition('.')[0]}.mark"})
    return {
        "session": session,
        "write": True,
        "checks": [*_unchanged(seen), *_principals(change, seen, any(map(_is_about_rights, calls)))],
        "calls": calls,
        "then": pinned((*READ, *HOST), seen.controller),
    }


def _journaled(change: Change, seen: Seen, calls: list[Call]) -> Iterator[Call]:
    """With what they leave for a while written down before them, and crossed out after them."""
    about = {item.key for item in change.wanted.connectors if change.before.state.connector(item.name) != item}
    others = [entry for entry in seen.journal if entry["name"].lower() not in about]
    found = journal(change)
    if found:
        yield _write_journal("journal", [*others, *found])
    yield from calls
    if found or seen.journal:
        yield _write_journal("finished", others)


def _write_journal(name: str, entries: list[Entry]) -> Call:
    place = [{"as": "LiteralPath", "from": "host.Journal"}]
    if not entries:
        return {"id": name, "cmdlet": "Remove-Item", "params": {"Force": True}, "take": place, "select": []}
    parameters = {"Value": write_journal(entries), "Encoding": "ASCII"}
    return {"id": name, "cmdlet": "Set-Content", "params": parameters, "take": place, "select": []}


def operation_number(stage: str) -> int | None:
    """Of the operation that a call belongs to, by the id of the call."""
    number = stage.partition(".")[0].removeprefix("op")
    return int(number) if stage.startswith("op") and number.isdigit() else None


_MARK: Call = {
    "cmdlet": "New-Item",
    "params": {"ItemType": "File", "Force": True},
    "take": [{"as": "Path", "from": "host.Marker"}],
    "select": [],
}
"""A change of rights need not move WhenChanged of the connector: this file is its time."""


def _is_about_rights(call: Mapping[str, Any]) -> bool:
    return str(call["cmdlet"]) in _CMDLETS


def _gives_rights(call: Mapping[str, Any]) -> bool:
    return _is_about_rights(call) or "PermissionGroups" in call.get("params", {})


def _unchanged(seen: Seen) -> list[Call]:
    """What the plan follows from, read again; the values must be the same."""
    calls = pinned((call for call in READ if call["id"] in DECISIVE), seen.controller)
    return [{**call, "expect": seen.answers[call["id"]].digest} for call in calls]


def _principals(change: Change, seen: Seen, rights: bool) -> Iterator[Call]:
    """That the cmdlets are there, and that the server knows everybody who is given something."""
    if not rights:
        return
    yield {"id": "cmdlets", "cmdlet": "Get-Command", "params": {"Name": list(_CMDLETS)}, "select": ["Name"]}
    given = {item.right.principal for item in change.operations if isinstance(item, (Grant, Revoke))}
    names = sorted({seen.principal(principal) for principal in given})
    known = next(iter(change.before.state.connectors), None)
    for number, name in enumerate(names if known else ()):
        call = {"id": f"principal{number}", "cmdlet": "Get-ADPermission", "select": [], "params": {"User": name}}
        yield _controlled(call, seen, Identity=seen.dn(known.name if known else ""))


def _controlled(call: Call, seen: Seen, **parameters: Any) -> Call:
    controller = {"DomainController": seen.controller} if seen.controller else {}
    return {**call, "params": {**call.get("params", {}), **parameters, **controller}}


class _Writer:
    """The calls of one operation.

    :param prefix: of their ids
    :param state: what is there before it
    :param wanted: what is there after the last one
    :param made: by the key of a connector that an operation of the same request makes, the call that makes it
    """

    def __init__(self, prefix: str, state: State, wanted: State, seen: Seen, made: dict[str, str]) -> None:
        self._prefix = prefix
        self._state = state
        self._wanted = wanted
        self._seen = seen
        self._made = made

    def calls(self, operation: Operation) -> list[Call]:
        """:raises TypeError: an operation that Exchange has no cmdlet for here; capabilities refuse it before"""
        if isinstance(operation, Create):
            return list(self._create(operation.connector))
        if isinstance(operation, Set):
            return list(self._set(operation))
        if isinstance(operation, (Grant, Revoke)):
            return list(self._right(operation.name, operation.right, gives=isinstance(operation, Grant)))
        if isinstance(operation, (Enable, Disable)):
            return [self._cmdlet("Set-ReceiveConnector", operation.name, Enabled=isinstance(operation, Enable))]
        if isinstance(operation, Delete):
            return [self._cmdlet("Remove-ReceiveConnector", operation.name, Confirm=False)]
        raise TypeError(operation)

    def _create(self, connector: Connector) -> Iterator[Call]:
        """Usage Custom, whose content is spelt out: the other usages bring rights and bindings of their own."""
        values = {row.option: getattr(connector, row.option) for row in _ROWS.values() if row.option not in APART}
        given = {option: value for option, value in values.items() if value is not None and value != ""}
        first = {option: value for option, value in given.items() if _ROWS[option].in_new}
        call = {"id": self._prefix, "cmdlet": "New-ReceiveConnector", "select": ["DistinguishedName", "Guid"]}
        name = {"Name": connector.name, "Server": str(self._seen.server["Name"]), "Usage": "Custom", "Enabled": False}
        yield _controlled(call, self._seen, **name, **parameters(first))
        self._made[connector.key] = self._prefix
        later = {option: value for option, value in given.items() if not _ROWS[option].in_new}
        if later:
            yield self._cmdlet("Set-ReceiveConnector", connector.name, "later", **parameters(later))

    def _set(self, operation: Set) -> Iterator[Call]:
        changes = dict(operation.changes)
        current = self._state.connector(operation.name)
        groups = changes.get("permission_groups")
        if groups is None or current is None:
            yield self._cmdlet("Set-ReceiveConnector", operation.name, **parameters(changes))
            return
        named = group_entries(groups)
        printed = self._seen.printed_groups(operation.name)
        gone = [group for group in current.permission_groups if group not in groups]
        leftover = group_entries(group for group in gone if group.lower() not in printed) - named
        leftover -= {*current.removed_rights}
        # of whom no entry was read this server may know nothing
        for number, right in enumerate(sorted(item for item in leftover if self._seen.shows(item.principal))):
            yield from self._right(operation.name, right, gives=False, suffix=f"left{number}")
        yield self._cmdlet("Set-ReceiveConnector", operation.name, **parameters(changes))
        wanted = self._wanted.connector(operation.name)
        stays = {*wanted.removed_rights} if wanted is not None else set()
        for number, right in enumerate(sorted((named & {*current.removed_rights}) - stays)):
            yield from self._right(operation.name, right, gives=True, suffix=f"again{number}")

    def _right(self, name: str, right: ExtendedRight, *, gives: bool, suffix: str = "") -> Iterator[Call]:
        """Add or remove one entry, unless that is what there is: what the cmdlets say to that is not documented."""
        user = self._seen.principal(right.principal)
        look = {"cmdlet": "Get-ADPermission", "select": []}
        looked = self._cmdlet_of(name, look, f"{suffix}look", User=user)
        yield looked
        match = {"ExtendedRights": right.right, "Deny": right.deny, "IsInherited": False}
        condition = {"from": looked["id"], "match": match, "absent": gives}
        write: Call = {"cmdlet": _CMDLETS[0] if gives else _CMDLETS[1], "select": [], "only_if": condition}
        deny = {"Deny": True} if right.deny else {}
        given = {"User": user, "ExtendedRights": [right.right], "Confirm": False, **deny}
        yield self._cmdlet_of(name, write, suffix, **given)

    def _cmdlet(self, cmdlet: str, name: str, suffix: str = "", **given: Any) -> Call:
        return self._cmdlet_of(name, {"cmdlet": cmdlet, "select": []}, suffix, **given)

    def _cmdlet_of(self, name: str, call: Call, suffix: str, **given: Any) -> Call:
        """On a connector, by the name that does not change; one that this execution makes is asked for it."""
        about_rights = str(call["cmdlet"]).endswith("ADPermission")
        call = {**call, "id": f"{self._prefix}.{suffix}" if suffix else self._prefix}
        made = self._made.get(name.lower())
        if made:
            column = "DistinguishedName" if about_rights else "Guid"
            return _controlled({**call, "take": [{"as": "Identity", "from": f"{made}.{column}"}]}, self._seen, **given)
        identity = self._seen.dn(name) if about_rights else self._seen.guid(name)
        return _controlled(call, self._seen, Identity=identity, **given)


def parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options as parameters of New- and Set-ReceiveConnector. An empty text is none: ``$null`` clears."""
    return {_ROWS[option].exchange: _parameter(_ROWS[option], value) for option, value in values.items()}


def _parameter(row: Property, value: Any) -> Any:
    shown = render_value(row, value)
    if isinstance(value, Odd):
        return None if shown == "" else shown
    if row.is_flags:
        return ", ".join(shown) or "None"
    if row.is_list:
        return shown or None
    return None if shown == "" else shown
