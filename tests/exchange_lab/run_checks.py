# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run PowerShell against the lab: many small checks in one process, because a process takes a second to start."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from exchange_lab import state as lab

PWSH = os.environ.get("PWSH", "")
needs_engine = pytest.mark.skipif(not PWSH, reason="PWSH names no PowerShell")

_HARNESS = r"""
$ErrorActionPreference = 'Stop'
$snapin = @(Get-PSSnapin -Registered)[0].Name
if ($useSnapin) { Add-PSSnapin $snapin }
function Invoke-Check([string] $name, [scriptblock] $check) {
    $found = [ordered] @{ name = $name; out = @(); warnings = @(); error = '' }
    try {
        foreach ($item in & $check 3>&1) {
            if ($item -is [System.Management.Automation.WarningRecord]) { $found.warnings += $item.Message }
            else { $found.out += [string] $item }
        }
    } catch {
        $record = $_
        # of a call through the API: the error that the far side had
        $inner = $_.Exception.InnerException
        if ($_.Exception -is [System.Management.Automation.MethodInvocationException] -and $inner.ErrorRecord) {
            $record = $inner.ErrorRecord
        }
        $found.error = $record.FullyQualifiedErrorId + ' ' + $_.Exception.Message
    }
    '@@' + (ConvertTo-Json $found -Compress -Depth 4)
}
"""


@dataclass(frozen=True)
class Checked:
    """What a check wrote, its warnings, and error id and message (empty: none)."""

    out: list[str]
    warnings: list[str]
    error: str


def checks(name: str) -> dict[str, str]:
    """Of ``checks/<name>.ps1``, where each begins with a line ``#: name``."""
    text = (Path(__file__).parent / "checks" / f"{name}.ps1").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split("\n#: ")[1:])
    return {title: body for title, _end, body in parts}


def run(directory: Path, whole: lab.Data, checks: Mapping[str, str], *, snapin: bool = True) -> dict[str, Checked]:
    """Run every check, a piece of PowerShell; an error in one does not end the others. State and log stay in
    ``directory``: ``state.json``, ``log``."""
    script = f"$useSnapin = ${str(snapin).lower()}\n{_HARNESS}"
    script += "".join(f"Invoke-Check '{name}' {{\n{body}\n}}\n" for name, body in checks.items())
    (directory / "checks.ps1").write_text(script, encoding="utf-8")
    lab.write(directory / "state.json", whole)
    result = subprocess.run(
        [PWSH, "-NoProfile", "-NonInteractive", "-File", str(directory / "checks.ps1")],
        env={**os.environ, **lab.environment(directory / "state.json", directory / "log")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line[2:]) for line in result.stdout.splitlines() if line.startswith("@@")]
    found = {line["name"]: Checked(line["out"], line["warnings"], line["error"]) for line in lines}
    assert found.keys() == checks.keys(), result.stdout + result.stderr
    return found
