# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatch of the module of this name; the query is applied here, so that every backend has it."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.mailops.relay.plugins.module_utils._argument_spec import info_spec
from ansible_collections.mailops.relay.plugins.plugin_utils._dispatch import EXCHANGE, DispatchAction
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.snapshot import read_snapshot
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.tasks import info

try:
    import jmespath
except ImportError:
    jmespath = None


class ActionModule(DispatchAction):
    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        query = self._task.args.get("query")
        compiled = None if query is None else _compile(query)
        if self._task.args.get("snapshot") is not None and self._task.args.get("backend") != EXCHANGE:
            raise AnsibleActionFail("snapshot: only Exchange has snapshots. Set backend: exchange, on whatever host.")
        result = super().run(tmp, task_vars)
        if compiled is not None and not result.get("failed"):
            result["query_result"] = _search(compiled, result)
        return result

    def _on_exchange(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        params = self._params(info_spec())
        path = params["snapshot"]
        return info(self._ask(params, task_vars) if path is None else read_snapshot(path), params)


def _compile(query: Any) -> Any:
    if jmespath is None:
        raise AnsibleActionFail("query: the controller lacks the Python package jmespath. Install it there.")
    try:
        return jmespath.compile(query)
    except (jmespath.exceptions.JMESPathError, TypeError) as error:
        raise AnsibleActionFail(f"query: not a JMESPath expression, got {query!r}: {error}") from error


def _search(compiled: Any, result: dict[str, Any]) -> Any:
    try:
        return compiled.search(result)
    except jmespath.exceptions.JMESPathError as error:
        raise AnsibleActionFail(f"query: it does not fit the result: {error}") from error
