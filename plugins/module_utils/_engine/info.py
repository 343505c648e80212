# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a server back, in the shape of the options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._connector.addresses import parse_binding
from .._connector.rights import ExtendedRight
from .._connector.settings import render_settings
from .._policy.decide import rule_for
from .._policy.explain import parse_peer
from .backend import Reading
from .result import policy_listeners, render_listeners, render_policy, render_state


def render_info(backend: str, reading: Reading, selected: str | None) -> dict[str, Any]:
    """The result of ``receive_connectors_info``; what is said of sessions is of what the server was given to run."""
    state, service = reading.state, reading.service
    return {
        "backend": backend,
        **render_state(state),
        "settings": render_settings(state.settings),
        "inherited_rights": _entries((item.name, item.inherited_rights) for item in state.connectors),
        "full_control": _entries((item.name, item.full_control) for item in state.connectors),
        "rights_known": state.rights_known,
        "built_in": [item.name for item in state.connectors if state.is_built_in(item.name)],
        "selected": selected,
        "service": {"state": _word(service.running), "restart_required": service.restart_required},
        "services": [
            {"name": part.name, "state": _word(part.running), "restart_required": part.restart_required}
            for part in service.parts
        ],
        "restart_required": service.restart_required,
        **render_policy(reading.policy),
        "listeners": None if service.listeners is None else render_listeners(service.listeners),
        "expected_listeners": policy_listeners(reading.policy),
    }


def _entries(held: Iterable[tuple[str, tuple[ExtendedRight, ...]]]) -> list[dict[str, Any]]:
    return [{"connector": name, **entry._asdict()} for name, entries in held for entry in entries]


def _word(running: bool) -> str:
    return "started" if running else "stopped"


def connector_for(reading: Reading, question: Mapping[str, str] | None) -> str | None:
    """The name of the connector that takes a session of ``client`` on ``binding``.

    :raises InputError: no binding, or not one address
    """
    if question is None:
        return None
    local = parse_binding(question["binding"], "connector_for, binding")
    rule = rule_for(reading.policy, local, parse_peer(question["client"], "connector_for, client"))
    return None if rule is None else rule.connector
