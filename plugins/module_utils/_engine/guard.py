# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse a change that would make the server an open relay, or take a built-in connector away.

A hole that was there before is a warning and never blocks a change that narrows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .._connector.addresses import AddressRange, intersect, parse_range, subtract
from .._connector.errors import GuardError
from .._connector.model import Connector
from .._connector.rights import ANY_RECIPIENT, SUBMIT
from .._policy.compile import Policy
from .._policy.routable import globally_routable
from .._policy.rule import Interval, as_range
from .._policy.state import State
from .._policy.surface import listed

_SHOWN = 5
_WAY_OUT = "Narrow it, or set allow_open_relay: true if this is meant."


@dataclass(frozen=True)
class Limits:
    """:ivar max_relay_addresses: how many addresses may relay anywhere without AUTH
    :ivar allow_open_relay: pass what the guard would refuse, with a warning
    :ivar shared_sources: addresses that many clients arrive from (load balancer, NAT, proxy)
    """

    max_relay_addresses: int = 256
    allow_open_relay: bool = False
    allow_expired_certificate: bool = False
    shared_sources: tuple[AddressRange, ...] = ()


@dataclass(frozen=True)
class Hole:
    """A finding. It was so before if none of its ``addresses`` can do more than they could; without any, if ``sort``
    and ``where`` are the same."""

    sort: str
    where: str
    what: str
    addresses: tuple[AddressRange, ...] = ()


def guard(before: tuple[State, Policy], after: tuple[State, Policy], limits: Limits) -> list[str]:
    """Compare two states and their policies.

    :returns: warnings
    :raises GuardError: the change opens a hole, or takes away a built-in connector
    """
    warnings = _keep_built_in(before, after)
    known = {(hole.sort, hole.where) for hole in _holes(*before, limits)}
    opened = after[1].granted_surface.minus(before[1].surface).addresses
    for hole in _holes(*after, limits):
        old = not intersect(hole.addresses, opened) if hole.addresses else (hole.sort, hole.where) in known
        if not (old or limits.allow_open_relay):
            raise GuardError(hole.what, where=hole.where, way_out=_WAY_OUT)
        reason = "was so before" if old else "passed by allow_open_relay"
        warnings.append(f"OPEN RELAY RISK, {reason}: {hole.where}: {hole.what}.")
    return warnings


def parse_sources(texts: Iterable[object]) -> tuple[AddressRange, ...]:
    """The option ``shared_sources``.

    :raises InputError: an entry that is no address, range or CIDR block
    """
    return tuple(parse_range(text, f"shared_sources[{number}]") for number, text in enumerate(texts))


def plaintext_passwords(changed: Iterable[Connector]) -> list[str]:
    """A warning for each changed connector on which accounts may log in without TLS."""
    return [
        f"connector '{item.name}', auth_mechanism: passwords may travel in the clear. Add BasicAuthRequireTLS."
        for item in changed
        if "BasicAuth" in item.auth_mechanism and "BasicAuthRequireTLS" not in item.auth_mechanism
    ]


def _holes(state: State, policy: Policy, limits: Limits) -> Iterator[Hole]:
    yield from _surface_holes(state, policy, limits)
    for connector in state.connectors:
        if state.is_built_in(connector.name) and {SUBMIT, ANY_RECIPIENT} <= connector.anonymous_rights:
            what = "anonymous senders could relay anywhere through a built-in connector; use a connector of its own"
            yield Hole("built-in", f"connector '{connector.name}', extended_rights", what)
    for domain in state.accepted_domains:
        if domain.is_wide:
            what = "anybody could send to this whole part of the Internet"
            yield Hole("domain", f"accepted domain '{domain.name}'", what)


def _surface_holes(state: State, policy: Policy, limits: Limits) -> Iterator[Hole]:
    relaying = policy.granted_surface.addresses
    count = sum(item.size for item in relaying)
    if count > limits.max_relay_addresses:
        allowed = limits.max_relay_addresses
        what = f"{count} addresses could relay anywhere without AUTH, {allowed} are allowed ({_list(relaying)})"
        yield Hole("count", "max_relay_addresses", what, relaying)
    shared = intersect(relaying, limits.shared_sources)
    if shared:
        what = f"addresses that many clients arrive from could relay ({_list(shared)})"
        yield Hole("shared", "shared_sources", what, shared)
    relays = [item for item in state.connectors if item.enabled and {SUBMIT, ANY_RECIPIENT} <= item.anonymous_rights]
    singles = [item for connector in relays for item in connector.remote_ip_ranges if item.size == 1]
    in_ranges = subtract(relaying, singles)
    public = tuple(item for item in globally_routable(in_ranges) if item.version == 4)
    if public:
        what = f"globally routable addresses could relay that are not listed one by one ({_list(public)})"
        yield Hole("public", "remote_ip_ranges", what, public)
    wide = tuple(item for item in in_ranges if item.version == 6)
    if wide:
        what = f"IPv6 addresses could relay that are not listed one by one ({_list(wide)})"
        yield Hole("ipv6", "remote_ip_ranges", what, wide)


def _list(ranges: tuple[AddressRange, ...]) -> str:
    return listed(ranges, _SHOWN)


def _keep_built_in(before: tuple[State, Policy], after: tuple[State, Policy]) -> list[str]:
    """Warnings; a built-in connector stays, enabled, and takes the inbound mail that it took."""
    warnings = []
    for old in before[0].connectors:
        if not before[0].is_built_in(old.name):
            continue
        where = f"connector '{old.name}'"
        new = after[0].connector(old.name)
        if new is None:
            way_out = "Leave it; make connectors of your own beside it."
            raise GuardError("a built-in connector cannot be deleted", where=where, way_out=way_out)
        if old.enabled and not new.enabled:
            way_out = "Leave it enabled; it takes inbound mail."
            raise GuardError("a built-in connector cannot be disabled", where=where, way_out=way_out)
        _keep_inbound(old, new, before[1], after[1])
        gone = [binding for binding in old.bindings if binding not in new.bindings]
        warnings += [f"{where}: inbound mail is no longer taken on {binding}." for binding in gone]
    return warnings


def _keep_inbound(old: Connector, new: Connector, before: Policy, after: Policy) -> None:
    """Who on the Internet could send to us through it must still be able to, whichever connector takes him now."""
    kept = set(old.bindings) & set(new.bindings)
    for binding in [*sorted(kept), *(other for other, _intervals in after.bindings if other.wildcard in kept)]:
        was = [item for item in before.at(binding) if _takes_inbound(before, item, old.name)]
        now = [item for item in after.at(binding) if after.rules[item.rule].inbound]
        lost = globally_routable(subtract(map(as_range, was), map(as_range, now)))
        if lost:
            what = f"a built-in connector would no longer take inbound mail of {_list(lost)} on {binding}"
            way_out = "Keep AnonymousUsers and its ranges, or let another connector take that mail."
            raise GuardError(what, where=f"connector '{old.name}'", way_out=way_out)


def _takes_inbound(policy: Policy, interval: Interval, name: str) -> bool:
    rule = policy.rules[interval.rule]
    return rule.inbound and rule.connector == name
