# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From task options and the actual state to the wanted state, and the rules a state must keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._connector.addresses import AddressRange, Binding
from .._connector.combinations import validate_combination
from .._connector.errors import ConflictError, InputError
from .._connector.model import AcceptedDomain, Connector
from .._connector.properties import Item, apply_options
from .._connector.rights import beyond_groups
from .._connector.usage import usage_defaults
from .._connector.values import parse_domain, parse_name
from .._policy.state import State

_NEEDED = ("bindings", "remote_ip_ranges")


@dataclass(frozen=True)
class Options:
    """What a task asks for. ``None``: the task is not about these at all.

    :ivar connectors: mappings with ``name``, ``state`` and the options of the property table
    :ivar accepted_domains: the same for accepted domains
    :ivar purge: what is not listed goes (built-in connectors stay)
    """

    connectors: Sequence[Mapping[str, Any]] | None = None
    accepted_domains: Sequence[Mapping[str, Any]] | None = None
    purge: bool = False


def merge(actual: State, options: Options) -> State:
    """The wanted state. Omitted options keep what is there.

    :raises InputError: a value that cannot be read, a new connector without bindings or ranges
    :raises ConflictError: two entries for one name, connectors that cannot stand together
    """
    wanted = replace(actual, drift=False)
    if options.connectors is not None:
        named = _by_name(options.connectors, parse_name, "connector")
        kept = [item for item in actual.connectors if _stays(item, named, options.purge, actual)]
        present = [_normal(_wanted_connector(actual, name, entry)) for name, entry in named if _is_present(entry)]
        wanted = replace(wanted, connectors=_sorted([*kept, *present]))
    if options.accepted_domains is not None:
        named = _by_name(options.accepted_domains, parse_domain, "accepted domain")
        kept_domains = [item for item in actual.accepted_domains if _stays(item, named, options.purge, actual)]
        present_domains = [_wanted_domain(actual, name, entry) for name, entry in named if _is_present(entry)]
        wanted = replace(wanted, accepted_domains=_sorted([*kept_domains, *present_domains]))
    validate(wanted)
    return wanted


def _sorted(items: list[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: item.key))


def _normal(connector: Connector) -> Connector:
    rights = beyond_groups(connector.permission_groups, connector.entries)
    return replace(connector, extended_rights=rights)


def _is_present(entry: Mapping[str, Any]) -> bool:
    return entry.get("state") != "absent"


def _by_name(entries: Sequence[Mapping[str, Any]], parse: Any, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    seen: dict[str, str] = {}
    named = []
    for number, entry in enumerate(entries):
        name = parse(entry.get("name"), f"{kind} {number}, name")
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


def validate(state: State) -> None:
    """Refuse a state that no server could hold.

    :raises InputError: a connector without bindings
    :raises ConflictError: equal or partly overlapping ranges of two connectors on one binding
    """
    by_binding: dict[Binding, list[tuple[AddressRange, str]]] = {}
    for connector in state.connectors:
        if not connector.bindings:
            where = f"connector '{connector.name}', bindings"
            raise InputError(
                "a connector needs a binding", where=where, way_out="Give at least one address:port, or state: absent."
            )
        validate_combination(connector)
        for binding in connector.bindings:
            by_binding.setdefault(binding, []).extend((item, connector.name) for item in connector.remote_ip_ranges)
    for binding, claims in by_binding.items():
        _refuse_overlap(binding, claims)


def _refuse_overlap(binding: Binding, claims: list[tuple[AddressRange, str]]) -> None:
    """The smallest range wins, so between two connectors one range must lie wholly inside the other or apart from
    it."""
    open_claims: list[tuple[AddressRange, str]] = []
    for item, owner in sorted(claims, key=lambda claim: (claim[0].version, claim[0].low, -claim[0].high, claim[1])):
        open_claims = [claim for claim in open_claims if claim[0].version == item.version and claim[0].high >= item.low]
        for other, other_owner in open_claims:
            if owner != other_owner and (other.high < item.high or other[1:] == item[1:]):
                how = "equals" if other == item else "partly overlaps"
                raise ConflictError(
                    f"range {item} {how} {other} of connector '{other_owner}' on {binding}",
                    where=f"connector '{owner}', remote_ip_ranges",
                    way_out="Let one lie wholly inside the other, or apart from it.",
                )
        open_claims.append((item, owner))
