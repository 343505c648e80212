# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random states and sessions, and hypothesis strategies of them.

Few addresses, bindings and domains, so that ranges meet, nest and touch and many sessions reach a connector. Made from
a seed and not drawn piece by piece: hypothesis likes small values, and a policy without connectors refuses everything.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import BITS, AddressRange, Binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from ansible_collections.mailops.relay.plugins.module_utils._connector.merge import validate
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector, State
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    AUTHENTICATED,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session

T = TypeVar("T")
BASE = {4: 0x7F000000, 6: 0xFD00 << 112}
SPAN = 40
PORTS = (25, 25, 25, 587)
RIGHTS = (
    "ms-Exch-SMTP-Submit",
    "ms-Exch-SMTP-Accept-Any-Recipient",
    "ms-Exch-SMTP-Accept-Any-Sender",
    "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender",
)
GROUP_CHOICES = (("AnonymousUsers",), ("AnonymousUsers",), ("AnonymousUsers", "ExchangeUsers"), ("ExchangeUsers",), ())
MECHANISM_CHOICES = ((), ("Tls",), ("BasicAuth",), ("Tls", "BasicAuth"), ("Tls", "BasicAuth", "BasicAuthRequireTLS"))
PATTERNS = ("*", "corp.test", "*.test", "s@corp.test", "stranger.test", "outside.test", "v@outside.test")
ACCOUNTS = (None, None, None, frozenset({"s@corp.test"}), frozenset({"s@stranger.test", "s@sub.corp.test"}))
CERTIFICATE = "/nowhere/relay.pem"
DOMAINS = ("corp.test", "*.corp.test", "branch.corp.test", "partner.test")
SENDERS = (
    "<>",
    "<s@corp.test>",
    "<s@sub.corp.test>",
    "<s@stranger.test>",
    "<S@CORP.TEST>",
    "<s>",
    "s@corp.test",
    '<"s"@x.test>',
)
RECIPIENTS = (
    "<v@corp.test>",
    "<v@outside.test>",
    "<v@a.corp.test>",
    "<v@corp.test.outside.test>",
    "<V@Outside.Test>",
    "<postmaster>",
    "<POSTMASTER>",
    "<postmaster@outside.test>",
    "<v@partner.test>",
    "<v@outside.test.>",
    "<v%outside.test@corp.test>",
    "<outside.test!v@corp.test>",
    '<"v@outside.test"@corp.test>',
    "<v@outside.test@corp.test>",
    "<@corp.test:v@outside.test>",
    "<v@[203.0.113.9]>",
    "<v@203.0.113.9>",
    "<v>",
    "<@corp.test>",
    "<v@>",
    "v@corp.test",
    "<v.@corp.test>",
    "<v@-corp.test>",
    "<" + "v" * 65 + "@corp.test>",
)


def _version(rng: random.Random) -> int:
    return rng.choice((4, 4, 4, 6))


def _some(rng: random.Random, make: Callable[[random.Random], T], least: int, most: int) -> tuple[T, ...]:
    found: set[Any] = {make(rng) for _number in range(rng.randint(least, most))}
    return tuple(sorted(found))


def random_range(rng: random.Random) -> AddressRange:
    version = _version(rng)
    if rng.random() < 0.3:
        return AddressRange(version, 0, (1 << BITS[version]) - 1)
    low = rng.randrange(SPAN)
    high = min(SPAN - 1, low + rng.choice((0, 0, 1, 3, 7, 15)))
    return AddressRange(version, BASE[version] + low, BASE[version] + high)


def random_binding(rng: random.Random) -> Binding:
    version, offset = _version(rng), rng.choice((0, 1, 2))
    return Binding(version, offset and BASE[version] + offset, rng.choice(PORTS))


def random_right(rng: random.Random) -> ExtendedRight:
    principal = rng.choice((ANONYMOUS, ANONYMOUS, AUTHENTICATED))
    return ExtendedRight(principal, rng.choice(RIGHTS), rng.random() < 0.4)


def random_connector(rng: random.Random, name: str) -> Connector:
    connector = Connector(
        name=name,
        enabled=rng.random() < 0.9,
        bindings=_some(rng, random_binding, 1, 4),
        remote_ip_ranges=_some(rng, random_range, 0, 5),
        permission_groups=rng.choice(GROUP_CHOICES),
        extended_rights=_some(rng, random_right, 0, 3),
        fqdn=rng.choice(("", "mail.corp.test")),
        banner=rng.choice(("", "220 hello")),
        max_message_size=rng.choice((65536, 1 << 20, 36 << 20)),
        auth_mechanism=rng.choice(MECHANISM_CHOICES),
        tls_certificate_file=CERTIFICATE,
        tls_key_file=CERTIFICATE,
        allowed_senders=_some(rng, lambda rng: rng.choice(PATTERNS), 0, 2),
        allowed_recipients=_some(rng, lambda rng: rng.choice(PATTERNS), 0, 2),
        comment=rng.choice(("", "plain", "two\nlines", "quote' \" $(x) \\ \u00fc \u2028")),
    )
    return replace(connector, require_tls="Tls" in connector.auth_mechanism and rng.random() < 0.3)


def random_domains(rng: random.Random) -> tuple[AcceptedDomain, ...]:
    types = ("Authoritative", "Authoritative", "InternalRelay", "ExternalRelay")
    names = sorted(name for name in DOMAINS if rng.random() < 0.7)
    return tuple(AcceptedDomain(name, rng.choice(types), "192.0.2.1:25") for name in names)


def random_state(rng: random.Random) -> State:
    """A valid state of up to six connectors; one that would break the overlap rule is left out."""
    state = State(domains=random_domains(rng))
    for name in ("A", "b", "C", "d", "E", "f")[: rng.choice((0, 1, 3, 4, 5, 6))]:
        wider = replace(state, connectors=(*state.connectors, random_connector(rng, name)))
        try:
            validate(wider)
        except RelayError:
            continue
        state = wider
    return state


def random_session(rng: random.Random) -> Session:
    version = _version(rng)
    local = Binding(version, BASE[version] + rng.choice((1, 2, 3)), rng.choice(PORTS))
    number = rng.randrange(1 << BITS[version]) if rng.random() < 0.1 else BASE[version] + rng.randint(1, SPAN)
    peer = Peer(version, number)
    return Session(
        local, peer, pick(rng, SENDERS), pick(rng, RECIPIENTS), tls=rng.random() < 0.4, account=rng.choice(ACCOUNTS)
    )


def pick(rng: random.Random, paths: Sequence[str]) -> str:
    """A path, more often one of the well-formed ones, which come first."""
    return rng.choice(paths[:5]) if rng.random() < 0.7 else rng.choice(paths)


_seeds = st.integers(0, (1 << 32) - 1).map(random.Random)


def states() -> st.SearchStrategy[State]:
    return _seeds.map(random_state)


def sessions(count: int) -> st.SearchStrategy[list[Session]]:
    return _seeds.map(lambda rng: [random_session(rng) for _number in range(count)])
