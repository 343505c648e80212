# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a state may stand between two others, be it for a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from .._connector.errors import Conflict
from .._policy.compile import Policy, compile_policy
from .._policy.decide import accepted_domain
from .._policy.rule import as_range
from .._policy.state import State
from .._policy.surface import Surface
from .operations import Operation, apply_operation

_OURS = "accepted domains"
_NOTHING = Surface({})

Validate = Callable[[State, State], list[Conflict]]
"""``validate(state, before)``: the conflicts of ``state`` that ``before`` does not have."""


class Assessment(NamedTuple):
    """:ivar safe: nothing relays that does so neither before nor after, and the backend can hold the state
    :ivar lost: who cannot send inbound mail then, though before and after he can
    :ivar paused: who does not relay then, though before and after he does
    """

    safe: bool
    lost: Surface = _NOTHING
    paused: Surface = _NOTHING


class Safety:
    """Examines the states on the way from ``before`` to ``wanted``. Of what it is not known counts as relaying, at both
    ends and between them.

    :raises UnknownRightsError: nothing can be said about one of the two
    """

    def __init__(self, before: State, wanted: State, validate: Validate) -> None:
        self.before = before
        self.wanted = wanted
        self._validate = validate
        ends = before.policy, wanted.policy
        self._surfaces = ends[0].surface.at_most, ends[1].surface.at_most
        self._relaying = _common(ends[0].surface, ends[1].surface)
        inbound = _inbound(ends[0]), _inbound(ends[1])
        self._inbound_before = inbound[0][1]
        self._inbound = tuple(_common(*pair) for pair in zip(*inbound))
        names = {*ends[0].domains_by_name, *ends[1].domains_by_name}
        self._domains = [name for name in names if all(_is_accepted(policy, name) for policy in ends)]
        self._known: dict[State, Assessment] = {}

    def assess(self, state: State) -> Assessment:
        """What is to be said about ``state``; each is examined once."""
        if state not in self._known:
            self._known[state] = self._examine(state)
        return self._known[state]

    def opens(self, state: State) -> Surface:
        """What relays in ``state`` though neither before nor after."""
        return _policy(state).surface.at_most.minus(*self._surfaces)

    def stops(self, state: State) -> Surface:
        """Who can send inbound mail before, without TLS, and not in ``state``."""
        return self._inbound_before.minus(_inbound(_policy(state))[1])

    def states(self, path: Iterable[Operation]) -> list[State]:
        """After each operation of ``path``."""
        return list(accumulate(path, apply_operation, initial=self.before))[1:]

    def _examine(self, state: State) -> Assessment:
        if self._validate(state, self.before):
            return Assessment(False)
        policy = _policy(state)
        if policy.surface.at_most.minus(*self._surfaces):
            return Assessment(False)
        return Assessment(True, self._lost(policy), self._relaying.minus(policy.surface))

    def _lost(self, policy: Policy) -> Surface:
        """Whatever is lost with or without TLS."""
        if not all(_is_accepted(policy, name) for name in self._domains):
            return self._inbound[0]
        lost = [common.minus(now) for common, now in zip(self._inbound, _inbound(policy))]
        bindings = {binding for part in lost for binding in part.entries}
        return Surface(
            {binding: {_OURS: tuple(item for part in lost for item in part.at(binding, _OURS))} for binding in bindings}
        )


def _policy(state: State) -> Policy:
    """Not kept: a plan may examine hundreds of states with thousands of ranges each."""
    return compile_policy(state.connectors, state.accepted_domains)


def _is_accepted(policy: Policy, name: str) -> bool:
    """``name`` may be a wildcard: whether all of it is accepted."""
    return accepted_domain(policy.domains_by_name, name) is not None


def _common(one: Surface, other: Surface) -> Surface:
    return one.minus(one.minus(other))


def _inbound(policy: Policy) -> tuple[Surface, Surface]:
    """Who may send to accepted domains as anybody: in a session with TLS, and in one without."""
    anyhow = tuple(rule.inbound for rule in policy.rules)
    plain = tuple(rule.inbound and not (rule.require_tls or rule.implicit_tls) for rule in policy.rules)
    with_tls = _taken(policy, anyhow)
    return with_tls, with_tls if plain == anyhow else _taken(policy, plain)


def _taken(policy: Policy, by_rule: Sequence[bool]) -> Surface:
    return Surface(
        {
            binding: {_OURS: tuple(as_range(item) for item in intervals if by_rule[item.rule])}
            for binding, intervals in policy.bindings
        }
    )
