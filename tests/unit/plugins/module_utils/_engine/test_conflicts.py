# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that already breaks a rule is changed and mended all the same; what would be new is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ConflictError
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import conflicts, new_conflicts
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import apply_operation
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.planning import connector
from support.strategies import states

OVERLAP = "connector 'Two', remote_ip_ranges: range 10.0.0.5-10.0.0.20 partly overlaps 10.0.0.0-10.0.0.9 of connector"
BROKEN = State(
    (
        replace(connector("Hasty", "10.1.0.1"), connection_timeout=300),
        connector("One", "10.0.0.0-10.0.0.9"),
        connector("Two", "10.0.0.5-10.0.0.20"),
    )
)


def says(state: State) -> list[str]:
    return [str(item.error()) for item in conflicts(state)]


def asked(before: State, *entries: dict[str, Any]) -> State:
    """The wanted state, to which a plan leads."""
    wanted = merge(before, Options(connectors=entries))
    after = before
    for operation in plan(before, wanted).operations:
        after = apply_operation(after, operation)
    assert after == wanted
    return wanted


def test_all_of_them_are_found() -> None:
    assert says(BROKEN) == [
        "connector 'Hasty', connection_timeout: 300 s must exceed connection_inactivity_timeout, which is 300 s. "
        "Give both in one task, connection_timeout the longer one.",
        f"{OVERLAP} 'One' on 0.0.0.0:25. Let one lie wholly inside the other, or apart from it.",
    ]


def test_every_overlap_is_one() -> None:
    one, two, three = (connector(name, "10.0.0.0/24", "10.0.1.0/24") for name in ("One", "Two", "Three"))
    assert len(conflicts(State((one, two)))) == 2
    assert len(conflicts(State((one, three, two)))) == 6
    nested = replace(two, remote_ip_ranges=(parse_range("10.0.0.0/25", "x"),))
    assert conflicts(State((one, nested))) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "Two", "comment": "elsewhere"},
        {"name": "Hasty", "banner": "220 hello"},
        {"name": "New", "bindings": ["0.0.0.0:25"], "remote_ip_ranges": ["10.2.0.1"]},
        {"name": "Two", "remote_ip_ranges": {"add": ["10.3.0.1"]}},
        {"name": "Two", "enabled": False},
    ],
)
def test_a_change_that_has_nothing_to_do_with_it_passes(entry: dict[str, Any]) -> None:
    assert len(conflicts(asked(BROKEN, entry))) == 2


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({"name": "Hasty", "connection_timeout": 600}, "Two"),
        ({"name": "Hasty", "connection_inactivity_timeout": 200}, "Two"),
        ({"name": "Hasty", "state": "absent"}, "Two"),
        ({"name": "Two", "remote_ip_ranges": ["10.0.0.10-10.0.0.20"]}, "Hasty"),
        ({"name": "One", "remote_ip_ranges": ["10.0.0.0-10.0.0.30"]}, "Hasty"),
        ({"name": "One", "bindings": ["0.0.0.0:26"]}, "Hasty"),
        ({"name": "One", "state": "absent"}, "Hasty"),
        ({"name": "Two", "state": "absent"}, "Hasty"),
    ],
)
def test_one_is_mended_and_then_the_other(entry: dict[str, Any], left: str) -> None:
    better = asked(BROKEN, entry)
    assert len(conflicts(better)) == 1
    assert f"connector '{left}'" in says(better)[0]
    rest = {"Two": {"name": "Two", "state": "absent"}, "Hasty": {"name": "Hasty", "connection_timeout": 900}}
    assert conflicts(asked(better, rest[left])) == []


@pytest.mark.parametrize(
    ("entry", "new"),
    [
        ({"name": "Two", "remote_ip_ranges": {"add": ["10.0.0.0-10.0.0.9"]}}, "10.0.0.0-10.0.0.9 equals"),
        ({"name": "Two", "remote_ip_ranges": ["10.0.0.5-10.0.0.21"]}, "10.0.0.5-10.0.0.21 partly overlaps"),
        ({"name": "Two", "bindings": {"add": ["0.0.0.0:26"]}, "remote_ip_ranges": ["10.1.0.1"]}, "10.1.0.1 equals"),
        ({"name": "Hasty", "connection_timeout": 200}, "200 s must exceed"),
        ({"name": "One", "connection_timeout": 300}, "connector 'One', connection_timeout"),
        ({"name": "One", "require_tls": True}, "connector 'One', require_tls: it needs Tls"),
        ({"name": "One", "bindings": []}, "connector 'One', bindings: a connector needs a binding"),
    ],
)
def test_a_new_one_is_refused(entry: dict[str, Any], new: str) -> None:
    with pytest.raises(ConflictError) as caught:
        merge(BROKEN, Options(connectors=[entry]))
    assert new in str(caught.value)


def test_the_same_overlap_on_another_binding_is_new() -> None:
    also = [{"name": name, "bindings": {"add": ["0.0.0.0:26"]}} for name in ("One", "Two")]
    with pytest.raises(ConflictError, match=r"on 0\.0\.0\.0:26"):
        merge(BROKEN, Options(connectors=also))


def test_a_mechanism_more_beside_external_authoritative_is_new() -> None:
    trusted = replace(
        connector("One", "10.0.0.1"),
        auth_mechanism=("ExternalAuthoritative", "BasicAuth"),
        permission_groups=("ExchangeServers",),
    )
    before = State((trusted,))
    mechanisms = ["ExternalAuthoritative", "BasicAuth", "Integrated"]
    with pytest.raises(ConflictError, match="joined by Tls only, not by Integrated"):
        merge(before, Options(connectors=[{"name": "One", "auth_mechanism": mechanisms}]))
    assert conflicts(asked(before, {"name": "One", "auth_mechanism": ["ExternalAuthoritative"]})) == []


@given(states())
def test_nothing_is_new_to_itself(state: State) -> None:
    twins = [replace(item, name="Z") for item in state.connectors[:1]]
    doubled = replace(state, connectors=(*state.connectors, *twins))
    assert new_conflicts(doubled, doubled) == []
    assert set(new_conflicts(doubled, state)) == set(conflicts(doubled))
