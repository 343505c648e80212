# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules do on Exchange, from the answers of a server to the result of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._connector.errors import CapabilityError
from ...module_utils._engine.converge import Outcome
from ...module_utils._engine.info import render_info, select_connector
from ...module_utils._engine.merge import Options, merge
from ...module_utils._engine.result import render_outcome
from .calls import Answers
from .state import Server, read_server

NAME = "exchange"


def info(answers: Answers, params: Mapping[str, Any]) -> dict[str, Any]:
    server = read_server(answers)
    selected = select_connector(server.state, params["connector_for"])
    return _result(server, render_info(NAME, server.state, server.service, selected))


def domains(answers: Answers, params: Mapping[str, Any]) -> dict[str, Any]:
    """Read only.

    :raises CapabilityError: the task wants something else than what is there
    """
    server = read_server(answers)
    wanted = merge(server.state, Options(accepted_domains=params["accepted_domains"], purge=params["purge"]))
    different = sorted({*wanted.accepted_domains} ^ {*server.state.accepted_domains}, key=lambda item: item.key)
    if different:
        raise CapabilityError(
            "accepted domains of Exchange are only read here: they belong to the organisation, not to one server, and "
            "a change bites on all of its servers at once",
            where=f"accepted domain '{different[0].name}'",
            way_out="Change them in Exchange (New-, Set-, Remove-AcceptedDomain), or make the task say what is there.",
        )
    policy = server.state.policy
    outcome = Outcome(False, server.state, server.state, policy, (), (), server.service, policy)
    return _result(
        server, render_outcome(NAME, outcome, "domain", [entry["name"] for entry in params["accepted_domains"]])
    )


def _result(server: Server, result: dict[str, Any]) -> dict[str, Any]:
    result.setdefault("changed", False)
    return {**result, "warnings": list(server.notices)} if server.notices else result
