# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From task options and the actual state to the wanted state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._connector.errors import ConflictError, InputError
from .._connector.model import AcceptedDomain, Connector
from .._connector.odd import plain_text
from .._connector.properties import Item, apply_options, parse_unvalidated
from .._connector.rights import beyond_groups
from .._connector.settings import merge_settings
from .._connector.usage import usage_defaults
from .._connector.values import parse_domain, parse_name
from .._policy.state import State
from .conflicts import new_conflicts

_NEEDED = ("bindings", "remote_ip_ranges")


@dataclass(frozen=True)
class Options:
    """What a task asks for. ``None``: the task is not about these at all.

    :ivar connectors: mappings with ``name``, ``state`` and the options of the property table
    :ivar accepted_domains: the same for accepted domains
    :ivar settings: the options of the settings of the whole server
    :ivar purge: what is not listed goes (built-in connectors stay)
    """

    connectors: Sequence[Mapping[str, Any]] | None = None
    accepted_domains: Sequence[Mapping[str, Any]] | None = None
    settings: Mapping[str, Any] | None = None
    purge: bool = False


def merge(actual: State, options: Options) -> State:
    """The wanted state. Omitted options keep what is there.

    :raises InputError: a value that cannot be read, a new connector without bindings or ranges
    :raises ConflictError: two entries for one name, or something that cannot stand together and did not in ``actual``
    """
    wanted = combine(actual, options)
    for conflict in new_conflicts(wanted, actual):
        raise conflict.error()
    return wanted


def combine(actual: State, options: Options) -> State:
    """As :func:`merge`, whether or not it can stand together: of what a server holds nothing is asked.

    :raises InputError: as :func:`merge`
    :raises ConflictError: two entries for one name
    """
    wanted = actual
    if options.settings is not None:
        wanted = replace(wanted, settings=merge_settings(actual.settings, options.settings))
    if options.connectors is not None:
        named = _by_name(options.connectors, partial(_connector_name, actual), "connector")
        kept = [item for item in actual.connectors if _stays(item, named, options.purge, actual)]
        present = [_normal(_wanted_connector(actual, name, entry)) for name, entry in named if _is_present(entry)]
        wanted = replace(wanted, connectors=_sorted([*kept, *present]))
    if options.accepted_domains is not None:
        named = _by_name(options.accepted_domains, _domain_name, "accepted domain")
        kept_domains = [item for item in actual.accepted_domains if _stays(item, named, options.purge, actual)]
        present_domains = [_wanted_domain(actual, name, entry) for name, entry in named if _is_present(entry)]
        wanted = replace(wanted, accepted_domains=_sorted([*kept_domains, *present_domains]))
    return wanted


def _sorted(items: list[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: item.key))


def _normal(connector: Connector) -> Connector:
    if connector.extended_rights is None:
        return connector
    rights = beyond_groups(connector.permission_groups, connector.known_rights)
    return replace(connector, extended_rights=rights)


def _is_present(entry: Mapping[str, Any]) -> bool:
    return entry.get("state") != "absent"


def _connector_name(actual: State, entry: Mapping[str, Any], where: str) -> str:
    """A name that the server has, and one that is ``unvalidated``, is one whatever it is."""
    name = entry.get("name")
    unvalidated = parse_unvalidated(entry, where)
    if isinstance(name, str) and (actual.connector(name) is not None or "name" in unvalidated):
        return plain_text(name)
    return parse_name(name, f"{where}, name")


def _domain_name(entry: Mapping[str, Any], where: str) -> str:
    return parse_domain(entry.get("name"), f"{where}, name")


def _by_name(
    entries: Sequence[Mapping[str, Any]], parse: Callable[[Mapping[str, Any], str], str], kind: str
) -> list[tuple[str, Mapping[str, Any]]]:
    seen: dict[str, str] = {}
    named = []
    for number, entry in enumerate(entries):
        name = parse(entry, f"{kind} {number}")
        if name.lower() in seen:
            way_out = "Names are the same whatever their case: keep one entry."
            raise ConflictError(
                f"two entries for one {kind}", where=f"{kind} '{seen[name.lower()]}'", value=name, way_out=way_out
            )
        seen[name.lower()] = name
        named.append((name, entry))
    return named


def _stays(item: Connector | AcceptedDomain, named: Iterable[tuple[str, Any]], purge: bool, actual: State) -> bool:
    if item.key in {name.lower() for name, _entry in named}:
        return False
    return not purge or (isinstance(item, Connector) and actual.is_built_in(item.name))


def _wanted_connector(actual: State, name: str, entry: Mapping[str, Any]) -> Connector:
    where = f"connector '{name}'"
    defaults = usage_defaults(entry.get("usage"), f"{where}, usage")
    current = actual.connector(name)
    if current is not None:
        return apply_options(current, entry, where)
    for option in _NEEDED:
        if entry.get(option) is None and option not in defaults:
            raise InputError("a new connector needs this option", where=f"{where}, {option}", way_out=f"Give {option}.")
    return apply_options(apply_options(Connector(name), defaults, where), entry, where)


def _wanted_domain(actual: State, name: str, entry: Mapping[str, Any]) -> AcceptedDomain:
    return apply_options(actual.domain(name) or AcceptedDomain(name), entry, f"accepted domain '{name}'")
