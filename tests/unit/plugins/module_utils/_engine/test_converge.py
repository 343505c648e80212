# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    ConflictError,
    GuardError,
    ServiceError,
    StoreError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import render_item
from ansible_collections.mailops.relay.plugins.module_utils._engine.converge import Outcome, converge
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import Operation
from ansible_collections.mailops.relay.plugins.module_utils._engine.result import render_outcome
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.memory_backend import MemoryBackend
from support.scale import examples
from support.strategies import changes

A = {"name": "A", "bindings": ["127.0.0.1:25"], "remote_ip_ranges": ["127.0.0.11"]}
RELAY = {"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}
ANYTHING = Limits(allow_open_relay=True)


def run(backend: MemoryBackend, *connectors: dict[str, Any], check: bool = False, limits: Limits = ANYTHING) -> Outcome:
    return converge(backend, Options(connectors=list(connectors)), check=check, limits=limits)


def desired(state: State) -> Options:
    """Exactly this, said in options."""
    return Options(
        connectors=[render_item(item) for item in state.connectors],
        accepted_domains=[render_item(item) for item in state.accepted_domains],
        purge=True,
    )


@examples(20)
@given(changes())
def test_before_fed_back_restores_the_state(pair: tuple[State, State]) -> None:
    """Whatever was created, changed and deleted; in check mode the same is said and nothing is done."""
    actual, wanted = pair
    backend = MemoryBackend(actual)
    try:
        said = converge(backend, desired(wanted), check=True, limits=ANYTHING)
    except ConflictError:
        return
    assert backend.state == actual
    done = converge(backend, desired(wanted), check=False, limits=ANYTHING)
    assert (done.after, done.operations, done.warnings) == (said.after, said.operations, said.warnings)
    assert backend.state == wanted
    assert not converge(backend, desired(wanted), check=False, limits=ANYTHING).changed
    back = Options(
        connectors=render_outcome("memory", done, "connector", [])["before"],
        accepted_domains=render_outcome("memory", done, "domain", [])["before"],
    )
    backend.capabilities = replace(backend.capabilities, atomic=True)
    converge(backend, back, check=False, limits=ANYTHING)
    above = {item.key: item.inherited_rights for item in backend.state.connectors}
    connectors = tuple(replace(item, inherited_rights=above[item.key]) for item in actual.connectors)
    assert backend.state == replace(actual, connectors=connectors), "but for what comes from above a new connector"


def test_only_new_bindings_are_tried_with_what_changed() -> None:
    backend = MemoryBackend()
    run(backend, A)
    run(backend, {"name": "A", "bindings": {"add": ["127.0.0.2:25"]}}, {**A, "name": "B", "remote_ip_ranges": ["::1"]})
    run(backend, {"name": "B", "comment": "x"})
    assert backend.tried == [(["127.0.0.1:25"], ["A"]), (["127.0.0.2:25"], ["A", "B"]), ([], ["B"])]


def test_the_guard_comes_before_anything_is_done() -> None:
    backend = MemoryBackend()
    with pytest.raises(GuardError):
        run(backend, {**A, "permission_groups": "AnonymousUsers", "extended_rights": [RELAY]}, limits=Limits(0))
    assert (backend.state, backend.tried) == (State(), [])


def test_what_the_plan_warns_of_is_said_unless_everything_happens_at_once() -> None:
    inbound = {**A, "permission_groups": "AnonymousUsers"}
    renamed = [{"name": "A", "state": "absent"}, {**inbound, "name": "B"}]
    backend = MemoryBackend()
    run(backend, inbound)
    assert "inbound mail is refused from 127.0.0.11 (1 address)" in str(run(backend, *renamed, check=True).warnings)
    backend.capabilities = replace(backend.capabilities, atomic=True)
    assert run(backend, *renamed).warnings == ()


def test_drift_is_mended_without_an_operation() -> None:
    backend = MemoryBackend(State(drift=True))
    outcome = run(backend)
    assert (outcome.changed, outcome.operations) == (True, ())
    assert not run(backend).changed


class Forgetful(MemoryBackend):
    """Leaves the last operation out."""

    def apply(self, operations: Sequence[Operation]) -> None:
        super().apply(operations[:-1])


def test_what_reads_back_differently_is_an_error() -> None:
    with pytest.raises(StoreError, match="read back: what was written reads back differently"):
        run(Forgetful(), A)


class WithDefaults(MemoryBackend):
    """Has hop counts, and one of its own for connectors that say none."""

    def read(self) -> State:
        return replace(self.state, connectors=tuple(map(self._with_default, self.state.connectors)))

    def _with_default(self, item: Connector) -> Connector:
        return item if item.max_hop_count else replace(item, max_hop_count=60)


def test_what_the_task_leaves_to_the_server_may_read_back_as_anything() -> None:
    backend = WithDefaults()
    assert [item.max_hop_count for item in run(backend, A).after.connectors] == [60]
    assert not run(backend, {**A, "max_hop_count": 60}).changed
    assert run(backend, {**A, "max_hop_count": 30}).after.connectors[0].max_hop_count == 30


class Expired(MemoryBackend):
    def preflight(self, bindings: Any, changed: Any) -> list[str]:
        return ["the certificate has expired"]


def test_an_expired_certificate_is_an_error_or_a_warning() -> None:
    with pytest.raises(ServiceError, match=r"has expired\. Renew it, or set allow_expired_certificate: true\."):
        run(Expired(), A)
    passed = run(Expired(), A, limits=Limits(allow_expired_certificate=True)).warnings
    assert passed == ("the certificate has expired (passed by allow_expired_certificate).",)
