# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend that can express everything and keeps it in memory, one operation after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import MECHANISMS, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.principals import WELL_KNOWN
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    CONNECTOR_PROPERTIES,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import GROUPS, RIGHTS
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import (
    Backend,
    Capabilities,
    Service,
    ServiceFacts,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import Operation, apply_operation
from ansible_collections.mailops.relay.plugins.module_utils._policy.compile import Policy
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State


class MemoryService(Service):
    """``loaded``: the policy that it runs with, ``None``: it does not run."""

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self.loaded: Policy | None = None
        self.log: list[str] = []

    def facts(self, policy: Policy | None = None) -> ServiceFacts:
        current = self._backend.state.policy if policy is None else policy
        listeners = (
            () if self.loaded is None else tuple((item.host, item.port) for item, _intervals in self.loaded.bindings)
        )
        return ServiceFacts(self.loaded is not None, self.loaded not in (None, current), listeners)

    def check(self) -> None:
        self.log.append("check")

    def start(self) -> None:
        self.log.append("start")
        self.loaded = self._backend.state.policy

    def stop(self) -> None:
        self.log.append("stop")
        self.loaded = None


class MemoryBackend(Backend):
    """:ivar passed: every state that it went through"""

    name = "memory"
    service: MemoryService
    capabilities = Capabilities(
        options=frozenset(row.option for row in CONNECTOR_PROPERTIES),
        fixed={},
        permission_groups=frozenset(GROUPS),
        auth_mechanisms=frozenset(MECHANISMS),
        principals=frozenset(entry.name for entry in WELL_KNOWN),
        rights=frozenset(RIGHTS),
        domains_need_next_hop=False,
        catch_all_domain=True,
        certificate_files=False,
        atomic=False,
    )

    def __init__(self, state: State | None = None) -> None:
        self.state = State() if state is None else state
        self.passed: list[State] = []
        self.tried: list[tuple[list[str], list[str]]] = []
        self.service = MemoryService(self)

    def read(self) -> State:
        return self.state

    def preflight(self, bindings: Sequence[Binding], changed: Sequence[Connector]) -> list[str]:
        self.tried.append(([str(item) for item in bindings], [item.name for item in changed]))
        return []

    def apply(self, operations: Sequence[Operation]) -> None:
        self.state = replace(self.state, drift=False)
        for operation in operations:
            self.state = apply_operation(self.state, operation)
            self.passed.append(self.state)
