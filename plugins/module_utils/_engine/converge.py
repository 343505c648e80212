# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one server to the wanted state: read, merge, plan, guard, apply, read back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._connector.errors import ServiceError, StoreError
from .._connector.model import Connector
from .._connector.properties import CONNECTOR_PROPERTIES
from .._engine.merge import Options, merge
from .._policy.compile import Policy
from .._policy.state import State
from .backend import Backend, ServiceFacts, express
from .guard import Limits, guard, plaintext_passwords
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
    policy_before: Policy


def converge(backend: Backend, options: Options, *, check: bool, limits: Limits) -> Outcome:
    """The same plan in check mode, which stops before apply.

    :raises RelayError: nothing was changed, unless the error says so
    """
    with backend.transaction(read_only=check):
        before = backend.read()
        wanted = express(backend, before, merge(before, options))
        policy = wanted.policy
        policy_before = before.policy
        warnings = guard((before, policy_before), (wanted, policy), limits)
        planned = plan(before, wanted, atomic=backend.capabilities.atomic)
        operations = planned.operations
        warnings += planned.warnings
        changed = bool(operations) or before.drift
        known = dict(policy_before.bindings)
        bindings = [binding for binding, _intervals in policy.bindings if binding not in known]
        changed_connectors = [item for item in wanted.connectors if before.connector(item.name) != item]
        warnings += plaintext_passwords(changed_connectors)
        for dates in backend.preflight(bindings, changed_connectors):
            warnings.append(_passed(dates, limits))
        after = wanted
        if changed and not check:
            backend.apply(operations)
            after = backend.read()
            _verify(after, wanted)
    facts = backend.service.facts(policy)
    return Outcome(changed, before, after, policy, operations, tuple(warnings), facts, policy_before)


def _passed(dates: str, limits: Limits) -> str:
    if not limits.allow_expired_certificate:
        raise ServiceError(dates, way_out="Renew it, or set allow_expired_certificate: true.")
    return f"{dates} (passed by allow_expired_certificate)."


def _verify(after: State, wanted: State) -> None:
    """What the task left to the server may be anything."""
    expected = (_settled(item, after.connector(item.name) or item) for item in wanted.connectors)
    if after != replace(wanted, connectors=tuple(expected)):
        way_out = "Run the task again; if it happens twice, please report it."
        raise StoreError(
            "what was written reads back differently (the change was applied)", where="read back", way_out=way_out
        )


def _settled(wanted: Connector, found: Connector) -> Connector:
    chosen = (row.option for row in CONNECTOR_PROPERTIES if getattr(wanted, row.option) is None)
    return replace(wanted, **{option: getattr(found, option) for option in chosen})
