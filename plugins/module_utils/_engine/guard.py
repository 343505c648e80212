# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse a change that would make the server an open relay, stop inbound mail, or take a built-in connector away.

A hole that was there before is a warning and never blocks a change that narrows it. "There before" is judged by
addresses, and by what the server was given to run. Addresses of which it is not known whether they relay count as
relaying, before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .._connector.addresses import AddressRange, intersect, parse_range, subtract, union
from .._connector.errors import GuardError, InputError
from .._connector.model import Connector
from .._connector.rights import ANY_RECIPIENT, SUBMIT
from .._connector.settings import MAX_RELAY_ADDRESSES, Settings, loosened, parse_limit
from .._policy.compile import Policy
from .._policy.routable import globally_routable
from .._policy.rule import as_range
from .._policy.state import State
from .._policy.surface import listed
from .backend import Reading
from .doubts import doubts
from .inbound import Loss, inbound_losses

_SHOWN = 5
_WAY_OUT = "Narrow it, or set allow_open_relay: true if this is meant."
_INBOUND_WAY_OUT = "Leave that as it is, or set allow_inbound_loss: true if this is meant."


@dataclass(frozen=True)
class Limits:
    """:ivar max_relay_addresses: how many addresses may relay anywhere without AUTH, ``None``: as the server has it
    :ivar shared_sources: addresses that many clients arrive from (load balancer, NAT, proxy)
    :ivar allow_open_relay: pass what would open the server, with a warning
    :ivar allow_inbound_loss: pass what would stop inbound mail, with a warning
    :ivar given_up: accepted domains that the task removes by their names
    """

    max_relay_addresses: int | None = None
    shared_sources: tuple[AddressRange, ...] = ()
    allow_open_relay: bool = False
    allow_expired_certificate: bool = False
    allow_inbound_loss: bool = False
    given_up: tuple[str, ...] = ()

    def tightened(self, settings: Settings | None) -> Limits:
        """With those of the server, which a task may tighten and never loosen.

        :raises InputError: ``max_relay_addresses`` exceeds that of the server
        """
        own = self.max_relay_addresses
        if settings is None:
            return replace(self, max_relay_addresses=MAX_RELAY_ADDRESSES if own is None else own)
        most = settings.max_relay_addresses
        if own is not None and own > most:
            way_out = "Leave it out or give less; the limit of the server is an option of relay_settings."
            raise InputError(f"the server allows {most}", where="max_relay_addresses", value=own, way_out=way_out)
        sources = union([*settings.shared_sources, *self.shared_sources])
        return replace(self, max_relay_addresses=most if own is None else own, shared_sources=sources)


@dataclass(frozen=True)
class Hole:
    """Something that should not be; ``is_new``: it was not so before, or not for all of its addresses."""

    where: str
    what: str
    is_new: bool


def guard(before: Reading, wanted: State, limits: Limits) -> list[str]:
    """Compare what the server was given to run with what is wanted.

    :param limits: those of the task
    :returns: warnings
    :raises GuardError: the change opens a hole, stops inbound mail, or takes away a built-in connector
    :raises UnknownRightsError: nobody let us read who has which right
    """
    limits = limits.tightened(wanted.settings)
    _keep_built_in(before.state, wanted)
    warnings = [*loosened(before.state.settings, wanted.settings), *_inbound(before, wanted, limits)]
    warnings += _doubts(before.state, wanted)
    for hole in _holes(before.policy, wanted, limits):
        if hole.is_new and not limits.allow_open_relay:
            raise GuardError(hole.what, where=hole.where, way_out=_WAY_OUT)
        reason = "passed by allow_open_relay" if hole.is_new else "was so before"
        warnings.append(f"OPEN RELAY RISK, {reason}: {hole.where}: {hole.what}.")
    return warnings


def parse_limits(max_relay_addresses: object, shared_sources: Iterable[object] | None) -> Limits:
    """The options of a task.

    :raises InputError: less than no addresses; an entry that is no address, range or CIDR block
    """
    most = None if max_relay_addresses is None else parse_limit(max_relay_addresses, "max_relay_addresses")
    texts = enumerate(shared_sources or ())
    return Limits(most, tuple(parse_range(text, f"shared_sources[{number}]") for number, text in texts))


def plaintext_passwords(changed: Iterable[Connector]) -> list[str]:
    """A warning for each changed connector on which accounts may log in without TLS."""
    return [
        f"connector '{item.name}', auth_mechanism: passwords may travel in the clear. Add BasicAuthRequireTLS."
        for item in changed
        if "BasicAuth" in item.auth_mechanism and "BasicAuthRequireTLS" not in item.auth_mechanism
    ]


def _holes(before: Policy, wanted: State, limits: Limits) -> Iterator[Hole]:
    granted = wanted.policy.granted_surface
    opened = granted.at_most.minus(before.surface.at_most).addresses
    found = [*_surface_holes(granted.addresses, wanted, limits), *_built_in_holes(wanted)]
    yield from (Hole(where, what, bool(intersect(addresses, opened))) for where, what, addresses in found)
    yield from _domain_holes(before, wanted)


def _surface_holes(
    relaying: tuple[AddressRange, ...], state: State, limits: Limits
) -> Iterator[tuple[str, str, tuple[AddressRange, ...]]]:
    count, allowed = sum(item.size for item in relaying), limits.max_relay_addresses
    if allowed is not None and count > allowed:
        what = f"{count} addresses could relay anywhere without AUTH, {allowed} are allowed ({_list(relaying)})"
        yield "max_relay_addresses", what, relaying
    shared = intersect(relaying, limits.shared_sources)
    if shared:
        yield "shared_sources", f"addresses that many clients arrive from could relay ({_list(shared)})", shared
    relays = [item for item in state.connectors if item.enabled and {SUBMIT, ANY_RECIPIENT} <= item.possible_rights]
    singles = [item for connector in relays for item in connector.remote_ip_ranges if item.size == 1]
    in_ranges = subtract(relaying, singles)
    public = tuple(item for item in globally_routable(in_ranges) if item.version == 4)
    if public:
        what = f"globally routable addresses could relay that are not listed one by one ({_list(public)})"
        yield "remote_ip_ranges", what, public
    wide = tuple(item for item in in_ranges if item.version == 6)
    if wide:
        yield "remote_ip_ranges", f"IPv6 addresses could relay that are not listed one by one ({_list(wide)})", wide


def _built_in_holes(state: State) -> Iterator[tuple[str, str, tuple[AddressRange, ...]]]:
    what = "anonymous senders could relay anywhere through a built-in connector; use a connector of its own"
    for number, rule in enumerate(state.policy.rules):
        relays = rule.anonymous_relay or state.policy.perhaps.get(number, rule).anonymous_relay
        if relays and state.is_built_in(rule.connector):
            intervals = (item for _binding, found in state.policy.bindings for item in found if item.rule == number)
            yield f"connector '{rule.connector}', extended_rights", what, union(map(as_range, intervals))


def _domain_holes(before: Policy, wanted: State) -> Iterator[Hole]:
    what = "anybody could send to this whole part of the Internet"
    opened = wanted.policy.surface.at_most.minus(before.surface.at_most)
    for domain in (item for item in wanted.accepted_domains if item.is_wide):
        is_new = domain.name not in before.domains_by_name or bool(opened.reaching(domain.name))
        yield Hole(f"accepted domain '{domain.name}'", what, is_new)


def _doubts(before: State, wanted: State) -> list[str]:
    """What is new of it, and for whom it is not known whether they relay."""
    unknown = wanted.policy.granted_surface.unknown
    known = {text for item in before.connectors for text in doubts(item)}
    found = [text for item in wanted.connectors for text in doubts(item) if text not in known]
    return [*found, f"RELAYING NOT KNOWN, counted as relaying: {_list(unknown)}."] if unknown else found


def _list(ranges: tuple[AddressRange, ...]) -> str:
    return listed(ranges, _SHOWN)


def _keep_built_in(before: State, wanted: State) -> None:
    """A built-in connector stays, and stays enabled."""
    for old in (item for item in before.connectors if before.is_built_in(item.name)):
        where = f"connector '{old.name}'"
        new = wanted.connector(old.name)
        if new is None:
            way_out = "Leave it; make connectors of your own beside it."
            raise GuardError("a built-in connector cannot be deleted", where=where, way_out=way_out)
        if old.enabled and not new.enabled:
            way_out = "Leave it enabled; it takes inbound mail."
            raise GuardError("a built-in connector cannot be disabled", where=where, way_out=way_out)


def _inbound(before: Reading, wanted: State, limits: Limits) -> list[str]:
    warnings = []
    # a daemon may have loaded a policy before it was broken: what is defined is what it took then
    taking = before.policy if before.policy.bindings else before.state.policy
    for loss in inbound_losses(taking, wanted.policy, limits.given_up, limits.shared_sources):
        if not limits.allow_inbound_loss:
            raise GuardError(_said(loss), where="inbound mail", way_out=_INBOUND_WAY_OUT)
        warnings.append(f"INBOUND MAIL LOST, passed by allow_inbound_loss: {_said(loss)}.")
    return warnings


def _said(loss: Loss) -> str:
    count = sum(item.size for item in loss.addresses)
    addresses = f"{_list(loss.addresses)} ({count} {'address' if count == 1 else 'addresses'})"
    how = "with STARTTLS" if loss.tls else "without TLS"
    return f"{addresses} could deliver to {listed(loss.domains, _SHOWN)} on {loss.binding} {how} and no longer can"
