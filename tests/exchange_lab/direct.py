# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The internal module in one PowerShell that stays, without Ansible and WinRM: for tests with many executions."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailops.relay.plugins.module_utils._engine.task import run
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.backend import ExchangeBackend
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.errors import Problem, explain
from exchange_lab import state as lab
from support.ansible import ROOT

SCRIPT = ROOT / "plugins/modules/exchange_cmdlets.ps1"
DEFAULTS: dict[str, dict[str, Any]] = {
    "connectors": {
        "max_relay_addresses": None,
        "shared_sources": None,
        "allow_open_relay": False,
        "allow_inbound_loss": False,
        "allow_expired_certificate": False,
        "purge": False,
    },
    "service": {"state": "restarted", "only_if_required": True, "restart_in_maintenance": False},
    "info": {"connector_for": None},
}
_LOOP = r"""
$env:COMPUTERNAME = '{name}'
$env:ProgramData = '{folder}'
function Get-AnsibleItem { param($Path) Get-Item -LiteralPath $Path -ErrorAction Stop }
$requests = [System.IO.File]::OpenText('{folder}/requests')
while ($null -ne ($line = $requests.ReadLine())) {
    $complex_args = ConvertFrom-Json $line -AsHashtable
    '@@' + (. '{script}')
}
"""


def _nothing(_arguments: dict[str, Any]) -> None:
    pass


class Direct:
    """Executions on the first server of a state.

    :ivar executions: the arguments of each
    :ivar meanwhile: what somebody else does before each of them
    """

    def __init__(self, pwsh: Path, folder: Path) -> None:
        self._pwsh = pwsh
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.meanwhile: Callable[[dict[str, Any]], None] = _nothing
        self.state = folder / "state.json"
        self.log = folder / "calls.log"
        self._requests = folder / "requests"
        self._pipe = -1
        self.executions: list[dict[str, Any]] = []

    def use(self, state: lab.Data) -> None:
        """Begin anew, with a server of the same version."""
        lab.write(self.state, state)
        self.log.unlink(missing_ok=True)
        for file in self._folder.glob("mailops.relay.*"):
            file.unlink()
        self.executions.clear()
        self.meanwhile = _nothing

    def backend(self) -> ExchangeBackend:
        return ExchangeBackend(self.execute, "snapin")

    def task(self, kind: str, *, check: bool = False, **params: Any) -> dict[str, Any]:
        """The result of a task, with its warnings.

        :raises RelayError: it failed
        """
        result = run(kind, self.backend(), {**DEFAULTS[kind], **params}, check=check)
        return {**result.shown(diff=True), "warnings": list(result.warnings)}

    def connectors(self, *entries: Mapping[str, Any], check: bool = False, **params: Any) -> dict[str, Any]:
        """A task of receive_connectors."""
        return self.task("connectors", check=check, connectors=list(entries), **params)

    def server(self) -> lab.Data:
        """The server in the state file."""
        return dict(lab.read(self.state)["servers"][0])

    def execute(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """As the action plugin does it.

        :raises ExchangeError: the process ended before it had answered
        """
        self.executions.append(dict(arguments))
        self.meanwhile(dict(arguments))
        process = self._running()
        assert process.stdout is not None
        os.write(self._pipe, json.dumps(arguments).encode() + b"\n")
        return self._answer(process.stdout)

    def _answer(self, output: Iterable[str]) -> dict[str, Any]:
        for line in output:
            if line.startswith("@@"):
                return dict(json.loads(line[2:]))
        self.close()
        raise explain(Problem("connection", "Remote end closed connection without response"), wrote=True)

    def _running(self) -> subprocess.Popen[str]:
        """Started when it is needed, and again after its end."""
        if self._process is None:
            self._requests.unlink(missing_ok=True)
            os.mkfifo(self._requests)  # PowerShell keeps its standard input to itself
            self._pipe = os.open(self._requests, os.O_RDWR)  # without waiting for a reader
            self._process = subprocess.Popen(
                [str(self._pwsh), "-NoProfile", "-NonInteractive", "-File", str(self._loop())],
                env={**os.environ, **lab.environment(self.state, self.log)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process

    def _loop(self) -> Path:
        script, loop = self._folder / SCRIPT.name, self._folder / "loop.ps1"
        # Ansible's wrapper brings the module that the script requires; here a function stands for it
        script.write_text(
            re.sub("(?m)^#Requires -Module .*$", "", SCRIPT.read_text(encoding="utf-8")), encoding="utf-8"
        )
        name = lab.read(self.state)["servers"][0]["name"]
        text = _LOOP.replace("{name}", name).replace("{folder}", str(self._folder)).replace("{script}", str(script))
        loop.write_text(text, encoding="utf-8")
        return loop

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            os.close(self._pipe)


@contextlib.contextmanager
def direct(pwsh: Path, folder: Path, state: lab.Data) -> Iterator[Direct]:
    """On a server in this state."""
    running = Direct(pwsh, folder)
    lab.write(running.state, state)
    try:
        yield running
    finally:
        running.close()
