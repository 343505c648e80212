# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accepted domains, services and the rest of the result."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    CapabilityError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Notice
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import ask
from support import exchange as x
from support.exchange import SCAN, read

# -- domains -----------------------------------------------------------------------------------------------------------


DOMAINS = (AcceptedDomain("*.branch.test", "InternalRelay"), AcceptedDomain("corp.test"))


def test_accepted_domains_and_those_below_them() -> None:
    rows = [
        {"DomainName": "Corp.Test", "DomainType": "Authoritative", "MatchSubDomains": True},
        {"DomainName": "*.branch.test", "DomainType": "InternalRelay", "MatchSubDomains": True},
        {"DomainName": "*.corp.test", "DomainType": "ExternalRelay", "MatchSubDomains": False},
        {"DomainName": "other.test", "DomainType": "Authoritative", "MatchSubDomains": "True"},
    ]
    found = read(x.answers([], accepted_domains=x.table("domains", rows))).state.accepted_domains
    assert found == (
        AcceptedDomain("*.branch.test", "InternalRelay"),
        AcceptedDomain("*.corp.test", "ExternalRelay"),
        AcceptedDomain("*.other.test"),
        AcceptedDomain("corp.test"),
        AcceptedDomain("other.test"),
    )


def test_a_task_that_says_what_is_there_changes_nothing() -> None:
    answers = ask(lambda _arguments: x.answers([SCAN], DOMAINS), "remote")
    result = x.domains(answers, {"name": "corp.test", "type": "Authoritative"})
    assert result["changed"] is False
    assert result["commands"] == []
    assert result["before"] == result["after"]
    assert [item["name"] for item in result["after"]] == ["corp.test"]


@pytest.mark.parametrize(
    ("task", "purge"),
    [
        ([{"name": "new.test"}], False),
        ([{"name": "corp.test", "type": "InternalRelay"}], False),
        ([{"name": "corp.test", "state": "absent"}], False),
        ([{"name": "corp.test", "next_hop": "mail.test:25"}], False),
        ([{"name": "corp.test"}], True),
        ([{"name": "*", "type": "ExternalRelay"}], False),
    ],
)
def test_any_change_of_accepted_domains_is_refused(task: list[dict[str, Any]], purge: bool) -> None:
    answers = ask(lambda _arguments: x.answers([SCAN], DOMAINS), "remote")
    with pytest.raises(CapabilityError, match=r"accepted domain .* belong to the organisation, not to one server"):
        x.domains(answers, *task, purge=purge)


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_built_in_connectors_have_the_name_of_the_server() -> None:
    names = ("Default Frontend EX1", "Windows SBS Internet Receive EX1", "Default Frontend EX2", "Scan")
    connectors = [
        replace(SCAN, name=name, bindings=(SCAN.bindings[0]._replace(port=n + 1),)) for n, name in enumerate(names)
    ]
    result = x.info(ask(lambda _arguments: x.answers(connectors), "remote"))
    assert result["built_in"] == ["Default Frontend EX1", "Windows SBS Internet Receive EX1"]


def test_what_exchange_warns_of_is_a_warning() -> None:
    result = x.unpacked(x.answers([SCAN]))
    result["answers"][2]["notices"] = ["The object is corrupted.", "The object is corrupted."]
    assert read(x.packed(result)).notices == (Notice("The object is corrupted."),)


FRONT, HUB = "MSExchangeFrontEndTransport", "MSExchangeTransport"
MARKED = x.table("marker", [{"Name": "m", "LastWriteTimeUtc": "2026-01-02T09:00:01.0000000Z"}])


@pytest.mark.parametrize(
    ("role", "changed", "other", "due"),
    [
        ("FrontendTransport", "2026-01-02T09:00:00.0000000Z", {}, []),  # both started at 10:00 in a zone of +01:00
        ("FrontendTransport", "2026-01-02T09:00:01.0000000Z", {}, [FRONT]),
        ("HubTransport", "2026-01-02T09:00:01.0000000Z", {}, [HUB]),
        (None, "2026-01-02T09:00:01", {}, [HUB]),
        ("HubTransport", "2026-01-01T00:00:00.0000000Z", {"marker": MARKED}, [FRONT, HUB]),
        ("HubTransport", "2026-01-01T00:00:00.0000000Z", {"processes": x.table("processes", [])}, [FRONT, HUB]),
        ("HubTransport", None, {"processes": x.table("processes", [])}, [FRONT]),
    ],
)
def test_a_service_that_started_before_what_it_holds_was_changed(
    role: str | None, changed: str | None, other: dict[str, Any], due: list[str]
) -> None:
    connectors = [replace(SCAN, transport_role=role), replace(SCAN, name="Front", transport_role="FrontendTransport")]
    rows = [x.connector_row(random.Random(0), item) for item in connectors]
    rows[0]["WhenChangedUTC"] = changed
    facts = read(x.answers(connectors, connectors=x.table("connectors", rows), **other)).service
    assert [part.name for part in facts.parts if part.restart_required] == due
    assert facts.restart_required is bool(due)
    assert facts.running


def test_exchange_2007_knows_local_time_only() -> None:
    row = {**x.connector_row(random.Random(0), SCAN), "WhenChanged": "2026-01-02T10:00:01.0000000+01:00"}
    del row["WhenChangedUTC"]
    assert read(x.answers([SCAN], connectors=x.table("connectors", [row]))).service.restart_required


def test_a_changed_domain_makes_both_services_due() -> None:
    row = {"DomainName": "a.test", "DomainType": "Authoritative", "WhenChangedUTC": "2026-01-03T00:00:00Z"}
    parts = read(x.answers([], accepted_domains=x.table("domains", [row]))).service.parts
    assert [part.restart_required for part in parts] == [True, True]


def test_a_stopped_service_loads_what_is_there_when_it_starts() -> None:
    rows = [{"Name": HUB, "State": "Stopped", "ProcessId": "0"}]
    answers = x.answers([SCAN], services=x.table("services", rows), processes=x.table("processes", []), marker=MARKED)
    facts = read(answers).service
    assert (facts.running, facts.restart_required) == (False, False)


def test_the_state_of_a_bundled_relay_has_its_rights() -> None:
    assert State().rights_known


def test_why_a_restart_is_due_is_told_with_both_times() -> None:
    connector = x.connector_row(random.Random(0), SCAN) | {"WhenChangedUTC": "2026-01-02T09:00:01.0000000Z"}
    facts = read(x.answers([SCAN], connectors=x.table("connectors", [connector]))).service
    holder = FRONT if SCAN.transport_role == "FrontendTransport" else HUB
    assert facts.reasons == (
        f"{holder} runs since 2026-01-02 10:00:00+01:00, and connector 'Scan' was changed at 2026-01-02 09:00:01+00:00 "
        "(time of dc1.corp.test).",
    )
    marked = read(x.answers([SCAN], marker=MARKED)).service
    assert [reason.rpartition(", and ")[2] for reason in marked.reasons] == [
        "a right was changed at 2026-01-02 09:00:01+00:00."
    ] * 2


def test_a_server_in_maintenance_is_said() -> None:
    rows = [{"Component": "HubTransport", "State": "Draining"}, {"Component": "ImapProxy", "State": "Inactive"}]
    facts = read(x.answers([SCAN], components=x.table("components", rows))).service
    assert facts.in_maintenance
    assert facts.warnings == ("The server is in maintenance: HubTransport is Draining.",)
