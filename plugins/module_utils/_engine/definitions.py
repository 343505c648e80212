# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a whole server from data: a file of options, or what ``receive_connectors_info`` returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._connector.errors import InputError
from .._connector.properties import CONNECTOR_PROPERTIES, DOMAIN_PROPERTIES
from .._connector.rights import ExtendedRight, parse_held_right
from .._connector.values import parse_key
from .._policy.state import State
from .merge import Options, combine

_CONNECTOR_OPTIONS = ("name", "state", "usage", "unvalidated", *(row.option for row in CONNECTOR_PROPERTIES))
_DOMAIN_OPTIONS = ("name", "state", *(row.option for row in DOMAIN_PROPERTIES))
_STATES = ("present", "absent")
_UNKNOWN = "Read the server again as somebody who may run Get-ADPermission there (Organization Management)."
_FORM = "Give what receive_connectors_info returns, or {connectors: [...], accepted_domains: [...]}."


def parse_definitions(value: Any) -> State:
    """Both lists are needed, because a missing one would look like a closed server; other keys are ignored but
    ``inherited_rights`` and ``full_control`` (lists of ``{connector, principal, right, deny}``) and ``rights_known``.

    What cannot stand together is taken as it is: a server may hold it.

    :raises RelayError: a value or option that cannot be read; rights that are not known, because without them the
        server would look closed
    """
    if not isinstance(value, Mapping):
        raise InputError("not the connectors of a server", value=value, way_out=_FORM)
    if value.get("rights_known") is False:
        raise InputError("the rights of these connectors could not be read", where="rights_known", way_out=_UNKNOWN)
    state = combine(
        State(),
        Options(
            connectors=_entries(value, "connectors", _CONNECTOR_OPTIONS),
            accepted_domains=_entries(value, "accepted_domains", _DOMAIN_OPTIONS),
        ),
    )
    inherited, full = (_held(state, value.get(key) or (), key) for key in ("inherited_rights", "full_control"))
    connectors = (
        replace(item, inherited_rights=inherited.get(item.key, ()), full_control=full.get(item.key, ()))
        for item in state.connectors
    )
    return replace(state, connectors=tuple(connectors))


def _held(state: State, entries: Any, key: str) -> dict[str, tuple[ExtendedRight, ...]]:
    """Sorted, by the key of the connector."""
    if not isinstance(entries, (list, tuple)):
        raise InputError("not a list", where=key, value=entries, way_out=_FORM)
    found: dict[str, set[ExtendedRight]] = {}
    for number, entry in enumerate(entries):
        where = f"{key}[{number}]"
        if not isinstance(entry, Mapping):
            raise InputError("not a dictionary", where=where, value=entry, way_out=_FORM)
        name = entry.get("connector")
        if not isinstance(name, str) or state.connector(name) is None:
            raise InputError("there is no such connector", where=f"{where}.connector", value=name, way_out=_FORM)
        right = {key: item for key, item in entry.items() if key != "connector"}
        found.setdefault(name.lower(), set()).add(parse_held_right(right, where))
    return {key: tuple(sorted(rights)) for key, rights in found.items()}


def _entries(value: Mapping[str, Any], key: str, options: Sequence[str]) -> list[Mapping[str, Any]]:
    """No argument spec has looked at these: a misspelt option must not be taken for an omitted one."""
    entries = value.get(key)
    if not isinstance(entries, (list, tuple)):
        raise InputError("a list is needed", where=key, value=entries, way_out=_FORM)
    for number, entry in enumerate(entries):
        where = f"{key}[{number}]"
        if not isinstance(entry, Mapping):
            raise InputError("not a dictionary of options", where=where, value=entry, way_out=_FORM)
        for option in entry:
            parse_key(option, options, f"{where}, option name")
        parse_key(entry.get("state", "present"), _STATES, f"{where}, state")
    return list(entries)
