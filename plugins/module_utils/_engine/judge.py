# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a state may stand between two others, be it for a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import NamedTuple

from .._connector.errors import RelayError
from .._policy.compile import Policy
from .._policy.decide import accepted_domain
from .._policy.rule import as_range
from .._policy.state import State
from .._policy.surface import Surface
from .operations import Operation, apply_operation

_OURS = "accepted domains"


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
        before, after = actual.policy, wanted.policy
        self._surfaces = before.surface, after.surface
        self._inbound = {tls: _common(_inbound(before, tls), _inbound(after, tls)) for tls in (False, True)}
        names = {*before.domains_by_name, *after.domains_by_name}
        self._domains = [name for name in names if _accepts(before, name) and _accepts(after, name)]
        self._known: dict[State, Verdict] = {}
        self.judged = 0
        """How many states were judged that the backend can hold; to see that it cannot hold one is quick."""

    def arrived(self, state: State) -> bool:
        return (state.connectors, state.accepted_domains) == (self.wanted.connectors, self.wanted.accepted_domains)

    def __call__(self, state: State) -> Verdict:
        if state not in self._known:
            self._known[state] = self._judge(state)
        return self._known[state]

    def _judge(self, state: State) -> Verdict:
        try:
            self._accepts(state)
        except RelayError:
            return Verdict(False, Surface({}))
        self.judged += 1
        policy = state.policy
        if self._opens(policy):
            return Verdict(False, Surface({}))
        return Verdict(True, self._lost(policy))

    def _lost(self, policy: Policy) -> Surface:
        """Whatever is lost with or without TLS."""
        if not all(_accepts(policy, name) for name in self._domains):
            return self._inbound[True]
        lost = [common.minus(_inbound(policy, tls)) for tls, common in self._inbound.items()]
        bindings = {binding for part in lost for binding in part.entries}
        return Surface(
            {binding: {_OURS: tuple(item for part in lost for item in part.at(binding, _OURS))} for binding in bindings}
        )

    def pauses(self, state: State) -> Surface:
        """Who relays before and after and not in ``state``."""
        return _common(*self._surfaces).minus(state.policy.surface)

    def opens(self, state: State) -> Surface:
        """What relays in ``state`` though neither before nor after."""
        return self._opens(state.policy)

    def _opens(self, policy: Policy) -> Surface:
        return policy.surface.minus(*self._surfaces)

    def verdicts(self, path: Iterable[Operation]) -> list[Verdict]:
        """Of every state on the way."""
        return [self(state) for state in self.states(path)]

    def states(self, path: Iterable[Operation]) -> list[State]:
        return list(accumulate(path, apply_operation, initial=self.actual))[1:]

    def leads(self, path: Iterable[Operation]) -> bool:
        """Whether ``path`` ends at ``wanted``."""
        return self.arrived([self.actual, *self.states(path)][-1])


def _accepts(policy: Policy, name: str) -> bool:
    """``name`` may be a wildcard: whether all of it is accepted."""
    return accepted_domain(policy.domains_by_name, name) is not None


def _common(one: Surface, other: Surface) -> Surface:
    return one.minus(one.minus(other))


def _inbound(policy: Policy, tls: bool) -> Surface:
    """Who may send to accepted domains as anybody, in a session with or without TLS."""
    taken = [rule.inbound and (tls or not rule.require_tls) for rule in policy.rules]
    return Surface(
        {
            binding: {_OURS: tuple(as_range(item) for item in intervals if taken[item.rule])}
            for binding, intervals in policy.bindings
        }
    )
