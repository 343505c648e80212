# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From task options and the actual state to the wanted state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._connector.errors import ConflictError, InputError, UnknownRightsError
from .._connector.model import AcceptedDomain, Connector
from .._connector.odd import plain_text
from .._connector.properties import CONNECTOR_PROPERTIES, Item, apply_options, parse_unvalidated
from .._connector.property import parse_list
from .._connector.rights import ExtendedRight, beyond_groups, within_groups
from .._connector.settings import merge_settings
from .._connector.usage import usage_defaults
from .._connector.values import parse_domain, parse_name
from .._policy.state import State
from .conflicts import new_conflicts

_NEEDED = ("bindings", "remote_ip_ranges")
_RIGHTS = {row.option: row for row in CONNECTOR_PROPERTIES if row.option in ("extended_rights", "removed_rights")}
ENTRY_OPTIONS = ("permission_groups", *_RIGHTS)
"""Options that together say which entries stand on a connector."""


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
        present = [_wanted_connector(actual, name, entry) for name, entry in named if _is_present(entry)]
        wanted = replace(wanted, connectors=_sorted([*kept, *present]))
    if options.accepted_domains is not None:
        named = _by_name(options.accepted_domains, _domain_name, "accepted domain")
        kept_domains = [item for item in actual.accepted_domains if _stays(item, named, options.purge, actual)]
        present_domains = [_wanted_domain(actual, name, entry) for name, entry in named if _is_present(entry)]
        wanted = replace(wanted, accepted_domains=_sorted([*kept_domains, *present_domains]))
    return wanted


def _sorted(items: list[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: item.key))


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
    current = actual.intended(name)
    if current is not None:
        wanted = _with_rights(apply_options(current, entry, where), entry, where)
        return _as_it_is(actual.connector(name) or current, wanted)
    for option in _NEEDED:
        if entry.get(option) is None and option not in defaults:
            raise InputError("a new connector needs this option", where=f"{where}, {option}", way_out=f"Give {option}.")
    new = replace(actual.template, name=name)
    return _with_rights(apply_options(apply_options(new, defaults, where), entry, where), entry, where)


def _as_it_is(current: Connector, wanted: Connector) -> Connector:
    """With the groups and rights in the words of ``current`` if they come to the same entries."""
    if current.extended_rights is None or wanted.extended_rights is None or current.own_entries != wanted.own_entries:
        return wanted
    return replace(wanted, **{option: getattr(current, option) for option in ENTRY_OPTIONS})


def _with_rights(connector: Connector, entry: Mapping[str, Any], where: str) -> Connector:
    """In normal form. What the task asks for in one of the two options is no more in the other.

    :raises ConflictError: it asks for an entry in both, or for the removal of what stays granted
    :raises UnknownRightsError: it asks for the removal of what nobody let us read
    """
    added, removed = (_asked(entry, option, where) for option in _RIGHTS)
    if connector.extended_rights is None:
        if entry.get("removed_rights") is not None:
            raise UnknownRightsError([connector.name])
        return connector
    for right in sorted(added & removed):
        way_out = "Keep it in one of the two: extended_rights to grant it, removed_rights to take it away."
        raise ConflictError(
            "the same entry is in extended_rights", where=f"{where}, removed_rights ({right})", way_out=way_out
        )
    _refuse_what_stays_granted(connector, removed | _asked(entry, "extended_rights", where, ("remove",)), where)
    extended = set(connector.extended_rights) - removed
    return replace(
        connector,
        extended_rights=beyond_groups(connector.permission_groups, extended),
        removed_rights=within_groups(connector.permission_groups, set(connector.removed_rights) - added),
    )


def _asked(
    entry: Mapping[str, Any], option: str, where: str, forms: Sequence[str] = ("", "add", "set")
) -> set[ExtendedRight]:
    """What the task lists in these forms (empty: the whole list), whatever is there."""
    value = entry.get(option)
    parts = value if isinstance(value, Mapping) else {"": value}
    lists = [part for form, part in parts.items() if form in forms and part is not None]
    found = (parse_list(_RIGHTS[option], (), part, f"{where}, {option}") for part in lists)
    return {right for rights in found if isinstance(rights, tuple) for right in rights}


def _refuse_what_stays_granted(connector: Connector, removed: Iterable[ExtendedRight], where: str) -> None:
    """An entry of every right goes on to grant each of them."""
    for right in sorted(removed):
        for held in connector.full_control:
            if not held.deny and held._replace(right=right.right) == right:
                raise ConflictError(
                    f"it would stay granted: {held.principal} has {held.right} on the connector, which this collection "
                    "never changes",
                    where=f"{where}, {right}",
                    way_out="Remove that entry with the tools of the directory, then run the task again.",
                )


def _wanted_domain(actual: State, name: str, entry: Mapping[str, Any]) -> AcceptedDomain:
    return apply_options(actual.domain(name) or AcceptedDomain(name), entry, f"accepted domain '{name}'")
