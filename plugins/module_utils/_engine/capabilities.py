# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server can express in its version, as data, and the refusal of what it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._connector.addresses import Binding
from .._connector.errors import CapabilityError, Conflict
from .._connector.model import Connector
from .._connector.odd import Odd
from .._connector.properties import CONNECTOR_PROPERTIES, odd_options, render_item
from .._connector.property import render_value
from .._policy.state import State

_ROWS = {row.option: row for row in CONNECTOR_PROPERTIES}


@dataclass(frozen=True)
class Capabilities:
    """:ivar options: connector option to the normalised values it takes (of lists: the entries), ``None``: every value.
        An option that is not in it cannot be expressed. The only value of a scalar is what the server always does.
    :ivar principals: whose extended and removed rights it knows, ``None``: everybody's
    :ivar rights: extended and removed rights it acts on, ``None``: all
    :ivar per_binding: options that must be the same for all enabled connectors on one binding
    :ivar domains_elsewhere: why accepted domains are not changed here and the way out, ``None``: they are changed here
    :ivar atomic: it applies all operations at once
    :ivar odd_values: it may hold values that cannot be read, and takes them back
    """

    options: Mapping[str, frozenset[Any] | None]
    principals: frozenset[str] | None
    rights: frozenset[str] | None
    per_binding: frozenset[str] = frozenset()
    domains_elsewhere: tuple[str, str] | None = None
    atomic: bool = False
    odd_values: bool = False

    def settable(self, option: str) -> bool:
        """Whether the option has more than one value. A list of flags may be empty where no flag is known."""
        values = self.options.get(option, frozenset())
        return values is None or (len(values) > 1 if not _ROWS[option].is_list else bool(values))

    def always(self, option: str) -> tuple[Any, ...]:
        """What the server always does, as one value; empty: there is no such value."""
        if option not in self.options or self.settable(option):
            return ()
        values = self.options[option] or frozenset()
        return ((),) if _ROWS[option].is_list else tuple(values)


def within_capabilities(backend: str, can: Capabilities, before: State, wanted: State) -> State:
    """``wanted`` without the option values that mean nothing there because the server always does what they say.

    :raises CapabilityError: a changed connector needs what the server does not have
    """
    if can.domains_elsewhere is not None:
        _refuse_domains(can.domains_elsewhere, before, wanted)
    connectors = tuple(
        _without_fixed(backend, can, before.connector(item.name) or before.template, item) for item in wanted.connectors
    )
    for connector in connectors:
        if before.connector(connector.name) != connector:
            _refuse_odd(backend, can, connector)
            _refuse_values(backend, can, connector)
    return replace(wanted, connectors=connectors)


def _refuse_domains(why: tuple[str, str], before: State, wanted: State) -> None:
    changed = {*before.accepted_domains} ^ {*wanted.accepted_domains}
    if changed:
        where = f"accepted domain '{min(item.name for item in changed)}'"
        raise CapabilityError(why[0], where=where, way_out=why[1])


def _without_fixed(backend: str, can: Capabilities, before: Connector, wanted: Connector) -> Connector:
    given = {
        option: getattr(wanted, option)
        for option in _ROWS
        if not can.settable(option) and getattr(wanted, option) != getattr(before, option)
    }
    odd = [option for option, value in given.items() if can.always(option) != (value,)]
    if odd:
        _refuse_options(backend, can, wanted, odd)
    return replace(wanted, **{option: getattr(before, option) for option in given})


def _refuse_options(backend: str, can: Capabilities, connector: Connector, odd: Sequence[str]) -> None:
    seen = {option: render_value(_ROWS[option], getattr(connector, option)) for option in odd}
    always = [
        f"{option} is always {json.dumps(render_value(_ROWS[option], value))}"
        for option in odd
        for value in can.always(option)
    ]
    way_out = f"Leave {'it' if len(odd) == 1 else 'them'} out."
    raise CapabilityError(
        f"backend {backend} cannot express this",
        where=f"connector '{connector.name}', {', '.join(odd)}",
        value=seen if len(odd) > 1 else seen[odd[0]],
        way_out=f"{way_out} On this backend {', '.join(always)}." if always else way_out,
    )


def _refuse_odd(backend: str, can: Capabilities, connector: Connector) -> None:
    odd = [] if can.odd_values else odd_options(connector)
    if odd:
        raise CapabilityError(
            f"backend {backend} holds no value that cannot be read",
            where=f"connector '{connector.name}', {', '.join(odd)}",
            value=render_item(connector)[odd[0]],
            way_out="Give a value that the documentation of the option describes, without unvalidated.",
        )


def _refuse_values(backend: str, can: Capabilities, connector: Connector) -> None:
    for option, value, known in _limited(can, connector):
        if value not in known:
            raise CapabilityError(
                f"backend {backend} cannot express this",
                where=f"connector '{connector.name}', {option}",
                value=value,
                way_out=f"It knows {', '.join(sorted(map(str, known)))}.",
            )


def _limited(can: Capabilities, connector: Connector) -> Iterator[tuple[str, Any, frozenset[Any]]]:
    """Every value of an option that does not take all values, with those that it takes."""
    for option, known in can.options.items():
        value = getattr(connector, option)
        if known is not None and can.settable(option) and not (value is None or isinstance(value, Odd)):
            yield from ((option, each, known) for each in (value if _ROWS[option].is_list else (value,)))
    for option, entries in (("extended_rights", connector.known_rights), ("removed_rights", connector.removed_rights)):
        for entry in entries:
            for value, limited in ((entry.principal, can.principals), (entry.right, can.rights)):
                if limited is not None:
                    yield option, value, limited


def binding_conflicts(backend: str, can: Capabilities, state: State) -> list[Conflict]:
    """Options that a server has once for each binding, where two enabled connectors on one differ."""
    found = []
    first: dict[tuple[Binding, str], Connector] = {}
    for connector in (item for item in state.connectors if item.enabled):
        for binding, option in ((each, option) for each in connector.bindings for option in sorted(can.per_binding)):
            other = first.setdefault((binding, option), connector)
            values = getattr(other, option), getattr(connector, option)
            if values[0] != values[1] and not any(isinstance(value, Odd) for value in values):
                found.append(_difference(backend, binding, option, (other, connector)))
    return found


def _difference(backend: str, binding: Binding, option: str, pair: tuple[Connector, Connector]) -> Conflict:
    other, connector = (json.dumps(render_value(_ROWS[option], getattr(item, option))) for item in pair)
    return Conflict(
        f"backend {backend} has this option once for each binding: on {binding} it is {other} for connector "
        f"'{pair[0].name}' and {connector} here",
        f"connector '{pair[1].name}', {option}",
        "Give both the same value, or bind them to different addresses or ports.",
        CapabilityError,
    )
