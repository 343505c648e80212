# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile a state to a policy: per binding disjoint address intervals, each with one flat rule.

Selection and rights are decided here and nowhere else. For a session on local address L, port P the candidates are
the enabled
connectors bound to L:P or to the wildcard of L's family on P whose ranges hold the peer. A connector bound to the exact
address wins over one bound to the wildcard; among equals the smallest range wins; nobody falls back to another
connector. Ranges of one size that two connectors claim are refused of a task, and a server may hold them all the same:
which connector wins there is not documented, so the more open one does, and nothing is called closed that may be open.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .._connector.addresses import Binding
from .._connector.errors import UnknownRightsError
from .._connector.model import AcceptedDomain, Connector
from .._connector.rights import ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, SUBMIT
from .rule import Interval, Rule
from .surface import Surface, surface_of

_COUNTED = frozenset({SUBMIT, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER})


@dataclass(frozen=True)
class Policy:
    """The compiled form. Equal states give equal policies, whatever the order of their parts.

    :ivar bindings: sorted by binding; intervals sorted, disjoint
    :ivar rules: one of each enabled connector, sorted by name
    :ivar accepted_domains: accepted domains sorted by name
    :ivar postmaster: where ``<postmaster>`` goes, ``None``: nowhere
    :ivar unknown: names of connectors of which nobody let us read who has which right
    :ivar doubtful: for the number of a rule the rule that holds if sessions without AUTH belong to groups of which that
        is not documented, where it allows more; like ``unknown``, no part of the document
    """

    bindings: tuple[tuple[Binding, tuple[Interval, ...]], ...]
    rules: tuple[Rule, ...]
    accepted_domains: tuple[AcceptedDomain, ...]
    postmaster: str | None
    unknown: tuple[str, ...] = ()
    doubtful: tuple[tuple[int, Rule], ...] = ()

    def at(self, binding: Binding) -> tuple[Interval, ...]:
        """What judges sessions that arrive at ``binding``: its own intervals, else those of the wildcard."""
        return self._by_binding.get(binding, self._by_binding.get(binding.wildcard, ()))

    @cached_property
    def surface(self) -> Surface:
        """Who may send where without AUTH beyond our own mailboxes.

        :raises UnknownRightsError: nothing can be said to be closed where the rights are not known
        """
        reached = [item for item in self.accepted_domains if item.is_relayed or item.is_wide]
        return surface_of(self.bindings, self._known_rules, reached, self.perhaps)

    @cached_property
    def granted_surface(self) -> Surface:
        """The surface without what is reached because it belongs to an accepted domain.

        :raises UnknownRightsError: as :attr:`surface`
        """
        return surface_of(self.bindings, self._known_rules, (), self.perhaps)

    @property
    def _known_rules(self) -> tuple[Rule, ...]:
        if self.unknown:
            raise UnknownRightsError(self.unknown)
        return self.rules

    @cached_property
    def perhaps(self) -> Mapping[int, Rule]:
        """:attr:`doubtful` by number."""
        return dict(self.doubtful)

    @cached_property
    def domains_by_name(self) -> Mapping[str, AcceptedDomain]:
        return {item.name: item for item in self.accepted_domains}

    @property
    def accepts_any_domain(self) -> bool:
        """``*`` is an accepted domain: whoever may submit reaches everything."""
        return "*" in self.domains_by_name

    @cached_property
    def _by_binding(self) -> Mapping[Binding, tuple[Interval, ...]]:
        return dict(self.bindings)


class _Claim(NamedTuple):
    """A connector's claim to a range; the least claim wins.

    :ivar rank: 0: exact address, 1: wildcard
    :ivar place: of its rule among all of them, the more open ones first
    """

    rank: int
    size: int
    place: int
    low: int
    rule: int
    high: int


def compile_policy(connectors: Iterable[Connector], accepted_domains: Iterable[AcceptedDomain]) -> Policy:
    """The policy of one server, whatever the order of the two."""
    enabled = [item for item in sorted(connectors, key=lambda item: item.key) if item.enabled]
    bindings = sorted({binding for item in enabled for binding in item.bindings})
    domains = tuple(sorted(accepted_domains, key=lambda item: item.key))
    rules = tuple(_rule(item, domains, item.anonymous_rights) for item in enabled)
    doubtful = tuple(_doubtful(enabled, domains))
    places = _places(rules, dict(doubtful))
    return Policy(
        bindings=tuple((binding, _intervals(binding, enabled, places)) for binding in bindings),
        rules=rules,
        accepted_domains=domains,
        postmaster=_postmaster(domains),
        unknown=tuple(item.name for item in enabled if item.extended_rights is None),
        doubtful=doubtful,
    )


def _doubtful(connectors: Iterable[Connector], domains: Iterable[AcceptedDomain]) -> Iterator[tuple[int, Rule]]:
    for number, item in enumerate(connectors):
        if (item.possible_rights - item.anonymous_rights) & _COUNTED:
            yield number, _rule(item, domains, item.possible_rights)


def _rule(connector: Connector, domains: Iterable[AcceptedDomain], rights: frozenset[str]) -> Rule:
    """:param rights: of sessions without AUTH"""
    relays = {SUBMIT, ANY_RECIPIENT} <= rights
    tls = "Tls" in connector.auth_mechanism
    return Rule(
        connector=connector.name,
        fqdn=connector.known("fqdn"),
        banner=connector.known("banner"),
        max_message_size=connector.known("max_message_size"),
        max_recipients=connector.known("max_recipients_per_message"),
        max_connections=connector.known("max_inbound_connection"),
        max_connections_per_source=connector.known("max_inbound_connection_per_source"),
        max_protocol_errors=connector.known("max_protocol_errors"),
        connection_timeout=connector.known("connection_timeout"),
        inactivity_timeout=connector.known("connection_inactivity_timeout"),
        tarpit_interval=connector.known("tarpit_interval"),
        starttls=tls and not connector.implicit_tls,
        implicit_tls=tls and connector.implicit_tls,
        require_tls=connector.require_tls,
        certificate_file=connector.tls_certificate_file,
        key_file=connector.tls_key_file,
        auth=_auth(connector),
        anonymous_submit=SUBMIT in rights,
        anonymous_any_recipient=ANY_RECIPIENT in rights,
        anonymous_any_sender=ANY_SENDER in rights,
        anonymous_authoritative_domain_sender=AUTHORITATIVE_SENDER in rights,
        allowed_senders=_allowed_senders(connector, domains) if relays else None,
        allowed_recipients=_limits(connector.allowed_recipients) if relays else None,
        account_any_recipient=ANY_RECIPIENT in connector.account_rights,
    )


def _auth(connector: Connector) -> str:
    """Who may not submit is not asked to log in."""
    if "BasicAuth" not in connector.auth_mechanism or SUBMIT not in connector.account_rights:
        return "never"
    return "after_tls" if "BasicAuthRequireTLS" in connector.auth_mechanism else "always"


def _allowed_senders(connector: Connector, domains: Iterable[AcceptedDomain]) -> tuple[str, ...] | None:
    """Who devices are outside: our own domains unless the connector says otherwise. Without any there is nobody."""
    patterns = connector.allowed_senders or tuple(item.name for item in domains)
    return None if "*" in patterns else patterns


def _limits(patterns: tuple[str, ...]) -> tuple[str, ...] | None:
    return None if not patterns or "*" in patterns else patterns


def _postmaster(domains: Iterable[AcceptedDomain]) -> str | None:
    """RFC 5321, 4.5.1. Ours is the first authoritative domain by name; a domain of wildcards has no mailbox."""
    names = (item.name for item in domains if item.type == "Authoritative" and not item.name.startswith("*"))
    name = next(names, None)
    return None if name is None else f"postmaster@{name}"


def _places(rules: Sequence[Rule], perhaps: Mapping[int, Rule]) -> list[int]:
    """The place of each rule among all of them, by which equal claims are settled: the more open one first, what
    perhaps relays after what does; then by name."""

    def key(number: int) -> tuple[int, ...]:
        return (not rules[number].anonymous_relay, *_closed(perhaps.get(number, rules[number])), number)

    order = sorted(range(len(rules)), key=key)
    places = [0] * len(rules)
    for place, number in enumerate(order):
        places[number] = place
    return places


def _closed(rule: Rule) -> tuple[bool, ...]:
    """What the rule refuses, the weightier first: relaying without AUTH, to some, as somebody; inbound mail, as
    anybody, in plain sessions; relaying after AUTH."""
    return (
        not rule.anonymous_relay,
        rule.allowed_recipients is not None,
        rule.allowed_senders is not None,
        not rule.anonymous_submit,
        not rule.anonymous_any_sender,
        rule.require_tls or rule.implicit_tls,
        not rule.account_any_recipient,
    )


def _intervals(binding: Binding, connectors: list[Connector], places: Sequence[int]) -> tuple[Interval, ...]:
    """Of the binding's own version: a session that arrives at an IPv4 address comes from one."""
    claims: list[_Claim] = []
    for rule, connector in enumerate(connectors):
        if binding in connector.bindings:
            rank = 0
        elif binding.wildcard in connector.bindings:
            rank = 1
        else:
            continue
        ranges = (item for item in connector.remote_ip_ranges if item.version == binding.version)
        claims += (_Claim(rank, item.size, places[rule], item.low, rule, item.high) for item in ranges)
    return tuple(_sweep(binding.version, claims))


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
