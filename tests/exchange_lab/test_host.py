# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows says of a server of the lab: addresses, listeners, processes, services that stop and start."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange_lab import run_checks
from exchange_lab import state as lab
from exchange_lab.run_checks import Checked, needs_engine

Results = dict[str, Checked]
BOTH = ("::", "0.0.0.0")


def server() -> lab.Data:
    found = lab.mailbox()
    found["services"]["FilterAgent"] = lab.service(5, depends_on=[lab.TRANSPORT])
    found["services"]["BrokenAgent"] = lab.service(6, broken=True)
    found["services"][lab.FRONTEND] |= {"stop_seconds": 3, "start_seconds": 1}
    scanner: lab.Data = {"RemoteIPRanges": ["10.1.0.1"], "TransportRole": "FrontendTransport"}
    found["connectors"] += [
        lab.connector(found, "Scanner", Bindings=["192.0.2.10:26"], **scanner),
        lab.connector(found, "Off", Bindings=["192.0.2.10:29"], Enabled=False, **scanner),
    ]
    found["components"]["HubTransport"] = "Draining"
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, lab.Data]:
    directory = tmp_path_factory.mktemp("host")
    faults = [
        lab.fault("Get-NetIPAddress", "access_denied", skip=3),
        lab.fault("Start-Service", "non_terminating", skip=4, message="something is odd"),
        lab.fault("Get-WmiObject", "absent"),
    ]
    results = run_checks.run(
        directory, lab.state(server(), lab.mailbox("EX02"), faults=faults), run_checks.checks("host")
    )
    return results, lab.read(directory / "state.json")


@needs_engine
def test_addresses_and_listeners_with_their_owners(run: tuple[Results, lab.Data]) -> None:
    found, _state = run
    loopback = "Loopback Pseudo-Interface 1"
    assert found["addresses"].out[:3] == [
        f"127.0.0.1|IPv4|{loopback}",
        f"::1|IPv6|{loopback}",
        "192.0.2.10|IPv4|Ethernet",
    ]
    assert found["addresses of a family"].out == ["::1", "fd00::10", "fe80::10%11"]
    assert found["names"].out == ["192.0.2.10", "192.0.2.11", "fd00::10", "192.0.2.101"]
    assert found["no such name"].error.startswith("DNS_ERROR_RCODE_NAME_ERROR")
    others = [(owner, port) for owner, _process, port in (("System", 4, 80), ("System", 4, 443))]
    transport = [("EdgeTransport", 2525), ("EdgeTransport", 465)]
    frontend = [("MSExchangeFrontendTransport", port) for port in (25, 717, 587)]
    for owner, port in [*others, ("MSExchangeDelivery", 475), *transport, *frontend]:
        for address in BOTH:
            assert f"{owner}|{address}|{port}" in found["listeners"].out
    assert sorted(found["listeners of a port"].out) == sorted([*BOTH, "192.0.2.10"])
    assert not any(line.endswith("|29") for line in found["listeners"].out)
    for name in ("no such address", "no such listener"):
        assert found[name].error.startswith("CmdletizationQuery_NotFound"), name
    assert found["processes"].out[0] == "EdgeTransport|2026-01-01T01:00:00.0000000Z"


@needs_engine
def test_components(run: tuple[Results, lab.Data]) -> None:
    found, _state = run
    assert found["components"].out == ["ServerWideOffline|Active", "HubTransport|Draining", "FrontendTransport|Active"]
    assert found["component"].out == ["Active"]
    assert "NOWHERE" in found["components of another server"].error


@needs_engine
def test_services_stop_with_what_depends_on_them(run: tuple[Results, lab.Data]) -> None:
    found, _state = run
    assert found["dependents"].out == ["FilterAgent", lab.TRANSPORT]
    assert found["stop without force"].error.startswith("ServiceHasDependentServices")
    assert found["stop without waiting"].out == ["StopPending", "Stop Pending", "0"]
    assert f"{lab.TRANSPORT}|Stopped" in found["stop"].out
    assert "FilterAgent|Stopped" in found["stop"].out
    assert found["stop"].out[-1] == "135 475"
    assert found["stop again"] == Checked([], [], "")
    assert found["no such service"].error.startswith("NoServiceFoundForGivenName")
    assert found["what if"].error == ""


@needs_engine
def test_a_service_loads_what_there_is_when_it_starts(run: tuple[Results, lab.Data]) -> None:
    """And does not start while an enabled connector is bound to an address that the server does not hold. What another
    program listens on, it does not."""
    found, state = run
    assert found["start"].out == ["Running", "0.0.0.0", "Stopped"]
    assert found["foreign address"].error.startswith("StartServiceFailed")
    assert found["foreign address of a disabled one"].out == ["Running", "0"]
    assert found["taken port"].out == ["3800", "3800", "192.0.2.10", "fd00::10"]
    assert found["by method"].out == ["10", "0", "5", "Stopped"]
    assert found["dependent first"].out == ["0", "3"]
    assert found["broken"].error.startswith("StartServiceFailed")
    assert found["broken now"].out == ["Stopped"]
    connectors = lab.loaded(state["servers"][0], lab.FRONTEND)["connectors"]
    assert connectors[-2]["properties"]["Bindings"] == ["0.0.0.0:475", "192.0.2.10:28", "[fd00::10]:28"]
    assert [item["cmdlet"] for item in state["history"] if "state" not in item][:2] == ["Stop-Service"] * 2


@needs_engine
def test_faults_of_what_windows_has(run: tuple[Results, lab.Data]) -> None:
    found, _state = run
    assert found["denied"].error.startswith("UnauthorizedAccess")
    assert "something is odd" in found["failing"].error
    assert found["absent"].error.startswith("CommandNotFoundException")


@needs_engine
def test_without_ipv6_nothing_listens_on_it(tmp_path: Path) -> None:
    """Nor has Exchange 2010's Windows a cmdlet that says so."""
    whole = lab.state(lab.mailbox(version="2019") | {"ipv6": False, "listeners": []})
    found = run_checks.run(tmp_path, whole, {"listeners": "(Get-NetTCPConnection -State Listen).LocalAddress"})
    assert set(found["listeners"].out) == {"0.0.0.0"}
    (tmp_path / "old").mkdir()
    checks = {"addresses": "Get-NetIPAddress", "components": "Get-ServerComponentState SBS"}
    old = run_checks.run(tmp_path / "old", lab.state(lab.hub("SBS")), checks)
    assert all(check.error.startswith("CommandNotFoundException") for check in old.values())
