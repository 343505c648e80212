# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    CapabilityError,
    ConflictError,
    Finding,
    GuardError,
    ServiceError,
    UnknownRightsError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import render_item
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import ApplyError, Change, Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.converge import Outcome, converge
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import Set
from ansible_collections.mailops.relay.plugins.module_utils._engine.result import render_outcome
from ansible_collections.mailops.relay.plugins.module_utils._policy import compile, state
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.memory_backend import EVERYTHING, MemoryBackend
from support.scale import examples
from support.strategies import changes

A = {"name": "A", "bindings": ["127.0.0.1:25"], "remote_ip_ranges": ["127.0.0.11"]}
RELAY = {"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}
ANYTHING = Limits(allow_open_relay=True, allow_inbound_loss=True)


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
        connectors=render_outcome("memory", done, "connectors", [])[0]["before"],
        accepted_domains=render_outcome("memory", done, "accepted_domains", [])[0]["before"],
    )
    backend.capabilities = replace(backend.capabilities, atomic=True)
    converge(backend, back, check=False, limits=ANYTHING)
    above = {item.key: item.inherited_rights for item in backend.state.connectors}
    connectors = tuple(replace(item, inherited_rights=above[item.key]) for item in actual.connectors)
    assert backend.state == replace(actual, connectors=connectors), "but for what comes from above a new connector"


def test_preflight_sees_the_whole_change() -> None:
    backend = MemoryBackend()
    run(backend, A)
    run(backend, {"name": "A", "bindings": {"add": ["127.0.0.2:25"]}}, {**A, "name": "B", "remote_ip_ranges": ["::1"]})
    run(backend, {"name": "B", "comment": "x"})
    before, after = backend.changes[1].before.state, backend.changes[1].wanted
    assert ([len(item.policy.bindings) for item in (before, after)], len(after.connectors)) == ([1, 2], 2)
    assert backend.changes[2].operations == (Set("B", (("comment", "x"),)),)


def test_the_guard_comes_before_anything_is_done() -> None:
    backend = MemoryBackend()
    with pytest.raises(GuardError):
        run(backend, {**A, "permission_groups": "AnonymousUsers", "extended_rights": [RELAY]}, limits=Limits(0))
    assert (backend.state, backend.changes) == (State(), [])


def test_what_the_plan_warns_of_is_said_unless_everything_happens_at_once() -> None:
    inbound = {**A, "permission_groups": "AnonymousUsers"}
    renamed = [{"name": "A", "state": "absent"}, {**inbound, "name": "B"}]
    backend = MemoryBackend()
    run(backend, inbound)
    assert "inbound mail is refused from 127.0.0.11 (1 address)" in str(run(backend, *renamed, check=True).warnings)
    backend.capabilities = replace(backend.capabilities, atomic=True)
    assert run(backend, *renamed).warnings == ()


def test_drift_is_mended_without_an_operation() -> None:
    backend = MemoryBackend()
    backend.given = MemoryBackend().state.policy
    outcome = run(backend)
    assert (outcome.changed, outcome.operations) == (True, ())
    assert not run(backend).changed


class Forgetful(MemoryBackend):
    """Leaves the last operation out."""

    def apply(self, change: Change) -> Reading:
        return super().apply(replace(change, operations=change.operations[:-1]))


def test_what_reads_back_differently_is_an_error() -> None:
    backend = Forgetful()
    with pytest.raises(ApplyError, match="read back: what was written reads back differently") as caught:
        run(backend, A)
    assert [line.split()[0] for line in caught.value.done] == ["create", "enable"]
    assert caught.value.reading is not None
    assert caught.value.reading.state == backend.state


class Spoiled(MemoryBackend):
    """Has something to repair after each change."""

    def apply(self, change: Change) -> Reading:
        return replace(super().apply(change), repairs=("recompile policy",))


def test_what_is_still_to_be_repaired_after_a_change_is_an_error() -> None:
    with pytest.raises(ApplyError, match="read back: what was written reads back differently"):
        run(Spoiled(), A)


class WithDefaults(MemoryBackend):
    """Has hop counts, and one of its own for connectors that say none."""

    def read(self) -> Reading:
        found = super().read()
        connectors = tuple(map(self._with_default, self.state.connectors))
        return replace(found, state=replace(found.state, connectors=connectors))

    def _with_default(self, item: Connector) -> Connector:
        return item if item.max_hop_count else replace(item, max_hop_count=60)


def test_what_the_task_leaves_to_the_server_may_read_back_as_anything() -> None:
    backend = WithDefaults()
    assert [item.max_hop_count for item in run(backend, A).after.connectors] == [60]
    assert not run(backend, {**A, "max_hop_count": 60}).changed
    assert run(backend, {**A, "max_hop_count": 30}).after.connectors[0].max_hop_count == 30


def test_an_expired_certificate_is_an_error_or_a_warning() -> None:
    backend = MemoryBackend()
    backend.findings = [Finding("it has expired", "x.pem", "Renew it.", "allow_expired_certificate")]
    with pytest.raises(
        ServiceError, match=r"x\.pem: it has expired\. Renew it, or set allow_expired_certificate: true\."
    ):
        run(backend, A)
    passed = run(backend, A, limits=Limits(allow_expired_certificate=True)).warnings
    assert passed == ("x.pem: it has expired (passed by allow_expired_certificate).",)


@pytest.mark.parametrize(("options", "reads", "compiled"), [(A, 2, 2), ({"name": "A", "state": "absent"}, 1, 1)])
def test_a_task_reads_once_before_and_once_after_and_compiles_each_state_once(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], reads: int, compiled: int
) -> None:
    count, surfaces = mock.Mock(wraps=compile.compile_policy), mock.Mock(wraps=compile.surface_of)
    monkeypatch.setattr(state, "compile_policy", count)
    monkeypatch.setattr(compile, "surface_of", surfaces)
    backend = MemoryBackend(capabilities=replace(EVERYTHING, atomic=True))
    outcome = run(backend, options)
    render_outcome("memory", outcome, "connectors", [])
    assert (backend.reads, count.call_count) == (reads, compiled)
    assert surfaces.call_count == compiled + 1, "of what is wanted also what connectors grant by themselves"


def test_a_connector_whose_addresses_another_one_takes_is_said() -> None:
    """As the defaults of the roles can make it: the built-in connector on an exact address, the scanner on all."""
    backend = MemoryBackend()
    run(backend, {**A, "name": "Default", "remote_ip_ranges": ["0.0.0.0/0"], "bindings": ["192.0.2.1:25"]})
    scan = {**A, "name": "Scan", "bindings": ["0.0.0.0:25"]}
    says = "connector 'Scan': 127.0.0.11 (1 address) is taken by connector 'Default' on 192.0.2.1:25, which is bound"
    for check in (True, False, False):
        assert run(backend, scan, check=check).warnings[0].startswith(says), "also when nothing changes"
    assert not run(backend, {**A, "name": "Other", "remote_ip_ranges": ["127.0.0.12"]}).warnings


def test_what_is_not_known_is_not_written() -> None:
    there = run(MemoryBackend(), A).after
    unknown = replace(there, connectors=(replace(there.connectors[0], extended_rights=None),))
    backend = MemoryBackend(unknown)
    for check in (True, False):
        with pytest.raises(UnknownRightsError, match="connectors 'A'"):
            run(backend, {"name": "A", "comment": "x"}, check=check)
        same = run(backend, {"name": "A", "comment": ""}, check=check)
        assert not same.changed, "what is so already is no write"
        values, _diff = render_outcome("memory", same, "connectors", ["A"])
        assert (values["relay_surface"], values["surface_change"]) == (None, {"opens": [], "closes": []})
    assert backend.state == unknown


PER_BINDING = replace(EVERYTHING, per_binding=frozenset({"banner"}))


def test_an_option_of_the_binding_must_be_the_same_for_all_on_it() -> None:
    one, two = {**A, "banner": "220 one"}, {**A, "name": "B", "remote_ip_ranges": ["127.0.0.12"], "banner": "220 two"}
    backend = MemoryBackend(capabilities=PER_BINDING)
    with pytest.raises(
        CapabilityError, match=r"connector 'B', banner: .* on 127\.0\.0\.1:25 it is \"220 one\" for .*'A'"
    ):
        run(backend, one, two)
    run(backend, one, {**two, "enabled": False})
    run(backend, {"name": "B", "bindings": ["127.0.0.2:25"], "enabled": True})
    backend.state = run(MemoryBackend(), one, two).after
    assert run(backend, {"name": "B", "comment": "it was so before"}).changed
