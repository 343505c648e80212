# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse a change that would make the server an open relay, or take a built-in connector away.

A hole that was there before is a warning and never blocks a change that narrows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .._connector.addresses import AddressRange, subtract
from .._connector.errors import GuardError
from .._connector.model import State
from .._connector.rights import ANY_RECIPIENT, SUBMIT
from .._policy.compile import Policy
from .._policy.special import globally_routable
from .._policy.surface import surface

_SHOWN = 5
_WAY_OUT = "Narrow it, or set allow_open_relay: true if this is meant."


@dataclass(frozen=True)
class Limits:
    """:ivar max_relay_addresses: how many addresses may relay anywhere without AUTH
    :ivar allow_open_relay: pass what the guard would refuse, with a warning
    """

    max_relay_addresses: int = 256
    allow_open_relay: bool = False


@dataclass(frozen=True)
class Hole:
    """A finding. ``sort`` and ``where`` identify it before and after a change; ``addresses`` are those concerned."""

    sort: str
    where: str
    what: str
    addresses: tuple[AddressRange, ...] = ()


def guard(before: tuple[State, Policy], after: tuple[State, Policy], limits: Limits) -> list[str]:
    """Compare two states and their policies.

    :returns: warnings
    :raises GuardError: the change opens a hole, or takes away a built-in connector
    """
    _keep_built_in(before[0], after[0])
    known = list(_holes(*before, limits))
    warnings = []
    for hole in _holes(*after, limits):
        old = _was_there(hole, known)
        if not (old or limits.allow_open_relay):
            raise GuardError(hole.what, where=hole.where, way_out=_WAY_OUT)
        reason = "was so before" if old else "passed by allow_open_relay"
        warnings.append(f"OPEN RELAY RISK, {reason}: {hole.where}: {hole.what}.")
    return warnings


def _was_there(hole: Hole, known: Iterable[Hole]) -> bool:
    same = [item for item in known if (item.sort, item.where) == (hole.sort, hole.where)]
    return any(not subtract(hole.addresses, item.addresses) for item in same)


def _holes(state: State, policy: Policy, limits: Limits) -> Iterator[Hole]:
    yield from _surface_holes(state, policy, limits)
    for connector in state.connectors:
        if state.is_built_in(connector.name) and {SUBMIT, ANY_RECIPIENT} <= connector.anonymous_rights:
            what = "anonymous senders could relay anywhere through a built-in connector; use a connector of its own"
            yield Hole("built-in", f"connector '{connector.name}', extended_rights", what)
    for domain in state.domains:
        if domain.name == "*" or "." not in domain.name.removeprefix("*."):
            what = "anybody could send to this whole part of the Internet"
            yield Hole("domain", f"accepted domain '{domain.name}'", what)


def _surface_holes(state: State, policy: Policy, limits: Limits) -> Iterator[Hole]:
    relaying = surface(policy).addresses
    count = sum(item.size for item in relaying)
    if count > limits.max_relay_addresses:
        allowed = limits.max_relay_addresses
        what = f"{count} addresses could relay anywhere without AUTH, {allowed} are allowed ({_list(relaying)})"
        yield Hole("count", "max_relay_addresses", what, relaying)
    singles = [item for connector in state.connectors for item in connector.remote_ip_ranges if item.size == 1]
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
    more = f" and {len(ranges) - _SHOWN} more" if len(ranges) > _SHOWN else ""
    return ", ".join(str(item) for item in ranges[:_SHOWN]) + more


def _keep_built_in(before: State, after: State) -> None:
    for old in before.connectors:
        if not before.is_built_in(old.name):
            continue
        where = f"connector '{old.name}'"
        new = after.connector(old.name)
        if new is None:
            raise GuardError(
                "a built-in connector cannot be deleted",
                where=where,
                way_out="Leave it; make connectors of your own beside it.",
            )
        if old.enabled and not new.enabled:
            raise GuardError(
                "a built-in connector cannot be disabled",
                where=where,
                way_out="Leave it enabled; it takes inbound mail.",
            )
        if SUBMIT in old.anonymous_rights - new.anonymous_rights:
            way_out = "Keep AnonymousUsers in permission_groups, or inbound mail from the Internet stops."
            raise GuardError("a built-in connector would no longer take inbound mail", where=where, way_out=way_out)
