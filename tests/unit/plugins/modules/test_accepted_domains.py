# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest

from support.modules import ModuleFailed, Runner

CORP = {"name": "corp.test", "type": "Authoritative", "next_hop": "192.0.2.1:25"}


def apply(run: Runner, *domains: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run("accepted_domains", accepted_domains=list(domains), **options)


def triplet(run: Runner, *domains: dict[str, Any], **options: Any) -> dict[str, Any]:
    untouched = run.snapshot()
    predicted = apply(run, *domains, check=True, **options)
    assert run.snapshot() == untouched
    done = apply(run, *domains, **options)
    assert predicted == done
    assert done["changed"] is True
    settled = run.snapshot()
    again = apply(run, *domains, **options)
    assert run.snapshot() == settled
    assert (again["changed"], again["before"]) == (False, again["after"])
    return done


def test_a_domain_comes_changes_and_goes(run: Runner) -> None:
    created = triplet(run, CORP)
    assert created["before"] == [{"name": "corp.test", "state": "absent"}]
    assert created["after"] == [{**CORP, "state": "present"}]
    changed = triplet(run, {"name": "CORP.test", "type": "InternalRelay"})
    assert changed["after"] == [{**CORP, "state": "present", "type": "InternalRelay"}]
    moved = triplet(run, {"name": "corp.test", "next_hop": ""})
    assert moved["after"] == [{"name": "corp.test", "state": "present", "type": "InternalRelay", "next_hop": ""}]
    assert moved["commands"] == ['set accepted domain "corp.test" type="InternalRelay" next_hop=""']
    gone = triplet(run, {"name": "corp.test", "state": "absent"})
    assert gone["after"] == [{"name": "corp.test", "state": "absent"}]
    apply(run, *gone["before"])
    assert not apply(run, *moved["after"])["changed"]


def test_a_relayed_domain_shows_in_the_surface(run: Runner) -> None:
    everybody = {"bindings": ["127.0.0.1:2525"], "remote_ip_ranges": ["0.0.0.0/0"]}
    run("receive_connectors", connectors=[{"name": "Default", "permission_groups": ["AnonymousUsers"], **everybody}])
    assert triplet(run, CORP)["surface_change"] == {"opens": [], "closes": []}
    opened = triplet(run, {"name": "branch.test", "type": "InternalRelay"}, shared_sources=["127.0.0.1"])
    branch = {"binding": "127.0.0.1:2525", "reach": "branch.test", "ranges": ["0.0.0.0/0"], "addresses": 1 << 32}
    assert opened["surface_change"] == {"opens": [branch], "closes": []}
    assert opened["relay_surface"] == [branch]
    closed = triplet(run, {"name": "branch.test", "state": "absent"})
    assert closed["surface_change"] == {"opens": [], "closes": [branch]}
    assert closed["diff"]["prepared"] == (
        "relay surface: closes 0.0.0.0/0 (4294967296 addresses) to branch.test on 127.0.0.1:2525\n"
    )


def test_purge(run: Runner) -> None:
    apply(run, CORP, {**CORP, "name": "old.test"})
    result = triplet(run, CORP, purge=True)
    assert [(item["name"], item["state"]) for item in result["after"]] == [
        ("corp.test", "present"),
        ("old.test", "absent"),
    ]


@pytest.fixture
def inbound(run: Runner) -> Runner:
    """A relay that takes mail for corp.test from the Internet."""
    apply(run, CORP)
    everybody = {"bindings": ["127.0.0.1:2525"], "remote_ip_ranges": ["0.0.0.0/0"]}
    run("receive_connectors", connectors=[{"name": "In", "permission_groups": ["AnonymousUsers"], **everybody}])
    return run


def test_a_domain_is_given_up_by_its_name_alone(inbound: Runner) -> None:
    with pytest.raises(ModuleFailed, match=r"inbound mail: .* could deliver to corp\.test"):
        apply(inbound, purge=True)
    assert triplet(inbound, {"name": " CORP.Test ", "state": "absent"})["warnings"] == []


def test_a_domain_that_is_to_stay_is_not_given_up(inbound: Runner) -> None:
    """Somebody narrowed the connector with an editor: the next task would let the relay run that."""
    path = inbound.directory / "store.json"
    document = json.loads(path.read_text())
    document["definitions"]["connectors"][0]["remote_ip_ranges"] = ["10.0.0.1"]
    path.write_text(json.dumps(document))
    with pytest.raises(ModuleFailed, match=r"inbound mail: .* could deliver to corp\.test"):
        apply(inbound, {"name": "corp.test"})


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        (
            {**CORP, "name": "*"},
            "accepted domain '*': backend aiosmtpd has no accepted domain for the whole Internet. List",
        ),
        ({**CORP, "name": "*.test"}, "accepted domain '*.test': anybody"),
        ({**CORP, "name": "corp"}, "accepted domain 'corp': anybody"),
        ({**CORP, "name": "corp..test"}, "accepted domain 0, name: not a domain, got 'corp..test'"),
        (
            {**CORP, "next_hop": "mail.corp.test"},
            "accepted domain 'corp.test', next_hop: not a server, got 'mail.corp.test'",
        ),
        ({"name": "corp.test"}, "accepted domain 'corp.test', next_hop: backend aiosmtpd stores no mail"),
    ],
)
def test_bad_input_is_one_clear_error_and_touches_nothing(run: Runner, domain: dict[str, Any], says: str) -> None:
    apply(run, {**CORP, "name": "other.test"})
    untouched = run.snapshot()
    with pytest.raises(ModuleFailed) as caught:
        apply(run, domain)
    assert says in caught.value.result["msg"]
    assert run.snapshot() == untouched


def test_a_catch_all_is_refused_even_when_open_relays_are_allowed(run: Runner) -> None:
    with pytest.raises(ModuleFailed, match="no accepted domain for the whole"):
        apply(run, {**CORP, "name": "*"}, allow_open_relay=True)
