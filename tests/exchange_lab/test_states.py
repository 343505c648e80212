# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of the lab as administrators leave them: odd values, conflicts, one port for everything; scripts at once."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from exchange_lab import run_checks, smtp
from exchange_lab import state as lab
from exchange_lab.run_checks import needs_engine
from exchange_lab.smtp_client import Client
from support.scale import scaled

DECIDES = {"AuthMechanism", "Bindings", "Enabled", "RemoteIPRanges", "RequireTLS", "TransportRole"}
PRINTED = "(@($c.$name | ForEach-Object { [string] $_ }) -join '|')"


def test_an_odd_server_has_an_odd_value_in_every_property_that_decides_nothing() -> None:
    assert {*lab.property_names("2019")} - DECIDES == lab.ODD.keys()
    assert {*lab.property_names("2013")} - DECIDES < lab.ODD.keys()


@needs_engine
def test_odd_values_print_and_stay_until_they_are_set(tmp_path: Path) -> None:
    checks = {
        "print": (
            "$c = Get-ReceiveConnector 'EX01\\Odd relay'\n"
            f"foreach ($name in '{' '.join(lab.ODD)}' -split ' ') {{ $name + '=' + {PRINTED} }}"
        ),
        "refused": "Set-ReceiveConnector 'EX01\\Odd relay' -Banner 'hello, no number before it'",
        "other": "Set-ReceiveConnector 'EX01\\Odd relay' -RemoteIPRanges 10.1.0.9 -MaxHopCount 60",
        "name": (
            "$c = Get-ReceiveConnector | Where-Object { $_.Name.Length -gt 64 }\n"
            "Set-ReceiveConnector $c.Guid -Comment x\n"
            "@(Get-ADPermission $c.DistinguishedName).Count -gt 0"
        ),
        "other name": (
            "$c = Get-ReceiveConnector | Where-Object { $_.Name.Length -gt 64 }\n"
            "Set-ReceiveConnector $c.Guid -Name ('n' * 65)"
        ),
        "after": (
            "$c = Get-ReceiveConnector 'EX01\\Odd relay'\n"
            "foreach ($name in 'MaxHopCount', 'Banner', 'IsValid') { [string] $c.$name }"
        ),
    }
    found = run_checks.run(tmp_path, lab.state(lab.odd()), checks)
    expected = {key: "|".join(value) if isinstance(value, list) else value for key, value in lab.ODD.items()}
    assert found["print"].out == [f"{key}={value}" for key, value in expected.items()]
    assert "220" in found["refused"].error
    assert found["other"].error == ""
    assert (found["name"].out, found["name"].error) == (["True"], "")
    assert "64" in found["other name"].error
    assert found["after"].out == ["60", lab.ODD["Banner"], "False"]
    [relay] = [item for item in lab.read(tmp_path / "state.json")["servers"][0]["connectors"] if item.get("odd")]
    assert relay["properties"]["RemoteIPRanges"] == ["10.1.0.9"]
    assert relay["odd"] == {key: value for key, value in lab.ODD.items() if key != "MaxHopCount"}


@needs_engine
def test_what_was_so_before_is_not_refused_again_but_for_roles_on_one_port(tmp_path: Path) -> None:
    """W17: setup could not even change the number of hops of such a connector. With set_refuses: changes it can."""
    server = lab.mailbox()
    hub: lab.Data = {"Bindings": ["0.0.0.0:25"], "RemoteIPRanges": ["10.9.0.1"], "TransportRole": "HubTransport"}
    server["connectors"].append(lab.connector(server, "Hub", **hub))
    equal: lab.Data = {"ConnectionTimeout": 300, "ConnectionInactivityTimeout": 300, "Bindings": ["0.0.0.0:26"]}
    server["connectors"].append(lab.connector(server, "Equal", RemoteIPRanges=["10.9.0.2"], **equal))
    checks = {
        "unrelated": "Set-ReceiveConnector Equal -MaxHopCount 10\n(Get-ReceiveConnector Equal).MaxHopCount",
        "made worse": "Set-ReceiveConnector Equal -AuthMechanism BasicAuth, BasicAuthRequireTLS",
        "repaired": "Set-ReceiveConnector Equal -ConnectionTimeout 00:06:00",
        "broken again": "Set-ReceiveConnector Equal -ConnectionTimeout 00:05:00",
        "roles": "Set-ReceiveConnector Hub -MaxHopCount 10",
        "roles, the other side": "Set-ReceiveConnector 'Default Frontend EX01' -MaxHopCount 10",
        "repair of roles": "Set-ReceiveConnector Hub -TransportRole FrontendTransport",
        "removal": "Remove-ReceiveConnector Hub -Confirm:$false",
    }
    found = run_checks.run(tmp_path, lab.state(server), checks)
    assert (found["unrelated"].out, found["unrelated"].error) == (["10"], "")
    assert "BasicAuthRequireTLS" in found["made worse"].error
    assert "ConnectionInactivityTimeout" in found["broken again"].error
    for name in ("roles", "roles, the other side"):
        assert "ReceiveConnectorRoleConflictException" in found[name].error, name
    for name in ("repaired", "repair of roles", "removal"):
        assert found[name].error == "", name
    (tmp_path / "lenient").mkdir()
    lenient = run_checks.run(tmp_path / "lenient", lab.state(server, set_refuses="changes"), checks)
    assert lenient["roles"].error == lenient["roles, the other side"].error == ""


def test_a_classic_server_takes_mail_and_relays_nothing(tmp_path: Path) -> None:
    whole = lab.state(lab.classic())
    [server] = whole["servers"]
    ports = {binding.rpartition(":")[2] for item in server["connectors"] for binding in item["properties"]["Bindings"]}
    assert ports == {"25", "465", "2525"}
    lab.write(tmp_path / "state.json", whole)
    with smtp.serving(tmp_path / "state.json") as port:
        with Client(port, "203.0.113.1") as client:
            assert client.send() == "550 5.7.54"
            assert client.send(recipient="v@corp.test") == "250 2.1.5"
        with Client(port, "203.0.113.1", local_port=587) as client:
            assert client.greeting == smtp.NO_CONNECTOR


@needs_engine
def test_old_and_edge_servers_have_no_transport_role(tmp_path: Path) -> None:
    new = (
        "New-ReceiveConnector -Name x -Usage Custom -Bindings 0.0.0.0:26 -RemoteIPRanges 10.1.0.1 -PermissionGroups {}"
    )
    checks = {
        "role": new.format("None -TransportRole FrontendTransport"),
        "custom": new.format("Custom"),
        "without": new.format("AnonymousUsers") + " | ForEach-Object { [string] $_.PermissionGroups }",
        "asks": "Remove-ReceiveConnector x",
    }
    for name, server in {"old": lab.hub(), "edge": lab.edge()}.items():
        (tmp_path / name).mkdir()
        found = run_checks.run(tmp_path / name, lab.state(server), checks)
        assert "TransportRole" in found["role"].error, name
        assert "Custom" in found["custom"].error
        assert found["without"].out == ["AnonymousUsers"]
        assert "NonInteractive" in found["asks"].error


@needs_engine
def test_two_scripts_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each adds connectors of its own, and the server has all of them."""
    lab.write(tmp_path / "state.json", lab.state(lab.mailbox()))
    count = scaled(4)
    script = "Add-PSSnapin (Get-PSSnapin -Registered)[0].Name\nforeach ($n in 1..{count}) {{ $null = {new} }}\n"
    new = (
        'New-ReceiveConnector -Name "{who} $n" -Usage Custom -Bindings 0.0.0.0:26 '
        '-RemoteIPRanges "10.{net}.0.$n" -TransportRole FrontendTransport'
    )
    running = []
    for who, net in (("one", 1), ("two", 2)):
        file = tmp_path / f"{who}.ps1"
        file.write_text(script.format(count=count, new=new.format(who=who, net=net)), encoding="utf-8")
        environment = {**os.environ, **lab.environment(tmp_path / "state.json", tmp_path / "log")}
        command = [run_checks.PWSH, "-NoProfile", "-NonInteractive", "-File", str(file)]
        running.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL))
    assert [process.wait(300) for process in running] == [0, 0]
    state = lab.read(tmp_path / "state.json")
    names = {item["name"] for item in state["servers"][0]["connectors"][5:]}
    assert names == {f"{who} {number}" for who in ("one", "two") for number in range(1, count + 1)}
    assert len(list(lab.steps(state))) == 2 * count


@needs_engine
def test_a_shell_that_is_lost_while_a_service_stops(tmp_path: Path) -> None:
    """It ends before the service was asked, or after it has stopped."""
    for kind, state in (("connection_lost", "Running"), ("connection_lost_after", "Stopped")):
        whole = lab.state(lab.mailbox(), faults=[lab.fault("Stop-Service", kind)])
        lab.write(tmp_path / "state.json", whole)
        (tmp_path / "stop.ps1").write_text(f"Stop-Service {lab.FRONTEND} -Force\n'still here'\n", encoding="utf-8")
        run = subprocess.run(
            [run_checks.PWSH, "-NoProfile", "-NonInteractive", "-File", str(tmp_path / "stop.ps1")],
            env={**os.environ, **lab.environment(tmp_path / "state.json", tmp_path / "log")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert (run.returncode in (-signal.SIGKILL, 137), run.stdout) == (True, b"")
        service = lab.read(tmp_path / "state.json")["servers"][0]["services"][lab.FRONTEND]
        assert lab.service_state(service) == state, kind
