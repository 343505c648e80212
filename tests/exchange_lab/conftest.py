# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the Exchange lab. What needs PowerShell is skipped where the variable PWSH does not name one."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from exchange_lab.engine import Program
from exchange_lab.lab import AdHoc, Lab, Start, exchange_host, inventory, running_lab
from exchange_lab.wsman import Tls, Wsman, running
from support.ansible import Playbook

# without module_utils, so that nothing has to be compiled
ECHO = """#!powershell
#Requires -Version 5.1
$seen = @{
    changed = $false
    text = ([string]$complex_args.text) * $(if ($complex_args.times) { $complex_args.times } else { 1 })
    state = $env:EXCHANGE_LAB_STATE
    log = $env:EXCHANGE_LAB_LOG
    path = $env:PSModulePath
}
ConvertTo-Json -Compress $seen
"""

NO_PWSH = "PWSH names no PowerShell"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was not tested."""
    skipped = sum(NO_PWSH in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.write_line(f"Exchange lab: {skipped} tests skipped, {NO_PWSH}")


@pytest.fixture(scope="session")
def pwsh() -> Path:
    """The PowerShell that PWSH names; one on PATH is not used."""
    if not os.environ.get("PWSH"):
        pytest.skip(NO_PWSH)
    executable = Path(os.environ["PWSH"])
    assert os.access(executable, os.X_OK), f"PWSH={executable} cannot be run"
    return executable.absolute()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return Tls(context, file)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers that run any program, mostly a function: start(program, tls=None)."""
    with contextlib.ExitStack() as stack:

        def start_one(program: Program, tls: Tls | None = None) -> Wsman:
            return stack.enter_context(running(program, tls))

        yield start_one


@pytest.fixture
def lab(pwsh: Path, tmp_path: Path) -> Iterator[Lab]:
    """A server with PowerShell behind it."""
    with running_lab(pwsh, tmp_path) as running_one:
        yield running_one


@pytest.fixture
def ad_hoc(tmp_path: Path) -> AdHoc:
    """Runs one module with `ansible`: ad_hoc(server, module, arguments, *options, **exchange_host's).

    The module lab.tiny.echo returns its `text`, `times` over, and what it sees of its environment.
    """
    modules = tmp_path / "ansible_collections/lab/tiny/plugins/modules"
    modules.mkdir(parents=True)
    (modules / "echo.ps1").write_text(ECHO)

    def run(server: Wsman, module: str, arguments: str, *options: str, **variables: Any) -> Playbook:
        hosts = inventory(tmp_path / "hosts.json", exchange=exchange_host(server, **variables))
        command = ["exchange", *hosts, "--module-name", module, "--args", arguments, *options]
        return Playbook(*command, program="ansible", collections=tmp_path)

    return run
