# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one server to the wanted state: read, merge, plan, guard, apply, read back."""

from __future__ import annotations

from dataclasses import dataclass

from .._connector.errors import StoreError
from .._connector.merge import Options, merge
from .._connector.model import State
from .._policy.compile import Policy, compile_policy
from .backend import Backend, ServiceFacts, refuse_inexpressible
from .guard import Limits, guard
from .operations import Operation
from .plan import plan


@dataclass(frozen=True)
class Outcome:
    """What was, what is (in check mode: what would be), and what led there."""

    changed: bool
    before: State
    after: State
    policy: Policy
    operations: tuple[Operation, ...]
    warnings: tuple[str, ...]
    service: ServiceFacts


def converge(backend: Backend, options: Options, *, check: bool, limits: Limits) -> Outcome:
    """The same plan in check mode, which stops before apply.

    :raises RelayError: nothing was changed, unless the error says so
    """
    with backend.transaction(read_only=check):
        before = backend.read()
        wanted = merge(before, options)
        refuse_inexpressible(backend, before, wanted)
        policy = compile_policy(wanted)
        policy_before = compile_policy(before)
        warnings = guard((before, policy_before), (wanted, policy), limits)
        operations = plan(before, wanted)
        changed = bool(operations) or before.drift
        known = dict(policy_before.bindings)
        backend.preflight([binding for binding, _intervals in policy.bindings if binding not in known])
        if changed and not check:
            backend.apply(operations)
            _verify(backend.read(), wanted)
    return Outcome(changed, before, wanted, policy, tuple(operations), tuple(warnings), backend.service.facts(policy))


def _verify(after: State, wanted: State) -> None:
    if after != wanted:
        way_out = "Run the task again; if it happens twice, please report it."
        raise StoreError(
            "what was written reads back differently (the change was applied)", where="read back", way_out=way_out
        )
