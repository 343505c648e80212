# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change does for a while and takes back in the end, written down on the server: a change that is cut off in
between is completed by the next task about the same connector, though that says nothing of it.

A new connector is disabled until all is there; on the way another may be disabled, have a deny or a right of a group
that was removed before, or lack a right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from ...module_utils._connector.errors import RelayError
from ...module_utils._connector.model import Connector
from ...module_utils._connector.rights import (
    ExtendedRight,
    beyond_groups,
    parse_extended_right,
    render_extended_right,
    within_groups,
)
from ...module_utils._engine.backend import Change
from ...module_utils._engine.operations import apply_operation
from ...module_utils._policy.state import State

LIFE = timedelta(days=1)
"""After that somebody will have looked, and it is only told of."""
Entry = dict[str, Any]


def journal(change: Change) -> list[Entry]:
    """An entry for each connector on which the operations leave something for a while."""
    state = change.before.state
    states = list(accumulate(change.operations, apply_operation, initial=state))
    entries = (_entry(state.intended(item.name), item, states) for item in change.wanted.connectors)
    return [entry for entry in entries if entry["enabled"] or entry["added"] or entry["revoked"]]


def _entry(before: Connector | None, wanted: Connector, states: Iterable[State]) -> Entry:
    """:param before: as it was meant to be; a new connector counts as enabled, because nobody has disabled it"""
    met = [found for found in (state.connector(wanted.name) for state in states) if found is not None]
    disabled = wanted.enabled and (before is None or before.enabled) and not all(found.enabled for found in met)
    added: set[ExtendedRight] = set()
    revoked: set[ExtendedRight] = set()
    if wanted.extended_rights is not None:
        own = wanted.own_entries
        was = own if before is None else before.own_entries
        added = {entry for found in met for entry in found.own_entries - own - was}
        revoked = {entry for found in met for entry in own & was - found.own_entries if before is not None}
    return {
        "name": wanted.name,
        "enabled": disabled,
        "added": [render_extended_right(entry) for entry in sorted(added)],
        "revoked": [render_extended_right(entry) for entry in sorted(revoked)],
    }


def read_journal(text: str) -> list[Entry]:
    """The entries in the file; none if it cannot be read: the process may have ended while it wrote."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    entries = found if isinstance(found, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("name"), str)]


def write_journal(entries: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps(list(entries))


def unfinished(connectors: Iterable[Connector], entries: Iterable[Entry]) -> list[Connector]:
    """Connectors that still have something of that, without it."""
    by_name = {item.key: item for item in connectors}
    pairs = ((by_name.get(entry["name"].lower()), entry) for entry in entries)
    found = ((item, _without(item, entry)) for item, entry in pairs if item is not None)
    return [intended for item, intended in found if intended != item]


def _without(connector: Connector, entry: Entry) -> Connector:
    found = replace(connector, enabled=connector.enabled or entry.get("enabled") is True)
    if connector.extended_rights is None:
        return found
    try:
        added, revoked = (
            {parse_extended_right(item, "journal") for item in entry.get(key) or ()} for key in ("added", "revoked")
        )
    except (RelayError, TypeError):
        return connector
    groups = connector.permission_groups
    entries = (connector.own_entries - added) | revoked
    return replace(
        found,
        extended_rights=beyond_groups(groups, entries),
        removed_rights=within_groups(groups, {*connector.removed_rights, *added} - entries),
    )


def is_fresh(written: datetime | None, now: datetime | None) -> bool:
    return written is not None and now is not None and now - written < LIFE
