# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile a state to a policy: per binding disjoint address intervals, each with one flat rule.

Selection and rights are decided here and nowhere else. For a session on local address L, port P the candidates are
the enabled
connectors bound to L:P or to the wildcard of L's family on P whose ranges hold the peer. A connector bound to the exact
address wins over one bound to the wildcard; among equals the smallest range wins; nobody falls back to another
connector.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .._connector.addresses import AddressRange, Binding
from .._connector.model import AcceptedDomain, Connector, State
from .._connector.rights import ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, SUBMIT


@dataclass(frozen=True)
class Rule:
    """What sessions that a connector takes may do. ``fqdn`` and ``banner`` empty: the server's own. Sizes in bytes."""

    connector: str
    fqdn: str
    banner: str
    max_message_size: int
    anonymous_submit: bool
    anonymous_any_recipient: bool
    anonymous_any_sender: bool
    anonymous_authoritative_domain_sender: bool

    @property
    def anonymous_relay(self) -> bool:
        """A session without AUTH may send to external domains. The null sender needs no right to send as anyone."""
        return self.anonymous_submit and self.anonymous_any_recipient

    @property
    def inbound(self) -> bool:
        """A stranger may send to our accepted domains."""
        return self.anonymous_submit and self.anonymous_any_sender


class Interval(NamedTuple):
    """Peers ``low`` to ``high`` of IP ``version``, judged by ``rules[rule]``."""

    version: int
    low: int
    high: int
    rule: int


@dataclass(frozen=True)
class Policy:
    """The compiled form. Equal states give equal policies, whatever the order of their parts.

    :ivar bindings: sorted by binding; intervals sorted, disjoint
    :ivar rules: one of each enabled connector, sorted by name
    :ivar domains: accepted domains sorted by name
    :ivar postmaster: where ``<postmaster>`` goes, ``None``: nowhere
    """

    bindings: tuple[tuple[Binding, tuple[Interval, ...]], ...]
    rules: tuple[Rule, ...]
    domains: tuple[AcceptedDomain, ...]
    postmaster: str | None

    def at(self, binding: Binding) -> tuple[Interval, ...]:
        """What judges sessions that arrive at ``binding``: its own intervals, else those of the wildcard."""
        by_binding = dict(self.bindings)
        return by_binding.get(binding, by_binding.get(binding.wildcard, ()))


class _Claim(NamedTuple):
    """A connector's claim to a range; the least claim wins. ``rank`` 0: exact address, 1: wildcard."""

    rank: int
    size: int
    low: int
    rule: int
    high: int


def compile_policy(state: State) -> Policy:
    enabled = [item for item in sorted(state.connectors, key=lambda item: item.key) if item.enabled]
    bindings = sorted({binding for item in enabled for binding in item.bindings})
    domains = tuple(sorted(state.domains, key=lambda item: item.key))
    return Policy(
        bindings=tuple((binding, _intervals(binding, enabled)) for binding in bindings),
        rules=tuple(_rule(item) for item in enabled),
        domains=domains,
        postmaster=_postmaster(domains),
    )


def _rule(connector: Connector) -> Rule:
    rights = connector.anonymous_rights
    return Rule(
        connector=connector.name,
        fqdn=connector.fqdn,
        banner=connector.banner,
        max_message_size=connector.max_message_size,
        anonymous_submit=SUBMIT in rights,
        anonymous_any_recipient=ANY_RECIPIENT in rights,
        anonymous_any_sender=ANY_SENDER in rights,
        anonymous_authoritative_domain_sender=AUTHORITATIVE_SENDER in rights,
    )


def _postmaster(domains: Iterable[AcceptedDomain]) -> str | None:
    """RFC 5321, 4.5.1. Ours is the first authoritative domain by name; a domain of wildcards has no mailbox."""
    names = (item.name for item in domains if item.type == "Authoritative" and not item.name.startswith("*"))
    name = next(names, None)
    return None if name is None else f"postmaster@{name}"


def _intervals(binding: Binding, connectors: list[Connector]) -> tuple[Interval, ...]:
    claims: dict[int, list[_Claim]] = {4: [], 6: []}
    for rule, connector in enumerate(connectors):
        if binding in connector.bindings:
            rank = 0
        elif binding.wildcard in connector.bindings:
            rank = 1
        else:
            continue
        for item in connector.remote_ip_ranges:
            claims[item.version].append(_Claim(rank, item.size, item.low, rule, item.high))
    return tuple(interval for version in (4, 6) for interval in _sweep(version, claims[version]))


def _sweep(version: int, claims: list[_Claim]) -> list[Interval]:
    """Walk over the addresses where a claim starts or has ended; the least open claim owns what follows."""
    claims.sort(key=lambda claim: claim.low)
    edges = sorted({claim.low for claim in claims} | {claim.high + 1 for claim in claims})
    found: list[Interval] = []
    waiting: list[_Claim] = []
    started = 0
    for edge, following in zip(edges, edges[1:]):
        while started < len(claims) and claims[started].low == edge:
            heapq.heappush(waiting, claims[started])
            started += 1
        while waiting and waiting[0].high < edge:
            heapq.heappop(waiting)
        if waiting:
            _append(found, Interval(version, edge, following - 1, waiting[0].rule))
    return found


def _append(found: list[Interval], interval: Interval) -> None:
    if found and found[-1].rule == interval.rule and found[-1].high + 1 == interval.low:
        found[-1] = found[-1]._replace(high=interval.high)
    else:
        found.append(interval)


def as_range(interval: Interval) -> AddressRange:
    return AddressRange(interval.version, interval.low, interval.high)
