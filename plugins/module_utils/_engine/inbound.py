# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inbound mail: who on the Internet may deliver to which accepted domain, and who loses that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from .._connector.addresses import AddressRange, Binding, intersect, subtract, union
from .._connector.model import AcceptedDomain
from .._policy.compile import Policy
from .._policy.decide import Peer, Session, accepted_domain, decide
from .._policy.routable import globally_routable
from .._policy.rule import Interval, as_range

_STRANGER = "<stranger@sender.invalid>"
Numbers = frozenset[int]


class Loss(NamedTuple):
    """``addresses``, some of them on the Internet, that could deliver to ``domains`` in a session that arrives at
    ``binding`` and no longer can.

    :ivar tls: before, they could with STARTTLS only
    """

    domains: tuple[str, ...]
    binding: Binding
    addresses: tuple[AddressRange, ...]
    tls: bool


class _Rules(NamedTuple):
    """Numbers of the rules by which a stranger may send to a domain, without TLS and with STARTTLS."""

    plain: Numbers
    starttls: Numbers


def inbound_losses(
    before: Policy, after: Policy, given_up: Collection[str] = (), shared_sources: Iterable[AddressRange] = ()
) -> list[Loss]:
    """What strangers on the Internet could do before and can do no more after.

    :param given_up: accepted domains whose mail is not wanted any more
    :param shared_sources: addresses that many clients arrive from: the Internet may be among them
    """
    label = _label(*before.accepted_domains, *after.accepted_domains)
    old, new = _Takers(before, label), _Takers(after, label)
    found: dict[tuple[_Rules, _Rules], list[str]] = {}
    for domain in before.accepted_domains:
        if domain.name not in given_up:
            found.setdefault((old.rules(domain.name), new.rules(domain.name)), []).append(domain.name)
    fronts = tuple(shared_sources)
    return [
        Loss(tuple(domains), binding, lost, tls)
        for rules, domains in found.items()
        for binding in sorted({binding for policy in (before, after) for binding, _intervals in policy.bindings})
        for lost, tls in _lost(before.at(binding), after.at(binding), rules)
        if globally_routable(lost) or intersect(lost, fronts)
    ]


def _label(*domains: AcceptedDomain) -> str:
    """One that stands in no accepted domain: what it makes of a wildcard nothing but wildcards accept."""
    taken = {label for domain in domains for label in domain.name.split(".")}
    return next(label for label in map("x{}".format, count()) if label not in taken)


class _Takers:
    """Asks one policy by which of its rules strangers may send where."""

    def __init__(self, policy: Policy, label: str) -> None:
        self._policy = policy
        self._label = label
        # for each rule a session that it judges: all of them are judged alike
        self._sessions = {item.rule: (binding, item) for binding, intervals in policy.bindings for item in intervals}
        self._known: dict[str, _Rules] = {}

    def rules(self, domain: str) -> _Rules:
        """:param domain: may be a wildcard"""
        recipient = f"{self._label}{domain[1:] or '.invalid'}" if domain.startswith("*") else domain
        # whoever may send to one accepted domain may send to all of them
        key = recipient if accepted_domain(self._policy.domains_by_name, recipient) is None else "accepted"
        if key not in self._known:
            self._known[key] = _Rules(self._ask(recipient, False), self._ask(recipient, True))
        return self._known[key]

    def _ask(self, recipient: str, tls: bool) -> Numbers:
        """No mail server on the Internet begins with the TLS handshake."""
        return frozenset(
            number
            for number, (binding, item) in self._sessions.items()
            if not self._policy.rules[number].implicit_tls
            and decide(
                self._policy,
                Session(binding, Peer(item.version, item.low), _STRANGER, f"<user@{recipient}>", tls=tls),
            ).allowed
        )


def _lost(
    before: Iterable[Interval], after: Iterable[Interval], rules: tuple[_Rules, _Rules]
) -> Iterator[tuple[tuple[AddressRange, ...], bool]]:
    """Who could without TLS and no longer can so; then who could with STARTTLS only, and no longer can at all."""
    old, new = rules
    plain = _taken(before, old.plain)
    yield subtract(plain, _taken(after, new.plain)), False
    yield subtract(_taken(before, old.starttls), (*plain, *_taken(after, new.starttls))), True


def _taken(intervals: Iterable[Interval], rules: Numbers) -> tuple[AddressRange, ...]:
    return union(as_range(item) for item in intervals if item.rule in rules)
