# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations a plan is made of, and what each does to a state (pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Union

from .._connector.model import AcceptedDomain, Connector
from .._connector.properties import CONNECTOR_PROPERTIES, DOMAIN_PROPERTIES
from .._connector.property import render_value
from .._connector.rights import ExtendedRight, beyond_groups, group_entries
from .._connector.settings import Settings, render_settings
from .._policy.state import State


@dataclass(frozen=True)
class Create:
    """Add a connector: disabled, with all that its permission groups grant and nothing beyond, whatever comes next."""

    connector: Connector


@dataclass(frozen=True)
class Set:
    """Give properties of a connector (not :data:`APART`) new values.

    With ``permission_groups`` every entry of the groups that it names is there afterwards, also one that was removed
    before: whether a server grants those again is not documented. An entry of ``extended_rights`` that they grant is
    one of theirs from then on.
    """

    name: str
    changes: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Grant:
    """Add an access control entry, be it allow or deny, also one of a group that was removed."""

    name: str
    right: ExtendedRight


@dataclass(frozen=True)
class Revoke:
    """Remove an access control entry, be it allow or deny, also one that a group granted."""

    name: str
    right: ExtendedRight


@dataclass(frozen=True)
class Enable:
    name: str


@dataclass(frozen=True)
class Disable:
    name: str


@dataclass(frozen=True)
class Delete:
    name: str


@dataclass(frozen=True)
class SetDomain:
    """Add an accepted domain or replace its properties."""

    domain: AcceptedDomain


@dataclass(frozen=True)
class RemoveDomain:
    name: str


@dataclass(frozen=True)
class SetSettings:
    """Replace the settings of the whole server."""

    settings: Settings


Operation = Union[Create, Set, Grant, Revoke, Enable, Disable, Delete, SetDomain, RemoveDomain, SetSettings]


def apply_operation(state: State, operation: Operation) -> State:
    """The state after ``operation``.

    :raises KeyError: it names something that is not there, or creates something that is
    """
    if isinstance(operation, SetSettings):
        return replace(state, settings=operation.settings)
    if isinstance(operation, (SetDomain, RemoveDomain)):
        return replace(state, accepted_domains=_domains_after(state, operation))
    if isinstance(operation, Create):
        if state.connector(operation.connector.name) is not None:
            raise KeyError(operation.connector.name)
        added = [*state.connectors, operation.connector]
        return replace(state, connectors=tuple(sorted(added, key=lambda item: item.key)))
    current = state.connector(operation.name)
    if current is None:
        raise KeyError(operation.name)
    after = [] if isinstance(operation, Delete) else [_connector_after(current, operation)]
    connectors = [found for item in state.connectors for found in (after if item is current else [item])]
    return replace(state, connectors=tuple(connectors))


def _connector_after(current: Connector, operation: Set | Grant | Revoke | Enable | Disable) -> Connector:
    if isinstance(operation, Set):
        return connector_set(current, dict(operation.changes))
    if isinstance(operation, (Grant, Revoke)):
        entries = current.own_entries
        change = entries.union if isinstance(operation, Grant) else entries.difference
        return _with_entries(current, change({operation.right}))
    return replace(current, enabled=isinstance(operation, Enable))


def connector_set(current: Connector, changes: dict[str, Any]) -> Connector:
    """After :class:`Set`."""
    if "permission_groups" not in changes:
        return replace(current, **changes)
    groups = changes["permission_groups"]
    extended = beyond_groups(groups, current.known_rights)
    return replace(current, **{**changes, "extended_rights": extended, "removed_rights": ()})


def _with_entries(connector: Connector, entries: frozenset[ExtendedRight]) -> Connector:
    """With these entries and the groups that it has."""
    granted = group_entries(connector.permission_groups)
    extended, removed = entries - granted, granted - entries
    return replace(connector, extended_rights=tuple(sorted(extended)), removed_rights=tuple(sorted(removed)))


def _domains_after(state: State, operation: SetDomain | RemoveDomain) -> tuple[AcceptedDomain, ...]:
    if isinstance(operation, SetDomain):
        others = [item for item in state.accepted_domains if item.key != operation.domain.key]
        return tuple(sorted([*others, operation.domain], key=lambda item: item.key))
    if state.domain(operation.name) is None:
        raise KeyError(operation.name)
    return tuple(item for item in state.accepted_domains if item.key != operation.name)


def describe(operation: Operation) -> str:
    """One line for the result key ``commands``; values as JSON, so that nothing in them breaks the line."""
    if isinstance(operation, Create):
        return f"{title(operation)} {_pairs(_connector_values(operation.connector))}"
    if isinstance(operation, Set):
        return f"{title(operation)} {_pairs(dict(operation.changes))}"
    if isinstance(operation, (Grant, Revoke)):
        return f"{title(operation)} {operation.right}"
    if isinstance(operation, SetDomain):
        values = {row.option: getattr(operation.domain, row.option) for row in DOMAIN_PROPERTIES}
        return f"{title(operation)} {_pairs(values)}"
    if isinstance(operation, SetSettings):
        values = render_settings(operation.settings)
        return f"{title(operation)} {' '.join(f'{option}={json.dumps(value)}' for option, value in values.items())}"
    return title(operation)


def title(operation: Operation) -> str:
    """What is done to which connector or domain, without values."""
    if isinstance(operation, SetSettings):
        return "set settings"
    if isinstance(operation, SetDomain):
        return f"set accepted domain {json.dumps(operation.domain.name)}"
    if isinstance(operation, RemoveDomain):
        return f"remove accepted domain {json.dumps(operation.name)}"
    name = operation.connector.name if isinstance(operation, Create) else operation.name
    return f"{type(operation).__name__.lower()} connector {json.dumps(name)}"


def _connector_values(connector: Connector) -> dict[str, Any]:
    values = {row.option: getattr(connector, row.option) for row in CONNECTOR_PROPERTIES if row.option not in APART}
    return {option: value for option, value in values.items() if value is not None}


def _pairs(values: dict[str, Any]) -> str:
    rows = {row.option: row for row in (*CONNECTOR_PROPERTIES, *DOMAIN_PROPERTIES)}
    return " ".join(f"{option}={json.dumps(render_value(rows[option], value))}" for option, value in values.items())


APART = ("enabled", "extended_rights", "removed_rights")
"""Options that have operations of their own."""
