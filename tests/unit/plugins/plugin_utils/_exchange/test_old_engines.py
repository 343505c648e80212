# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What old engines do not understand must not be in the scripts; the tree of the real parser (``$PWSH``) is asked."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[5]
SCRIPT = ROOT / "plugins/modules/exchange_cmdlets.ps1"
SNAPSHOT = ROOT / "docs/exchange-snapshot.ps1"
PWSH = os.environ.get("PWSH", "")
needs_engine = pytest.mark.skipif(not PWSH, reason="PWSH does not name a PowerShell engine")

FIND = r"""
foreach ($path in $args) {
$errors = $null; $tokens = $null
$tree = [System.Management.Automation.Language.Parser]::ParseFile($path, [ref]$tokens, [ref]$errors)
$found = @($errors | ForEach-Object { 'error: ' + $_.Message })
$found += @($tree.FindAll({ $true }, $true) | ForEach-Object { $_.GetType().Name } | Sort-Object -Unique)
$found += @($tree.FindAll({ $args[0] -is [System.Management.Automation.Language.BinaryExpressionAst] -or
    $args[0] -is [System.Management.Automation.Language.UnaryExpressionAst] }, $true) |
    ForEach-Object { 'operator ' + $_.Operator + $_.TokenKind } | Sort-Object -Unique)
$found += @($tree.FindAll({ $args[0] -is [System.Management.Automation.Language.AssignmentStatementAst] }, $true) |
    ForEach-Object { 'assign ' + $_.Operator } | Sort-Object -Unique)
$found += @($tree.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true) |
    ForEach-Object { 'command ' + $_.GetCommandName() } | Sort-Object -Unique)
$found += @($tree.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandParameterAst] }, $true) |
    ForEach-Object { 'parameter ' + $_.ParameterName } | Sort-Object -Unique)
$found += @($tree.FindAll({ $args[0] -is [System.Management.Automation.Language.VariableExpressionAst] }, $true) |
    ForEach-Object { $(if ($_.Splatted) { 'splat ' } else { 'variable ' }) + $_.VariablePath } | Sort-Object -Unique)
$found += @($tree.FindAll({ ($args[0] -is [System.Management.Automation.Language.MemberExpressionAst] -and
    $args[0].NullConditional) -or ($args[0] -is [System.Management.Automation.Language.IndexExpressionAst] -and
    $args[0].NullConditional) }, $true) | ForEach-Object { 'null conditional' })
$found += @($tree.FindAll({ $args[0] -is [System.Management.Automation.Language.PipelineBaseAst] -and
    $args[0].Background }, $true) | ForEach-Object { 'background' })
$found += @($tree.FindAll({ $args[0] -is [System.Management.Automation.Language.NamedBlockAst] -and
    $args[0].BlockKind -eq 'Clean' }, $true) | ForEach-Object { 'clean' })
$found += @($tokens | Where-Object { $_.Kind -eq 'Number' } | ForEach-Object { 'number ' + $_.Text })
$found += @($tokens | Where-Object { $_.Text.StartsWith('<#') } | ForEach-Object { 'block comment' })
$found | ForEach-Object { "$path`t$_" }
}
"""
NOT_IN_5 = (
    r"error: .*|TernaryExpressionAst|PipelineChainAst|operator QuestionQuestion|assign QuestionQuestionEquals"
    r"|null conditional|background|clean|parameter (?i:Parallel|AsHashtable|EscapeHandling|AsArray)"
    r"|variable (?i:Is(?:Windows|Linux|MacOS|CoreCLR))|number .*[uyn]"
)
NOT_IN_1 = (
    rf"{NOT_IN_5}|TryStatementAst|splat .*|command (?i:ConvertTo-Json|ConvertFrom-Json|Add-Type)|block comment"
    r"|operator (?i:.*(?:Split|Join|In|Shl|Shr))|AttributeAst|UsingExpressionAst|UsingStatementAst|TypeDefinitionAst"
    r"|DataStatementAst|FunctionMemberAst|(?i:variable (?:PSItem|PSScriptRoot))"
)


def nodes(tmp_path: Path, *scripts: Path) -> list[list[str]]:
    """What each script is made of."""
    (tmp_path / "find.ps1").write_text(FIND)
    command = [PWSH, "-NoProfile", "-NonInteractive", "-File", str(tmp_path / "find.ps1"), *map(str, scripts)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = [line.split("\t", maxsplit=1) for line in lines if "\t" in line]
    return [[node for path, node in pairs if path == str(script)] for script in scripts]


@needs_engine
@pytest.mark.parametrize(("script", "pattern"), [(SCRIPT, NOT_IN_5), (SNAPSHOT, NOT_IN_1)])
def test_a_script_is_understood_by_the_engine_it_is_for(tmp_path: Path, script: Path, pattern: str) -> None:
    found = nodes(tmp_path, script)[0]
    assert "command New-Object" in found
    assert [node for node in found if re.fullmatch(pattern, node)] == []


LACKS_5 = (
    "$a ? 1 : 2",
    "Get-Item x && Get-Item y",
    "$a ?? 1",
    "$a ??= 1",
    "${a}?.b",
    "${a}?[0]",
    "Get-Item x &",
    "function f { clean { 1 } }",
    "1 | ForEach-Object -Parallel { 1 }",
    "ConvertFrom-Json -AsHashtable x",
    "ConvertTo-Json -EscapeHandling Default x",
    "$IsWindows",
    "1u",
    "if (",
)
LACKS_1 = (
    "try { 1 } catch { 2 }",
    "Get-Item @a",
    "ConvertTo-Json 1",
    "'a' -split 'b'",
    "$a = -join 'a'",
    "1 -in 2",
    "<# x #>",
)


@needs_engine
@pytest.mark.parametrize(("lines", "pattern"), [(LACKS_5, NOT_IN_5), (LACKS_1, NOT_IN_1)])
def test_the_check_finds_what_an_old_engine_lacks(tmp_path: Path, lines: tuple[str, ...], pattern: str) -> None:
    scripts = [tmp_path / f"{number}.ps1" for number in range(len(lines))]
    for script, line in zip(scripts, lines, strict=True):
        script.write_text(f"{line}\n")
    for line, found in zip(lines, nodes(tmp_path, *scripts), strict=True):
        assert [node for node in found if re.fullmatch(pattern, node)], (line, found)


@pytest.mark.parametrize("script", [SCRIPT, SNAPSHOT])
def test_a_script_is_ascii_because_old_engines_take_no_encoding_for_granted(script: Path) -> None:
    assert script.read_bytes().isascii()


def test_the_snapshot_can_be_pasted() -> None:
    lines = SNAPSHOT.read_text().splitlines()
    assert all(line.strip() for line in lines)
    assert lines[-1] == "}"


def test_the_internal_module_needs_nothing_of_ansible() -> None:
    text = SCRIPT.read_text()
    assert text.startswith("#!powershell\n")
    assert "#Requires -Version 5.1" in text
    assert "Ansible.Basic" not in text
    assert "module_utils" not in text
