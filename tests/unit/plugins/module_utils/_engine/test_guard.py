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
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    GuardError,
    InputError,
    UnknownRightsError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.settings import Settings
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import (
    Limits,
    guard,
    parse_limits,
    plaintext_passwords,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import ServiceFacts
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import oracle
from support.memory_backend import EVERYTHING
from support.scale import examples
from support.strategies import random_narrowing, random_session, random_state

RELAY = (ExtendedRight(ANONYMOUS, ANY_RECIPIENT),)
EMPTY = State()
EVERYBODY = parse_limits(None, ["0.0.0.0/0", "::/0"]).shared_sources
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
    return guard(Reading(before, ServiceFacts(False, False), EVERYTHING), after, Limits(**limits))


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


def test_a_hole_that_was_there_blocks_nothing_that_is_none() -> None:
    [warning] = check(relay("8.8.8.0/30"), relay("8.8.8.0/30", "10.0.0.1"))
    assert warning.startswith("OPEN RELAY RISK, was so before: remote_ip_ranges: globally routable")


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
    for warning in check(before, after, max_relay_addresses=0, shared_sources=EVERYBODY, allow_inbound_loss=True):
        assert warning.startswith(("OPEN RELAY RISK, was so before: ", "INBOUND MAIL LOST, passed by "))


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
                check(before, after, max_relay_addresses=0, allow_inbound_loss=True)
            with pytest.raises(GuardError, match="shared_sources: "):
                check(
                    before,
                    after,
                    max_relay_addresses=1 << 129,
                    shared_sources=EVERYBODY,
                    allow_inbound_loss=True,
                )


def test_a_shared_source_is_refused_listed_or_not() -> None:
    shared = parse_limits(None, ["10.0.0.5", "192.168.0.0/24"]).shared_sources
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
        parse_limits(None, ["10.0.0.1", "balancer"])


@pytest.mark.parametrize("number", [-1, True, "many", 2**128 + 1, pytest.param(10**5000, id="huge")])
def test_a_limit_that_is_no_number_of_addresses_is_named(number: object) -> None:
    with pytest.raises(InputError, match="max_relay_addresses: not a number of addresses, got"):
        parse_limits(number, None)


SERVER = Settings("relay", "relay.test", None, 20, parse_limits(None, ["10.0.0.5"]).shared_sources)


def test_a_task_tightens_the_limits_of_the_server_and_never_loosens_them() -> None:
    state = replace(relay("10.0.0.0/28"), settings=SERVER)
    with pytest.raises(GuardError, match=r"shared_sources: .*10\.0\.0\.5"):
        check(replace(EMPTY, settings=SERVER), state)
    apart = replace(relay("10.0.1.0/28"), settings=SERVER)
    assert check(replace(EMPTY, settings=SERVER), apart, max_relay_addresses=16) == []
    with pytest.raises(GuardError, match=r"16 addresses .*, 15 are allowed"):
        check(replace(EMPTY, settings=SERVER), apart, max_relay_addresses=15)
    with pytest.raises(GuardError, match=r"shared_sources: .*10\.0\.1\.7"):
        check(replace(EMPTY, settings=SERVER), apart, shared_sources=parse_limits(None, ["10.0.1.7"]).shared_sources)
    with pytest.raises(InputError, match="max_relay_addresses: the server allows 20, got 21") as caught:
        check(replace(EMPTY, settings=SERVER), apart, max_relay_addresses=21)
    assert "relay_settings" in str(caught.value)


def test_a_limit_that_is_loosened_is_said() -> None:
    low, high = replace(EMPTY, settings=SERVER), replace(EMPTY, settings=replace(SERVER, max_relay_addresses=30))
    assert check(low, high) == ["max_relay_addresses is loosened from 20 to 30 addresses."]
    without = replace(EMPTY, settings=replace(SERVER, shared_sources=()))
    assert check(low, without) == ["shared_sources is loosened: 10.0.0.5 may be listed as devices from now on."]
    assert check(high, low) == []


def test_a_limit_below_what_relays_warns_and_never_blocks_narrowing() -> None:
    many = replace(relay("10.0.1.0/28"), settings=SERVER)
    lower = replace(many, settings=replace(SERVER, max_relay_addresses=4))
    assert check(many, lower) == [
        "OPEN RELAY RISK, was so before: max_relay_addresses: 16 addresses could relay anywhere without AUTH, 4 are "
        "allowed (10.0.1.0/28)."
    ]
    narrower = replace(relay("10.0.1.0/29"), settings=lower.settings)
    assert "was so before" in check(lower, narrower)[0]


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
        warnings = check(before, after, given_up=("branch.test",))
        assert warnings
        assert all(warning.startswith("OPEN RELAY RISK, was so before: ") for warning in warnings)


def test_who_reaches_accepted_domains_only_is_not_counted() -> None:
    everybody = replace(relay("0.0.0.0/0"), accepted_domains=BRANCH)
    inbound = replace(everybody, connectors=(replace(everybody.connectors[0], extended_rights=()),))
    assert check(EMPTY, inbound, max_relay_addresses=0, shared_sources=EVERYBODY) == []
    open_before = replace(everybody, accepted_domains=())
    assert all("was so before" in warning for warning in check(open_before, everybody))


def built_in(**changes: object) -> State:
    state = relay("0.0.0.0/0", name="Default x", built_in=("Default X",), domains=("corp.test",))
    connector = replace(state.connectors[0], **{"extended_rights": (), **changes})  # type: ignore[arg-type]
    return replace(state, connectors=(connector,))


def beside(*ranges: str, binding: str = "0.0.0.0:25", **changes: Any) -> State:
    """The built-in connector and one that takes these ranges from it and lets nobody submit."""
    state = built_in()
    taken = tuple(parse_range(item, "x") for item in ranges)
    other = Connector("A", bindings=(parse_binding(binding, "x"),), remote_ip_ranges=taken, **changes)
    return replace(state, connectors=(other, *state.connectors))


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (replace(built_in(), connectors=()), "connector 'Default x': a built-in connector cannot be deleted"),
        (built_in(enabled=False), "a built-in connector cannot be disabled"),
    ],
)
def test_a_built_in_connector_stays_whatever_is_allowed(after: State, says: str) -> None:
    with pytest.raises(GuardError, match=says):
        check(built_in(), after, allow_open_relay=True, allow_inbound_loss=True)


INBOUND, TLS = ("AnonymousUsers",), {"auth_mechanism": ("Tls",)}
DOMAINS = (AcceptedDomain("branch.test"), AcceptedDomain("corp.test"))


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (built_in(permission_groups=()), "could deliver to corp.test on 0.0.0.0:25 without TLS and no longer can"),
        (built_in(remote_ip_ranges=()), "inbound mail: 0.0.0.0/0 "),
        (built_in(remote_ip_ranges=(parse_range("10.0.0.0/8", "x"),)), "corp.test on 0.0.0.0:25"),
        (built_in(extended_rights=(ExtendedRight(ANONYMOUS, ANY_SENDER, deny=True),)), "corp.test on 0.0.0.0:25"),
        (built_in(require_tls=True, **TLS), "corp.test on 0.0.0.0:25"),
        (built_in(implicit_tls=True, **TLS), "corp.test on 0.0.0.0:25"),
        (built_in(bindings=(parse_binding("0.0.0.0:2525", "x"),)), "corp.test on 0.0.0.0:25"),
        (replace(built_in(), accepted_domains=()), "corp.test on 0.0.0.0:25"),
        (replace(built_in(), accepted_domains=DOMAINS[:1]), "corp.test on 0.0.0.0:25"),
        (beside("0.0.0.0/1", "128.0.0.0/1"), "inbound mail: 0.0.0.0/0 "),
        (beside("0.0.0.0/0", binding="192.0.2.1:25"), "corp.test on 192.0.2.1:25"),
        (
            beside("8.8.8.0/24", permission_groups=("AnonymousUsers",), require_tls=True, **TLS),
            r"mail: 8.8.8.0/24 \(256",
        ),
    ],
)
def test_inbound_mail_is_lost_by_consent_only(after: State, says: str) -> None:
    with pytest.raises(GuardError, match=says) as caught:
        check(built_in(), after, allow_open_relay=True)
    assert "allow_inbound_loss: true" in str(caught.value)
    warnings = check(built_in(), after, allow_inbound_loss=True)
    assert warnings
    assert all(warning.startswith("INBOUND MAIL LOST, passed by allow_inbound_loss: ") for warning in warnings)


def test_who_loses_what_is_said_for_each_domain() -> None:
    before = replace(built_in(), accepted_domains=DOMAINS)
    after = replace(before, connectors=built_in(remote_ip_ranges=()).connectors)
    assert check(before, after, allow_inbound_loss=True) == [
        "INBOUND MAIL LOST, passed by allow_inbound_loss: 0.0.0.0/0 (4294967296 addresses) could deliver to "
        "branch.test, corp.test on 0.0.0.0:25 without TLS and no longer can."
    ]


def test_a_domain_removed_by_its_name_is_given_up() -> None:
    before = replace(built_in(), accepted_domains=DOMAINS)
    assert check(before, built_in(), given_up=("branch.test",)) == []
    with pytest.raises(GuardError, match=r"could deliver to branch\.test on"):
        check(before, built_in(), given_up=("corp.test",))


def test_a_wildcard_that_is_purged_is_missed_whatever_is_accepted_below_it() -> None:
    below = tuple(AcceptedDomain(f"{label}.corp.test") for label in ("recipient", "user", "x0", "x1"))
    connectors = built_in().connectors
    before = replace(built_in(), connectors=connectors, accepted_domains=(AcceptedDomain("*.corp.test"), *below))
    with pytest.raises(GuardError, match=r"could deliver to \*\.corp\.test on"):
        check(before, replace(before, accepted_domains=below))


def test_listing_an_address_as_a_device_takes_no_mail_from_it() -> None:
    scan = replace(relay("8.8.8.8").connectors[0], bindings=built_in().connectors[0].bindings)
    assert check(built_in(), replace(built_in(), connectors=(*built_in().connectors, scan))) == []


def test_a_built_in_connector_may_be_changed_and_others_may_go() -> None:
    assert check(built_in(), built_in(comment="x", banner="220 x")) == []
    assert check(built_in(), beside("10.0.0.0/8", "192.168.0.0/16")) == [], "private addresses are ours to arrange"
    assert check(relay("10.0.0.1"), EMPTY) == []


def test_a_built_in_connector_stays_wherever_it_stands_among_others() -> None:
    before = beside("10.0.0.0/8")
    with pytest.raises(GuardError, match="connector 'Default x': a built-in connector cannot be deleted"):
        check(before, replace(before, connectors=before.connectors[:1]))


def test_the_inbound_mail_of_every_connector_is_kept() -> None:
    before = beside("8.8.8.0/24")
    other = replace(before.connectors[0], permission_groups=("AnonymousUsers",))
    open_before = replace(before, connectors=(other, before.connectors[1]))
    with pytest.raises(GuardError, match=r"inbound mail: 8\.8\.8\.0/24"):
        check(open_before, before)
    assert check(before, open_before) == []


def test_auth_in_the_clear_is_worth_a_word() -> None:
    safe = Connector("Safe", auth_mechanism=("Tls", "BasicAuth", "BasicAuthRequireTLS"))
    assert plaintext_passwords([safe, Connector("None"), Connector("Open", auth_mechanism=("Tls", "BasicAuth"))]) == [
        "connector 'Open', auth_mechanism: passwords may travel in the clear. Add BasicAuthRequireTLS."
    ]


def test_a_hole_that_was_consented_to_for_one_address_does_not_excuse_more() -> None:
    """By addresses, never by names: through a built-in connector, to a whole part of the Internet."""
    one = relay("10.0.0.1", name="Default x", built_in=("Default x",))
    two = relay("10.0.0.1", "10.0.0.2", name="Default x", built_in=("Default x",))
    assert "was so before" in check(one, one)[0]
    with pytest.raises(GuardError, match="built-in connector; use a connector of its own"):
        check(one, two)
    wide = (AcceptedDomain("*", "InternalRelay"),)
    few, many = (
        replace(state, connectors=(replace(state.connectors[0], extended_rights=()),), accepted_domains=wide)
        for state in (relay("10.0.0.1"), relay("0.0.0.0/0"))
    )
    assert "was so before" in check(few, few)[0]
    with pytest.raises(GuardError, match=r"accepted domain '\*'"):
        check(few, many)


def test_what_the_server_was_given_to_run_is_before() -> None:
    """A definition that was opened by hand was never run: nothing was so before."""
    reading = Reading(relay("0.0.0.0/0"), ServiceFacts(False, False), EVERYTHING, given=EMPTY.policy)
    with pytest.raises(GuardError, match="max_relay_addresses"):
        guard(reading, relay("0.0.0.0/0"), Limits())


def test_unknown_rights_are_refused() -> None:
    state = relay("10.0.0.1")
    unknown = replace(state, connectors=(replace(state.connectors[0], extended_rights=None),))
    for pair in ((unknown, state), (state, unknown)):
        with pytest.raises(UnknownRightsError, match="connectors 'Scan': the rights of these connectors"):
            check(*pair)


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


def test_who_could_deliver_with_starttls_only_keeps_that() -> None:
    before = built_in(require_tls=True, **TLS)
    for after in (built_in(require_tls=True, remote_ip_ranges=(), **TLS), replace(before, accepted_domains=())):
        with pytest.raises(GuardError, match=r"0\.0\.0\.0/0 .* deliver to corp\.test on 0\.0\.0\.0:25 with STARTTLS"):
            check(before, after)
        assert "with STARTTLS and no longer can" in check(before, after, allow_inbound_loss=True)[0]
    assert check(before, built_in(**TLS)) == []
    with pytest.raises(GuardError, match="with STARTTLS"):
        check(before, built_in(require_tls=True, implicit_tls=True, **TLS))


def test_inbound_mail_that_arrives_from_a_shared_source_is_kept() -> None:
    """Behind a load balancer the whole Internet has one private address."""
    shared = parse_limits(None, ["10.0.0.5"]).shared_sources
    assert check(built_in(), beside("10.0.0.0/8")) == []
    with pytest.raises(GuardError, match=r"inbound mail: 10\.0\.0\.0/8 .* could deliver to corp\.test"):
        check(built_in(), beside("10.0.0.0/8"), shared_sources=shared)
    assert check(built_in(), beside("10.0.0.6"), shared_sources=shared) == []


def test_a_policy_that_cannot_be_read_does_not_hide_whose_inbound_mail_is_lost() -> None:
    """The daemon may have loaded it before it was broken, and run on."""
    reading = Reading(built_in(), ServiceFacts(True, False), EVERYTHING, given=EMPTY.policy)
    with pytest.raises(GuardError, match=r"could deliver to corp\.test on 0\.0\.0\.0:25"):
        guard(reading, built_in(remote_ip_ranges=()), Limits())
    assert guard(reading, built_in(comment="x"), Limits()) == []


def test_a_shared_source_in_another_spelling_is_not_loosened() -> None:
    def server(*ranges: str) -> State:
        return replace(EMPTY, settings=replace(SERVER, shared_sources=parse_limits(None, ranges).shared_sources))

    assert check(server("10.0.0.0/24"), server("10.0.0.0/25", "10.0.0.128-10.0.0.255")) == []
    assert check(server("10.0.0.0/24"), server("10.0.0.0/16")) == []
    assert check(server("10.0.0.0/24"), server("10.0.0.0/25")) == [
        "shared_sources is loosened: 10.0.0.128/25 may be listed as devices from now on."
    ]
