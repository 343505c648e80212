# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._engine.definitions import parse_definitions
from ..module_utils._policy.explain import answer, parse_session
from ..plugin_utils._filter import asking


@asking
def relay_decision(state: Any, session: Any) -> Any:
    """The answer to a session, or a list of answers to a list of sessions."""
    policy = parse_definitions(state).policy
    if isinstance(session, (list, tuple)):
        return [answer(policy, parse_session(item, f"session {number}")) for number, item in enumerate(session)]
    return answer(policy, parse_session(session, "session"))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"relay_decision": relay_decision}
