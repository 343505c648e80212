# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and tasks that are made to trick the writer: whatever comes, nobody relays who was not meant to."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import ApplyError
from exchange_lab import smtp
from exchange_lab import state as lab
from exchange_lab.direct import Direct, direct
from exchange_lab.test_changes import ANY, RELAY, SCAN, scanner, whole, written

pytestmark = pytest.mark.timeout(900)
SPANISH = {
    "Anonymous": "NT AUTHORITY\\INICIO DE SESI\u00d3N AN\u00d3NIMO",
    "Authenticated": "NT AUTHORITY\\Usuarios autentificados",
    "Everyone": "Todos",
    "Network": "NT AUTHORITY\\RED",
    "Users": "BUILTIN\\Usuarios",
    "Guests": "BUILTIN\\Invitados",
}


class Meddled(Direct):
    """``before`` is called with the arguments of an execution, ``after`` with the answers of one."""

    before: Callable[[Mapping[str, Any]], None] | None = None
    after: Callable[[dict[str, Any]], None] | None = None

    def execute(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if self.before is not None:
            self.before(arguments)
        said = super().execute(arguments)
        if self.after is None:
            return said
        result = json.loads(gzip.decompress(base64.b64decode(said["packed"])))
        self.after(result)
        return {**said, "packed": base64.b64encode(gzip.compress(json.dumps(result).encode())).decode()}


@pytest.fixture(scope="module")
def started(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meddled]:
    folder = tmp_path_factory.mktemp("attack")
    with direct(pwsh, folder, whole()) as running:
        running.__class__ = Meddled
        assert isinstance(running, Meddled)
        yield running


@pytest.fixture
def engine(started: Meddled) -> Iterator[Meddled]:
    started.before = started.after = None
    yield started
    started.before = started.after = None


def surface(engine: Direct) -> Any:
    return smtp.policy_state(lab.read(engine.state)).policy.surface


def refused(engine: Direct, *connectors: Mapping[str, Any], **params: Any) -> str:
    """The message of a task that wrote nothing, with check mode and without."""
    with pytest.raises(RelayError) as caught:
        engine.connectors(*connectors, check=True, **params)
    with pytest.raises(RelayError) as again:
        engine.connectors(*connectors, **params)
    assert str(again.value) == str(caught.value)
    assert written(engine) == []
    return str(caught.value)


# -- whom a right is given to -----------------------------------------------------------------------------------------


def in_spanish(result: dict[str, Any]) -> None:
    host = next(answer for answer in result["answers"] if answer["id"] == "host")
    host["columns"], host["rows"] = ["Name", *SPANISH], [["EX01", *SPANISH.values()]]


def test_a_well_known_principal_in_a_language_that_is_not_known_here_is_no_stranger(engine: Meddled) -> None:
    engine.use(whole(users=[*SPANISH.values()]))
    engine.after = in_spanish
    said = refused(engine, {**SCAN, "extended_rights": [{**RELAY, "principal": SPANISH["Anonymous"]}]})
    assert "this server calls NT AUTHORITY\\ANONYMOUS LOGON so" in said


def test_a_name_that_exchange_would_not_show_is_refused(engine: Meddled) -> None:
    engine.use(whole(users=["svc-scan", "CORP\\svc-scan"]))
    said = refused(engine, {**SCAN, "extended_rights": [{**RELAY, "principal": "svc-scan"}]})
    assert "no name by which Exchange shows somebody" in said


def test_a_user_of_the_domain_is_given_a_right_and_orphans_may_stay(engine: Meddled) -> None:
    orphan = lab.ace("S-1-5-21-1004336348-1177238915-682003330-1104", ANY)
    found = scanner()
    found["aces"].append(orphan)
    engine.use(whole(found))
    wanted = {"principal": "CORP\\J\u00fcrgen M\u00fcller", "right": ANY, "deny": False}
    done = engine.connectors({"name": "Scanner", "extended_rights": {"add": [wanted]}, "comment": "x"})
    assert wanted in done["after"][0]["extended_rights"]
    assert any(entry["principal"] == orphan["user"] for entry in done["after"][0]["extended_rights"])
    engine.connectors(*done["before"])
    [after] = [item for item in engine.server()["connectors"] if item["name"] == "Scanner"]
    assert after["aces"] == found["aces"]


# -- servers ----------------------------------------------------------------------------------------------------------


def test_a_server_without_connectors_has_roles_by_its_version(engine: Meddled) -> None:
    server = lab.mailbox()
    server["connectors"] = []
    engine.use(lab.state(server))
    done = engine.connectors(SCAN)
    assert done["after"][0]["transport_role"] == "FrontendTransport"
    [made] = engine.server()["connectors"]
    assert made["properties"]["TransportRole"] == "FrontendTransport"
    assert not engine.connectors(SCAN)["changed"]
    engine.connectors(*done["before"])
    assert engine.server()["connectors"] == []


def test_a_disabled_connector_with_an_address_that_is_not_there_cannot_be_enabled(engine: Meddled) -> None:
    engine.use(whole(scanner(Bindings=["192.0.2.77:25"], Enabled=False)))
    assert engine.connectors({"name": "Scanner", "comment": "x"})["changed"]
    engine.use(lab.read(engine.state))
    said = refused(engine, {"name": "Scanner", "enabled": True})
    assert "the server does not have this address" in said


def test_renamed_meanwhile(engine: Meddled) -> None:
    engine.use(whole(scanner()))

    def rename(arguments: Mapping[str, Any]) -> None:
        if arguments["write"]:
            state = lab.read(engine.state)
            state["servers"][0]["connectors"][-1]["name"] = "Somebody else's"
            lab.write(engine.state, state)

    engine.before = rename
    with pytest.raises(RelayError, match="changed meanwhile by somebody else, so nothing was written"):
        engine.connectors({"name": "Scanner", "remote_ip_ranges": ["10.0.0.1"]})
    assert written(engine) == []


@pytest.mark.parametrize(
    "name", ["x'; Remove-Item /; '", "$(exit 1)", "a\u2019b \u201cc\u201d", '`n"', "%TEMP%", "-Force"]
)
def test_names_are_data(engine: Meddled, name: str) -> None:
    engine.use(whole())
    done = engine.connectors({**SCAN, "name": name, "comment": f"{name}\n{name}"})
    [made] = [item for item in engine.server()["connectors"] if item["name"] == name]
    assert made["properties"]["Comment"] == f"{name}\n{name}"
    assert not engine.connectors(*done["after"])["changed"]
    engine.connectors({"name": name.upper(), "state": "absent"})
    assert len(engine.server()["connectors"]) == 5


# -- failures on failures ---------------------------------------------------------------------------------------------


def test_a_failure_is_told_also_where_what_is_there_cannot_be_read(engine: Meddled) -> None:
    """What was done is more than that the rights cannot be read."""
    engine.use(whole(scanner()))

    def break_both(arguments: Mapping[str, Any]) -> None:
        if arguments["write"]:
            looks = len(lab.read(engine.state)["servers"][0]["connectors"]) + 1
            faults = [
                lab.fault("Set-ReceiveConnector", "access_denied", skip=1),
                lab.fault("Get-ADPermission", "busy", skip=looks),
            ]
            lab.write(engine.state, {**lab.read(engine.state), "faults": faults})

    engine.before = break_both
    with pytest.raises(ApplyError) as caught:
        engine.connectors({"name": "Scanner", "comment": "x"}, {**SCAN, "extended_rights": []})
    assert [line.split(" ")[0] for line in caught.value.done] == ["set", "create"]
    assert "Access is denied" in str(caught.value)
    assert caught.value.reading is None or not caught.value.reading.state.rights_known
    engine.close()


def test_where_the_marker_cannot_be_written_nothing_is_said_to_be_done(engine: Meddled) -> None:
    engine.use(whole(scanner()))
    marker = engine.state.parent / "mailops.relay.rights-changed"
    marker.mkdir()
    try:
        with pytest.raises(ApplyError) as caught:
            engine.connectors({"name": "Scanner", "comment": "x"}, SCAN)
    finally:
        marker.rmdir()
    assert not any("grant" in line for line in caught.value.done)
    assert engine.server()["connectors"][5]["properties"]["Comment"] == "x"
    assert not surface(engine).minus(smtp.policy_state(whole(scanner())).policy.surface)


def test_a_service_that_something_else_has_started_is_no_failure(engine: Meddled) -> None:
    """The health manager of Exchange starts what it finds stopped."""
    engine.use(whole())
    engine.task("service", state="stopped")

    def start(arguments: Mapping[str, Any]) -> None:
        if arguments["write"]:
            state = lab.read(engine.state)
            for name in state["servers"][0]["services"]:
                lab.restart(state, name)
            lab.write(engine.state, state)

    engine.before = start
    assert engine.task("service", state="started")["after"]["state"] == "started"


# -- externally secured -----------------------------------------------------------------------------------------------

TRUST = {"auth_mechanism": ["Tls", "ExternalAuthoritative"], "permission_groups": ["ExchangeServers"]}
ORDINARY = {"auth_mechanism": ["Tls"], "permission_groups": ["AnonymousUsers"]}


def test_what_is_left_of_the_other_way_to_relay_is_told(engine: Meddled) -> None:
    """To and from ExternalAuthoritative: the entry stays unless the task takes it away, and never unseen."""
    engine.use(whole(scanner()))
    done = engine.connectors({"name": "Scanner", **TRUST})
    [said] = [text for text in done["warnings"] if "is left from before" in text]
    assert "counts again when auth_mechanism changes back" in said
    back = engine.connectors({"name": "Scanner", **ORDINARY}, check=True)
    [said] = [text for text in back["warnings"] if "is left from before" in text]
    assert "whoever connects may still relay" in said
    clean = engine.connectors({"name": "Scanner", **ORDINARY, "extended_rights": []})
    assert not [text for text in clean["warnings"] if "is left from before" in text]
    assert not surface(engine)
    assert not engine.connectors({"name": "Scanner", **ORDINARY, "extended_rights": []})["changed"]
