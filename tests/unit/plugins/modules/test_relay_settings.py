# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a whole relay: the same merge, check, diff and undo as connectors have."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.backend import AiosmtpdBackend
from ansible_collections.mailops.relay.plugins.module_utils._argument_spec import SPECS
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._connector.settings import Settings
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Change
from support.modules import ModuleFailed, Runner

NEW = {"name": "relay", "fqdn": "relay.corp.test"}
DEFAULTS = {**NEW, "smarthost": {}, "max_relay_addresses": 256, "shared_sources": []}


def triplet(run: Runner, **options: Any) -> dict[str, Any]:
    """Check mode moves nothing and says the same; a second run changes nothing."""
    untouched = run.snapshot()
    predicted = run("relay_settings", check=True, **options)
    assert run.snapshot() == untouched
    done = run("relay_settings", **options)
    assert predicted == done
    assert done["changed"]
    settled = run.snapshot()
    again = run("relay_settings", **options)
    assert run.snapshot() == settled
    assert (again["changed"], again["before"], again["commands"]) == (False, again["after"], [])
    return done


@pytest.mark.parametrize(
    ("options", "after"),
    [
        ({"fqdn": "Mail.Corp.Test"}, {"fqdn": "mail.corp.test"}),
        ({"smarthost": {"host": "Smart.Test"}}, {"smarthost": {"host": "smart.test", "port": 25}}),
        ({"smarthost": {"host": "192.0.2.1", "port": 587}}, {"smarthost": {"host": "192.0.2.1", "port": 587}}),
        ({"smarthost": {"host": "[2001:db8::1]"}}, {"smarthost": {"host": "2001:db8::1", "port": 25}}),
        ({"max_relay_addresses": 0}, {"max_relay_addresses": 0}),
        ({"shared_sources": ["10.0.0.5/30", "10.0.0.5/30"]}, {"shared_sources": ["10.0.0.4/30"]}),
        ({"shared_sources": {"add": ["10.0.0.1"]}}, {"shared_sources": ["10.0.0.1"]}),
        ({"name": "relay", "max_relay_addresses": 1, "fqdn": None}, {"max_relay_addresses": 1}),
    ],
)
def test_every_option(run: Runner, options: dict[str, Any], after: dict[str, Any]) -> None:
    done = triplet(run, **options)
    assert (done["before"], done["after"]) == (DEFAULTS, {**DEFAULTS, **after})
    assert json.loads(done["diff"]["after"]) == done["after"]
    assert [line.split()[:2] for line in done["commands"]] == [["set", "settings"]]
    back = run("relay_settings", **done["before"])
    assert (back["changed"], back["after"]) == (True, DEFAULTS)


def test_an_empty_smarthost_clears(run: Runner) -> None:
    run("relay_settings", smarthost={"host": "smart.test"})
    assert triplet(run, smarthost={})["after"] == DEFAULTS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": "other"}, "name: the server is called 'relay' already, and its built-in connector bears that name"),
        ({"name": ""}, "name: not a name for a server, got ''"),
        ({"name": "x" * 57}, "name: not a name for a server, got 'xxx"),
        ({"name": " x"}, "name: not a name for a server, got ' x'"),
        ({"fqdn": ""}, "fqdn: a relay needs a host name, got ''"),
        ({"fqdn": "a_b"}, "fqdn: not a host name, got 'a_b'"),
        ({"fqdn": "10"}, "fqdn: not a host name, got '10'"),
        ({"smarthost": {"port": 25}}, "smarthost, host: a smarthost needs a host"),
        ({"smarthost": {"host": "a b"}}, "smarthost, host: not a host name"),
        ({"smarthost": {"host": "a.test", "port": 65536}}, "smarthost, port: the port must be 1 to 65535, got 65536"),
        ({"max_relay_addresses": -1}, "max_relay_addresses: not a number of addresses, got -1"),
        (
            {"shared_sources": {"remove": ["10.9.0.1"]}},
            "shared_sources.remove: lies inside what stays in the list: 10.9.0.0/16, got '10.9.0.1'",
        ),
        ({"shared_sources": ["balancer"]}, "shared_sources[0]: not an IP address, got 'balancer'"),
    ],
)
def test_bad_input_is_one_clear_error_and_touches_nothing(run: Runner, options: dict[str, Any], says: str) -> None:
    run("relay_settings", shared_sources=["10.9.0.0/16"])
    untouched = run.snapshot()
    for check in (True, False):
        with pytest.raises(ModuleFailed) as caught:
            run("relay_settings", check=check, **options)
        assert says in str(caught.value)
        assert caught.value.result["error"] in ("input", "conflict")
    assert run.snapshot() == untouched


@pytest.fixture
def nothing(tmp_path: Path) -> Runner:
    """A directory without a relay."""
    directory = tmp_path / "new"
    directory.mkdir()
    return Runner(directory)


def test_a_new_relay(nothing: Runner) -> None:
    with pytest.raises(ModuleFailed, match="name: a new relay needs this option"):
        nothing("relay_settings", fqdn="relay.corp.test")
    done = triplet(nothing, **NEW)
    assert (done["before"], done["after"]) == ({}, DEFAULTS)
    assert nothing("receive_connectors_info")["settings"] == DEFAULTS


def test_a_relay_that_somebody_made_meanwhile_is_left_alone(nothing: Runner) -> None:
    backend = AiosmtpdBackend(str(nothing.directory))
    before = backend.read()
    wanted = replace(before.state, settings=Settings("other", "other.corp.test"))
    nothing("relay_settings", **NEW)
    untouched = nothing.snapshot()
    with pytest.raises(StoreError, match="somebody made the relay meanwhile"):
        backend.apply(Change(before, wanted, ()))
    assert nothing.snapshot() == untouched


def test_everything_else_needs_a_relay_first_and_leaves_nothing_behind(nothing: Runner) -> None:
    domain = {"name": "corp.test", "next_hop": "192.0.2.1:25"}
    assert nothing("accepted_domains", check=True, accepted_domains=[domain])["changed"], (
        "a new relay is predicted whole"
    )
    with pytest.raises(ModuleFailed, match=f"{nothing.directory}: there is no relay here. Run the role relay_server"):
        nothing("accepted_domains", accepted_domains=[domain])
    assert list(nothing.directory.iterdir()) == []


def test_connectors_that_are_gone_are_said_and_not_started_afresh(run: Runner) -> None:
    (run.directory / "store.json").unlink()
    untouched = run.snapshot()
    for module, options in (
        ("receive_connectors", {"connectors": []}),
        ("accepted_domains", {"accepted_domains": []}),
        ("receive_connectors_info", {}),
        ("relay_settings", {"max_relay_addresses": 5}),
    ):
        with pytest.raises(ModuleFailed, match=r"store\.json: the connectors of this relay are gone") as caught:
            run(module, **options)
        assert caught.value.result["error"] == "store"
    assert {path for path in run.snapshot() if "lock" not in path} == {path for path in untouched if "lock" not in path}


def test_settings_that_are_gone_are_said_until_they_are_written_again(run: Runner) -> None:
    run("relay_settings", max_relay_addresses=5)
    assert run("receive_connectors_info")["warnings"] == []
    (run.directory / "settings.json").unlink()
    for module, options in (("receive_connectors_info", {}), ("accepted_domains", {"accepted_domains": []})):
        [said] = run(module, check=True, **options)["warnings"]
        assert said.startswith(f"{run.directory}/settings.json is gone: which connector is built in")
    again = run("relay_settings", **NEW)
    assert len(again["warnings"]) == 1
    assert run("receive_connectors_info")["warnings"] == []


def test_a_play_says_the_backend_once_for_the_group_and_the_limit_for_one_module() -> None:
    """module_defaults of the group must hold no option that one of its modules lacks."""

    assert [kind for kind, spec in SPECS.items() if "max_relay_addresses" not in spec()] == [
        "accounts",
        "service",
        "info",
    ]
