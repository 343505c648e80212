# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known defects of the DSC resource for receive connectors, each as what is written here instead; its reading half
is in the unit tests of the reader. Then tasks that somebody got wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from exchange_lab import state as lab
from exchange_lab.direct import SCRIPT, Direct, direct
from exchange_lab.test_changes import ANONYMOUS, ANY, RELAY, SCAN, SENDER, entries, scanner, whole, written

pytestmark = pytest.mark.timeout(900)
SVC, SVC2 = "CORP\\svc-scan", "CORP\\svc-scan2"
SUBMIT = "ms-Exch-SMTP-Submit"


@pytest.fixture(scope="module")
def engine(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    with direct(pwsh, tmp_path_factory.mktemp("defects"), whole()) as running:
        yield running


def right(principal: str, name: str, *, deny: bool = False) -> dict[str, Any]:
    return {"principal": principal, "right": name, "deny": deny}


def test_defects_1_6_7_8_9_no_spelling_is_a_difference(engine: Direct) -> None:
    """Several mechanisms in any order, ranges in any form, a wildcard certificate, Custom, sizes and spans."""
    properties: lab.Data = {
        "AuthMechanism": ["Tls", "BasicAuth", "BasicAuthRequireTLS"],
        "RemoteIPRanges": ["10.1.0.0/24", "fd00::A", "10.2.0.1-10.2.0.1"],
        "TlsCertificateName": "<I>CN=R3<S>CN=*.corp.test",
        "MaxMessageSize": 36 << 20,
        "ConnectionTimeout": 3600,
    }
    engine.use(whole(scanner(**properties)))
    same = {
        "name": "SCANNER",
        "auth_mechanism": ["BasicAuthRequireTLS", "Tls", "BasicAuth"],
        "remote_ip_ranges": ["10.2.0.1", "FD00:0::a", "10.1.0.0-10.1.0.255"],
        "tls_certificate_name": "<I>CN=R3<S>CN=*.corp.test",
        "permission_groups": ["AnonymousUsers", "Custom"],
        "max_message_size": "37748736",
        "connection_timeout": "01:00:00",
        "bindings": ["0.0.0.0:25"],
    }
    assert not engine.connectors(same)["changed"]
    assert written(engine) == []
    other = engine.connectors({"name": "Scanner", "tls_certificate_name": "<I>CN=R3<S>CN=mail.corp.test"})
    assert other["changed"]


def test_defect_2_rights_are_removed_and_a_surplus_is_seen(engine: Direct) -> None:
    found = scanner()
    found["aces"] += [lab.ace(SVC, ANY), lab.ace("ANONYMOUS", "ms-Exch-Bypass-Anti-Spam", deny=True)]
    engine.use(whole(found))
    done = engine.connectors({"name": "Scanner", "extended_rights": [RELAY]})
    assert done["changed"]
    assert not {(SVC, ANY, False), ("ANONYMOUS", "ms-Exch-Bypass-Anti-Spam", True)} & entries(engine, "Scanner")
    assert [call["cmdlet"] for call in written(engine)] == ["Remove-ADPermission"] * 2
    assert not engine.connectors({"name": "Scanner", "extended_rights": [RELAY]})["changed"]


def test_defect_3_wanted_rights_where_there_is_no_entry_at_all(engine: Direct) -> None:
    found = scanner(groups=())
    found["aces"] = []
    engine.use(whole(found))
    done = engine.connectors({"name": "Scanner", "permission_groups": [], "extended_rights": [right(SVC, SUBMIT)]})
    assert done["changed"]
    assert entries(engine, "Scanner") == {(SVC, SUBMIT, False)}


def test_defect_4_a_name_that_is_part_of_another_is_another(engine: Direct) -> None:
    found = scanner()
    found["aces"].append(lab.ace(SVC2, ANY))
    engine.use(whole(found))
    assert engine.connectors({"name": "Scanner", "extended_rights": {"add": [right(SVC, ANY)]}})["changed"]
    assert {(SVC, ANY, False), (SVC2, ANY, False)} <= entries(engine, "Scanner")
    engine.connectors({"name": "Scanner", "extended_rights": {"remove": [right(SVC, ANY)]}})
    assert (SVC, ANY, False) not in entries(engine, "Scanner")
    assert (SVC2, ANY, False) in entries(engine, "Scanner")


def test_defect_5_two_servers_with_connectors_of_one_name(engine: Direct) -> None:
    other = lab.mailbox("EX02")
    other["connectors"].append(scanner())
    other["connectors"][-1]["guid"] = lab.identifier("EX02", "Scanner")
    mine = lab.mailbox()
    mine["connectors"].append(scanner())
    engine.use(lab.state(mine, other))
    before = lab.read(engine.state)["servers"][1]["connectors"]
    engine.connectors({"name": "Scanner", "extended_rights": [RELAY, right(SVC, ANY)], "comment": "mine"})
    engine.connectors({"name": "Scanner", "state": "absent"})
    assert lab.read(engine.state)["servers"][1]["connectors"] == before


def test_defect_10_an_error_is_not_absence(engine: Direct) -> None:
    """Nothing is made because the server could not be asked, and nothing absent is looked for by its name."""
    engine.use(whole(scanner(), faults=[lab.fault("Get-ReceiveConnector", "busy")]))
    with pytest.raises(RelayError):
        engine.connectors({**SCAN, "name": "Scanner"})
    assert written(engine) == []
    engine.use(whole())
    engine.connectors(SCAN)
    looked = [call["parameters"] for call in lab.calls(engine.log) if call["cmdlet"] == "Get-ReceiveConnector"]
    assert {"Identity" in parameters for parameters in looked} == {False}


def test_defect_11_what_if_relay_safety_and_conflicts(engine: Direct) -> None:
    engine.use(whole(scanner()))
    before = lab.read(engine.state)
    assert engine.connectors({"name": "Scanner", "remote_ip_ranges": ["10.1.0.1"]}, check=True)["changed"]
    for wrong in (
        {"name": "Scanner", "remote_ip_ranges": ["0.0.0.0/1"]},
        {"name": "Scanner", "require_tls": True, "auth_mechanism": []},
        {**SCAN, "remote_ip_ranges": ["10.1.0.0/30"]},
    ):
        with pytest.raises(RelayError):
            engine.connectors(wrong)
    assert lab.read(engine.state) == before


def test_defect_12_the_tests_run_what_is_shipped(engine: Direct) -> None:
    assert SCRIPT.parts[-3:] == ("plugins", "modules", "exchange_cmdlets.ps1")
    assert SCRIPT.exists()


# -- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "range of everybody": (
        {"remote_ip_ranges": ["0.0.0.0-255.255.255.254"]},
        "max_relay_addresses|addresses could relay",
    ),
    "a wrong octet": ({"remote_ip_ranges": ["10.0.0.300"]}, "remote_ip_ranges"),
    "range turned round": ({"remote_ip_ranges": ["10.0.0.9-10.0.0.1"]}, "remote_ip_ranges"),
    "a name for an address": ({"remote_ip_ranges": ["scanner.corp.test"]}, "not an IP address"),
    "no range": ({"remote_ip_ranges": []}, "remote_ip_ranges"),
    "no port": ({"bindings": ["0.0.0.0"]}, "bindings"),
    "port too large": ({"bindings": ["0.0.0.0:70000"]}, "bindings"),
    "no binding": ({"bindings": []}, "bindings"),
    "somebody else's address": ({"bindings": ["192.0.2.200:25"]}, "does not have this address"),
    "a port that is taken": ({"bindings": ["0.0.0.0:443"]}, "listens there already"),
    "no such group": ({"permission_groups": ["Anonymous"]}, "permission_groups"),
    "no such right": ({"extended_rights": [right(ANONYMOUS, "Accept-Any-Recipient")]}, "extended_rights"),
    "no such user": ({"extended_rights": [right("CORP\\nobody", ANY)]}, "nobody"),
    "a right both ways": (
        {"extended_rights": [RELAY, right(ANONYMOUS, SENDER)], "removed_rights": [right(ANONYMOUS, SENDER)]},
        "removed_rights|extended_rights",
    ),
    "basic without tls": ({"auth_mechanism": ["BasicAuth", "BasicAuthRequireTLS"]}, "auth_mechanism"),
    "external with basic": ({"auth_mechanism": ["ExternalAuthoritative", "BasicAuth"]}, "ExternalAuthoritative"),
    "external without servers": ({"auth_mechanism": ["Tls", "ExternalAuthoritative"]}, "ExchangeServers"),
    "hub on port 25": ({"transport_role": "HubTransport"}, "transport_role"),
    "an option of a relay of ours": ({"implicit_tls": True}, "implicit_tls"),
    "banner without its number": ({"banner": "hello"}, "banner"),
    "timeouts turned round": ({"connection_timeout": 60, "connection_inactivity_timeout": 600}, "timeout"),
    "a name that is too long": ({"name": "x" * 65}, "name"),
    "a built-in connector that relays": (
        {"name": "Default Frontend EX01", "extended_rights": [RELAY]},
        "max_relay_addresses",
    ),
    "a built-in connector turned off": ({"name": "Default Frontend EX01", "enabled": False}, "cannot be disabled"),
}


@pytest.fixture(scope="module")
def untouched(engine: Direct) -> Iterator[lab.Data]:
    engine.use(whole())
    before = lab.read(engine.state)
    yield before
    assert lab.read(engine.state) == before


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistaken_task_writes_nothing_and_says_where(engine: Direct, untouched: lab.Data, kind: str) -> None:
    change, says = MISTAKES[kind]
    entry = change if change.get("name", "").startswith("Default") else {**SCAN, **change}
    with pytest.raises(RelayError, match=says):
        engine.connectors(entry)
    assert written(engine) == []
