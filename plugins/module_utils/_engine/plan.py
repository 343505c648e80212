# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the actual to the wanted state: operations in an order that is safe wherever it is cut off.

After each of them (1) nothing relays that does so neither before nor after, (2) the backend can hold the state, and (3)
who can send inbound mail before and after can do so then. Where only (3) cannot be kept, it is lost for as few
operations as possible, one after the other, and a warning says for whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from .._connector.errors import Conflict, ConflictError
from .._policy.state import State
from .._policy.surface import listed
from .conflicts import new_conflicts
from .judge import Judge
from .moves import moves
from .operations import Operation, apply_operation, title
from .search import find

_TRIED = 8
"""How many single connectors a refusal tries to do without."""


@dataclass(frozen=True)
class Plan:
    """``operations`` in their order, and ``warnings`` of mail that is refused for a moment."""

    operations: tuple[Operation, ...]
    warnings: tuple[str, ...] = ()


def plan(
    actual: State,
    wanted: State,
    *,
    atomic: bool = False,
    validate: Callable[[State, State], list[Conflict]] = new_conflicts,
) -> Plan:
    """Operations that turn ``actual`` into ``wanted`` when applied in this order; none if they are equal.

    :param atomic: the backend applies all of them at once: nobody meets a state between them, so any order is safe
    :param accepts: raises for a state that the backend cannot hold
    :raises ConflictError: there is no safe order; it says which step to take in between
    """
    if atomic:
        return Plan(tuple(_straight(actual, wanted)))

    def accepts(state: State) -> None:
        for conflict in validate(state, actual):
            raise conflict.error()

    judge = Judge(actual, wanted, accepts)
    found = find(judge)
    if found is None:
        raise _refusal(judge, accepts)
    return Plan(tuple(found), tuple(_warnings(judge, found)))


def _straight(state: State, wanted: State) -> list[Operation]:
    """What the difference asks for, in the order of :func:`.moves.moves`."""
    found = []
    while (state.connectors, state.accepted_domains) != (wanted.connectors, wanted.accepted_domains):
        found.append(next(moves(state, wanted)))
        state = apply_operation(state, found[-1])
    return found


def _warnings(judge: Judge, path: list[Operation]) -> Iterator[str]:
    states = judge.states(path)
    yield from _meanwhile(path, [judge(state).lost.words("inbound mail is refused from") for state in states])
    yield from _meanwhile(path, [judge.pauses(state).words("relaying pauses for") for state in states])


def _meanwhile(path: list[Operation], said: list[list[str]]) -> Iterator[str]:
    """What is ``said`` of the state after each operation, once for each run of states of which the same is said."""
    for words, numbers in groupby(range(len(path)), key=lambda number: said[number]):
        first, *rest = numbers
        after = path[[first, *rest][-1] + 1 :][:1]
        for sentence in words:
            yield f"{sentence}, after '{title(path[first])}' until '{title(after[0])}'."


def _refusal(judge: Judge, accepts: Callable[[State], None]) -> ConflictError:
    changed = [item.name for item in judge.actual.connectors if judge.wanted.connector(item.name) != item]
    movable = [name for name in changed if not judge.actual.is_built_in(name)]
    step = next(_steps(judge, movable, accepts), "Change one of them")
    where = f"connectors {listed([repr(name) for name in changed], _TRIED)}"
    way_out = f"{step} in a task of its own, then run this one again."
    return ConflictError("no order of these changes was found that is safe at every step", where=where, way_out=way_out)


def _steps(judge: Judge, names: list[str], accepts: Callable[[State], None]) -> Iterator[str]:
    """Connectors to delete first, one is enough or all of them go; what opens nothing comes first. Each is tried."""
    tried = [(name,) for name in names[:_TRIED]] + [tuple(names)]
    between = [(less, _without(judge.actual, less)) for less in tried]
    opened = {less: judge.opens(state) for less, state in between}
    for less, state in sorted(between, key=lambda pair: bool(opened[pair[0]])):
        if all(find(Judge(*ends, accepts)) is not None for ends in ((judge.actual, state), (state, judge.wanted))):
            meanwhile = "".join(f" (it {words} meanwhile)" for words in opened[less].words("opens"))
            yield f"Delete {' and '.join(repr(name) for name in less)}{meanwhile}"


def _without(state: State, names: tuple[str, ...]) -> State:
    return replace(state, connectors=tuple(item for item in state.connectors if item.name not in names))
