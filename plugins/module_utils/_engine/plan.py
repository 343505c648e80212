# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the state before to the wanted one: operations in an order that is safe wherever it is cut off.

After each of them (1) nothing relays that does so neither before nor after, (2) the backend can hold the state, and (3)
who can send inbound mail before and after can do so then. The next operation is the first that keeps all three, else
the first that keeps (1) and (2); a warning says whose inbound mail pauses and when. What was not needed is then left
out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from .._policy.state import State
from .candidates import direct
from .conflicts import new_conflicts
from .operations import Operation, apply_operation, title
from .order import arrived, find_order
from .refusal import refusal
from .safety import Safety, Validate


@dataclass(frozen=True)
class Plan:
    """``operations`` in their order, and ``warnings`` of mail that is refused for a moment."""

    operations: tuple[Operation, ...]
    warnings: tuple[str, ...] = ()


def plan(before: State, wanted: State, *, validate: Validate = new_conflicts, atomic: bool = False) -> Plan:
    """Operations that turn ``before`` into ``wanted`` when applied in this order; none if they are equal.

    :param validate: what the backend cannot hold of a state, leaving out what ``before`` has too
    :param atomic: the backend applies all of them at once: nobody meets a state between them, so any order is safe
    :raises ConflictError: the backend cannot hold ``wanted``, or there is no safe order; it says which step to take in
        between
    """
    for conflict in validate(wanted, before):
        raise conflict.error()
    if atomic:
        return Plan(tuple(_straight(before, wanted)))
    safety = Safety(before, wanted, validate)
    found = find_order(safety)
    if found is None:
        raise refusal(safety, validate)
    return Plan(tuple(found), tuple(_warnings(safety, found)))


def _straight(state: State, wanted: State) -> list[Operation]:
    """What the difference asks for, in the order of :func:`.candidates.direct`."""
    found = []
    while not arrived(state, wanted):
        found.append(next(direct(state, wanted)))
        state = apply_operation(state, found[-1])
    return found


def _warnings(safety: Safety, path: list[Operation]) -> Iterator[str]:
    assessments = [safety.assess(state) for state in safety.states(path)]
    yield from _meanwhile(path, [each.lost.words("inbound mail is refused from") for each in assessments])
    yield from _meanwhile(path, [each.paused.words("relaying pauses for") for each in assessments])


def _meanwhile(path: list[Operation], said: list[list[str]]) -> Iterator[str]:
    """What is ``said`` of the state after each operation, once for each run of states of which the same is said."""
    for words, numbers in groupby(range(len(path)), key=lambda number: said[number]):
        first, *rest = numbers
        after = path[[first, *rest][-1] + 1 :][:1]
        for sentence in words:
            yield f"{sentence}, after '{title(path[first])}' until '{title(after[0])}'."
