# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies for states and sessions. Few addresses, so that ranges meet, nest and touch."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import AddressRange, Binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from ansible_collections.mailops.relay.plugins.module_utils._connector.merge import validate
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector, State
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ANONYMOUS, ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session

BASE = {4: 0x7F000000, 6: 0xFD00 << 112}
SPAN = 40
RIGHTS = (
    "ms-Exch-SMTP-Submit",
    "ms-Exch-SMTP-Accept-Any-Recipient",
    "ms-Exch-SMTP-Accept-Any-Sender",
    "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender",
)
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

versions = st.sampled_from((4, 4, 6))


@st.composite
def ranges(draw: st.DrawFn) -> AddressRange:
    version = draw(versions)
    if draw(st.integers(0, 9)) == 0:
        return AddressRange(version, 0, (1 << (32 if version == 4 else 128)) - 1)
    low = draw(st.integers(0, SPAN - 1))
    high = min(SPAN - 1, low + draw(st.sampled_from((0, 0, 1, 3, 7, 15))))
    return AddressRange(version, BASE[version] + low, BASE[version] + high)


bindings = st.builds(
    lambda version, offset, port: Binding(version, offset and BASE[version] + offset, port),
    versions,
    st.sampled_from((0, 1, 2)),
    st.sampled_from((25, 587)),
)
extended_rights = st.builds(
    ExtendedRight, st.just(ANONYMOUS), st.sampled_from(RIGHTS), st.sampled_from((False, False, True))
)


def _tuple(items: st.SearchStrategy, most: int, least: int = 0) -> st.SearchStrategy:
    return st.lists(items, min_size=least, max_size=most, unique=True).map(lambda found: tuple(sorted(found)))


@st.composite
def connectors(draw: st.DrawFn, name: str) -> Connector:
    return Connector(
        name=name,
        enabled=draw(st.sampled_from((True, True, True, False))),
        bindings=draw(_tuple(bindings, 3, 1)),
        remote_ip_ranges=draw(_tuple(ranges(), 4)),
        permission_groups=draw(st.sampled_from(((), ("AnonymousUsers",), ("AnonymousUsers",)))),
        extended_rights=draw(_tuple(extended_rights, 3)),
        fqdn=draw(st.sampled_from(("", "mail.corp.test"))),
        banner=draw(st.sampled_from(("", "220 hello"))),
        max_message_size=draw(st.sampled_from((65536, 1 << 20, 36 << 20))),
        comment=draw(st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=8)),
    )


@st.composite
def domains(draw: st.DrawFn) -> tuple[AcceptedDomain, ...]:
    names = draw(st.lists(st.sampled_from(DOMAINS), unique=True))
    types = st.sampled_from(("Authoritative", "InternalRelay", "ExternalRelay"))
    return tuple(AcceptedDomain(name, draw(types), "192.0.2.1:25") for name in sorted(names))


@st.composite
def states(draw: st.DrawFn) -> State:
    """A valid state: connectors that would break the overlap rule are left out."""
    names = draw(st.lists(st.sampled_from(("A", "b", "C", "d", "E")), unique=True))
    state = State(domains=draw(domains()))
    for name in sorted(names, key=str.lower):
        wider = replace(state, connectors=(*state.connectors, draw(connectors(name))))
        try:
            validate(wider)
        except RelayError:
            continue
        state = wider
    return state


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    version = draw(versions)
    local = Binding(version, BASE[version] + draw(st.sampled_from((1, 2, 3))), draw(st.sampled_from((25, 587))))
    number = draw(st.one_of(st.integers(BASE[version], BASE[version] + SPAN), st.integers(0, (1 << 32) - 1)))
    return Session(local, Peer(version, number), draw(st.sampled_from(SENDERS)), draw(st.sampled_from(RECIPIENTS)))
