# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations that may come next on the way from one state to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .._connector.model import Connector
from .._connector.properties import CONNECTOR_PROPERTIES
from .._connector.rights import ANY_RECIPIENT, SUBMIT, ExtendedRight, group_entries
from .._policy.state import State
from .operations import (
    APART,
    Create,
    Delete,
    Disable,
    Enable,
    Grant,
    Operation,
    RemoveDomain,
    Revoke,
    Set,
    SetDomain,
    connector_set,
)

_GEOMETRY = ("bindings", "remote_ip_ranges")


def direct(state: State, wanted: State) -> Iterator[Operation]:
    """What the difference asks for: what closes before what opens, new domains first and old ones last, so that no
    mail is lost. Each of them makes the difference smaller."""
    new = {item.key: item for item in wanted.connectors}
    pairs = _pairs(state, wanted)
    yield from (SetDomain(item) for item in wanted.accepted_domains if state.domain(item.name) != item)
    for one, other in pairs:
        yield from _closing(one, other)
    yield from (Delete(item.name) for item in state.connectors if item.key not in new)
    for one, other in pairs:
        yield from _setting(one, other)
    for one, other in pairs:
        yield from _opening(one, other)
    present = {item.key for item in state.connectors}
    yield from (Create(_bare(item)) for item in wanted.connectors if item.key not in present)
    yield from (RemoveDomain(item.name) for item in state.accepted_domains if wanted.domain(item.name) is None)


def detours(state: State, wanted: State) -> Iterator[Operation]:
    """Parts of what the difference asks for, and steps that later ones take back."""
    for one, other in _pairs(state, wanted):
        yield from _parts(one, other)
        yield from _before_all_is_granted(one, other)
    for item in state.connectors:
        yield from _less_relaying(item)


def reverse(operation: Operation) -> Operation | None:
    """What takes a detour back: of rights, or of a connector that was disabled; nothing else has a reverse."""
    if isinstance(operation, Grant):
        return Revoke(operation.name, operation.right)
    if isinstance(operation, Disable):
        return Enable(operation.name)
    return Grant(operation.name, operation.right) if isinstance(operation, Revoke) else None


def _pairs(state: State, wanted: State) -> list[tuple[Connector, Connector]]:
    new = {item.key: item for item in wanted.connectors}
    return [(item, new[item.key]) for item in state.connectors if new.get(item.key, item) != item]


def _closing(old: Connector, new: Connector) -> Iterator[Operation]:
    yield from (Grant(old.name, entry) for entry in _missing(old, new) if entry.deny)
    yield from (Revoke(old.name, entry) for entry in _missing(new, old) if not entry.deny)
    if old.enabled and not new.enabled:
        yield Disable(old.name)


def _missing(one: Connector, other: Connector) -> list[ExtendedRight]:
    """Entries of ``other`` that ``one`` lacks; while the groups are to change those of no group: new groups bring all
    of theirs, and old ones take theirs away."""
    entries = other.own_entries
    if _other_groups(one, other):
        entries = frozenset(other.known_rights) - group_entries(one.permission_groups)
    return sorted(entries - one.own_entries)


def _other_groups(old: Connector, new: Connector) -> bool:
    return old.permission_groups != new.permission_groups


def _changes(old: Connector, new: Connector) -> tuple[tuple[str, Any], ...]:
    options = [row.option for row in CONNECTOR_PROPERTIES if row.option not in APART]
    return tuple((option, getattr(new, option)) for option in options if getattr(old, option) != getattr(new, option))


def _setting(old: Connector, new: Connector) -> Iterator[Operation]:
    changes = _changes(old, new)
    if changes:
        yield Set(old.name, changes)


def _opening(old: Connector, new: Connector) -> Iterator[Operation]:
    yield from (Revoke(old.name, entry) for entry in _missing(new, old) if entry.deny)
    yield from (Grant(old.name, entry) for entry in _missing(old, new) if not entry.deny)
    if new.enabled and not old.enabled:
        yield Enable(old.name)


def _bare(new: Connector) -> Connector:
    return replace(new, enabled=False, extended_rights=(), removed_rights=())


def _parts(old: Connector, new: Connector) -> Iterator[Operation]:
    """Only the addresses or only the rest; fewer addresses, or none."""
    changes = _changes(old, new)
    addresses = tuple(change for change in changes if change[0] in _GEOMETRY)
    if addresses and addresses != changes:
        yield Set(old.name, tuple(change for change in changes if change not in addresses))
        yield Set(old.name, addresses)
    shared = {
        option: tuple(item for item in getattr(old, option) if item in getattr(new, option)) for option in _GEOMETRY
    }
    fewer = tuple(
        (option, items)
        for option, items in shared.items()
        if items != getattr(old, option) and (items or option != "bindings")
    )
    if addresses and fewer:
        yield Set(old.name, fewer)
    if addresses and old.remote_ip_ranges:
        yield Set(old.name, (("remote_ip_ranges", ()),))


def _less_relaying(connector: Connector) -> Iterator[Operation]:
    """Take relaying without AUTH away for a while; the difference that this makes asks for it back."""
    if connector.enabled and {SUBMIT, ANY_RECIPIENT} <= connector.anonymous_rights:
        yield _without_relaying(connector, connector)


def _before_all_is_granted(old: Connector, new: Connector) -> Iterator[Operation]:
    """New groups bring all their entries, also those that are to be removed again: where anonymous sessions could do
    more meanwhile, deny it before, or take the connector away."""
    if not (old.enabled and new.removed_rights and _other_groups(old, new)):
        return
    meanwhile = connector_set(old, dict(_changes(old, new)))
    if {SUBMIT, ANY_RECIPIENT} <= meanwhile.anonymous_rights:
        yield _without_relaying(old, meanwhile)
    submit = ExtendedRight(meanwhile.anonymous_principal, SUBMIT)
    if submit in new.removed_rights:
        yield Grant(old.name, submit._replace(deny=True))
    if meanwhile.anonymous_rights - new.anonymous_rights:
        yield Disable(old.name)


def _without_relaying(old: Connector, relaying: Connector) -> Operation:
    """What makes ``relaying`` relay no more, if it is done to ``old`` before it becomes that."""
    allow = ExtendedRight(relaying.anonymous_principal, ANY_RECIPIENT)
    beyond = allow in old.known_rights and allow in relaying.known_rights
    return Revoke(old.name, allow) if beyond else Grant(old.name, allow._replace(deny=True))
