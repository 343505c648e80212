# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two scripts in a real PowerShell engine (``$PWSH``), against functions that stand in for Exchange's cmdlets."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import READ, Answers, ask
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.snapshot import read_snapshot
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.state import read_server
from support import exchange

ROOT = Path(__file__).resolve().parents[5]
SCRIPT = ROOT / "plugins/modules/exchange_cmdlets.ps1"
SNAPSHOT = ROOT / "docs/exchange-snapshot.ps1"
PWSH = os.environ.get("PWSH", "")
needs_engine = pytest.mark.skipif(not PWSH, reason="PWSH does not name a PowerShell engine")
NAME = 'it\'s \u201cx\u201d "y" $(z) `w` Süd 漢字'

STUBS = r"""
function Get-AnsibleItem { param($Path) Get-Item -LiteralPath $Path -ErrorAction Stop }
function Log { [void]$global:log.Add(($args -join ' ')) }
$global:log = New-Object System.Collections.ArrayList
class Size { [string] ToString() { return '36 MB (37,748,736 bytes)' } }
[Flags()] enum Auth { None = 0; Tls = 1; BasicAuth = 4 }
function Get-ExchangeServer {
    [CmdletBinding()]
    param([string]$Identity)
    Log Get-ExchangeServer $Identity
    [pscustomobject]@{ Name = 'EX1'; AdminDisplayVersion = 'Version 15.1 (Build 2507.6)'; ServerRole = $global:role
        OriginatingServer = 'dc1.corp.test' }
}
function Get-ReceiveConnector {
    [CmdletBinding()]
    param([string]$Server, [string]$DomainController)
    Log Get-ReceiveConnector $Server $DomainController
    if ($global:fault) { throw $global:fault }
    Write-Warning 'One object is odd.'
    foreach ($name in $global:names) {
        $bindings = New-Object System.Collections.ArrayList
        [void]$bindings.Add('[::]:25')
        [void]$bindings.Add('0.0.0.0:25')
        [pscustomobject]@{ Name = $name; DistinguishedName = "CN=$name,CN=EX1"; Server = 'EX1'
            WhenChangedUTC = [datetime]::SpecifyKind([datetime]'2026-01-02T03:04:05', 'Utc'); Enabled = $true
            Bindings = $bindings; RemoteIPRanges = @('10.0.0.11'); PermissionGroups = 'AnonymousUsers, Custom'
            Fqdn = 'ex1.corp.test'; Banner = $null; MaxMessageSize = [Size]::new(); Comment = "a`r`n$name"
            AuthMechanism = [Auth]5; RequireTLS = $false; MaxRecipientsPerMessage = 200; MaxInboundConnection = '5000'
            MaxInboundConnectionPerSource = 'Unlimited'; MaxProtocolErrors = 5
            ConnectionTimeout = [timespan]'00:10:00'; ConnectionInactivityTimeout = [timespan]'00:05:00'
            TarpitInterval = [timespan]'00:00:05'; TransportRole = 'FrontendTransport'; DomainSecureEnabled = $false
            DefaultDomain = $null; ProtocolLoggingLevel = 'None'; MaxHeaderSize = '256 KB (262,144 bytes)'
            MaxHopCount = 60; MaxLocalHopCount = 12; MaxInboundConnectionPercentagePerSource = 2
            MessageRateLimit = 'Unlimited'; MaxLogonFailures = 3; ChunkingEnabled = $true; BinaryMimeEnabled = $true
            EightBitMimeEnabled = $true; PipeliningEnabled = $true; DeliveryStatusNotificationEnabled = $true
            EnhancedStatusCodesEnabled = $true; SizeEnabled = 'Enabled'; RequireEHLODomain = $false
            TlsDomainCapabilities = @() }
    }
}
if (-not $global:norights) {
    function Get-ADPermission {
        [CmdletBinding()]
        param([string]$Identity, [string]$DomainController)
        Log Get-ADPermission $DomainController
        $rights = 'Submit', 'Accept-Any-Sender', 'Accept-Authoritative-Domain-Sender', 'Accept-Any-Recipient'
        foreach ($right in $rights) {
            [pscustomobject]@{ Identity = "corp.test/$Identity"; Deny = $false; IsInherited = $false
                User = [pscustomobject]@{ RawIdentity = 'x'; SecurityIdentifier = 'S-1-5-7' }
                ExtendedRights = @("ms-Exch-SMTP-$right") }
        }
    }
}
function Get-AcceptedDomain {
    [CmdletBinding()]
    param([string]$DomainController)
    Log Get-AcceptedDomain $DomainController
    [pscustomobject]@{ DomainName = 'corp.test'; DomainType = 'Authoritative'; WhenChangedUTC = $null }
}
function Get-CimInstance {
    [CmdletBinding()]
    param([string]$ClassName, [string]$Filter)
    [pscustomobject]@{ Name = 'MSExchangeFrontEndTransport'; State = 'Running'; ProcessId = [uint32]$PID }
    [pscustomobject]@{ Name = 'MSExchangeTransport'; State = 'Stopped'; ProcessId = [uint32]0 }
}
function Get-WmiObject { param($Class, $Filter) Get-CimInstance }
function Get-PSSnapin {
    [CmdletBinding()]
    param([switch]$Registered)
    if (-not $Registered -or $global:nosnapin) { return }
    [pscustomobject]@{ Name = 'Microsoft.Exchange.Management.PowerShell.SnapIn' }
}
function Add-PSSnapin { [CmdletBinding()] param($Name) Log Add-PSSnapin $Name }
"""
WRAPPER = r"""
$global:role = 'Mailbox'; $global:names = @('A', [Environment]::GetEnvironmentVariable('CONNECTOR'))
{before}
. '{stubs}'
$runs = ConvertFrom-Json '{arguments}' -AsHashtable
{middle}
foreach ($complex_args in $runs) {
    $answer = . '{script}'
    "@@" + $answer + "@@"
}
[void]$global:log.Add('end')
"@@" + (ConvertTo-Json @($global:log) -Compress) + "@@"
"""


def run(tmp_path: Path, script: Path, *arguments: Mapping[str, Any], **code: str) -> list[str]:
    """What the script printed for each of the arguments, and the log of the calls as JSON."""
    stubs, wrapper = tmp_path / "stubs.ps1", tmp_path / "wrapper.ps1"
    stubs.write_text(STUBS)
    text = WRAPPER.replace("{before}", code.get("before", "")).replace("{middle}", code.get("middle", ""))
    text = text.replace("{stubs}", str(stubs)).replace("{script}", str(script))
    wrapper.write_text(text.replace("{arguments}", json.dumps(arguments).replace("'", "\\u0027")))
    # the snapshot goes to the home; the cache stays where it is, an engine may be unpacked there
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")}
    environment = {**os.environ, **home, "COMPUTERNAME": "EX1", "ProgramData": str(tmp_path), "CONNECTOR": NAME}
    command = [PWSH, "-NoProfile", "-NonInteractive", "-File", str(wrapper)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    found = re.findall(r"@@(.*)@@", done.stdout)
    assert len(found) == len(arguments) + 1, done.stdout + done.stderr
    return found


def call_each(tmp_path: Path, *runs: dict[str, Any], **code: str) -> list[dict[str, Any]]:
    """An answer for each run of the script, all in one engine; each has the whole log."""
    script = tmp_path / SCRIPT.name
    # Ansible's wrapper brings the modules that the script requires; here a stub stands for them
    script.write_text(re.sub("(?m)^#Requires -Module .*$", "", SCRIPT.read_text()))
    *lines, log = run(
        tmp_path, script, *({"schema": 2, "session": "snapin", **arguments} for arguments in runs), **code
    )
    assert all(line.isascii() for line in lines)
    packed = (base64.b64decode(json.loads(line)["packed"]) for line in lines)
    return [{**json.loads(gzip.decompress(text)), "log": json.loads(log)} for text in packed]


def call(tmp_path: Path, calls: list[dict[str, Any]], *, session: str = "snapin", **code: str) -> dict[str, Any]:
    return call_each(tmp_path, {"calls": calls, "session": session}, **code)[0]


def read(tmp_path: Path, **code: str) -> tuple[Answers, list[str]]:
    log: list[str] = []

    def execute(arguments: dict[str, Any]) -> Mapping[str, Any]:
        result = call_each(tmp_path, arguments, **code)[0]
        log.extend(result["log"])
        return exchange.packed(result)

    return ask(execute, "snapin"), log


@needs_engine
def test_a_server_is_read(tmp_path: Path) -> None:
    answers, log = read(tmp_path)
    server = read_server(answers)
    assert server.state.rights_known, server.notices
    assert [notice.text for notice in server.notices] == ["One object is odd."]
    names = [item.name for item in server.state.connectors]
    assert names == ["A", NAME]
    second = server.state.connectors[1]
    assert second.comment == f"a\r\n{NAME}"
    assert second.auth_mechanism == ("Tls", "BasicAuth")
    assert second.max_message_size == 36 << 20
    assert second.tls_domain_capabilities == ()
    assert second.auth_tarpit_interval is None
    assert [str(entry) for entry in second.extended_rights] == [
        "allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient"
    ]
    parts = {part.name: (part.running, part.restart_required) for part in server.service.parts}
    assert parts == {"MSExchangeFrontEndTransport": (True, False), "MSExchangeTransport": (False, False)}
    assert log == [
        "Add-PSSnapin Microsoft.Exchange.Management.PowerShell.SnapIn",
        "Get-ExchangeServer EX1",
        "Get-ReceiveConnector EX1 dc1.corp.test",
        "Get-ADPermission dc1.corp.test",
        "Get-ADPermission dc1.corp.test",
        "Get-AcceptedDomain dc1.corp.test",
        "end",
    ]


@needs_engine
def test_an_edge_server_has_no_domain_controller(tmp_path: Path) -> None:
    _answers, log = read(tmp_path, before="$global:role = 'Edge'")
    assert log[1:-1] == [
        "Get-ExchangeServer EX1",
        "Get-ReceiveConnector EX1 ",
        "Get-ADPermission ",
        "Get-ADPermission ",
        "Get-AcceptedDomain ",
        "Get-ExchangeServer ",
    ]


@needs_engine
def test_rights_that_the_user_may_not_read(tmp_path: Path) -> None:
    answers, _log = read(tmp_path, before="$global:norights = $true")
    result = exchange.info(answers)
    assert result["rights_known"] is False
    assert result["relay_surface"] is None


@needs_engine
def test_a_marker_that_is_newer_than_the_service(tmp_path: Path) -> None:
    (tmp_path / "mailops.relay.rights-changed").touch()
    os.utime(tmp_path / "mailops.relay.rights-changed", (4e9, 4e9))
    assert read_server(read(tmp_path)[0]).service.restart_required


GET = {"id": "server", "cmdlet": "Get-ExchangeServer", "select": ["Name"]}


@needs_engine
def test_what_may_not_be_called_stops_everything(tmp_path: Path) -> None:
    runs = [
        {"calls": [GET, {"id": "x", "cmdlet": cmdlet, "select": []}], "write": write}
        for cmdlet, write in (("Get-Content", False), ("Invoke-Expression", True), ("Remove-ADPermission", False))
    ]
    results = call_each(tmp_path, *runs, {"calls": [{**GET, "cmdlet": "Set-ReceiveConnector"}]})
    assert [result["problem"]["message"] for result in results] == [
        "The cmdlet Get-Content is none of those that may be called.",
        "The cmdlet Invoke-Expression is none of those that may be called.",
        "The cmdlet Remove-ADPermission writes, and this task only reads.",
        "The cmdlet Set-ReceiveConnector writes, and this task only reads.",
    ]
    assert [result["answers"] for result in results] == [[]] * 4
    assert results[0]["log"] == ["end"]


@needs_engine
def test_writing_that_was_asked_for_gets_through(tmp_path: Path) -> None:
    middle = "function Set-ReceiveConnector { param($Identity) Log Set-ReceiveConnector $Identity }"
    write = {"id": "x", "cmdlet": "Set-ReceiveConnector", "params": {"Identity": "A"}, "select": []}
    result = call_each(tmp_path, {"calls": [write], "write": True}, middle=middle)[0]
    assert "Set-ReceiveConnector A" in result["log"]
    assert "problem" not in result


@needs_engine
def test_a_failed_call_is_told_and_parameters_are_not_repeated(tmp_path: Path) -> None:
    middle = """
function Get-ADPermission {
    [CmdletBinding()] param($Identity, $User)
    if ($User -eq 'throw') { throw 'broken' }
    Write-Error 'broken' -ErrorId Mine
}"""
    rights = {"id": "rights", "cmdlet": "Get-ADPermission", "select": ["User"], "optional": True}
    tries = [{**rights, "params": {"Identity": "private", "User": fault}} for fault in ("throw", "tell")]
    runs = [{"calls": [tried, GET, {**tried, "optional": False}, GET]} for tried in tries]
    for result, error_id in zip(call_each(tmp_path, *runs, middle=middle), ("broken", "Mine"), strict=True):
        assert [answer["id"] for answer in result["answers"]] == ["host", "rights", "server"]
        assert result["answers"][1]["problem"] == result["problem"]
        told = {key: result["problem"][key] for key in ("stage", "message")}
        assert told == {"stage": "rights", "message": "broken"}
        assert error_id in result["problem"]["id"]
        assert "private" not in json.dumps(result)


@needs_engine
def test_no_snap_in(tmp_path: Path) -> None:
    result = call(tmp_path, [GET], before="$global:nosnapin = $true")
    assert (result["problem"]["stage"], result["answers"]) == ("session", [])


SESSION = r"""
function New-PSSession {
    [CmdletBinding()]
    param($ConfigurationName, [uri]$ConnectionUri, $Authentication)
    Log New-PSSession $ConfigurationName $ConnectionUri.Scheme $ConnectionUri.AbsolutePath $Authentication
    $types = [System.Management.Automation.Runspaces.TypeTable]::LoadDefaultTypeFiles()
    $space = [runspacefactory]::CreateOutOfProcessRunspace($types)
    $space.Open()
    $pipe = [powershell]::Create()
    $pipe.Runspace = $space
    [void]$pipe.AddScript($global:inside).Invoke()
    $pipe.Dispose()
    $global:space = $space
    [System.Management.Automation.Runspaces.PSSession]::Create($space, 'Lab', $null)
}
function Remove-PSSession { [CmdletBinding()] param($Session) Log Remove-PSSession; $global:space.Dispose() }
$global:inside = {
    function global:Get-ExchangeServer {
        [CmdletBinding()] param([string]$Identity)
        if ($Identity -eq 'none') { Write-Error 'not found' -ErrorId Absent; return }
        Write-Warning 'far away'
        [pscustomobject]@{ Name = $Identity; Auth = [System.IO.FileAttributes]3; Size = [version]'1.2'
            Many = @('a', 'b'); None = @(); Changed = [datetime]::SpecifyKind([datetime]'2026-01-02', 'Utc') }
    }
    $ExecutionContext.SessionState.LanguageMode = 'NoLanguage'
}
"""


@needs_engine
def test_a_session_in_no_language_mode_is_used_and_removed(tmp_path: Path) -> None:
    select = ["Name", "Auth", "Size", "Many", "None", "Changed"]
    server = {**GET, "params": {"Identity": "EX1"}, "select": select}
    result = call(tmp_path, [server], session="remote", middle=SESSION)
    assert "problem" not in result, result
    assert result["answers"][1]["columns"] == select
    assert result["answers"][1]["rows"] == [
        ["EX1", "ReadOnly, Hidden", "1.2", ["a", "b"], [], "2026-01-02T00:00:00.0000000Z"]
    ]
    assert result["answers"][1]["notices"] == ["far away"]
    assert result["log"] == [
        "New-PSSession Microsoft.Exchange http /PowerShell/ Kerberos",
        "Remove-PSSession",
        "end",
    ]


@needs_engine
def test_a_failed_call_in_a_session_keeps_its_id_and_the_session_is_removed(tmp_path: Path) -> None:
    gone = {"id": "rights", "cmdlet": "Get-ADPermission", "select": ["User"], "optional": True}
    absent = {**GET, "params": {"Identity": "none"}}
    result = call(tmp_path, [gone, absent], session="remote", middle=SESSION)
    assert result["answers"][1]["problem"]["id"] == "CommandNotFoundException"
    assert result["problem"]["message"] == "not found"
    assert result["problem"]["id"].startswith("Absent")
    assert "Remove-PSSession" in result["log"]


# -- the snapshot ------------------------------------------------------------------------------------------------------


@needs_engine
def test_a_snapshot_says_what_a_live_read_says(tmp_path: Path) -> None:
    live = exchange.info(read(tmp_path)[0])
    run(tmp_path, SNAPSHOT, {})
    found = exchange.info(read_snapshot(str(tmp_path / "exchange-snapshot-EX1.txt")))
    assert {**found, "warnings": live["warnings"]} == live
    assert found["relay_surface"]


@needs_engine
def test_a_snapshot_without_rights_says_so(tmp_path: Path) -> None:
    run(tmp_path, SNAPSHOT, {}, before="$global:norights = $true")
    answers = read_snapshot(str(tmp_path / "exchange-snapshot-EX1.txt"))
    assert answers["rights"].problem
    assert exchange.info(answers)["rights_known"] is False


@needs_engine
def test_a_snapshot_of_what_fails_says_so(tmp_path: Path) -> None:
    run(tmp_path, SNAPSHOT, {}, before="$global:fault = 'No such thing: ü'")
    problem = read_snapshot(str(tmp_path / "exchange-snapshot-EX1.txt"))["connectors"].problem
    assert problem is not None
    assert problem.message == "No such thing: ü"


@pytest.mark.parametrize("call_id", [call["id"] for call in READ])
def test_the_snapshot_asks_what_a_live_read_asks(call_id: str) -> None:
    text = SNAPSHOT.read_text()
    start = re.search(rf"Save(?:Each)? '{call_id}' .*?@\((.*?)\)\n", text, re.DOTALL)
    assert start
    wanted = next(call["select"] for call in READ if call["id"] == call_id)
    assert re.findall(r"'([A-Za-z0-9.]+)'", start[1].rpartition("@(")[2]) == wanted
