# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of Exchange alone: what a server breaks already hinders no change, and what would be new is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    CapabilityError,
    Conflict,
    ConflictError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import conflicts, new_conflicts
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import apply_operation
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.rules import (
    exchange_conflicts,
    new_exchange_conflicts,
    role_conflicts,
)
from support.odd_values import holding
from support.planning import connector

FRONTEND, HUB = "FrontendTransport", "HubTransport"


def on(name: str, role: str | None, *bindings: str, **more: Any) -> Connector:
    found = connector(name, more.pop("range", "10.0.0.1"))
    return replace(found, bindings=tuple(parse_binding(text, "x") for text in bindings), transport_role=role, **more)


DEFAULT = on("Default Frontend EX1", FRONTEND, "0.0.0.0:25", "[::]:25", range="0.0.0.0/0")
RELAY = on("Relay", HUB, "0.0.0.0:25", connection_timeout=300)
OTHER = on("Other", FRONTEND, "192.0.2.1:2526")
SERVER = State(tuple(sorted((DEFAULT, RELAY, OTHER), key=lambda item: item.key)))


def validate(state: State, before: State) -> list[Conflict]:
    return [*new_conflicts(state, before), *new_exchange_conflicts(state, before, has_roles=True)]


def asked(before: State, *entries: dict[str, Any]) -> State:
    """The wanted state, to which a plan leads whose every step breaks no rule that was kept before."""
    wanted = merge(before, Options(connectors=entries))
    after = before
    for operation in plan(before, wanted, validate=validate).operations:
        after = apply_operation(after, operation)
        assert validate(after, before) == []
    assert after == wanted
    return wanted


def broken(state: State) -> list[str]:
    found = [*conflicts(state), *exchange_conflicts(state, has_roles=True)]
    return [item.where.partition(", ")[2] for item in found]


ALL = ["connection_timeout", "transport_role", "transport_role"]


def test_what_is_broken() -> None:
    assert broken(SERVER) == ALL
    assert [str(item.error()) for item in exchange_conflicts(SERVER, has_roles=True)] == [
        "connector 'Default Frontend EX1', transport_role: its binding 0.0.0.0:25 (FrontendTransport) meets 0.0.0.0:25 "
        "of connector 'Relay' (HubTransport): two services cannot listen on one address and port. Give both the same "
        "transport_role, or bind one of them to another address or port.",
        "connector 'Relay', transport_role: clients that reach port 25 are served by the Front End Transport service, "
        "and this connector belongs to the Transport service. Give transport_role: FrontendTransport, or another port.",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "Other", "comment": "x"},
        {"name": "Relay", "comment": "x"},
        {"name": "Relay", "remote_ip_ranges": {"add": ["10.0.0.2"]}},
        {"name": "Default Frontend EX1", "banner": "220 hello"},
        {"name": "New", "bindings": ["192.0.2.1:2527"], "remote_ip_ranges": ["10.1.0.1"], "transport_role": HUB},
        {"name": "Other", "state": "absent"},
    ],
)
def test_a_change_that_has_nothing_to_do_with_it_passes(entry: dict[str, Any]) -> None:
    assert broken(asked(SERVER, entry)) == ALL


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({"name": "Relay", "connection_timeout": 600}, ["transport_role", "transport_role"]),
        ({"name": "Relay", "transport_role": FRONTEND}, ["connection_timeout"]),
        ({"name": "Relay", "bindings": ["0.0.0.0:2530"]}, ["connection_timeout"]),
        ({"name": "Relay", "state": "absent"}, []),
        ({"name": "Default Frontend EX1", "state": "absent"}, ["connection_timeout", "transport_role"]),
        ({"name": "Default Frontend EX1", "bindings": ["[::]:25"]}, ["connection_timeout", "transport_role"]),
    ],
)
def test_it_is_mended_or_taken_away(entry: dict[str, Any], left: list[str]) -> None:
    assert broken(asked(SERVER, entry)) == left


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "Relay", "bindings": {"add": ["[2001:db8::1]:25"]}},
        {"name": "Relay", "bindings": ["192.0.2.1:587"]},
        {"name": "Other", "transport_role": HUB, "bindings": ["192.0.2.1:25"]},
        {"name": "Default Frontend EX1", "transport_role": HUB},
        {"name": "New", "bindings": ["192.0.2.9:25"], "remote_ip_ranges": ["10.1.0.1"], "transport_role": HUB},
        {"name": "New", "bindings": ["192.0.2.9:717"], "remote_ip_ranges": ["10.1.0.1"], "transport_role": HUB},
        {
            "name": "New",
            "bindings": ["192.0.2.1:2526"],
            "remote_ip_ranges": ["10.1.0.1"],
            "transport_role": HUB,
            "enabled": False,
        },
    ],
)
def test_a_new_one_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ConflictError, match="transport_role"):
        asked(SERVER, entry)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("0.0.0.0:25", "192.0.2.1:25", True),
        ("192.0.2.1:25", "192.0.2.1:25", True),
        ("192.0.2.1:25", "192.0.2.2:25", False),
        ("0.0.0.0:25", "[::]:25", False),
        ("0.0.0.0:25", "0.0.0.0:26", False),
        ("[::]:25", "[2001:db8::1]:25", True),
    ],
)
@pytest.mark.parametrize("roles", [(FRONTEND, HUB), (HUB, FRONTEND), (HUB, HUB), (None, HUB)])
def test_which_bindings_meet(one: str, other: str, meet: bool, roles: tuple[str | None, str]) -> None:
    state = State((on("A", roles[0], one), on("B", roles[1], other, range="10.0.0.2")))
    assert bool(role_conflicts(state)) is (meet and None not in roles and roles[0] != roles[1])


def test_the_hub_has_its_built_in_connectors_and_a_server_without_frontend_all_ports() -> None:
    hub = on("Default EX1", HUB, "0.0.0.0:25")
    assert exchange_conflicts(State((hub,)), has_roles=True) == []
    front = on("F", FRONTEND, "192.0.2.1:26")
    assert len(exchange_conflicts(State((hub, front)), has_roles=True)) == 1
    assert exchange_conflicts(State((hub, front), built_in=("Default EX1",)), has_roles=True) == []


def test_where_there_are_no_roles_none_is_given() -> None:
    before = State((on("A", None, "0.0.0.0:25"), on("B", HUB, "0.0.0.0:26")))
    wanted = State((on("A", FRONTEND, "0.0.0.0:25"), on("B", HUB, "0.0.0.0:26")))
    (found,) = new_exchange_conflicts(wanted, before, has_roles=False)
    assert found.raises is CapabilityError
    assert "connector 'A', transport_role: this server has no transport roles" in str(found.error())
    assert new_exchange_conflicts(before, before, has_roles=False) == []


@given(st.permutations([DEFAULT, RELAY, OTHER]), st.sampled_from(["comment", "banner"]))
def test_the_same_values_make_the_same_conflict(connectors: list[Connector], option: str) -> None:
    """Whatever else is in the state."""
    state = State(tuple(sorted(connectors, key=lambda item: item.key)))
    touched = State(tuple(holding(item, **{option: "220 x"}) for item in state.connectors[:-1]) + state.connectors[-1:])
    assert set(exchange_conflicts(touched, has_roles=True)) == set(exchange_conflicts(SERVER, has_roles=True))


@pytest.mark.parametrize("has_roles", [True, False])
@pytest.mark.parametrize("option", ["bindings", "remote_ip_ranges"])
def test_a_connector_needs_bindings_and_ranges(option: str, *, has_roles: bool) -> None:
    empty: dict[str, Any] = {option: ()}
    before = State((on("Other", FRONTEND if has_roles else None, "0.0.0.0:2526"),))
    wanted = State((replace(before.connectors[0], **empty),))
    [found] = new_exchange_conflicts(wanted, before, has_roles=has_roles)
    assert (found.what, found.where) == ("Exchange needs at least one", f"connector 'Other', {option}")
    assert new_exchange_conflicts(wanted, wanted, has_roles=has_roles) == []


def test_an_edge_server_has_no_groups_of_the_domain() -> None:
    group = State((on("Other", None, "0.0.0.0:25", permission_groups=("AnonymousUsers", "ExchangeUsers")),))
    [found] = new_exchange_conflicts(group, State(), has_roles=False, is_edge=True)
    assert found.what == "an Edge server has no group ExchangeUsers"
    assert new_exchange_conflicts(group, State(), has_roles=False) == []
