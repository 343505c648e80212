# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_binding, parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import GuardError, InputError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import (
    Limits,
    guard,
    parse_sources,
    plaintext_passwords,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import oracle
from support.scale import examples
from support.strategies import random_narrowing, random_session, random_state

RELAY = (ExtendedRight(ANONYMOUS, ANY_RECIPIENT),)
EMPTY = State()
EVERYBODY = parse_sources(["0.0.0.0/0", "::/0"])
SEEDS = st.integers(0, (1 << 32) - 1)


def relay(*ranges: str, name: str = "Scan", built_in: tuple[str, ...] = (), domains: tuple[str, ...] = ()) -> State:
    connector = Connector(
        name=name,
        bindings=(parse_binding("0.0.0.0:25", "x"), parse_binding("[::]:25", "x")),
        remote_ip_ranges=tuple(parse_range(item, "x") for item in ranges),
        permission_groups=("AnonymousUsers",),
        extended_rights=RELAY,
    )
    return State((connector,), tuple(AcceptedDomain(item) for item in domains), built_in)


def check(before: State, after: State, **limits: Any) -> list[str]:
    return guard((before, before.policy), (after, after.policy), Limits(**limits))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (
            relay("10.0.0.0/23"),
            "max_relay_addresses: 512 addresses could relay anywhere without AUTH, 256 are allowed (10.0.0.0/23)",
        ),
        (relay("0.0.0.0/0"), "4294967296 addresses"),
        (relay("8.8.8.0/31"), "globally routable addresses could relay that are not listed one by one (8.8.8.0/31)"),
        (relay("10.0.0.0/25", "9.255.255.255-10.0.0.3"), "not listed one by one (9.255.255.255)"),
        (relay("fd00::/127"), "IPv6 addresses could relay that are not listed one by one (fd00::/127)"),
        (
            relay("10.0.0.1", name="Default x", built_in=("default X",)),
            "built-in connector; use a connector of its own",
        ),
        (relay(domains=("*",)), "accepted domain '*': anybody could send"),
        (relay(domains=("*.com",)), "accepted domain '*.com'"),
        (relay(domains=("local",)), "accepted domain 'local'"),
    ],
)
def test_a_new_hole_is_refused_with_the_way_out(state: State, says: str) -> None:
    with pytest.raises(GuardError) as caught:
        check(EMPTY, state)
    assert says in str(caught.value)
    assert "allow_open_relay: true" in str(caught.value)


@pytest.mark.parametrize(
    "state",
    [
        relay("10.0.0.0/24"),
        relay("8.8.8.8", "8.8.8.9", "2001:4860::8888", "fd00::1"),
        relay("10.0.0.0/8").__class__(),
        replace(relay("0.0.0.0/0"), connectors=(replace(relay("0.0.0.0/0").connectors[0], extended_rights=()),)),
        replace(relay("0.0.0.0/0"), connectors=(replace(relay("0.0.0.0/0").connectors[0], enabled=False),)),
        relay(domains=("corp.test", "*.corp.test")),
    ],
)
def test_what_is_no_hole_passes_without_a_word(state: State) -> None:
    assert check(EMPTY, state) == []


def test_the_limit_is_an_option() -> None:
    assert check(EMPTY, relay("10.0.0.0/23"), max_relay_addresses=512) == []
    with pytest.raises(GuardError, match=r"2 addresses .*, 1 are allowed"):
        check(EMPTY, relay("10.0.0.1", "10.0.0.2"), max_relay_addresses=1)


def test_an_address_on_two_bindings_counts_once() -> None:
    assert check(EMPTY, relay("10.0.0.1"), max_relay_addresses=1) == []


def test_allow_open_relay_passes_and_warns() -> None:
    warnings = check(EMPTY, relay("0.0.0.0/0"), allow_open_relay=True)
    assert len(warnings) == 2
    assert all(warning.startswith("OPEN RELAY RISK, passed by allow_open_relay: ") for warning in warnings)


def test_a_hole_that_was_there_warns_and_does_not_block_narrowing() -> None:
    narrower = check(relay("0.0.0.0/0"), relay("0.0.0.0/1"))
    assert len(narrower) == 2
    assert all(warning.startswith("OPEN RELAY RISK, was so before: ") for warning in narrower)
    assert check(relay(domains=("*",)), relay(domains=("*", "corp.test")))[0].endswith(
        "this whole part of the Internet."
    )


def test_a_hole_that_was_there_does_not_excuse_a_wider_one() -> None:
    with pytest.raises(GuardError, match="max_relay_addresses"):
        check(relay("10.0.0.0/23"), relay("10.0.0.0/22"))
    with pytest.raises(GuardError, match="max_relay_addresses"):
        check(relay("10.0.0.0/22"), relay("10.1.0.0/23"))
    with pytest.raises(GuardError, match=r"accepted domain '\*\.net'"):
        check(relay(domains=("*.com",)), relay(domains=("*.com", "*.net")))


@examples(150)
@given(SEEDS)
def test_what_opens_nothing_passes_whatever_holes_there_were(seed: int) -> None:
    rng = random.Random(seed)
    before = random_state(rng)
    after = random_narrowing(rng, before)
    assume(not after.policy.surface.minus(before.policy.surface))
    for warning in check(before, after, max_relay_addresses=0, shared_sources=EVERYBODY):
        assert warning.startswith("OPEN RELAY RISK, was so before: ")


def opens(before: State, after: State, sessions: list[Session]) -> bool:
    """Whether some peer can send to any domain that could not."""
    mailbox = "x@elsewhere.example"
    return any(oracle.reaches(after, one, mailbox) and not oracle.reaches(before, one, mailbox) for one in sessions)


def test_what_opens_one_address_to_any_domain_is_seen() -> None:
    rng = random.Random(3)
    seen = 0
    while seen < 100:
        before = random_state(rng)
        ours = tuple(item for item in before.accepted_domains if item.name != "*")  # by which everybody reaches any
        before = replace(before, accepted_domains=ours)
        after = replace(random_state(rng), accepted_domains=ours)
        if opens(before, after, [random_session(rng) for _number in range(20)]):
            seen += 1
            with pytest.raises(GuardError, match="max_relay_addresses"):
                check(before, after, max_relay_addresses=0)
            with pytest.raises(GuardError, match="shared_sources: "):
                check(before, after, max_relay_addresses=1 << 129, shared_sources=EVERYBODY)


def test_a_shared_source_is_refused_listed_or_not() -> None:
    shared = parse_sources(["10.0.0.5", "192.168.0.0/24"])
    for ranges, seen in ((("10.0.0.5",), "10.0.0.5"), (("10.0.0.0/29", "192.168.0.9"), "10.0.0.5, 192.168.0.9")):
        with pytest.raises(GuardError) as caught:
            check(EMPTY, relay(*ranges), shared_sources=shared)
        assert str(caught.value) == (
            f"shared_sources: addresses that many clients arrive from could relay ({seen}). "
            "Narrow it, or set allow_open_relay: true if this is meant."
        )
    assert check(EMPTY, relay("10.0.0.6"), shared_sources=shared) == []
    warning = check(EMPTY, relay("10.0.0.5"), shared_sources=shared, allow_open_relay=True)
    assert warning[0].startswith("OPEN RELAY RISK, passed by allow_open_relay: shared_sources: ")
    old = check(relay("10.0.0.5", "10.0.0.6"), relay("10.0.0.5"), shared_sources=shared)
    assert old[0].startswith("OPEN RELAY RISK, was so before: shared_sources: ")


def test_a_shared_source_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InputError, match=r"shared_sources\[1\]: not an IP address, got 'balancer'"):
        parse_sources(["10.0.0.1", "balancer"])


def limited(*patterns: str) -> State:
    state = relay("10.0.0.0/23")
    return replace(state, connectors=(replace(state.connectors[0], allowed_recipients=patterns),))


def test_a_relay_to_some_domains_only_counts_and_does_not_excuse_one_to_any() -> None:
    with pytest.raises(GuardError, match="512 addresses"):
        check(EMPTY, limited("outside.test"))
    assert "was so before" in check(limited("outside.test"), limited("outside.test"))[0]
    for wider in (("outside.test", "more.test"), ()):
        with pytest.raises(GuardError, match="512 addresses"):
            check(limited("outside.test"), limited(*wider))


BRANCH = (AcceptedDomain("branch.test", "InternalRelay"),)


def test_a_change_that_opens_nothing_more_passes_however_it_is_written() -> None:
    """Singles become a range; a domain is accepted beside a hole, or becomes one of the allowed recipients."""
    everybody = replace(limited().connectors[0], extended_rights=())
    pairs = [
        (relay("8.8.8.0", "8.8.8.1"), relay("8.8.8.0/31")),
        (limited("outside.test"), replace(limited("outside.test"), accepted_domains=BRANCH)),
        (State((everybody,), BRANCH), limited("branch.test")),
    ]
    for before, after in pairs:
        warnings = check(before, after)
        assert warnings
        assert all(warning.startswith("OPEN RELAY RISK, was so before: ") for warning in warnings)


def test_who_reaches_accepted_domains_only_is_not_counted() -> None:
    everybody = replace(relay("0.0.0.0/0"), accepted_domains=BRANCH)
    inbound = replace(everybody, connectors=(replace(everybody.connectors[0], extended_rights=()),))
    assert check(EMPTY, inbound, max_relay_addresses=0, shared_sources=EVERYBODY) == []
    open_before = replace(everybody, accepted_domains=())
    assert all("was so before" in warning for warning in check(open_before, everybody))


def built_in(**changes: object) -> State:
    state = relay("0.0.0.0/0", name="Default x", built_in=("Default X",))
    connector = replace(state.connectors[0], **{"extended_rights": (), **changes})  # type: ignore[arg-type]
    return replace(state, connectors=(connector,))


def beside(*ranges: str, binding: str = "0.0.0.0:25") -> State:
    """The built-in connector and one that takes these ranges from it and lets nobody submit."""
    state = built_in()
    taken = tuple(parse_range(item, "x") for item in ranges)
    other = Connector("A", bindings=(parse_binding(binding, "x"),), remote_ip_ranges=taken)
    return replace(state, connectors=(other, *state.connectors))


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (replace(built_in(), connectors=()), "connector 'Default x': a built-in connector cannot be deleted"),
        (built_in(enabled=False), "a built-in connector cannot be disabled"),
        (built_in(permission_groups=()), "would no longer take inbound mail"),
        (built_in(remote_ip_ranges=()), "no longer take inbound mail of .* on 0.0.0.0:25"),
        (built_in(remote_ip_ranges=(parse_range("10.0.0.0/8", "x"),)), "no longer take inbound mail"),
        (built_in(extended_rights=(ExtendedRight(ANONYMOUS, ANY_SENDER, deny=True),)), "no longer take inbound mail"),
        (beside("0.0.0.0/1", "128.0.0.0/1"), "no longer take inbound mail of 1.0.0.0-"),
        (beside("0.0.0.0/0", binding="192.0.2.1:25"), "no longer take inbound mail of .* on 192.0.2.1:25"),
    ],
)
def test_a_built_in_connector_stays_whatever_is_allowed(after: State, says: str) -> None:
    with pytest.raises(GuardError, match=says):
        check(built_in(), after, allow_open_relay=True)


def test_a_built_in_connector_may_be_changed_and_others_may_go() -> None:
    assert check(built_in(), built_in(comment="x", banner="220 x")) == []
    assert check(built_in(), beside("10.0.0.0/8", "192.168.0.0/16")) == [], "private addresses are ours to arrange"
    assert check(relay("10.0.0.1"), EMPTY) == []


def test_a_built_in_connector_stays_wherever_it_stands_among_others() -> None:
    before = beside("10.0.0.0/8")
    with pytest.raises(GuardError, match="connector 'Default x': a built-in connector cannot be deleted"):
        check(before, replace(before, connectors=before.connectors[:1]))


def test_only_the_inbound_mail_of_built_in_connectors_is_kept_for_them() -> None:
    """What another connector takes, its owner may refuse."""
    before = beside("8.8.8.0/24")
    other = replace(before.connectors[0], permission_groups=("AnonymousUsers",))
    open_before = replace(before, connectors=(other, before.connectors[1]))
    assert check(open_before, before) == []


def test_auth_in_the_clear_is_worth_a_word() -> None:
    safe = Connector("Safe", auth_mechanism=("Tls", "BasicAuth", "BasicAuthRequireTLS"))
    assert plaintext_passwords([safe, Connector("None"), Connector("Open", auth_mechanism=("Tls", "BasicAuth"))]) == [
        "connector 'Open', auth_mechanism: passwords may travel in the clear. Add BasicAuthRequireTLS."
    ]


def test_a_built_in_connector_may_move_and_the_warning_says_from_where() -> None:
    moved = built_in(bindings=(parse_binding("0.0.0.0:2525", "x"),))
    assert check(built_in(), moved) == [
        "connector 'Default x': inbound mail is no longer taken on 0.0.0.0:25.",
        "connector 'Default x': inbound mail is no longer taken on [::]:25.",
    ]


def test_a_device_may_be_taken_out_of_a_built_in_connector() -> None:
    scan = replace(relay("8.8.8.8").connectors[0], bindings=built_in().connectors[0].bindings)
    assert check(built_in(), replace(built_in(), connectors=(*built_in().connectors, scan))) == []


def test_a_hole_does_not_move_to_another_binding() -> None:
    """On loopback only this host relays; on every address the world would."""
    inside = relay("0.0.0.0/0")
    connector = replace(inside.connectors[0], bindings=(parse_binding("127.0.0.1:25", "x"),))
    inside = replace(inside, connectors=(connector,))
    with pytest.raises(GuardError, match="max_relay_addresses"):
        check(inside, relay("0.0.0.0/0"))
    for more in ("0.0.0.0:25", "127.0.0.1:26"):
        wider = replace(connector, bindings=(*connector.bindings, parse_binding(more, "x")))
        with pytest.raises(GuardError):
            check(inside, replace(inside, connectors=(wider,)))


def test_only_a_connector_that_relays_lists_addresses_one_by_one() -> None:
    state = relay("8.8.8.0/31")
    singles = tuple(parse_range(item, "x") for item in ("8.8.8.0", "8.8.8.1"))
    decoy = Connector("Decoy", False, (parse_binding("127.0.0.1:9", "x"),), singles, ("AnonymousUsers",), RELAY)
    for other in (decoy, replace(decoy, enabled=True, extended_rights=())):
        with pytest.raises(GuardError, match="globally routable"):
            check(EMPTY, replace(state, connectors=(other, *state.connectors)))
