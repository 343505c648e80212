# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's writing cmdlets refuse what Exchange refuses, and keep the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange_lab import run_checks, smtp
from exchange_lab import state as lab
from exchange_lab.run_checks import Checked, needs_engine

REFUSED = {
    "same name": "ADObjectAlreadyExistsException",
    "no usage": "AmbiguousParameterSet",
    "two usages": "AmbiguousParameterSet",
    "usage without its ranges": "RemoteIPRanges",
    "switch without its ranges": "MissingMandatoryParameter",
    "internet with ranges": "RemoteIPRanges",
    "other role": "different Transport roles",
    "equal ranges": "conflict",
    "partly overlapping ranges": "conflict",
    "long name": "64",
    "banner": "220",
    "basic without tls": "BasicAuthRequireTLS",
    "external with basic": "ExternalAuthoritative",
    "external without servers": "ExchangeServers",
    "require tls": "RequireTLS",
    "domain secure": "DomainSecureEnabled",
    "custom": "Custom",
    "timeouts": "ConnectionInactivityTimeout",
    "chunking": "BinaryMimeEnabled",
    "out of range": "ParameterArgumentValidationError",
    "span out of range": "ParameterArgumentValidationError",
    "count out of range": "ParameterArgumentValidationError",
    "bad range": "ParameterArgumentTransformationError",
    "bad binding": "ParameterArgumentTransformationError",
    "bad mechanism": "ParameterArgumentTransformationError",
    "text for a truth value": "ParameterArgumentTransformationError",
    "create only": "NamedParameterNotFound",
    "set only": "NamedParameterNotFound",
    "list without a value": "10.9.9.9",
    "list with a wrong key": "ParameterArgumentTransformationError",
    "empty list": "RemoteIPRanges",
    "absent": "ManagementObjectNotFoundException",
    "prompt": "NonInteractive",
    "deny asks": "NonInteractive",
    "unknown user": "nobody",
    "other language": "ANMELDUNG",
    "unknown right": "Nonsense",
    "sid": "User or group \"S-1-5-7\" wasn't found. Please make sure you've typed it correctly.",
    "add right by server and name": "EX01\\other name wasn't found. Please make sure you've typed it correctly.",
    "remove unknown user": "wasn't found. Please make sure you've typed it correctly.",
    "remove sid": "wasn't found. Please make sure you've typed it correctly.",
    "remove by server and name": "wasn't found. Please make sure you've typed it correctly.",
    "remove absent right": "isn't present",
    "remove an allow that is a deny": "isn't present",
    "remove inherited": "isn't present",
    "many ranges": "AdminLimitExceededException",
    "remove asks": "NonInteractive",
    "fault denied": "INSUFF_ACCESS_RIGHTS",
    "fault once": "0x51",
    "bad domain": "valid fully qualified domain name",
    "default domain stays": "default",
}
ALLOWED = {
    "create": [
        "EX01\\O'Brien's \"relay\" $(x)",
        "10 MB (10,485,760 bytes)",
        "Tls",
        "10.1.0.1",
        "10.2.0.0/24",
    ],
    "usages": [
        "ExchangeUsers|Tls, Integrated, BasicAuth, BasicAuthRequireTLS|0.0.0.0:587",
        "ExchangeServers, ExchangeLegacyServers|Tls, ExchangeServer|0.0.0.0:25",
        "AnonymousUsers|Tls|0.0.0.0-255.255.255.255",
        "Partners|Tls",
    ],
    "nested ranges and a specific binding": ["nested", "specific"],
    "external": ["Tls, ExternalAuthoritative"],
    "timeouts together": ["00:01:00"],
    "unlimited": ["Unlimited"],
    "list is replaced": ["10.2.0.6", "10.2.0.7"],
    "list is changed": ["10.2.0.7", "10.2.0.8"],
    "nothing new": [],
    "rename": ["CN=other name"],
    "default domain": ["corp.test", "True"],
    "what if": [""],
    "remove": ["0"],
    "add right": [
        "NT AUTHORITY\\ANONYMOUS LOGON|ms-Exch-SMTP-Accept-Any-Recipient|False|False",
        "AnonymousUsers, Custom",
    ],
    "add right again": [],
    "deny": ["True"],
    "remove right": ["AnonymousUsers"],
    "right of a group": [
        "ms-Exch-SMTP-Submit",
        "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender",
        "ms-Exch-Accept-Headers-Routing",
    ],
    "inherited": ["True", "ms-Exch-SMTP-Submit|True", "2"],
    "remove heir": [],
    "fault gone": ["1"],
    "new domain": ["False"],
    "restart": ["True"],
}
WARNED = {
    "nothing new": "no settings of 'EX01\\nested' have been modified",
    "add right again": "already present",
}
Written = tuple[dict[str, Checked], lab.Data, list[lab.Data]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    directory = tmp_path_factory.mktemp("written")
    domains = [lab.accepted_domain("corp.test", default=True), lab.accepted_domain("partner.test", "ExternalRelay")]
    faults = [
        lab.fault("Set-AcceptedDomain", "access_denied"),
        lab.fault("Remove-AcceptedDomain", "busy", times=1),
    ]
    inherited = [lab.ace("CORP\\svc-scan2", "ms-Exch-SMTP-Submit", inherited=True)]
    whole = lab.state(lab.mailbox(inherited=inherited), accepted_domains=domains, faults=faults)
    results = run_checks.run(directory, whole, run_checks.checks("writing"))
    return results, lab.read(directory / "state.json"), lab.calls(directory / "log")


@needs_engine
@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_refused(written: Written, name: str, reason: str) -> None:
    assert reason in written[0][name].error
    assert written[0][name].out == []


@needs_engine
@pytest.mark.parametrize(("name", "out"), ALLOWED.items())
def test_allowed(written: Written, name: str, out: list[str]) -> None:
    checked = written[0][name]
    assert (checked.error, checked.out) == ("", out)
    assert WARNED.get(name, "") in "".join(checked.warnings)
    assert bool(checked.warnings) == (name in WARNED)


@needs_engine
def test_every_check_is_looked_at(written: Written) -> None:
    assert written[0].keys() == REFUSED.keys() | ALLOWED.keys()


@needs_engine
def test_state_history_and_log(written: Written) -> None:
    """What was done is in the state and its history, with times; what was only tried is in the log alone."""
    _results, state, calls = written
    [server] = state["servers"]
    names = [item["name"] for item in server["connectors"]]
    assert names[5:] == ["O'Brien's \"relay\" $(x)", "other name"]
    changed = server["connectors"][-1]
    assert changed["when_changed"] > lab.EPOCH
    assert changed["groups"] == ["AnonymousUsers"]
    rights = {item["right"] for item in changed["aces"] if item["user"] == "ANONYMOUS"}
    assert rights == {right for _user, right in lab.grants("2016", "Mailbox", ["AnonymousUsers"])} - {
        "ms-Exch-SMTP-Accept-Any-Sender"
    }
    assert server["connectors"][0]["when_changed"] == lab.EPOCH
    done = [(item["cmdlet"], item["parameters"].get("Identity")) for item in state["history"]]
    assert ("Remove-ReceiveConnector", "specific") in done
    assert done.count(("Remove-ReceiveConnector", "specific")) == 1
    assert [call["cmdlet"] for call in calls].count("Remove-ReceiveConnector") == 7
    assert lab.loaded(server, lab.TRANSPORT)["connectors"] == server["connectors"]
    assert len(lab.loaded(server, lab.FRONTEND)["connectors"]) == 5


@needs_engine
def test_what_decided_after_each_change_is_in_the_history(written: Written) -> None:
    """Nothing but changes has a state, and the last one is what there is now."""
    _results, state, _calls = written
    steps = list(lab.steps(state))
    assert len(steps) == len([item for item in state["history"] if "state" in item]) > 20
    [server] = state["servers"]
    [last] = steps[-1]["servers"]
    assert [item["name"] for item in last["connectors"]] == [item["name"] for item in server["connectors"]]
    assert [item["aces"] for item in last["connectors"]] == [item["aces"] for item in server["connectors"]]
    counts = [len(step["servers"][0]["connectors"]) for step in steps]
    assert max(counts) > counts[-1]
    assert smtp.policy_state(steps[-1]) == smtp.policy_state(state)


@needs_engine
def test_credentials_are_in_no_log(tmp_path: Path) -> None:
    secret = "Geheim-4711"
    check = (
        f"$secure = ConvertTo-SecureString '{secret}' -AsPlainText -Force\n"
        "$who = [pscredential]::new('CORP\\admin', $secure)\n"
        "New-PSSession -ConfigurationName Microsoft.Exchange "
        "-ConnectionUri http://EX01.corp.test/nowhere -Credential $who"
    )
    found = run_checks.run(tmp_path, lab.state(lab.mailbox(), delegation=False), {"open": check})
    assert "404" in found["open"].error
    assert secret not in (tmp_path / "log").read_text() + (tmp_path / "state.json").read_text()
    [call] = [call for call in lab.calls(tmp_path / "log") if call["cmdlet"] == "New-PSSession"]
    assert call["parameters"]["Credential"] == "<secret>"


EDGE = {
    "list": "Get-ReceiveConnector | ForEach-Object Name",
    "controller": "Get-ReceiveConnector -DomainController DC01.corp.test",
    "users": "Set-ReceiveConnector 'Default internal receive connector EDGE01' -PermissionGroups ExchangeUsers",
    "role": "Set-ReceiveConnector 'Default internal receive connector EDGE01' -TransportRole HubTransport",
    "session": "New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri http://EDGE01.corp.test/PowerShell/",
    "aces": "Get-ADPermission (Get-ReceiveConnector).DistinguishedName | Where-Object { \"$($_.User)\" -like 'CORP*' }",
    "timeout": "[string] (Get-ReceiveConnector).ConnectionTimeout",
}
OLD = {
    "size": "[string] (Get-ReceiveConnector 'SBS\\Default SBS').MaxMessageSize",
    "no such property": "(Get-ReceiveConnector 'Default SBS').PSObject.Properties.Name -contains 'AuthTarpitInterval'",
    "no time in UTC": "(Get-ReceiveConnector 'Default SBS').PSObject.Properties.Name -contains 'WhenChangedUTC'",
    "no such parameter": "Set-ReceiveConnector 'Default SBS' -TlsCertificateName '<I>a<S>b'",
    "no such cmdlet": "Get-TransportService",
    "server": "$s = Get-ExchangeServer; $s.AdminDisplayVersion; [string] $s.ServerRole; (Get-TransportServer).Name",
    "snap-in again": "Add-PSSnapin Microsoft.Exchange.Management.PowerShell.Admin",
    "other snap-in": "Add-PSSnapin Microsoft.Exchange.Management.PowerShell.SnapIn",
    "accepts": "foreach ($c in Get-ReceiveConnector) { Set-ReceiveConnector -Identity $c.Guid -Comment same }",
}


@needs_engine
def test_edge_and_2007(tmp_path: Path) -> None:
    (tmp_path / "edge").mkdir()
    edge = run_checks.run(tmp_path / "edge", lab.state(lab.edge()), EDGE)
    assert edge["list"].out == ["Default internal receive connector EDGE01"]
    assert "Edge" in edge["controller"].error
    assert "ExchangeUsers" in edge["users"].error
    assert "TransportRole" in edge["role"].error
    assert "cannot connect" in edge["session"].error
    assert edge["aces"] == Checked([], [], "")
    assert edge["timeout"].out == ["00:05:00"]
    (tmp_path / "old").mkdir()
    old = run_checks.run(tmp_path / "old", lab.state(lab.sbs_2008()), OLD)
    assert old["size"].out == ["36MB"]
    assert old["no such property"].out == old["no time in UTC"].out == ["False"]
    assert old["no such parameter"].error.startswith("NamedParameterNotFound")
    assert old["no such cmdlet"].error.startswith("CommandNotFoundException")
    assert old["server"].out == ["Version 8.3 (Build 83.6)", "Mailbox, ClientAccess, HubTransport", "SBS"]
    assert "already added" in old["snap-in again"].error
    assert "not installed" in old["other snap-in"].error
    assert old["accepts"].error == ""


@needs_engine
def test_a_lost_connection_ends_the_session(tmp_path: Path) -> None:
    """Before or after the change is made: the client cannot tell."""
    script = "\n".join(run_checks.checks("session")["open"].splitlines()[:-1])
    for kind, comment in (("connection_lost", None), ("connection_lost_after", "x")):
        whole = lab.state(lab.mailbox(), faults=[lab.fault("Set-ReceiveConnector", kind)])
        checks = {"open": script, "set": "Call Set-ReceiveConnector @{Identity='EX01\\Default EX01'; Comment='x'}"}
        (tmp_path / kind).mkdir()
        found = run_checks.run(tmp_path / kind, whole, checks | {"close": "Remove-PSSession $s"}, snapin=False)
        assert found["open"].error == ""
        assert "connection lost" in found["set"].error
        state = lab.read(tmp_path / kind / "state.json")
        assert state["servers"][0]["connectors"][0]["properties"]["Comment"] == comment


@needs_engine
def test_faults_of_sessions_and_cmdlets(tmp_path: Path) -> None:
    """Each as often as the state says, in its order; a second hop without credentials has no logon session."""
    faults = [
        lab.fault("New-PSSession", "quota", times=1),
        lab.fault("New-PSSession", "busy", times=1),
        lab.fault("Set-ReceiveConnector", "not_modified", skip=1, times=1),
        lab.fault("Set-ReceiveConnector", "non_terminating", times=1, message="something is odd"),
        lab.fault("Set-ReceiveConnector", "warning", message="take care"),
    ]
    session = "New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri http://EX01.corp.test/PowerShell/"
    change = "Set-ReceiveConnector 'Default EX01' -Comment {}; (Get-ReceiveConnector 'Default EX01').Comment"
    checks = {
        "quota": session,
        "busy": session,
        "second hop": session,
        "error": change.format("one -ErrorAction SilentlyContinue"),
        "nothing": change.format("two"),
        "warning": change.format("three"),
    }
    found = run_checks.run(tmp_path, lab.state(lab.mailbox(), faults=faults, delegation=False), checks)
    assert "maximum number of connections allowed" in found["quota"].error
    assert "busy" in found["busy"].error
    assert "0x8009030e" in found["second hop"].error
    assert found["error"].out == [""]
    assert (found["nothing"].out, len(found["nothing"].warnings)) == ([""], 1)
    assert (found["warning"].out, found["warning"].warnings) == (["three"], ["take care"])
