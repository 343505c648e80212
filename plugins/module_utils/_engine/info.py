# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a server back, in the shape of the options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._connector.addresses import parse_binding
from .._connector.properties import render_item
from .._policy.decide import rule_for
from .._policy.explain import parse_peer
from .._policy.state import State
from .backend import ServiceFacts
from .result import render_policy


def render_info(backend: str, state: State, service: ServiceFacts, selected: str | None) -> dict[str, Any]:
    return {
        "backend": backend,
        "connectors": [render_item(item) for item in state.connectors],
        "inherited_rights": [
            {"connector": item.name, **entry._asdict()} for item in state.connectors for entry in item.inherited_rights
        ],
        "rights_known": state.rights_known,
        "accepted_domains": [render_item(item) for item in state.accepted_domains],
        "built_in": [item.name for item in state.connectors if state.is_built_in(item.name)],
        "selected": selected,
        "service": {"state": _word(service.running), "restart_required": service.restart_required},
        "services": [
            {"name": part.name, "state": _word(part.running), "restart_required": part.restart_required}
            for part in service.parts
        ],
        "restart_required": service.restart_required,
        **render_policy(state.policy),
    }


def _word(running: bool) -> str:
    return "started" if running else "stopped"


def select_connector(state: State, question: Mapping[str, str] | None) -> str | None:
    """The name of the connector that takes a session of ``client`` on ``binding``.

    :raises InputError: no binding, or not one address
    """
    if question is None:
        return None
    local = parse_binding(question["binding"], "connector_for, binding")
    rule = rule_for(state.policy, local, parse_peer(question["client"], "connector_for, client"))
    return None if rule is None else rule.connector
