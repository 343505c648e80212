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
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import CONNECTOR_PROPERTIES
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import Property
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    AUTHENTICATED,
    EXTERNALLY_SECURED,
    ExtendedRight,
    beyond_groups,
    group_entries,
    within_groups,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import conflicts
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State

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
SESSIONS = (ANONYMOUS, AUTHENTICATED, EXTERNALLY_SECURED)
GROUP_CHOICES = (("AnonymousUsers",), ("AnonymousUsers",), ("AnonymousUsers", "ExchangeUsers"), ("ExchangeUsers",), ())
MECHANISM_CHOICES = ((), ("Tls",), ("BasicAuth",), ("Tls", "BasicAuth"), ("Tls", "BasicAuth", "BasicAuthRequireTLS"))
PATTERNS = ("*", "corp.test", "*.test", "s@corp.test", "stranger.test", "outside.test", "v@outside.test")
ACCOUNTS = (None, None, None, frozenset({"*@corp.test"}), frozenset({"s@stranger.test", "s@sub.corp.test"}))
CERTIFICATE = "/nowhere/relay.pem"
DOMAINS = ("corp.test", "*.corp.test", "branch.corp.test", "partner.test")
WIDE_DOMAINS = ("*", "*.test", "test")
SENDERS = (
    "<>",
    "<s@corp.test>",
    "<s@sub.corp.test>",
    "<s@stranger.test>",
    "<S@CORP.TEST>",
    "<s>",
    "s@corp.test",
    '<"s"@x.test>',
    "<s@test>",
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
    "<v@test>",
    "<v@elsewhere.example>",
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
    rights = beyond_groups(connector.permission_groups, connector.known_rights)
    require_tls = "Tls" in connector.auth_mechanism and rng.random() < 0.3
    removed = random_removed(rng, connector.permission_groups)
    return replace(connector, extended_rights=rights, removed_rights=removed, require_tls=require_tls)


def random_removed(rng: random.Random, groups: Sequence[str]) -> tuple[ExtendedRight, ...]:
    """Every third time one or two of the entries of anonymous sessions, trusted servers and accounts."""
    known = sorted(entry for entry in group_entries(groups) if entry.right in RIGHTS and entry.principal in SESSIONS)
    return tuple(sorted(rng.sample(known, min(len(known), rng.choice((0, 0, 0, 0, 1, 2))))))


def as_on_exchange(rng: random.Random, connector: Connector) -> Connector:
    """With inherited entries, and every third time trusting whoever connects."""

    def entry(rng: random.Random) -> ExtendedRight:
        principal = rng.choice((ANONYMOUS, AUTHENTICATED, EXTERNALLY_SECURED))
        return ExtendedRight(principal, rng.choice(RIGHTS), rng.random() < 0.5)

    connector = replace(connector, inherited_rights=_some(rng, entry, 0, 3))
    if rng.random() < 0.3:
        connector = replace(
            connector,
            auth_mechanism=("Tls", "ExternalAuthoritative") if connector.require_tls else ("ExternalAuthoritative",),
            permission_groups=rng.choice((("AnonymousUsers", "ExchangeServers"), ("ExchangeServers",))),
            extended_rights=(*connector.known_rights, *_some(rng, entry, 0, 3)),
        )
        connector = replace(connector, removed_rights=random_removed(rng, connector.permission_groups))
    rights = beyond_groups(connector.permission_groups, connector.known_rights)
    return replace(connector, extended_rights=rights)


EXCHANGE_MECHANISMS = (
    *MECHANISM_CHOICES,
    ("Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer"),
    ("Integrated",),
    ("Tls", "ExternalAuthoritative"),
    ("ExternalAuthoritative",),
)
EXCHANGE_TEXTS: dict[str, tuple[Any, ...]] = {
    "tls_certificate_name": (
        "",
        "0123456789ABCDEF0123456789ABCDEF01234567",
        "<I>CN=R3, O=Let's Encrypt<S>CN=*.corp.test",
    ),
    "tls_domain_capabilities": (
        (),
        ("NO-TLS:AcceptCloudServicesMail",),
        ("a.test:AcceptCloudServicesMail,AcceptOorgProtocol", "b.test:AcceptOorgProtocol"),
    ),
    "service_discovery_fqdn": ("", "find.corp.test"),
    "default_domain": ("", "corp.test", "CN=corp.test,CN=Accepted Domains", "8d3cbb0f-4c4b-4d6f-a1a4-0f0d0c0b0a09"),
}


def random_value(rng: random.Random, row: Property) -> Any:
    """A normalised value of a row that only Exchange has; the ends of a range come often."""
    if row.option in EXCHANGE_TEXTS:
        return rng.choice(EXCHANGE_TEXTS[row.option])
    if row.is_flags:
        return tuple(flag for flag in row.choices if rng.random() < 0.5)
    if row.choices:
        return rng.choice(row.choices)
    if row.least is not None and row.most is not None:
        ends = (row.least, row.most, *((-1,) if row.unlimited else ()))
        return rng.choice((*ends, rng.randint(row.least, row.most), rng.randint(row.least, min(row.most, 5000))))
    return rng.random() < 0.5


def random_exchange_connector(rng: random.Random, name: str) -> Connector:
    """A valid connector with what only Exchange has; some properties are not there, as on an old server."""
    plain = random_connector(rng, name)
    more = {
        row.option: random_value(rng, row)
        for row in CONNECTOR_PROPERTIES
        if getattr(plain, row.option) is None and rng.random() < 0.9
    }
    mechanisms = rng.choice(EXCHANGE_MECHANISMS)
    groups = {group for group in ("AnonymousUsers", "ExchangeUsers", "Partners") if rng.random() < 0.5}
    groups |= {"ExchangeServers"} if "ExternalAuthoritative" in mechanisms else set()
    order = next(row.choices for row in CONNECTOR_PROPERTIES if row.option == "permission_groups")
    tls = "Tls" in mechanisms
    more["require_tls"] = tls and rng.random() < 0.3
    if not tls or "ExternalAuthoritative" in mechanisms:
        more["domain_secure_enabled"] = False
    if more.get("chunking_enabled") is False:
        more["binary_mime_enabled"] = False
    kept = tuple(group for group in order if group in groups)
    more.update(auth_mechanism=mechanisms, permission_groups=kept, removed_rights=random_removed(rng, kept))
    return replace(plain, **{**more, "extended_rights": beyond_groups(kept, plain.known_rights)})


def random_domains(rng: random.Random) -> tuple[AcceptedDomain, ...]:
    types = ("Authoritative", "Authoritative", "InternalRelay", "ExternalRelay")
    chances = {**dict.fromkeys(DOMAINS, 0.7), **dict.fromkeys(WIDE_DOMAINS, 0.1)}
    names = sorted(name for name, chance in chances.items() if rng.random() < chance)
    return tuple(AcceptedDomain(name, rng.choice(types), "192.0.2.1:25") for name in names)


def random_state(rng: random.Random) -> State:
    """A valid state of up to six connectors; one that would break the overlap rule is left out."""
    state = State(accepted_domains=random_domains(rng))
    for name in ("A", "b", "C", "d", "E", "f")[: rng.choice((0, 1, 3, 4, 5, 6))]:
        wider = replace(state, connectors=(*state.connectors, random_connector(rng, name)))
        if not conflicts(wider):
            state = wider
    return normal(state)


def random_unruly_state(rng: random.Random) -> State:
    """As a server may hold it: connectors whose ranges are equal or partly overlap, on one binding."""
    bindings = _some(rng, random_binding, 1, 2)
    connectors: list[Connector] = []
    for name in ("A", "b", "C", "d"):
        made = random_connector(rng, name)
        shared = connectors[-1].remote_ip_ranges if connectors and rng.random() < 0.5 else made.remote_ip_ranges
        connectors.append(replace(made, bindings=bindings, remote_ip_ranges=shared))
    return normal(State(tuple(connectors), random_domains(rng)))


def bundled(state: State) -> State:
    """What a bundled relay can hold: there is no accepted domain of everything."""
    return replace(state, accepted_domains=tuple(item for item in state.accepted_domains if item.name != "*"))


def random_exchange_state(rng: random.Random) -> State:
    """With what the bundled relay cannot hold."""
    state = random_state(rng)
    return replace(state, connectors=tuple(as_on_exchange(rng, item) for item in state.connectors))


def random_change(rng: random.Random, state: State) -> State:
    """A valid state that shares much with ``state``: connectors gone, with other rights or ranges, or with what
    another one had. ``state`` itself if what came out is not valid."""
    connectors = list(state.connectors)
    for _number in range(rng.randint(1, 3) if connectors else 0):
        one, other = rng.randrange(len(connectors)), rng.randrange(len(connectors))
        field = rng.choice(("name", "remote_ip_ranges", "remote_ip_ranges", "bindings"))
        swap = replace(connectors[one], **{field: getattr(connectors[other], field)})
        connectors[other] = replace(connectors[other], **{field: getattr(connectors[one], field)})
        connectors[one] = swap if one != other else _changed(rng, swap)
    connectors = connectors[rng.choice((0, 0, 1)) :]
    domains = state.accepted_domains if rng.random() < 0.7 else random_domains(rng)
    changed = normal(State(tuple(sorted(connectors, key=lambda item: item.key)), domains))
    return state if conflicts(changed) else changed


def _changed(rng: random.Random, connector: Connector) -> Connector:
    other = random_connector(rng, connector.name)
    rights = ("extended_rights", "removed_rights", "permission_groups")
    fields = ("enabled", "remote_ip_ranges", *rights, "allowed_recipients")
    return replace(connector, **{field: getattr(other, field) for field in fields if rng.random() < 0.5})


def normal(state: State) -> State:
    """Without extended rights that the groups grant, and removed ones that they do not."""
    return replace(state, connectors=tuple(map(_normal, state.connectors)))


def _normal(item: Connector) -> Connector:
    return replace(
        item,
        extended_rights=beyond_groups(item.permission_groups, item.known_rights),
        removed_rights=within_groups(item.permission_groups, item.removed_rights),
    )


def random_narrowing(rng: random.Random, state: State) -> State:
    """``state`` with less in it, and a range written in two. Most often that opens nothing."""
    for _number in range(rng.randint(1, 3)):
        change = rng.choice((_less_of_a_connector, _split_a_range, _less_of_a_domain))
        state = change(rng, state)
    return state


def _less_of_a_connector(rng: random.Random, state: State) -> State:
    if not state.connectors:
        return state
    item = rng.choice(state.connectors)
    denied = ExtendedRight(ANONYMOUS, rng.choice(RIGHTS), True)
    changes: tuple[dict[str, Any], ...] = (
        {"enabled": False},
        {"bindings": item.bindings[1:] or item.bindings},
        {"remote_ip_ranges": item.remote_ip_ranges[1:]},
        {"extended_rights": (*item.known_rights, denied)},
        {"removed_rights": random_removed(rng, item.permission_groups) or item.removed_rights},
        {"allowed_recipients": item.allowed_recipients or ("outside.test",)},
    )
    return _with(state, item, replace(item, **rng.choice(changes)))


def _split_a_range(rng: random.Random, state: State) -> State:
    found = [(item, entry) for item in state.connectors for entry in item.remote_ip_ranges if entry.size > 1]
    if not found:
        return state
    item, entry = rng.choice(found)
    halves = (entry._replace(high=entry.low), entry._replace(low=entry.low + 1))
    rest = [other for other in item.remote_ip_ranges if other != entry]
    return _with(state, item, replace(item, remote_ip_ranges=tuple(sorted({*rest, *halves}))))


def _with(state: State, old: Connector, new: Connector) -> State:
    return replace(state, connectors=tuple(new if item is old else item for item in state.connectors))


def _less_of_a_domain(rng: random.Random, state: State) -> State:
    if not state.accepted_domains:
        return state
    item = rng.choice(state.accepted_domains)
    kept = rng.choice(((), (replace(item, type="Authoritative"),)))
    rest = [other for other in state.accepted_domains if other is not item]
    return replace(state, accepted_domains=tuple(sorted([*rest, *kept], key=lambda item: item.key)))


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


def random_pair(rng: random.Random) -> tuple[State, State]:
    """Two states: one changed to another, or two that have nothing in common."""
    state = random_state(rng) if rng.random() < 0.7 else random_exchange_state(rng)
    other = random_change(rng, state) if rng.random() < 0.8 else random_state(rng)
    above = {item.key: item.inherited_rights for item in state.connectors}
    connectors = (replace(item, inherited_rights=above.get(item.key, ())) for item in other.connectors)
    return state, replace(other, connectors=tuple(connectors))


def changes() -> st.SearchStrategy[tuple[State, State]]:
    return _seeds.map(random_pair)


def exchange_states() -> st.SearchStrategy[State]:
    return _seeds.map(random_exchange_state)


def sessions(count: int) -> st.SearchStrategy[list[Session]]:
    return _seeds.map(lambda rng: [random_session(rng) for _number in range(count)])


def exchange_connectors() -> st.SearchStrategy[Connector]:
    return _seeds.map(lambda rng: random_exchange_connector(rng, "A"))
