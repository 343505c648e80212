# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend that can express everything and keeps it in memory, one operation after the other."""

from __future__ import annotations

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import Conflict, Finding
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import CONNECTOR_PROPERTIES
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Backend, Change, Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.capabilities import Capabilities
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import apply_operation
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import ServiceFacts, SingleService
from ansible_collections.mailops.relay.plugins.module_utils._policy.compile import Policy
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State

EVERYTHING = Capabilities(
    options=dict.fromkeys(row.option for row in CONNECTOR_PROPERTIES), principals=None, rights=None, odd_values=True
)


class MemoryService(SingleService):
    """``loaded``: the policy that it runs with, ``None``: it does not run."""

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self.loaded: Policy | None = None
        self.log: list[str] = []

    def facts(self, state: State | None = None) -> ServiceFacts:
        current = (self._backend.state if state is None else state).policy
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
    """:ivar passed: every state that it went through
    :ivar given: what it runs, where that does not follow from the state
    :ivar reads: how often it was read
    :ivar changes: what it was asked about before it was changed
    """

    name = "memory"
    service: MemoryService

    def __init__(self, state: State | None = None, capabilities: Capabilities = EVERYTHING) -> None:
        self.state = State() if state is None else state
        self.capabilities = capabilities
        self.given: Policy | None = None
        self.passed: list[State] = []
        self.changes: list[Change] = []
        self.findings: list[Finding] = []
        self.reads = 0
        self.service = MemoryService(self)

    def read(self) -> Reading:
        self.reads += 1
        repairs = () if self.given is None else ("recompile policy",)
        return Reading(self.state, self.service.facts(), self.capabilities, given=self.given, repairs=repairs)

    def validate(self, state: State, before: State) -> list[Conflict]:
        return []

    def preflight(self, change: Change) -> list[Finding]:
        self.changes.append(change)
        return self.findings

    def apply(self, change: Change) -> Reading:
        self.given = None
        for operation in change.operations:
            self.state = apply_operation(self.state, operation)
            self.passed.append(self.state)
        if self.state == change.wanted:  # as a server that says what it was told, it need not be compiled again
            self.state = change.wanted
        return self.read()
