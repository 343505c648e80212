# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a task to where it can be done: the module of the same name on the target, or for Exchange here, on the
controller, with one internal module on the target that only carries out cmdlets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._argument_spec import backend_spec, plain_arguments
from ..module_utils._connector.errors import CapabilityError, RelayError
from ._exchange.calls import SCHEMA, Answers, ask
from ._exchange.errors import Problem, explain

COLLECTION = "mailops.relay"
EXCHANGE = "exchange"
_LIBRARIES = ("winrm", "pypsrp", "requests")
"""Their errors pass through Ansible's connections as they are."""
_NO_WINDOWS = (
    "backend: 'exchange' needs a Windows host (connection winrm or psrp, or ssh with ansible_shell_type: powershell), "
    "and this one is none. A server that Ansible does not reach can be read from a snapshot: receive_connectors_info "
    "with the option snapshot."
)


class DispatchAction(ActionBase):
    """Base of the action plugins. The host is judged by its connection's shell, never by what is installed there."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._task.args = plain_arguments(self._task.args)
        backend = self._task.args.get("backend")
        if self._is_windows and backend != EXCHANGE:
            raise AnsibleActionFail(
                f"backend: a Windows host takes 'exchange' only, got {backend!r}. Set backend: exchange for this host."
            )
        if backend == EXCHANGE:
            return self._run_here(task_vars)
        result: dict[str, Any] = self._execute_module(
            module_name=f"{COLLECTION}.{self._module_name()}", module_args=self._module_args(), task_vars=task_vars
        )
        return result

    @property
    def _is_windows(self) -> bool:
        return bool(getattr(self._connection._shell, "_IS_WINDOWS", False))  # set on PowerShell only

    def _module_name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    def _module_args(self) -> dict[str, Any]:
        return dict(self._task.args)

    def _run_here(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        try:
            return self._on_exchange(task_vars)
        except RelayError as error:
            return {"failed": True, "msg": str(error), "error": error.kind}

    def _on_exchange(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What the module does on Exchange.

        :raises RelayError: it cannot
        """
        raise CapabilityError(
            "writing to Exchange is not built yet",
            where="backend",
            value=EXCHANGE,
            way_out="This release reads Exchange: receive_connectors_info, the filter relay_surface, accepted_domains.",
        )

    def _params(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The validated options of the task."""
        _result, params = self.validate_argument_spec(argument_spec={**backend_spec(), **spec})
        return dict(params)

    def _ask(self, params: Mapping[str, Any], task_vars: dict[str, Any] | None) -> Answers:
        """Read the server of this host, in one execution."""
        if not self._is_windows:
            raise AnsibleActionFail(_NO_WINDOWS)
        return ask(lambda arguments: self._execute(arguments, task_vars), params["exchange_session"])

    def _execute(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> Mapping[str, Any]:
        try:
            result: Mapping[str, Any] = self._execute_module(
                module_name=f"{COLLECTION}.exchange_cmdlets",
                module_args={"schema": SCHEMA, **arguments},
                task_vars=task_vars,
            )
        except AnsibleConnectionFailure as error:  # the host is unreachable, which is no failure of the task
            raise AnsibleConnectionFailure(str(explain(Problem("connection", str(error))))) from error
        except Exception as error:
            library = type(error).__module__.partition(".")[0]
            if not isinstance(error, (AnsibleError, OSError)) and library not in _LIBRARIES:
                raise
            raise explain(Problem("connection", f"{error} ({type(error).__name__})")) from error
        return result
