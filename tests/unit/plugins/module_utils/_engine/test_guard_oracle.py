# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard lets pass, asked of the oracle, which knows no intervals: one session after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import BITS, AddressRange, Binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ExtendedRight,
    beyond_groups,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits, guard
from ansible_collections.mailops.relay.plugins.module_utils._engine.inbound import inbound_losses
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import ServiceFacts
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.routable import globally_routable
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import oracle
from support.memory_backend import EVERYTHING
from support.scale import examples
from support.strategies import BASE, SPAN, random_narrowing, random_pair

SEEDS = st.integers(0, (1 << 32) - 1)
PUBLIC = {4: 0x08080800, 6: 0x20014860 << 96}
SHARED = tuple(AddressRange(4, low + 3, low + 12) for low in (PUBLIC[4], BASE[4]))
INSIDE = {"*": "recipient.example", "*.corp.test": "deep.sub.corp.test", "*.test": "some.test"}


def pair(rng: random.Random) -> tuple[State, State]:
    """Two states with addresses of the Internet, some connectors with implicit TLS."""
    before, after = random_pair(rng)
    if rng.random() < 0.4:
        after = random_narrowing(rng, before)
    moved = rng.random() < 0.7
    implicit = rng.choice(("", "", "A", "C"))
    changed = (
        replace(state, connectors=tuple(_varied(item, moved, item.name == implicit) for item in state.connectors))
        for state in (before, after)
    )
    return next(changed), next(changed)


def _varied(connector: Connector, moved: bool, implicit: bool) -> Connector:
    ranges = tuple(sorted(map(_on_the_internet, connector.remote_ip_ranges))) if moved else connector.remote_ip_ranges
    return replace(connector, remote_ip_ranges=ranges, implicit_tls=implicit and "Tls" in connector.auth_mechanism)


def _on_the_internet(item: AddressRange) -> AddressRange:
    if item.size > SPAN or item.low < BASE[item.version]:
        return item
    shift = PUBLIC[item.version] - BASE[item.version]
    return AddressRange(item.version, item.low + shift, item.high + shift)


def relaying(rng: random.Random, state: State) -> State:
    """``state`` with a connector that relays, most often for few addresses, and as often for single ones."""
    if not state.connectors:
        return state
    item = rng.choice(state.connectors)
    ranges = [entry for entry in item.remote_ip_ranges if entry.size <= SPAN] if rng.random() < 0.8 else ()
    singles = [entry._replace(high=entry.low) for entry in ranges] if rng.random() < 0.5 else ranges
    rights = (*item.known_rights, ExtendedRight(ANONYMOUS, ANY_RECIPIENT))
    changed = replace(
        item,
        enabled=True,
        remote_ip_ranges=tuple(sorted(singles or item.remote_ip_ranges)),
        permission_groups=("AnonymousUsers",),
        extended_rights=beyond_groups(("AnonymousUsers",), rights),
    )
    return replace(state, connectors=tuple(changed if item is other else other for other in state.connectors))


def sessions(rng: random.Random, *states: State) -> Iterator[tuple[Binding, AddressRange]]:
    """Bindings, and clients at the edges of ranges."""
    connectors = [item for state in states for item in state.connectors if item.enabled]
    ranges = {item for connector in connectors for item in connector.remote_ip_ranges}
    edges = {
        (item.version, number)
        for item in ranges
        for number in (item.low - 1, item.low, item.high, item.high + 1)
        if 0 <= number < 1 << BITS[item.version]
    }
    for binding in sorted({binding for connector in connectors for binding in connector.bindings}):
        clients = sorted(number for version, number in edges if version == binding.version)
        for number in rng.sample(clients, min(len(clients), 6)):
            yield binding, AddressRange(binding.version, number, number)


def asked(binding: Binding, client: AddressRange, recipient: str, *, tls: bool = False) -> Session:
    peer = Peer(client.version, client.low)
    return Session(binding, peer, "<s@nobody.invalid>", f"<v@{recipient}>", tls=tls)


def delivers(state: State, session: Session) -> bool:
    connector = oracle.owner(state, session)
    return connector is not None and not connector.implicit_tls and oracle.verdict(state, session) == "250 2.1.5"


@examples(150)
@given(SEEDS)
def test_exactly_who_loses_inbound_mail_is_found(seed: int) -> None:
    rng = random.Random(seed)
    before, after = pair(rng)
    losses = inbound_losses(before.policy, after.policy, (), SHARED)
    for binding, client in sessions(rng, before, after):
        is_front = any(item.holds(client) for item in SHARED)
        for domain in before.accepted_domains if is_front or globally_routable([client]) else ():
            plain, tls = (
                asked(binding, client, INSIDE.get(domain.name, domain.name), tls=encrypted)
                for encrypted in (False, True)
            )
            loses = {
                False: delivers(before, plain) and not delivers(after, plain),
                True: delivers(before, tls) and not (delivers(before, plain) or delivers(after, tls)),
            }
            told = {
                loss.tls
                for loss in losses
                if loss.binding == binding
                and domain.name in loss.domains
                and any(item.holds(client) for item in loss.addresses)
            }
            assert told == {with_tls for with_tls, lost in loses.items() if lost}, (binding, client, domain)


@examples(150)
@given(SEEDS)
def test_who_relays_after_what_passes_is_within_the_limits(seed: int) -> None:
    rng = random.Random(seed)
    before, after = pair(rng)
    after = relaying(rng, after)
    limits = Limits(rng.choice((0, 2, 16, 256)), SHARED, allow_inbound_loss=True)
    try:
        guard(Reading(before, ServiceFacts(False, False), EVERYTHING), after, limits)
    except RelayError:
        return
    listed = {item for connector in after.connectors for item in connector.remote_ip_ranges if item.size == 1}
    for binding, client in sessions(rng, before, after):
        session = asked(binding, client, "elsewhere.example")
        if not oracle.reaches(after, session, "x@elsewhere.example"):
            continue
        if oracle.reaches(before, session, "x@elsewhere.example"):
            continue
        assert limits.max_relay_addresses
        assert not any(item.holds(client) for item in SHARED)
        assert client in listed or (client.version == 4 and not globally_routable([client]))
