# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of this name, where it can be done; the query is applied here, so that every backend has it."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError
from ansible_collections.mailops.relay.plugins.plugin_utils._action import RelayAction

try:
    import jmespath
except ImportError:
    jmespath = None


class ActionModule(RelayAction):
    kind = "info"

    def _run_task(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        query = self._task.args.get("query")
        compiled = None if query is None else _compile(query)
        if self._task.args.get("snapshot") is not None and self._task.args.get("backend") != "exchange":
            way_out = "Set backend: exchange, on whatever host."
            raise InputError("only Exchange has snapshots", where="snapshot", way_out=way_out)
        result = super()._run_task(task_vars)
        if compiled is not None and not result.get("failed"):
            result["query_result"] = _search(compiled, result)
        return result


def _compile(query: Any) -> Any:
    if jmespath is None:
        way_out = "Install it there."
        raise InputError("the controller lacks the Python package jmespath", where="query", way_out=way_out)
    try:
        return jmespath.compile(query)
    except (jmespath.exceptions.JMESPathError, TypeError) as error:
        way_out = f"Mend it: {error}"
        raise InputError("not a JMESPath expression", where="query", value=query, way_out=way_out) from error


def _search(compiled: Any, result: dict[str, Any]) -> Any:
    try:
        return compiled.search(result)
    except jmespath.exceptions.JMESPathError as error:
        raise InputError("it does not fit the result", where="query", way_out=f"Mend it: {error}") from error
