# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a whole server from data: a file of options, or what ``receive_connectors_info`` returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InputError
from .merge import Options, merge
from .model import State
from .properties import CONNECTOR_PROPERTIES, DOMAIN_PROPERTIES
from .values import parse_choice

_CONNECTOR_OPTIONS = ("name", "state", "usage", *(row.option for row in CONNECTOR_PROPERTIES))
_DOMAIN_OPTIONS = ("name", "state", *(row.option for row in DOMAIN_PROPERTIES))
_STATES = ("present", "absent")
_FORM = "Give what receive_connectors_info returns, or {connectors: [...], accepted_domains: [...]}."


def read_state(value: Any) -> State:
    """Both lists are needed, because a missing one would look like a closed server; other keys are ignored.

    :raises RelayError: a value or option that cannot be read, or connectors that cannot stand together
    """
    if not isinstance(value, Mapping):
        raise InputError("not the connectors of a server", value=value, way_out=_FORM)
    return merge(
        State(),
        Options(
            connectors=_entries(value, "connectors", _CONNECTOR_OPTIONS),
            domains=_entries(value, "accepted_domains", _DOMAIN_OPTIONS),
        ),
    )


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
            parse_choice(option, options, f"{where}, option name")
        parse_choice(entry.get("state", "present"), _STATES, f"{where}, state")
    return list(entries)
