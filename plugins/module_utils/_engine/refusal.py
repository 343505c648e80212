# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to say where no safe order was found: a step that was tried and leads to the wanted state in two tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from .._connector.addresses import AddressRange, parse_range
from .._connector.errors import ConflictError
from .._policy.state import State
from .._policy.surface import listed
from .order import find_order
from .safety import Safety, Validate

_TRIED = 8
"""How many single connectors are tried."""
_SHOWN = 2
_UNUSED = parse_range("192.0.2.0/24", "table")
"""Source: RFC 5737, TEST-NET-1: no client has such an address."""


class _Step(NamedTuple):
    words: str
    state: State


def refusal(safety: Safety, validate: Validate) -> ConflictError:
    """The error that names the connectors and the step."""
    changed = [item.name for item in safety.before.connectors if safety.wanted.connector(item.name) != item]
    ways = (_way_out(safety, step) for step in _by_harm(safety, changed) if _helps(safety, step.state, validate))
    return ConflictError(
        "no order of these changes was found that is safe at every step",
        where=f"connectors {listed([repr(name) for name in changed], _TRIED)}",
        way_out=next(ways, "Change fewer of them in one task."),
    )


def _way_out(safety: Safety, step: _Step) -> str:
    harm = [*safety.opens(step.state).words("opens"), *safety.stops(step.state).words("stops inbound mail from")]
    meanwhile = f" (it {listed(harm, _SHOWN)} meanwhile)" if harm else ""
    return f"{step.words}{meanwhile} in a task of its own, then run this one again."


def _by_harm(safety: Safety, changed: list[str]) -> list[_Step]:
    """What opens nothing and stops nobody comes first."""

    def harm(step: _Step) -> tuple[bool, bool]:
        return bool(safety.opens(step.state)), bool(safety.stops(step.state))

    return sorted(_steps(safety, changed), key=harm)


def _helps(safety: Safety, state: State, validate: Validate) -> bool:
    for before, wanted in ((safety.before, state), (state, safety.wanted)):
        if validate(wanted, before) or find_order(Safety(before, wanted, validate)) is None:
            return False
    return True


def _steps(safety: Safety, changed: list[str]) -> Iterator[_Step]:
    """Connectors to delete first, or to let wait where no client is: one is enough, or all of them."""
    movable = [name for name in changed if not safety.before.is_built_in(name)]
    for names in _one_or_all(movable):
        yield _Step(f"Delete {_quoted(names)}", _without(safety.before, names))
    free = list(_unused(safety.before, safety.wanted))
    for names in _one_or_all(changed):
        ranges = dict(zip(names, free))
        words = f"Give {_quoted(ranges)} only the range{'s' if len(ranges) > 1 else ''} {_joined(ranges.values())}"
        yield _Step(f"{words}{', one each,' if len(ranges) > 1 else ''}", _waiting(safety.before, ranges))


def _one_or_all(names: list[str]) -> Iterator[list[str]]:
    yield from ([name] for name in names[:_TRIED])
    if len(names) > 1:
        yield names


def _quoted(names: Iterable[str]) -> str:
    return _joined(map(repr, names))


def _joined(items: Iterable[object]) -> str:
    return " and ".join(map(str, items))


def _without(state: State, names: list[str]) -> State:
    return replace(state, connectors=tuple(item for item in state.connectors if item.name not in names))


def _waiting(state: State, ranges: Mapping[str, AddressRange]) -> State:
    kept = {item.name: item.remote_ip_ranges for item in state.connectors}
    kept.update((name, (only,)) for name, only in ranges.items())
    return replace(
        state, connectors=tuple(replace(item, remote_ip_ranges=kept[item.name]) for item in state.connectors)
    )


def _unused(*states: State) -> Iterator[AddressRange]:
    used = {found for state in states for item in state.connectors for found in item.remote_ip_ranges}
    numbers = range(_UNUSED.low + 1, _UNUSED.high)
    return (AddressRange(4, number, number) for number in numbers if AddressRange(4, number, number) not in used)
