# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatch of the module of this name. On Exchange it only reads."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.relay.plugins.module_utils._argument_spec import domains_spec, guard_spec
from ansible_collections.mailops.relay.plugins.plugin_utils._dispatch import DispatchAction
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.tasks import domains


class ActionModule(DispatchAction):
    def _on_exchange(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        params = self._params({**guard_spec(), **domains_spec()})
        result = domains(self._ask(params, task_vars), params)
        if not self._task.diff:
            del result["diff"]
        return result
