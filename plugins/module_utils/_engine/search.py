# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find an order of operations whose every intermediate state is safe."""

from __future__ import annotations

from collections.abc import Iterator

from .._policy.state import State
from .judge import Judge, Verdict
from .moves import moves
from .operations import Grant, Operation, Revoke, Set, apply_operation

_PATIENCE = (0, 1, 2)
_MOST_STATES, _MOST_PER_STEP = 200, 10
"""Give up when so many states were judged, and so many more for each step of the way that was found so far."""


def find(judge: Judge) -> list[Operation] | None:
    """With inbound mail kept where it can be. ``None``: there is no way, or it was not found."""
    return next((found for found in (_search(judge, patience) for patience in _PATIENCE) if found is not None), None)


def _search(judge: Judge, patience: int) -> list[Operation] | None:
    """Depth first, never twice through one state.

    :param patience: states that lose inbound mail: 0 none, 1 never two of them in a row, 2 any
    """
    start = judge.judged
    seen = {judge.actual}
    path: list[Operation] = []
    ways = [_ways(judge, judge.actual, patience)]
    while ways:
        step = next((step for step in ways[-1] if step[1] not in seen), None)
        if step is None:
            ways.pop()
            path = path[: len(ways) - 1]
            continue
        operation, state, verdict = step
        seen.add(state)
        path.append(operation)
        if judge.arrived(state):
            return _shorten(judge, path, patience)
        if judge.judged - start > _MOST_STATES + _MOST_PER_STEP * len(path):
            return None
        ways.append(_ways(judge, state, 0 if verdict.lost and patience == 1 else patience))
    return [] if judge.arrived(judge.actual) else None


def _ways(judge: Judge, state: State, patience: int) -> Iterator[tuple[Operation, State, Verdict]]:
    """Those that keep inbound mail first."""
    losing = []
    for operation in moves(state, judge.wanted):
        after = apply_operation(state, operation)
        verdict = judge(after)
        if verdict.safe and not verdict.lost:
            yield operation, after, verdict
        elif verdict.safe and patience:
            losing.append((operation, after, verdict))
    yield from losing


def _shorten(judge: Judge, path: list[Operation], patience: int) -> list[Operation]:
    """Leave out the detours that were not needed."""
    candidates = (
        [operation for number, operation in enumerate(path) if number not in (first, second)]
        for first, second in _needless(path)
    )
    better = next((shorter for shorter in candidates if _holds(judge, shorter, patience)), None)
    return path if better is None else _shorten(judge, better, patience)


def _needless(path: list[Operation]) -> Iterator[tuple[int, int]]:
    """Positions of what may be left out together: a step and the one that takes it back, or a step (twice) whose every
    value a later one sets again."""
    for first, one in enumerate(path):
        for second, other in enumerate(path[first + 1 :], first + 1):
            if _takes_back(one, other):
                yield first, second
            elif _sets_again(one, other):
                yield first, first


def _takes_back(one: Operation, other: Operation) -> bool:
    return {type(one), type(other)} == {Grant, Revoke} and vars(one) == vars(other)


def _sets_again(one: Operation, other: Operation) -> bool:
    if not (isinstance(one, Set) and isinstance(other, Set) and one.name == other.name):
        return False
    return dict(one.changes).keys() <= dict(other.changes).keys()


def _holds(judge: Judge, path: list[Operation], patience: int) -> bool:
    verdicts = judge.verdicts(path)
    losing = [bool(verdict.lost) for verdict in verdicts]
    enough = (not any(losing), not any(map(min, losing, losing[1:])), True)[patience]
    return enough and all(verdict.safe for verdict in verdicts) and judge.leads(path)
