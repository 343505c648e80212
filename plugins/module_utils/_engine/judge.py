# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a state may stand between two others, be it for a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import NamedTuple

from .._connector.errors import RelayError
from .._connector.model import State
from .._policy.compile import Policy, as_range, compile_policy
from .._policy.surface import Surface, surface
from .operations import Operation, apply_operation


class Verdict(NamedTuple):
    """:ivar safe: nothing relays that does so neither before nor after, and the backend can hold the state
    :ivar lost: who cannot send inbound mail then, though before and after he can
    """

    safe: bool
    lost: Surface


class Judge:
    """Judges the states on the way from ``actual`` to ``wanted``.

    :param accepts: raises a RelayError for a state that the backend cannot hold
    """

    def __init__(self, actual: State, wanted: State, accepts: Callable[[State], None]) -> None:
        self.actual = actual
        self.wanted = wanted
        self._accepts = accepts
        before, after = compile_policy(actual), compile_policy(wanted)
        self._surfaces = surface(before), surface(after)
        self._inbound = _inbound(before).minus(_inbound(before).minus(_inbound(after)))
        self._known: dict[State, Verdict] = {}

    @property
    def judged(self) -> int:
        """How many states were judged."""
        return len(self._known)

    def arrived(self, state: State) -> bool:
        return (state.connectors, state.domains) == (self.wanted.connectors, self.wanted.domains)

    def __call__(self, state: State) -> Verdict:
        if state not in self._known:
            self._known[state] = self._judge(state)
        return self._known[state]

    def _judge(self, state: State) -> Verdict:
        try:
            self._accepts(state)
        except RelayError:
            return Verdict(False, Surface({}))
        policy = compile_policy(state)
        if self._opens(policy):
            return Verdict(False, Surface({}))
        return Verdict(True, self._inbound.minus(_inbound(policy)))

    def opens(self, state: State) -> Surface:
        """What relays in ``state`` though neither before nor after."""
        return self._opens(compile_policy(state))

    def _opens(self, policy: Policy) -> Surface:
        return surface(policy).within(*self._surfaces)

    def verdicts(self, path: Iterable[Operation]) -> list[Verdict]:
        """Of every state on the way."""
        return [self(state) for state in self._states(path)]

    def _states(self, path: Iterable[Operation]) -> list[State]:
        return list(accumulate(path, apply_operation, initial=self.actual))[1:]

    def leads(self, path: Iterable[Operation]) -> bool:
        """Whether ``path`` ends at ``wanted``."""
        return self.arrived([self.actual, *self._states(path)][-1])


def _inbound(policy: Policy) -> Surface:
    """Who may send to accepted domains as anybody."""
    return Surface(
        {
            binding: {
                "accepted domains": tuple(as_range(item) for item in intervals if policy.rules[item.rule].inbound)
            }
            for binding, intervals in policy.bindings
        }
    )
