# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a task to where it can be done: the module of the same name on the target, or for Windows the Exchange
backend."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

COLLECTION = "mailops.relay"


class DispatchAction(ActionBase):
    """Base of the action plugins. The host is judged by its connection's shell, never by what is installed there."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        if getattr(self._connection._shell, "_IS_WINDOWS", False):  # set on PowerShell only
            self._refuse_windows()
        result: dict[str, Any] = self._execute_module(
            module_name=f"{COLLECTION}.{self._module_name()}", module_args=self._module_args(), task_vars=task_vars
        )
        return result

    def _module_name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    def _module_args(self) -> dict[str, Any]:
        return dict(self._task.args)

    def _refuse_windows(self) -> None:
        backend = self._task.args.get("backend")
        if backend != "exchange":
            raise AnsibleActionFail(
                f"backend: a Windows host takes 'exchange' only, got {backend!r}. Set backend: exchange for this host."
            )
        raise AnsibleActionFail(
            "backend: 'exchange' is not built yet. This release manages the bundled relay on Linux (backend: aiosmtpd)."
        )
