# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inbound mail: who on the Internet may deliver to which accepted domain without TLS, and who loses that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from .._connector.addresses import AddressRange, Binding, subtract, union
from .._connector.model import AcceptedDomain
from .._policy.compile import Policy
from .._policy.decide import Peer, Session, decide
from .._policy.routable import globally_routable
from .._policy.rule import Interval, as_range

_STRANGER = "<stranger@sender.invalid>"


class Loss(NamedTuple):
    """``addresses``, some of them on the Internet, that could deliver to ``domains`` in a session that arrives at
    ``binding`` and no longer can."""

    domains: tuple[str, ...]
    binding: Binding
    addresses: tuple[AddressRange, ...]


def inbound_losses(before: Policy, after: Policy, given_up: Collection[str] = ()) -> list[Loss]:
    """What strangers on the Internet could do before, without TLS, and can do no more after.

    :param given_up: accepted domains whose mail is not wanted any more
    """
    names = [domain.name for domain in before.accepted_domains if domain.name not in given_up]
    label = _label(*before.accepted_domains, *after.accepted_domains)
    takers = [(name, _takers(before, name, label), _takers(after, name, label)) for name in names]
    found: dict[tuple[frozenset[int], frozenset[int]], list[str]] = {}
    for name, old, new in takers:
        found.setdefault((old, new), []).append(name)
    return [
        Loss(tuple(domains), binding, lost)
        for (old, new), domains in found.items()
        for binding, lost in _lost((before, old), (after, new))
    ]


def _label(*domains: AcceptedDomain) -> str:
    """One that stands in no accepted domain: what it makes of a wildcard nothing but wildcards accept."""
    taken = {label for domain in domains for label in domain.name.split(".")}
    return next(label for label in map("x{}".format, count()) if label not in taken)


def _takers(policy: Policy, domain: str, label: str) -> frozenset[int]:
    """Numbers of the rules by which a stranger may send to ``domain``, which may be a wildcard."""
    below = f"{label}.invalid" if domain == "*" else f"{label}{domain[1:]}"
    recipient = f"<user@{below if domain.startswith('*') else domain}>"
    return frozenset(
        number
        for number, (binding, interval) in _representatives(policy).items()
        if decide(policy, Session(binding, Peer(interval.version, interval.low), _STRANGER, recipient)).allowed
        and not policy.rules[number].implicit_tls
    )


def _representatives(policy: Policy) -> dict[int, tuple[Binding, Interval]]:
    """For each rule a session that it judges: all of them are judged alike."""
    return {interval.rule: (binding, interval) for binding, intervals in policy.bindings for interval in intervals}


def _lost(
    before: tuple[Policy, frozenset[int]], after: tuple[Policy, frozenset[int]]
) -> Iterator[tuple[Binding, tuple[AddressRange, ...]]]:
    """For each binding of either; one that a policy lacks is judged by the wildcard."""
    for binding in sorted({binding for policy, _takers in (before, after) for binding, _intervals in policy.bindings}):
        lost = subtract(_taken(*before, binding), _taken(*after, binding))
        if globally_routable(lost):
            yield binding, lost


def _taken(policy: Policy, takers: Collection[int], binding: Binding) -> Iterable[AddressRange]:
    return union(as_range(item) for item in policy.at(binding) if item.rule in takers)
