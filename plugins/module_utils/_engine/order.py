# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of operations: always the first that is safe. What was not needed is then left out, and what pauses
something is taken back as soon as that is safe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .._policy.state import State
from .candidates import detours, direct, reverse
from .operations import Create, Operation, RemoveDomain, SetDomain, SetSettings, apply_operation
from .safety import Safety


def arrived(state: State, wanted: State) -> bool:
    """Whether nothing is left to do."""
    return (state.connectors, state.accepted_domains) == (wanted.connectors, wanted.accepted_domains)


def find_order(safety: Safety) -> list[Operation] | None:
    """Operations from ``before`` to ``wanted``, each of which leads to a safe state. ``None``: none may come next.

    It ends: each detour is taken once, between them the difference shrinks, and no state is met twice.
    """
    state, path = safety.before, []
    seen: set[State] = {state}
    taken: set[Operation] = set()
    while not arrived(state, safety.wanted):
        operation = _next(safety, state, seen, taken)
        if operation is None:
            return None
        if operation not in direct(state, safety.wanted):
            taken.add(operation)
        path.append(operation)
        state = apply_operation(state, operation)
        seen.add(state)
    return _back_sooner(safety, _without_needless(safety, path, taken), taken)


def _next(safety: Safety, state: State, seen: set[State], taken: set[Operation]) -> Operation | None:
    """Detours are taken back last: until then they may be what makes another operation safe."""
    backwards = {reverse(operation) for operation in taken}
    asked = list(direct(state, safety.wanted))
    onwards = [operation for operation in asked if operation not in backwards]
    if onwards:
        onwards += [operation for operation in detours(state, safety.wanted) if operation not in taken]
    groups = onwards, [operation for operation in asked if operation in backwards]
    return next((found for found in (_first(safety, state, seen, group) for group in groups) if found), None)


def _first(safety: Safety, state: State, seen: set[State], operations: Iterable[Operation]) -> Operation | None:
    """The first safe one that keeps inbound mail, else the first safe one."""
    pausing = None
    for operation in operations:
        after = apply_operation(state, operation)
        if after in seen:
            continue
        assessment = safety.assess(after)
        if assessment.safe and not assessment.lost:
            return operation
        if assessment.safe and pausing is None:
            pausing = operation
    return pausing


def _without_needless(safety: Safety, path: list[Operation], taken: set[Operation]) -> list[Operation]:
    """Leave out detours, with what took them back, until each one that stays is needed."""
    while True:
        better = next((shorter for shorter in _shorter(path, taken) if _is_as_good(safety, shorter, path)), None)
        if better is None:
            return path
        path = better


def _shorter(path: Sequence[Operation], taken: set[Operation]) -> Iterator[list[Operation]]:
    """Without one of ``taken``, alone or together with another operation on the same connector: the one that takes it
    back, or that it takes back."""
    for first, operation in enumerate(path):
        if operation not in taken:
            continue
        for second, other in enumerate(path):
            if _about(other) == _about(operation):
                yield [item for number, item in enumerate(path) if number not in (first, second)]


def _back_sooner(safety: Safety, path: list[Operation], taken: set[Operation]) -> list[Operation]:
    for operation in [item for item in path if item in taken]:
        back = reverse(operation)
        first = path.index(operation)
        if back is not None and back in path[first:]:
            last = path.index(back, first)
            rest = path[:last] + path[last + 1 :]
            sooner = ([*rest[:place], back, *rest[place:]] for place in range(first + 1, last))
            path = next((found for found in sooner if _is_as_good(safety, found, path)), path)
    return path


def _about(operation: Operation) -> str:
    """Which connector it is about, lower case; empty: none."""
    if isinstance(operation, (SetDomain, RemoveDomain, SetSettings)):
        return ""
    return (operation.connector.name if isinstance(operation, Create) else operation.name).lower()


def _is_as_good(safety: Safety, other: list[Operation], path: list[Operation]) -> bool:
    """``other`` leads there as safely as ``path``, and inbound mail pauses for nobody else and no longer."""
    try:
        states = safety.states(other)
    except KeyError:  # what is left is about a connector that is not there
        return False
    met = [safety.before, *states]
    if not arrived(met[-1], safety.wanted) or len(set(met)) < len(met):
        return False
    if not all(safety.assess(state).safe for state in states):
        return False
    lost = [found for found in (safety.assess(state).lost for state in states) if found]
    known = [found for found in (safety.assess(state).lost for state in safety.states(path)) if found]
    return len(lost) <= len(known) and all(any(not one.minus(was) for was in known) for one in lost)
