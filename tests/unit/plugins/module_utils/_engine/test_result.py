# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._accounts.converge import AccountsOutcome
from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import Account
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError
from ansible_collections.mailops.relay.plugins.module_utils._engine.converge import converge
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits
from ansible_collections.mailops.relay.plugins.module_utils._engine.info import connector_for, render_info
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options
from ansible_collections.mailops.relay.plugins.module_utils._engine.result import (
    render_accounts,
    render_outcome,
    render_service,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import (
    ServiceOutcome,
    Wish,
    converge_service,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.memory_backend import MemoryBackend

SCAN = {
    "name": "Scan",
    "bindings": ["0.0.0.0:25"],
    "remote_ip_ranges": ["10.0.0.1"],
    "permission_groups": ["AnonymousUsers"],
    "extended_rights": [{"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}],
}
ONE = {"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.1"], "addresses": 1}


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


def change(backend: MemoryBackend, kind: str = "connectors", *, purge: bool = False, **options: Any) -> dict[str, Any]:
    outcome = converge(backend, Options(purge=purge, **options), check=False, limits=Limits())
    names = [entry["name"] for entries in options.values() for entry in entries]
    values, diff = render_outcome(backend.name, outcome, kind, names)
    return {**values, "diff": diff}


def test_a_change_is_told_from_both_ends(backend: MemoryBackend) -> None:
    result = change(backend, connectors=[SCAN])
    assert result["changed"] is True
    assert result["backend"] == "memory"
    assert result["before"] == [{"name": "Scan", "state": "absent"}]
    assert result["after"][0]["remote_ip_ranges"] == ["10.0.0.1"]
    assert len(result["commands"]) == 3
    assert result["relay_surface"] == [ONE]
    assert result["listeners"] == [{"address": "0.0.0.0", "port": 25}]
    assert result["surface_change"] == {"opens": [ONE], "closes": []}
    assert json.loads(result["diff"]["before"]) == result["before"]
    assert json.loads(result["diff"]["after"]) == result["after"]
    assert result["diff"]["prepared"] == ("relay surface: opens 10.0.0.1 (1 address) to any domain on 0.0.0.0:25\n")
    again = change(backend, connectors=[{**SCAN, "name": "SCAN"}])
    assert (again["changed"], again["commands"], again["before"]) == (False, [], again["after"])
    assert again["after"][0]["name"] == "Scan", "as the server spells it"
    assert "prepared" not in again["diff"]


def test_what_was_not_named_and_changed_is_told_too(backend: MemoryBackend) -> None:
    change(backend, connectors=[SCAN, {**SCAN, "name": "Other", "remote_ip_ranges": ["10.0.0.2"]}])
    result = change(backend, connectors=[SCAN], purge=True)
    assert [(item["name"], item["state"]) for item in result["after"]] == [("Other", "absent"), ("Scan", "present")]
    assert result["surface_change"]["closes"] == [{**ONE, "ranges": ["10.0.0.2"]}]


def test_domains_are_told_alike(backend: MemoryBackend) -> None:
    result = change(backend, "accepted_domains", accepted_domains=[{"name": "corp.test"}])
    assert result["before"] == [{"name": "corp.test", "state": "absent"}]
    assert result["after"] == [{"name": "corp.test", "state": "present", "type": "Authoritative", "next_hop": ""}]


def test_drift_is_a_change_of_its_own() -> None:
    backend = MemoryBackend()
    backend.given = State().policy
    result = change(backend, connectors=[])
    assert result["commands"] == ["recompile policy"]
    assert result["diff"] == {"before": "to do: recompile policy\n[]\n", "after": "[]\n"}


def test_info(backend: MemoryBackend) -> None:
    change(backend, connectors=[SCAN], accepted_domains=[{"name": "corp.test"}])
    state = State(backend.state.connectors, backend.state.accepted_domains, built_in=("SCAN", "Gone"))
    info = render_info("memory", replace(backend.read(), state=state), "Scan")
    assert [item["name"] for item in info["connectors"]] == ["Scan"]
    assert [item["name"] for item in info["accepted_domains"]] == ["corp.test"]
    assert (info["backend"], info["built_in"], info["selected"]) == ("memory", ["Scan"], "Scan")
    assert info["service"] == {"state": "stopped", "restart_required": False}
    assert (info["relay_surface"], info["restart_required"]) == ([ONE], False)
    assert (info["listeners"], info["expected_listeners"]) == ([], [{"address": "0.0.0.0", "port": 25}])


def test_info_is_about_what_the_server_was_given_to_run(backend: MemoryBackend) -> None:
    change(backend, connectors=[SCAN])
    given = replace(backend.read(), state=State(), given=backend.state.policy)
    assert render_info("memory", given, None)["relay_surface"] == [ONE]
    assert connector_for(given, {"binding": "0.0.0.0:25", "client": "10.0.0.1"}) == "Scan"


@pytest.mark.parametrize(("client", "found"), [("10.0.0.1", "Scan"), ("10.0.0.2", None), ("::1", None)])
def test_who_takes_a_session(backend: MemoryBackend, client: str, found: str | None) -> None:
    change(backend, connectors=[SCAN])
    assert connector_for(backend.read(), {"binding": "192.0.2.1:25", "client": client}) == found
    assert connector_for(backend.read(), None) is None
    with pytest.raises(InputError, match=r"connector_for, client: one address is needed, got '10\.0\.0\.0/31'"):
        connector_for(backend.read(), {"binding": "192.0.2.1:25", "client": "10.0.0.0/31"})


def serve(backend: MemoryBackend, state: str, *, only_if_required: bool = False, check: bool = False) -> ServiceOutcome:
    backend.service.log.clear()
    return converge_service(backend.service, Wish(state, only_if_required), check=check)


def test_the_service_is_brought_where_it_should_be(backend: MemoryBackend) -> None:
    change(backend, connectors=[SCAN])
    assert serve(backend, "started", check=True).after.running
    assert backend.service.log == []
    assert serve(backend, "started").commands == ("start",)
    assert backend.service.log == ["check", "start"]
    assert serve(backend, "started").commands == ()
    assert serve(backend, "restarted", only_if_required=True).commands == ()
    assert serve(backend, "restarted").commands == ("stop", "start")
    assert serve(backend, "stopped", check=True).commands == ("stop",)
    assert serve(backend, "stopped").commands == ("stop",)
    assert backend.service.log == ["stop"]
    assert serve(backend, "stopped").commands == ()


def test_a_restart_is_due_when_the_policy_is_another_one(backend: MemoryBackend) -> None:
    serve(backend, "started")
    assert change(backend, connectors=[SCAN])["restart_required"] is True
    planned = serve(backend, "restarted", only_if_required=True, check=True)
    assert (planned.commands, planned.before.restart_required, planned.after.restart_required) == (
        ("stop", "start"),
        True,
        False,
    )
    assert serve(backend, "started", check=True).after.restart_required, "it would only stay as it is"
    assert not serve(backend, "restarted", only_if_required=True).after.restart_required
    assert serve(backend, "restarted", only_if_required=True).commands == ()


def test_the_service_is_told_from_both_ends(backend: MemoryBackend) -> None:
    change(backend, connectors=[SCAN])
    result, diff = render_service("memory", serve(backend, "started"))
    assert (result["changed"], result["backend"], result["commands"]) == (True, "memory", ["start"])
    assert result["before"] == {"state": "stopped", "restart_required": False, "silent": []}
    assert result["after"] == {"state": "started", "restart_required": False, "silent": []}
    assert (result["listeners"], result["restart_required"]) == ([{"address": "0.0.0.0", "port": 25}], False)
    assert json.loads(diff["after"]) == result["after"]
    assert render_service("memory", serve(backend, "started"))[0]["changed"] is False


def test_accounts_are_told_without_their_secrets() -> None:
    old, new = Account("scan", "{SECRET}1", ("scan@corp.test",)), Account("scan", "{SECRET}2", ("scan@corp.test",))
    gone = Account("gone", "{SECRET}3", ())
    result, diff = render_accounts(
        "memory", AccountsOutcome((gone, old), (new,), ("set account scan",), ()), ["SCAN", "never"]
    )
    assert [item["name"] for item in result["before"]] == ["gone", "never", "scan"]
    assert [item["state"] for item in result["after"]] == ["absent", "absent", "present"]
    assert (result["changed"], result["commands"]) == (True, ["set account scan"])
    assert "SECRET" not in json.dumps([result, diff])
