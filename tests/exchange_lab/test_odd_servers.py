# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are not the usual one: odd values, another language, Edge, 2010."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import ApplyError
from exchange_lab import state as lab
from exchange_lab.direct import Direct, direct
from exchange_lab.test_changes import RELAY, SCAN, SPOOFING, check_steps, surface, written

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def engine(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    with direct(pwsh, tmp_path_factory.mktemp("odd"), lab.state(lab.odd())) as running:
        yield running


def relay(engine: Direct) -> lab.Data:
    return dict(next(item for item in engine.server()["connectors"] if item["name"] == "Odd relay"))


def test_an_unrelated_change_and_its_undo_leave_odd_values_alone(engine: Direct) -> None:
    engine.use(lab.state(lab.odd()))
    first = relay(engine)
    done = engine.connectors({"name": "Odd relay", "remote_ip_ranges": ["10.1.0.9"], "require_tls": True})
    sent = {key for call in written(engine) for key in call["parameters"]} - {"Identity", "DomainController"}
    assert sent == {"RemoteIPRanges", "RequireTLS"}
    assert relay(engine)["odd"] == first["odd"]
    assert not engine.connectors(*done["after"])["changed"]
    engine.connectors(*done["before"])
    assert {**relay(engine), "when_changed": 0} == {**first, "when_changed": 0}


def test_an_odd_value_is_replaced_and_what_cannot_be_restored_is_named(engine: Direct) -> None:
    engine.use(lab.state(lab.odd()))
    done = engine.connectors({"name": "Odd relay", "banner": "220 hello"})
    assert relay(engine)["properties"]["Banner"] == "220 hello"
    with pytest.raises(ApplyError) as caught:
        engine.connectors(*done["before"])
    assert 'set connector "Odd relay"' in caught.value.where
    assert "banner" in str(caught.value).lower()
    assert written(engine)[-1]["parameters"]["Banner"] == lab.ODD["Banner"]
    assert caught.value.reading is not None


def test_an_odd_value_that_is_accepted_comes_back_as_it_was(engine: Direct) -> None:
    engine.use(lab.state(lab.odd()))
    done = engine.connectors({"name": "Odd relay", "comment": "new", "fqdn": "mail.corp.test"})
    engine.connectors(*done["before"])
    [*_first, last] = written(engine)
    assert last["parameters"]["Fqdn"] == lab.ODD["Fqdn"]
    assert relay(engine)["properties"]["Fqdn"] == lab.ODD["Fqdn"]


SERVERS: dict[str, Callable[[], lab.Data]] = {
    "german": lambda: lab.mailbox(locale="de"),
    "french": lambda: lab.mailbox(locale="fr"),
    "edge": lab.edge,
    "2010": lab.hub,
}


@pytest.mark.parametrize("kind", SERVERS)
def test_create_grant_remove_a_right_and_restart(kind: str, pwsh: Path, tmp_path: Path) -> None:
    whole = lab.state(SERVERS[kind]())
    wanted: dict[str, Any] = {**SCAN, "removed_rights": [SPOOFING]}
    with direct(pwsh, tmp_path, whole) as engine:
        done = engine.connectors(wanted)
        assert len(engine.executions) == 2
        [after] = [item for item in done["after"] if item["name"] == SCAN["name"]]
        assert (after["extended_rights"], after["removed_rights"]) == ([RELAY], [SPOOFING])
        assert not engine.connectors(wanted)["changed"]
        check_steps(engine, surface(whole))
        if kind in ("edge", "2010"):
            assert after.get("transport_role") is None
        restarted = engine.task("service")
        assert restarted["commands"][0].startswith("stop ")
        assert not engine.task("service")["changed"]
        engine.connectors({"name": SCAN["name"], "state": "absent"})
        assert len(engine.server()["connectors"]) == len(whole["servers"][0]["connectors"])


@pytest.mark.parametrize("groups_print", ["stored", "entries"])
def test_a_group_of_servers_goes_from_an_edge_server(groups_print: str, pwsh: Path, tmp_path: Path) -> None:
    """It knows no groups of the domain, so nothing is asked about them."""
    server = lab.edge()
    values: lab.Data = {"Bindings": ["0.0.0.0:25"], "RemoteIPRanges": ["10.1.0.1"]}
    found = lab.connector(server, "Trusted", ["ExchangeServers"], AuthMechanism=["Tls"], **values)
    lab.revoke(found, "HUB_SERVERS", "ms-Exch-SMTP-Submit")
    server["connectors"].append(found)
    with direct(pwsh, tmp_path, lab.state(server, groups_print=groups_print)) as engine:
        wanted = {"name": "Trusted", "permission_groups": ["AnonymousUsers"]}
        engine.connectors(wanted)
        [after] = [item for item in engine.server()["connectors"] if item["name"] == "Trusted"]
        assert {entry["user"] for entry in after["aces"]} == {"ANONYMOUS"}
        assert not engine.connectors(wanted)["changed"]


def test_an_edge_server_has_no_groups_of_the_domain(pwsh: Path, tmp_path: Path) -> None:
    with direct(pwsh, tmp_path, lab.state(lab.edge())) as engine:
        with pytest.raises(RelayError, match="permission_groups: an Edge server has no group ExchangeUsers"):
            engine.connectors({**SCAN, "permission_groups": ["AnonymousUsers", "ExchangeUsers"]})
        assert written(engine) == []
