# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a server back, in the shape of the options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._connector.addresses import parse_binding
from .._connector.model import State
from .._connector.properties import render_item
from .._policy.compile import compile_policy
from .._policy.decide import select
from .._policy.questions import parse_peer
from .backend import ServiceFacts
from .result import render_policy


def render_info(backend: str, state: State, service: ServiceFacts, selected: str | None) -> dict[str, Any]:
    return {
        "backend": backend,
        "connectors": [render_item(item) for item in state.connectors],
        "accepted_domains": [render_item(item) for item in state.domains],
        "built_in": [item.name for item in state.connectors if state.is_built_in(item.name)],
        "selected": selected,
        "service": {"state": "started" if service.running else "stopped", "restart_required": service.restart_required},
        "restart_required": service.restart_required,
        **render_policy(compile_policy(state)),
    }


def select_connector(state: State, question: Mapping[str, str] | None) -> str | None:
    """The name of the connector that takes a session of ``client`` on ``binding``.

    :raises InputError: no binding, or not one address
    """
    if question is None:
        return None
    local = parse_binding(question["binding"], "select, binding")
    rule = select(compile_policy(state), local, parse_peer(question["client"], "select, client"))
    return None if rule is None else rule.connector
