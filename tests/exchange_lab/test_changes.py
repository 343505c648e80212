# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection writes to servers of the lab: the engine, the internal module in a real PowerShell, the cmdlets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import ApplyError
from ansible_collections.mailops.relay.plugins.module_utils._policy.surface import Surface
from exchange_lab import smtp
from exchange_lab import state as lab
from exchange_lab.direct import Direct, direct
from support.scale import SCALE

pytestmark = pytest.mark.timeout(900)
ANONYMOUS = "NT AUTHORITY\\ANONYMOUS LOGON"
ANY, SENDER = "ms-Exch-SMTP-Accept-Any-Recipient", "ms-Exch-SMTP-Accept-Any-Sender"
RELAY = {"principal": ANONYMOUS, "right": ANY, "deny": False}
SPOOFING = {"principal": ANONYMOUS, "right": SENDER, "deny": False}
NAME = "O'Brien's \u201crelay\u201d \"x\" $(y) `z` S\u00fcd \u6f22"
SCAN: dict[str, Any] = {
    "name": NAME,
    "bindings": ["0.0.0.0:25"],
    "remote_ip_ranges": ["10.0.0.11", "10.0.1.0/28"],
    "permission_groups": ["AnonymousUsers"],
    "extended_rights": [RELAY],
    "comment": "two\nlines",
}
WRITES = {
    "New-ReceiveConnector",
    "Set-ReceiveConnector",
    "Remove-ReceiveConnector",
    "Add-ADPermission",
    "Remove-ADPermission",
}


def whole(*more: lab.Data, **switches: Any) -> lab.Data:
    server = lab.mailbox()
    server["connectors"] += more
    return lab.state(server, **switches)


def scanner(name: str = "Scanner", groups: tuple[str, ...] = ("AnonymousUsers",), **properties: Any) -> lab.Data:
    """A relay that is there already."""
    values: lab.Data = {"Bindings": ["0.0.0.0:25"], "RemoteIPRanges": ["10.1.0.0/30"], **properties}
    found = lab.connector(
        lab.mailbox(), name, list(groups), [lab.relay_ace()], TransportRole="FrontendTransport", **values
    )
    return found


@pytest.fixture(scope="module")
def engine(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    with direct(pwsh, tmp_path_factory.mktemp("direct"), whole()) as running:
        yield running


def written(engine: Direct) -> list[lab.Data]:
    """The cmdlets that wrote, in order."""
    return [call for call in lab.calls(engine.log) if call["cmdlet"] in WRITES]


def surface(state: lab.Data) -> Surface:
    return smtp.policy_state(state).policy.surface


def check_steps(engine: Direct, before: Surface) -> None:
    """No state on the way relays for more than before and after together."""
    state = lab.read(engine.state)
    after = surface(state)
    for step in lab.steps(state):
        assert not surface(step).minus(before, after)


def entries(engine: Direct, name: str) -> set[tuple[str, str, bool]]:
    found = next(item for item in engine.server()["connectors"] if item["name"] == name)
    return {(ace["user"], ace["right"], ace["deny"]) for ace in found["aces"]}


# -- one change -------------------------------------------------------------------------------------------------------


def test_check_apply_again_and_undo(engine: Direct) -> None:
    engine.use(whole())
    before = lab.read(engine.state)
    predicted = engine.connectors(SCAN, check=True)
    assert predicted["changed"]
    assert lab.read(engine.state) == before
    assert len(engine.executions) == 1
    done = engine.connectors(SCAN)
    assert len(engine.executions) == 3
    assert done["restart_required"]
    assert done["relay_surface"] == predicted["relay_surface"]
    assert [entry["ranges"] for entry in done["relay_surface"]] == [["10.0.0.11", "10.0.1.0/28"]]
    shown = {key: predicted["after"][0][key] for key in SCAN}
    assert {key: done["after"][0][key] for key in SCAN} == shown == {**SCAN, "comment": "two\nlines"}
    check_steps(engine, surface(before))
    again = engine.connectors(SCAN)
    assert (again["changed"], len(engine.executions)) == (False, 4)
    undone = engine.connectors(*done["before"])
    assert undone["changed"]
    assert [item["name"] for item in engine.server()["connectors"]] == [
        item["name"] for item in before["servers"][0]["connectors"]
    ]


def test_a_new_connector_is_custom_and_disabled_until_all_is_there(engine: Direct) -> None:
    engine.use(whole())
    engine.connectors({**SCAN, "bare_linefeed_rejection_enabled": True})
    made, later, relay, enabled = written(engine)
    given = made["parameters"]
    assert (given["Usage"], given["Enabled"], given["Server"]) == ("Custom", False, "EX01")
    assert (given["AuthMechanism"], given["PermissionGroups"]) == ("Tls", "AnonymousUsers")
    assert given["TransportRole"] == "FrontendTransport"
    assert later["parameters"]["BareLinefeedRejectionEnabled"] is True
    assert relay["cmdlet"] == "Add-ADPermission"
    assert enabled["parameters"]["Enabled"] is True
    controllers = {call["parameters"].get("DomainController") for call in lab.calls(engine.log) if call["where"] != ""}
    assert {item["parameters"]["DomainController"] for item in written(engine)} == {"DC01.corp.test"} <= controllers


def test_only_what_differs_is_sent_and_a_null_clears(engine: Direct) -> None:
    engine.use(whole(scanner(Banner="220 hello", Comment="old")))
    result = engine.connectors(
        {"name": "scanner", "banner": "", "comment": "new", "max_message_size": "36MB", "enabled": True}
    )
    assert result["changed"]
    [call] = written(engine)
    assert call["cmdlet"] == "Set-ReceiveConnector"
    given = {key: value for key, value in call["parameters"].items() if key not in ("Identity", "DomainController")}
    assert given == {"Banner": None, "Comment": "new"}
    assert call["parameters"]["Identity"] == lab.identifier("EX01", "Scanner")


def test_a_connector_is_deleted_without_a_question(engine: Direct) -> None:
    engine.use(whole(scanner()))
    engine.connectors({"name": "Scanner", "state": "absent"})
    [call] = written(engine)
    assert (call["cmdlet"], call["parameters"]["Confirm"]) == ("Remove-ReceiveConnector", False)
    assert engine.connectors(purge=True)["changed"] is False


def test_many_connectors_are_two_executions_as_well(engine: Direct) -> None:
    engine.use(whole())
    many = [{**SCAN, "name": f"Relay {number}", "remote_ip_ranges": [f"10.2.{number}.1"]} for number in range(12)]
    engine.connectors(*many)
    assert len(engine.executions) == 2
    assert not engine.connectors(*many)["changed"]


# -- rights, whatever Exchange does about groups ----------------------------------------------------------------------


@pytest.fixture(params=lab.VARIANTS, ids=lambda found: "-".join(found.values()))
def variant(request: pytest.FixtureRequest) -> Mapping[str, str]:
    found: Mapping[str, str] = request.param
    return found


def test_a_right_of_a_group_is_taken_away_and_given_back(engine: Direct, variant: Mapping[str, str]) -> None:
    engine.use(whole(scanner(), **variant))
    before = surface(lab.read(engine.state))
    done = engine.connectors({"name": "Scanner", "removed_rights": [SPOOFING]})
    assert ("ANONYMOUS", SENDER, False) not in entries(engine, "Scanner")
    assert done["after"][0]["permission_groups"] == ["AnonymousUsers"]
    assert done["after"][0]["removed_rights"] == [SPOOFING]
    assert any("not to enforce that" in text for text in done["warnings"]), done["warnings"]
    assert not engine.connectors({"name": "Scanner", "removed_rights": [SPOOFING]})["changed"]
    assert not engine.connectors({"name": "Scanner", "permission_groups": ["AnonymousUsers"]})["changed"]
    undone = engine.connectors(*done["before"])
    assert undone["changed"]
    assert ("ANONYMOUS", SENDER, False) in entries(engine, "Scanner")
    check_steps(engine, before)


def test_other_groups_beside_a_right_that_was_taken_away(engine: Direct, variant: Mapping[str, str]) -> None:
    found = scanner()
    lab.revoke(found, "ANONYMOUS", SENDER)
    engine.use(whole(found, **variant))
    before = surface(lab.read(engine.state))
    first = entries(engine, "Scanner")
    done = engine.connectors({"name": "Scanner", "permission_groups": {"add": ["ExchangeUsers"]}})
    assert done["after"][0]["removed_rights"] == [SPOOFING]
    assert entries(engine, "Scanner") > first
    given = [call for call in written(engine) if call["cmdlet"] == "Add-ADPermission"]
    assert not [call for call in given if SENDER in call["parameters"]["ExtendedRights"]]
    assert ("ANONYMOUS", SENDER, False) not in entries(engine, "Scanner")
    assert not engine.connectors(*done["after"])["changed"]
    engine.connectors(*done["before"])
    assert entries(engine, "Scanner") == first
    check_steps(engine, before)


def test_no_group_any_more(engine: Direct, variant: Mapping[str, str]) -> None:
    found = scanner()
    lab.revoke(found, "ANONYMOUS", SENDER)
    engine.use(whole(found, **variant))
    before, first = surface(lab.read(engine.state)), entries(engine, "Scanner")
    none = {"name": "Scanner", "permission_groups": [], "extended_rights": []}
    done = engine.connectors(none)
    assert not {user for user, _right, _deny in entries(engine, "Scanner")} & {"ANONYMOUS"}
    assert not engine.connectors(none)["changed"]
    engine.connectors(*done["before"])
    assert entries(engine, "Scanner") == first
    check_steps(engine, before)


def test_who_is_given_a_right_is_called_as_the_server_calls_him(engine: Direct) -> None:
    german = lab.mailbox(locale="de")
    engine.use(lab.state(german))
    engine.connectors(SCAN)
    users = {call["parameters"]["User"] for call in written(engine) if "User" in call["parameters"]}
    assert users == {"NT-AUTORIT\u00c4T\\ANONYMOUS-ANMELDUNG"}


# -- what must not be written -----------------------------------------------------------------------------------------


def refused(engine: Direct, *connectors: Mapping[str, Any], **params: Any) -> str:
    """The message of a task that wrote nothing."""
    with pytest.raises(RelayError) as caught:
        engine.connectors(*connectors, **params)
    assert not isinstance(caught.value, ApplyError), str(caught.value)
    assert written(engine) == []
    return str(caught.value)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("connectors", lambda server: server["connectors"][0]["properties"].update(Enabled=False)),
        ("connectors", lambda server: server["connectors"].pop()),
        ("rights", lambda server: server["connectors"][-1]["aces"].append(lab.ace("CORP\\svc-scan", ANY))),
    ],
    ids=["value", "connector", "right"],
)
def test_what_somebody_else_changed_meanwhile_is_seen(engine: Direct, part: str, change: Any) -> None:
    engine.use(whole(scanner()))

    def meddle(arguments: Mapping[str, Any]) -> None:
        if arguments["write"]:
            state = lab.read(engine.state)
            change(state["servers"][0])
            lab.write(engine.state, state)

    engine.meanwhile = meddle
    said = refused(engine, SCAN)
    assert f"Exchange, {part}: changed meanwhile by somebody else, so nothing was written. Run the task again." in said


def test_a_domain_controller_that_is_gone_is_not_replaced(engine: Direct) -> None:
    engine.use(whole())

    def lose(arguments: Mapping[str, Any]) -> None:
        if arguments["write"]:
            faults = [lab.fault("*", "gone", message="DC01.corp.test")]
            lab.write(engine.state, {**lab.read(engine.state), "faults": faults})

    engine.meanwhile = lose
    said = refused(engine, SCAN)
    assert "Nothing was written." in said
    assert {call["parameters"].get("DomainController") for call in lab.calls(engine.log)} <= {None, "DC01.corp.test"}


@pytest.mark.parametrize(
    ("faults", "change", "says"),
    [
        ([lab.fault("Add-ADPermission", "absent")], {}, "the session has no such cmdlet"),
        ([], {"extended_rights": [{**RELAY, "principal": "CORP\\nobody"}]}, "CORP\\nobody"),
        ([], {"bindings": ["192.0.2.77:25"]}, "the server does not have this address"),
        ([], {"bindings": ["0.0.0.0:443"]}, "the program System listens there already"),
        ([], {"transport_role": "HubTransport"}, "transport_role"),
        ([lab.fault("Get-NetIPAddress", "absent")], {"bindings": ["192.0.2.10:25"]}, "could not be read"),
    ],
    ids=["cmdlet", "principal", "address", "port", "role", "addresses"],
)
def test_refused_before_anything_is_written(
    engine: Direct, faults: list[lab.Data], change: dict[str, Any], says: str
) -> None:
    engine.close()  # roles are looked at when the cmdlets are loaded
    engine.use(whole(faults=faults))
    assert says in refused(engine, {**SCAN, **change})
    engine.close()


def test_a_wildcard_may_be_bound_where_ports_cannot_be_read(engine: Direct) -> None:
    engine.use(whole(faults=[lab.fault("Get-NetTCPConnection", "access_denied")]))
    result = engine.connectors({**SCAN, "bindings": ["0.0.0.0:2626"]})
    assert any(
        "whether another program listens on 0.0.0.0:2626 could not be read" in text for text in result["warnings"]
    )


# -- half way ---------------------------------------------------------------------------------------------------------

NARROWER = [
    {"name": "Scanner", "remote_ip_ranges": ["10.1.0.1"], "comment": "narrower"},
    SCAN,
    {"name": "Old", "state": "absent"},
]
SAMPLE = (1, 3)
"""After which of the operations the process ends, unless all are asked for."""
OLD: dict[str, Any] = {"RemoteIPRanges": ["10.9.0.1"]}


def test_a_failure_half_way_says_what_was_done_and_what_is_there(engine: Direct) -> None:
    engine.use(whole(scanner(), faults=[lab.fault("Add-ADPermission", "access_denied")]))
    with pytest.raises(ApplyError) as caught:
        engine.connectors({"name": "Scanner", "comment": "x"}, SCAN)
    error = caught.value
    assert "grant connector" in error.where
    assert [line.split(" ")[0] for line in error.done] == ["set", "create"]
    assert error.reading is not None
    there = error.reading.state.connector(NAME)
    assert there is not None
    assert (there.enabled, there.extended_rights) == (False, ())
    assert "Run the task again" in error.way_out
    engine.use({**lab.read(engine.state), "faults": []})
    engine.connectors({"name": "Scanner", "comment": "x"}, SCAN)
    assert not engine.connectors({"name": "Scanner", "comment": "x"}, SCAN)["changed"]


def writes_of(engine: Direct, state: lab.Data, *connectors: Mapping[str, Any]) -> list[str]:
    engine.use(state)
    engine.connectors(*connectors)
    return [str(call["cmdlet"]) for call in written(engine)]


@pytest.mark.parametrize("kind", ["connection_lost", "connection_lost_after"])
def test_wherever_the_process_ends_the_next_run_goes_on(engine: Direct, kind: str) -> None:
    state = whole(scanner(), scanner("Old", **OLD))
    before = surface(state)
    cmdlets = writes_of(engine, state, *NARROWER)
    final = {item["name"]: item["properties"] for item in engine.server()["connectors"]}
    assert len(cmdlets) == 5
    for number, cmdlet in enumerate(cmdlets):
        if SCALE <= 1 and number not in SAMPLE:
            continue
        fault = lab.fault(cmdlet, kind, skip=cmdlets[:number].count(cmdlet), times=1)
        engine.use({**state, "faults": [fault]})
        with pytest.raises(ApplyError, match="nobody knows how far it came") as caught:
            engine.connectors(*NARROWER)
        assert "outcome is unknown" in caught.value.way_out
        engine.connectors(*NARROWER)
        assert {item["name"]: item["properties"] for item in engine.server()["connectors"]} == final
        check_steps(engine, before)


# -- the service ------------------------------------------------------------------------------------------------------


def test_a_restart_waits_for_all_that_listened_and_all_that_is_new(engine: Direct) -> None:
    server = lab.mailbox()
    server["ipv6"] = False
    server["services"][lab.FRONTEND].update(start_seconds=2, stop_seconds=1)
    engine.use(lab.state(server))
    engine.connectors({**SCAN, "bindings": ["0.0.0.0:2626"]})
    engine.executions.clear()
    predicted = engine.task("service", check=True)
    assert predicted["commands"] == [
        f"{word} {name}" for name in (lab.FRONTEND, lab.TRANSPORT) for word in ("stop", "start")
    ]
    result = engine.task("service")
    assert result["commands"] == predicted["commands"]
    assert len(engine.executions) == 3
    assert {"address": "0.0.0.0", "port": 2626} in result["listeners"]
    assert not result["restart_required"]
    assert any("Nothing listens on [::]:25, and nothing did before" in text for text in result["warnings"])
    assert not engine.task("service")["changed"]


def test_a_service_that_does_not_come_back_is_the_loudest_error(
    engine: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible_collections.mailops.relay.plugins.plugin_utils._exchange.service.PATIENCE", 2)
    server = lab.mailbox()
    server["services"][lab.TRANSPORT]["broken"] = True
    engine.use(lab.state(server))
    with pytest.raises(RelayError, match="WAS STOPPED AND DID NOT COME BACK in 2 s") as caught:
        engine.task("service", only_if_required=False)
    assert "give 'before' of that task to receive_connectors" in caught.value.way_out
    assert "It is Stopped now." in caught.value.way_out


def test_a_server_in_maintenance_is_left_alone(engine: Direct) -> None:
    server = lab.mailbox()
    server["components"]["HubTransport"] = "Draining"
    engine.use(lab.state(server))
    engine.connectors(SCAN)
    result = engine.task("service")
    assert not result["changed"]
    assert result["restart_required"]
    assert result["warnings"] == [
        "The server is in maintenance: HubTransport is Draining.",
        "The server is in maintenance, so its transport service was not restarted (restart_in_maintenance).",
    ]
    assert engine.task("service", restart_in_maintenance=True)["changed"]


def test_no_restart_while_a_connector_has_an_address_that_is_not_there(engine: Direct) -> None:
    engine.use(whole(scanner(Bindings=["192.0.2.77:25"])))
    with pytest.raises(RelayError, match="the server does not have this address"):
        engine.task("service", only_if_required=False)
    assert all(not call["write"] for call in engine.executions)


def test_stop_and_start(engine: Direct) -> None:
    engine.use(whole())
    assert engine.task("service", state="stopped")["after"]["state"] == "stopped"
    assert not engine.task("service", state="stopped")["changed"]
    started = engine.task("service", state="started")
    assert started["after"]["state"] == "started"
    assert not engine.task("service", state="started")["changed"]
