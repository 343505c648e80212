# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a task to where it can be done: the module of the same name on the target, or for Exchange the task runner here,
on the controller, with one internal module on the target that only carries out cmdlets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._accounts.merge import refuse_odd_entries
from ..module_utils._argument_spec import (
    argument_spec,
    plain_arguments,
    put_back,
    refuse_what_ansible_fails_on,
    set_aside,
)
from ..module_utils._backends import BACKENDS
from ..module_utils._connector.errors import CapabilityError, InputError, RelayError
from ..module_utils._engine.backend import Backend
from ..module_utils._engine.task import failure, run
from ._exchange.backend import ExchangeBackend, SnapshotBackend
from ._exchange.calls import SCHEMA
from ._exchange.errors import Problem, explain
from ._exchange.snapshot import read_snapshot

COLLECTION = "mailops.relay"
_LIBRARIES = ("winrm", "pypsrp", "requests")
"""Their errors pass through Ansible's connections as they are."""


class RelayAction(ActionBase):
    """Base of the action plugins. The host is told by its connection's shell, never by what is installed there.

    :cvar kind: of the task, see :func:`.task.run`
    """

    kind: str

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._task.args = plain_arguments(self._task.args)
        try:
            if self.kind == "accounts" and self._task.args.get("accounts") is not None:
                refuse_odd_entries(self._task.args["accounts"])
            refuse_what_ansible_fails_on(argument_spec(self.kind), self._task.args)
            return self._run_task(task_vars)
        except RelayError as error:
            result = {"failed": True, **failure(str(self._task.args.get("backend")), error)}
            return {**result, **_warnings(error.warnings)}

    def _run_task(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """The result of the task.

        :raises RelayError: it failed
        """
        backend = self._task.args.get("backend")
        here = isinstance(backend, str) and backend in BACKENDS and BACKENDS[backend].runs_on == "controller"
        if self._is_windows and not here:
            way_out = "Set backend: exchange for this host."
            what = "a Windows host takes 'exchange' only"
            raise CapabilityError(what, where="backend", value=backend, way_out=way_out)
        if here:
            return self._run_here(task_vars)
        result: dict[str, Any] = self._execute_module(
            module_name=f"{COLLECTION}.{type(self).__module__.rpartition('.')[2]}",
            module_args=dict(self._task.args),
            task_vars=task_vars,
        )
        return result

    def _run_here(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        self._task.args, aside = set_aside(self._task.args)
        try:
            _result, params = self.validate_argument_spec(argument_spec=argument_spec(self.kind))
        except AnsibleActionFail as error:
            raise InputError(error.message.rstrip(". ")) from error
        params = put_back(params, aside)
        backend = self._backend(params, task_vars)
        result = run(self.kind, backend, params, check=self._task.check_mode)
        return {**result.shown(self._task.diff), **_warnings(result.warnings)}

    @property
    def _is_windows(self) -> bool:
        return bool(getattr(self._connection._shell, "_IS_WINDOWS", False))  # set on PowerShell only

    def _backend(self, params: Mapping[str, Any], task_vars: dict[str, Any] | None) -> Backend:
        """The server of this host, or a snapshot of one."""
        snapshot = params.get("snapshot")
        if snapshot is not None:
            path = snapshot if os.path.isabs(snapshot) else self._find_needle("files", snapshot)
            return SnapshotBackend(lambda: read_snapshot(path))
        return ExchangeBackend(lambda arguments: self._execute(arguments, task_vars), params["exchange_session"])

    def _execute(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> Mapping[str, Any]:
        if not self._is_windows:
            raise CapabilityError(
                "'exchange' needs a Windows host (connection winrm or psrp, or ssh with ansible_shell_type: "
                "powershell), and this one is none",
                where="backend",
                value="exchange",
                way_out="A server that Ansible does not reach can be read from a snapshot: receive_connectors_info "
                "with the option snapshot.",
            )
        wrote = bool(arguments["write"])
        try:
            result: Mapping[str, Any] = self._execute_module(
                module_name=f"{COLLECTION}.exchange_cmdlets",
                module_args={"schema": SCHEMA, **arguments},
                task_vars=task_vars,
            )
        except AnsibleConnectionFailure as error:  # the host is unreachable, which is no failure of the task
            raise AnsibleConnectionFailure(str(explain(Problem("connection", str(error)), wrote=wrote))) from error
        except Exception as error:
            library = type(error).__module__.partition(".")[0]
            if not isinstance(error, (AnsibleError, OSError)) and library not in _LIBRARIES:
                raise
            raise explain(Problem("connection", f"{error} ({type(error).__name__})"), wrote=wrote) from error
        return result


def _warnings(texts: Sequence[str]) -> dict[str, list[str]]:
    return {"warnings": list(texts)} if texts else {}
