# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's cmdlets in the real engine: strict as Exchange's, values as Exchange prints them."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from exchange_lab import run_checks
from exchange_lab import state as lab
from exchange_lab.prelude import with_prelude
from exchange_lab.run_checks import Checked, needs_engine
from exchange_lab.varied import NAMES, varied

Results = dict[str, Checked]


# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Results:
    found = lab.mailbox()
    odd = lab.connector(
        found,
        "Odd",
        ["AnonymousUsers", "Partners"],
        [
            lab.relay_ace(),
            lab.ace("CORP\\svc-scan", "ms-Exch-SMTP-Submit", deny=True, inherited=True),
            lab.ace("CORP\\svc-scan", access_rights=lab.EVERYTHING),
            lab.ace("AUTHENTICATED"),
        ],
        Bindings=["192.0.2.10:25"],
        RemoteIPRanges=["10.0.0.1", "10.0.1.9/24", "10.0.2.1-10.0.2.9", "fe80::1%11", "FD00::/64"],
        TransportRole="FrontendTransport",
        MaxMessageSize=65537,
        ConnectionTimeout=86400,
        TarpitInterval=0,
        TlsCertificateName="<I>CN=Corp CA<S>CN=*.corp.test",
        TlsDomainCapabilities=["a.test:AcceptCloudServicesMail,AcceptOorgProtocol"],
        DefaultDomain="corp.test",
    )
    found["connectors"].append(odd)
    return run_checks.run(tmp_path_factory.mktemp("read"), lab.state(found), run_checks.checks("reading"))


@needs_engine
def test_values_print_as_in_exchange(read: Results) -> None:
    assert read["size"].out == ["36 MB (37,748,736 bytes)"]
    assert read["odd size"].out == ["64 KB (65,537 bytes)"]
    assert read["header"].out == ["256 KB (262,144 bytes)"]
    assert read["span"].out == ["1.00:00:00", "00:00:00"]
    assert read["unlimited"].out == ["Unlimited"]
    assert read["auth"].out == ["Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExchangeServer"]
    assert read["groups"].out == [
        "AnonymousUsers, ExchangeServers, ExchangeLegacyServers",
        "AnonymousUsers, Partners, Custom",
    ]
    assert read["bindings"].out == ["[::]:25", "0.0.0.0:25"]
    assert read["ranges"].out == ["10.0.0.1", "10.0.1.9/24", "10.0.2.1-10.0.2.9", "fe80::1%11", "fd00::/64"]
    assert read["all ranges"].out == lab.ALL
    assert read["certificate"].out == ["<I>CN=Corp CA<S>CN=*.corp.test"]
    assert read["capabilities"].out == ["a.test:AcceptCloudServicesMail,AcceptOorgProtocol"]
    assert read["default domain"].out[0] == "corp.test"
    assert read["default domain"].out[1].startswith("CN=corp.test,CN=Accepted Domains,CN=Transport Settings,")


@needs_engine
def test_objects_are_named_as_in_exchange(read: Results) -> None:
    identity, server, dn, guid, version = read["identity"].out
    assert (identity, server, version) == ("EX01\\Odd", "EX01", "0.1 (8.0.535.0)")
    assert dn.startswith("CN=Odd,CN=SMTP Receive Connectors,CN=Protocols,CN=EX01,CN=Servers,")
    assert guid == lab.identifier("EX01", "Odd")
    assert read["changed"].out == ["2026-01-01T00:00:00.0000000Z"]
    assert read["by guid"].out == ["Odd"]


@needs_engine
def test_an_absent_identity_is_everything_but_an_absent_server_is_an_error(read: Results) -> None:
    assert len(read["names"].out) == 6
    assert read["absent identity"].out == ["6", "6"]
    assert "ManagementObjectNotFoundException" in read["absent server"].error


@needs_engine
def test_reading_cmdlets_refuse_what_exchange_refuses(read: Results) -> None:
    assert read["two sets"].error.startswith("AmbiguousParameterSet")
    assert read["unknown parameter"].error.startswith("NamedParameterNotFound")
    assert "dc9.corp.test" in read["other controller"].error


@needs_engine
def test_server_services_and_domains(read: Results) -> None:
    assert read["server"].out == ["EX01", "EX01.corp.test", "Version 15.1 (Build 2507.6)", "Mailbox", "Standard"]
    assert read["services"].out == ["MSExchangeTransportRunning", "MSExchangeFrontEndTransportRunning"]
    assert read["started"].out == ["2026-01-01T01:00:00.0000000Z"]
    assert read["started by process"].out == ["2026-01-01T01:00:00.0000000Z", "MSExchangeFrontendTransport"]
    assert read["no such process"].error.startswith("NoProcessFoundForGivenId")
    assert read["wmi"].out[0].startswith("20260101")
    assert read["frontend service"].out == ["EX01"]
    assert read["domains"].out == ["corp.test Authoritative True"]


@needs_engine
def test_entries_are_added_granted_and_inherited(read: Results) -> None:
    anonymous, partners = "NT AUTHORITY\\ANONYMOUS LOGON", "MS Exchange\\Partner Servers"
    assert read["aces"].out == [
        f"{anonymous}|ms-Exch-SMTP-Submit|False|False",
        f"{anonymous}|ms-Exch-SMTP-Accept-Any-Sender|False|False",
        f"{anonymous}|ms-Exch-SMTP-Accept-Authoritative-Domain-Sender|False|False",
        f"{anonymous}|ms-Exch-Accept-Headers-Routing|False|False",
        f"{partners}|ms-Exch-SMTP-Submit|False|False",
        f"{partners}|ms-Exch-Accept-Headers-Routing|False|False",
        f"{anonymous}|ms-Exch-SMTP-Accept-Any-Recipient|False|False",
        "CORP\\svc-scan|ms-Exch-SMTP-Submit|True|True",
        "Everyone|ms-Exch-Create-Public-Folder|True|True",
        "CORP\\Exchange Servers|ms-Exch-Store-Read-Access|False|True",
    ]
    assert read["rows without a right"].out == [
        "CORP\\svc-scan|GenericAll|False",
        "NT AUTHORITY\\Authenticated Users|ExtendedRight|False",
        "NT AUTHORITY\\NETWORK SERVICE|ReadProperty|False",
        "NT AUTHORITY\\Authenticated Users|GenericRead|True",
        "CORP\\Organization Management|GenericAll|True",
    ]
    assert len(read["aces of a user"].out) == 5
    assert f"{anonymous}|S-1-5-7" in read["users"].out
    assert "CORP\\Exchange Servers|S-1-5-21-1004336348-1177238915-682003330-1119" in read["users"].out


@needs_engine
def test_rights_are_asked_for_by_what_the_directory_knows(read: Results) -> None:
    """field-reports.md E6. A SID is no name of a principal."""
    assert "null" in read["aces of nothing"].error.lower()
    for name in ("aces of an absent one", "aces by server and name"):
        assert "couldn't be found on 'DC01.corp.test'" in read[name].error, name
    for name in ("aces of an unknown user", "aces of a SID"):
        assert "wasn't found. Please make sure you've typed it correctly." in read[name].error, name


# -- the session to /PowerShell ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, list[lab.Data]]:
    found = lab.mailbox(locale="de")
    found["connectors"].append(
        lab.connector(
            found, NAMES[3], ["AnonymousUsers"], [lab.relay_ace()], Bindings=["0.0.0.0:26"], RemoteIPRanges=["10.0.0.1"]
        )
    )
    directory = tmp_path_factory.mktemp("session")
    whole = lab.state(found, faults=[lab.fault("Add-ADPermission", "absent")])
    results = run_checks.run(directory, whole, run_checks.checks("session"), snapin=False)
    return results, lab.calls(directory / "log")


@needs_engine
def test_cmdlets_are_only_in_the_session(session: tuple[Results, list[lab.Data]]) -> None:
    results, calls = session
    assert results["no cmdlets in the shell"].error.startswith("CommandNotFoundException")
    assert results["open"].out == ["Opened"]
    assert results["close"].out == ["Closed"]
    assert [call["where"] for call in calls if call["cmdlet"] == "New-PSSession"] == ["shell"] * 4
    assert {call["where"] for call in calls if "Connector" in call["cmdlet"]} == {"session"}


@needs_engine
def test_wrong_endpoints_are_refused(session: tuple[Results, list[lab.Data]]) -> None:
    results, _calls = session
    assert "404" in results["refused path"].error
    assert "cannot connect" in results["refused name"].error
    assert "session configuration" in results["refused configuration"].error


@needs_engine
def test_deserialised_objects_keep_their_texts(session: tuple[Results, list[lab.Data]]) -> None:
    results, _calls = session
    assert results["types"].out == [
        "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector",
        "36 MB (37,748,736 bytes)",
        "Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExchangeServer",
        "[::]:25",
        "0.0.0.0:25",
        lab.identifier("EX01", "Default Frontend EX01"),
        "EX01\\Default Frontend EX01",
        "5000",
        "00:10:00",
        "FrontendTransport",
        "2026-01-01T00:00:00.0000000Z",
    ]
    assert results["names"].out[5] == NAMES[3]
    assert results["lists"].out == ["ArrayList 1", "ArrayList 1", "ArrayList 0"]
    anonymous = "NT-AUTORIT\u00c4T\\ANONYMOUS-ANMELDUNG"
    assert f"{anonymous}|ms-Exch-SMTP-Accept-Any-Recipient|False" in results["aces"].out
    assert f"{anonymous}|{anonymous}|S-1-5-7" in results["users"].out


@needs_engine
def test_the_session_takes_no_script_and_no_other_command(session: tuple[Results, list[lab.Data]]) -> None:
    results, _calls = session
    assert "language mode" in results["no script"].error.lower() or "ScriptsNotAllowed" in results["no script"].error
    for name in ("no other command", "no other command that is not loaded", "absent by role"):
        assert "CommandNotFoundException" in results[name].error, name
    assert "NamedParameterNotFound" in results["unknown parameter"].error
    assert "ParameterArgumentValidationError" in results["bad value"].error
    assert results["prompt"].error


@needs_engine
def test_null_and_lists_pass_the_session(session: tuple[Results, list[lab.Data]]) -> None:
    results, calls = session
    assert results["null clears"].out == ["x"]
    assert results["change lists"].out == [lab.ALL_V4, "10.9.9.9"]
    sent = [call["parameters"] for call in calls if call["cmdlet"] == "Set-ReceiveConnector"]
    assert sent[0] == {"Banner": None, "Comment": "x", "Identity": "EX01\\Default EX01", "TlsCertificateName": None}


# -- round trip of the state ------------------------------------------------------------------------------------------


def printed(name: str, value: object) -> str:
    """As Exchange 2010 and newer prints a property of the state, lists joined by spaces."""
    kind = lab.FACTS["Set-ReceiveConnector"]["parameters"][name]["type"]
    if isinstance(value, list):
        return (" " if kind == "MultiValuedProperty" else ", ").join(value) or "None" * (kind != "MultiValuedProperty")
    if kind == "ByteQuantifiedSize" and isinstance(value, int):
        unit = next(number for number in (3, 2, 1, 0) if value >= 1024**number)
        return f"{value / 1024**unit:.4G} {('B', 'KB', 'MB', 'GB')[unit]} ({value:,} bytes)"
    if kind == "EnhancedTimeSpan" and isinstance(value, int):
        days, seconds = divmod(value, 86400)
        time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{days}.{time}" if days else time
    return "" if value is None else str(value)


@needs_engine
def test_every_property_prints_as_its_value_in_the_state(tmp_path: Path) -> None:
    whole = varied(8, seed=3)
    names = lab.property_names("2016")
    script = (
        "foreach ($c in Get-ReceiveConnector) { foreach ($name in $names) {"
        " [string] (@($c.$name | ForEach-Object { [string] $_ }) -join ' ') } }"
    )
    checks = {"print": f"$names = '{' '.join(names)}' -split ' '\n{script}"}
    found = run_checks.run(tmp_path, whole, checks)["print"]
    connectors = whole["servers"][0]["connectors"]
    assert found.error == ""
    assert found.out == [printed(name, item["properties"][name]) for item in connectors for name in names]


@needs_engine
@pytest.mark.parametrize(("version", "locale"), [("2016", "en"), ("2010", "fr")])
def test_varied_connectors_come_out_as_they_were_put_in(tmp_path: Path, version: str, locale: str) -> None:
    """Names whatever is in them, and that each connector is one the lab would accept."""
    whole = varied(13, seed=1, version=version, locale=locale)
    script = "Get-ReceiveConnector | ForEach-Object Name"
    accepts = (
        "foreach ($c in Get-ReceiveConnector) {"
        " Set-ReceiveConnector -Identity $c.Guid -Comment same -WarningAction Ignore\n"
        " Set-ReceiveConnector -Identity $c.DistinguishedName -Comment ('x' + $c.Name) }"
    )
    results = run_checks.run(tmp_path, whole, {"names": script, "accepts": accepts})
    names = [item["name"] for item in whole["servers"][0]["connectors"]]
    assert results["names"].out == names
    assert results["accepts"].error == ""
    after = lab.read(tmp_path / "state.json")["servers"][0]["connectors"]
    assert [item["properties"]["Comment"] for item in after] == [f"x{name}" for name in names]
    for before, now in zip(whole["servers"][0]["connectors"], after, strict=True):
        assert now["properties"] | {"Comment": 1} == before["properties"] | {"Comment": 1}


# -- as Ansible runs a module -----------------------------------------------------------------------------------------

MODULE = """
$inner = [PowerShell]::Create()
$null = $inner.AddCommand('Set-Variable').AddParameters(@{ Name = 'x'; Value = 1; Scope = 'Global' }).AddStatement()
$null = $inner.AddScript({
    $names = [System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $name = @($names.HostName, $names.DomainName | Where-Object { $_ -and $_ -ne '(none)' }) -join '.'
    $s = New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri "http://$name/PowerShell/" -ErrorAction Stop
    $p = [powershell]::Create()
    $p.Runspace = $s.Runspace
    $p.AddCommand('Get-ExchangeServer').AddParameters(@{ Identity = $env:COMPUTERNAME }).Invoke() | ForEach-Object Name
    Remove-PSSession $s
})
$inner.Invoke()
$inner.Streams.Error | ForEach-Object { "$_" }
@($input) -join ','
[System.IO.Directory]::Exists($env:ProgramData)
"""


@needs_engine
def test_a_new_runspace_opens_a_session_first_of_all(tmp_path: Path) -> None:
    """What the wrapper of Ansible does: a module runs in a runspace of its own, with nothing imported."""
    lab.write(tmp_path / "state.json", lab.state(lab.mailbox("MX7")))
    words = ["-NoProfile", "-NonInteractive", "-EncodedCommand", base64.b64encode(MODULE.encode("utf-16-le")).decode()]
    environment = {**os.environ, **lab.environment(tmp_path / "state.json", tmp_path / "log")}
    command = [run_checks.PWSH, *with_prelude(words)]
    run = subprocess.run(command, input="one\ntwo\n", env=environment, capture_output=True, text=True, check=False)
    assert run.stdout.splitlines() == ["MX7", "one,two", "True"], run.stderr
