# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._engine.definitions import parse_definitions
from ..module_utils._policy.compile import Policy
from ..module_utils._policy.explain import answer, parse_session
from ..plugin_utils._filter import asking, read


@asking
def relay_decision(state: Any, session: Any) -> Any:
    """The answer to a session, or a list of answers to a list of sessions."""
    policy = read("_input", lambda value: parse_definitions(value).policy, state)
    if isinstance(session, (list, tuple)):
        return [_answer(policy, item, f"session {number}") for number, item in enumerate(session)]
    return _answer(policy, session, "session")


def _answer(policy: Policy, session: Any, where: str) -> dict[str, Any]:
    return read(where, lambda value: answer(policy, parse_session(value, where)), session)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"relay_decision": relay_decision}
