# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import (
    AddressRange,
    Binding,
    parse_range,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import (
    Peer,
    Session,
    accepted_domain,
    decide,
    rule_for,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.mailbox import covers, parse_path
from ansible_collections.mailops.relay.plugins.module_utils._policy.routable import globally_routable
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import oracle
from support.scale import scaled
from support.strategies import (
    BASE,
    DOMAINS,
    random_exchange_state,
    random_session,
    random_state,
    random_unruly_state,
    states,
)

POLICIES, SESSIONS = scaled(500), 200
RELAY = (ExtendedRight(ANONYMOUS, ANY_RECIPIENT),)


def connector(name: str, *ranges: str, binding: str = "0.0.0.0:25", relay: bool = True) -> Connector:
    host, port = binding.split(":")
    number = 0 if host == "0.0.0.0" else int.from_bytes(bytes(map(int, host.split("."))), "big")
    return Connector(
        name=name,
        bindings=(Binding(4, number, int(port)),),
        remote_ip_ranges=tuple(parse_range(item, "x") for item in ranges),
        permission_groups=("AnonymousUsers",),
        extended_rights=RELAY if relay else (),
    )


def test_compile_and_decide_agree_with_asking_every_connector() -> None:
    for seed in range(POLICIES):
        rng = random.Random(seed)
        state = (random_exchange_state, random_state, random_unruly_state)[seed % 3](rng)
        policy = state.policy
        for session in (random_session(rng) for _number in range(SESSIONS)):
            decision = decide(policy, session)
            owner = oracle.owner(state, session)
            assert decision.connector == (owner.name if owner else "")
            assert decision.reply.startswith(oracle.verdict(state, session) + " "), (seed, session)
            assert decision.allowed == decision.reply.startswith("250 ")


def test_nothing_is_closed_that_one_of_several_equal_claims_opens() -> None:
    """Whatever the names, and whichever of the two ranges of one size begins first."""
    everybody = connector("Default", "0.0.0.0/0", relay=False)
    for names in (("A", "B"), ("B", "A")):
        for other in ("10.0.0.0-10.0.0.9", "10.0.0.5-10.0.0.14"):
            relay = connector(names[0], "10.0.0.0-10.0.0.9")
            closed = connector(names[1], other, relay=False)
            silent = replace(closed, name="0", permission_groups=())
            state = State(tuple(sorted((everybody, relay, closed, silent), key=lambda item: item.key)))
            assert [entry["ranges"] for entry in state.policy.surface.render()] == [["10.0.0.0/29", "10.0.0.8/31"]]


@pytest.mark.parametrize(("length", "known"), [(255, True), (256, False)])
def test_a_domain_has_255_characters_at_most(length: int, known: bool) -> None:
    domain = ("a" * 62 + ".") * 4 + "b" * (length - 252)
    path = parse_path(f"<v@{domain}>")
    assert (len(domain), path is not None) == (length, known)
    assert oracle.address_domain(f"<v@{domain}>") == (domain if known else None)


def test_a_session_is_in_plain_text_unless_it_says_otherwise() -> None:
    strict = replace(connector("strict", "10.0.0.1"), auth_mechanism=("Tls",), require_tls=True)
    policy = State((strict,)).policy
    session = Session(Binding(4, 1, 25), Peer(4, parse_range("10.0.0.1", "x").low), "<>", "<v@out.test>")
    assert decide(policy, session).reply.startswith("530 5.7.0 ")
    assert decide(policy, replace(session, tls=True)).allowed


@given(states(), st.randoms())
def test_the_order_of_the_input_does_not_matter(state: State, rng: random.Random) -> None:
    mixed = replace(
        state,
        connectors=tuple(rng.sample(state.connectors, len(state.connectors))),
        accepted_domains=tuple(rng.sample(state.accepted_domains, len(state.accepted_domains))),
    )
    assert mixed.policy == state.policy


@given(states())
def test_intervals_are_sorted_disjoint_and_not_cut_without_need(state: State) -> None:
    for _binding, intervals in state.policy.bindings:
        for one, other in itertools.pairwise(intervals):
            assert (one.version, one.high) < (other.version, other.low)
            assert one.version != other.version or one.rule != other.rule or one.high + 1 < other.low


def test_the_smallest_range_wins_as_in_microsofts_example() -> None:
    state = State(
        (connector("i", "0.0.0.0-255.255.255.255"), connector("ii", "192.168.1.0/24"), connector("iii", "192.168.1.75"))
    )
    policy = state.policy
    taken = {}
    for peer in ("192.168.1.75", "192.168.1.100", "8.8.8.8"):
        rule = rule_for(policy, Binding(4, 1, 25), Peer(4, parse_range(peer, "x").low))
        taken[peer] = rule.connector if rule else None
    assert taken == {"192.168.1.75": "iii", "192.168.1.100": "ii", "8.8.8.8": "i"}


def test_an_exact_binding_wins_over_a_smaller_range_on_the_wildcard() -> None:
    state = State((connector("any", "10.0.0.1"), connector("exact", "10.0.0.0/8", binding="127.0.0.1:25")))
    policy = state.policy
    peer = Peer(4, parse_range("10.0.0.1", "x").low)
    exact, elsewhere = (
        rule_for(policy, Binding(4, 0x7F000001, 25), peer),
        rule_for(policy, Binding(4, 0x7F000002, 25), peer),
    )
    assert exact is not None
    assert exact.connector == "exact"
    assert elsewhere is not None
    assert elsewhere.connector == "any"


def test_nobody_is_taken_by_an_empty_list_or_a_disabled_connector() -> None:
    off = replace(connector("off", "10.0.0.1"), enabled=False)
    policy = State((connector("empty"), off)).policy
    assert rule_for(policy, Binding(4, 1, 25), Peer(4, parse_range("10.0.0.1", "x").low)) is None
    assert [str(binding) for binding, _intervals in policy.bindings] == ["0.0.0.0:25"]


def test_the_right_that_decided_is_named() -> None:
    state = State(
        (connector("scan", "10.0.0.1"), connector("default", "0.0.0.0/0", relay=False)), (AcceptedDomain("corp.test"),)
    )
    policy = state.policy

    def ask(peer: str, recipient: str) -> tuple[bool, str, str]:
        decision = decide(policy, Session(Binding(4, 1, 25), Peer(4, parse_range(peer, "x").low), "<>", recipient))
        return decision.allowed, decision.connector, decision.right

    assert ask("10.0.0.1", "<v@out.test>") == (True, "scan", ANY_RECIPIENT)
    assert ask("10.0.0.2", "<v@out.test>") == (False, "default", ANY_RECIPIENT)
    assert ask("10.0.0.2", "<v@corp.test>") == (True, "default", SUBMIT)


@pytest.mark.parametrize(
    ("sender", "recipient", "reply"),
    [
        ("<s@foreign.test>", "<v@corp.test>", "250 2.1.5"),
        ("<s@foreign.test>", "<postmaster>", "250 2.1.5"),
        ("<s@foreign.test>", "<v@out.test>", "550 5.7.60"),
        ("<s@foreign.test>", "<v@other.test>", "550 5.7.54"),
        ("<s@foreign.test>", "<v>", "501 5.1.3"),
        ("<s@corp.test>", "<v@out.test>", "250 2.1.5"),
        ("<>", "<v@out.test>", "250 2.1.5"),
    ],
)
def test_being_listed_as_a_device_takes_nothing_from_an_address(sender: str, recipient: str, reply: str) -> None:
    """``allowed_senders``, here the accepted domains, limits what goes beyond the accepted domains."""
    scan = replace(connector("scan", "10.0.0.1"), allowed_recipients=("out.test",))
    state = State((connector("default", "0.0.0.0/0", relay=False), scan), (AcceptedDomain("corp.test"),))
    device = Session(Binding(4, 1, 25), Peer(4, parse_range("10.0.0.1", "x").low), sender, recipient)
    decision = decide(state.policy, device)
    assert (decision.connector, decision.reply[: len(reply) + 1]) == ("scan", f"{reply} ")
    stranger = decide(state.policy, replace(device, peer=Peer(4, 1)))
    assert decision.allowed or not stranger.allowed


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        ("<s@corp.test>", True),
        ("<S.T@CORP.test>", True),
        ("<*@corp.test>", True),
        ("<s@sub.corp.test>", False),
        ("<s@corp.test.example>", False),
        ("<s@acorp.test>", False),
        ("<info@partner.test>", True),
        ("<other@partner.test>", False),
    ],
)
def test_an_account_may_own_all_addresses_of_a_domain_and_none_below_it(path: str, covered: bool) -> None:
    mailbox = parse_path(path)
    assert mailbox is not None
    assert covers(frozenset({"*@corp.test", "info@partner.test"}), mailbox) is covered


def test_the_longest_wildcard_domain_wins_and_an_exact_name_before_it() -> None:
    domains = tuple(AcceptedDomain(name) for name in ("*.test", "*.corp.test", "a.corp.test", "corp.test", "*"))
    by_name = {item.name: item for item in domains}
    found = {
        name: accepted_domain(by_name, name)
        for name in ("x.corp.test", "a.corp.test", "corp.test", "y.test", "test", "*.example", "*")
    }
    assert {name: item.name if item else None for name, item in found.items()} == {
        "x.corp.test": "*.corp.test",
        "a.corp.test": "a.corp.test",
        "corp.test": "corp.test",
        "y.test": "*.test",
        "test": "*",
        "*.example": "*",
        "*": "*",
    }
    assert accepted_domain({"*.test": domains[0]}, "test") is None


@pytest.mark.parametrize(
    ("name", "wide"),
    [("*", True), ("*.test", True), ("test", True), ("corp.test", False), ("*.corp.test", False)],
)
def test_a_domain_that_is_no_organisations_is_wide(name: str, wide: bool) -> None:
    assert AcceptedDomain(name).is_wide is wide


def test_the_accepted_domain_of_everything_is_who_devices_may_be() -> None:
    state = State((connector("scan", "10.0.0.1"),), (AcceptedDomain("*"),))
    assert state.policy.rules[0].allowed_senders is None
    assert State(state.connectors).policy.rules[0].allowed_senders == ()


@given(st.sampled_from(DOMAINS), st.text('ab.-@<>%!"\\ x', max_size=12))
def test_paths_are_read_as_the_oracle_reads_them(domain: str, local: str) -> None:
    for path in (f"<{local}@{domain}>", f"<v@{local}{domain}>", f"<v@{domain}{local}>"):
        found = parse_path(path)
        assert (found.domain if found else None) == oracle.address_domain(path)


@pytest.mark.parametrize(
    "path",
    ["<v@corp.test>\n", "\n<v@corp.test>", "<v@corp.test\n>", "<v\n@corp.test>", "<v@corp.tést>", "<v@corp.test> "],
)
def test_a_path_with_a_line_break_or_more_is_none(path: str) -> None:
    assert parse_path(path) is None


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "1.0.0.0/8", "192.169.0.0/16", "2001:4860::/32", "2a00::1", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_globally_routable(text: str) -> None:
    assert globally_routable([parse_range(text, "x")]) == (parse_range(text, "x"),)


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.1",
        "100.64.0.0/10",
        "169.254.1.1",
        "192.0.2.0/24",
        "198.18.0.0/15",
        "224.0.0.1",
        "240.0.0.1",
        "0.0.0.0",
        "::1",
        "fe80::/10",
        "fc00::/7",
        "fd00::1",
        "2001:db8::/32",
        "3fff::1",
        "ff02::1",
    ],
)
def test_not_globally_routable(text: str) -> None:
    assert globally_routable([parse_range(text, "x")]) == ()


def test_the_global_part_of_a_range_is_cut_out() -> None:
    assert globally_routable([parse_range("9.255.255.255-11.0.0.0", "x")]) == (
        parse_range("9.255.255.255", "x"),
        parse_range("11.0.0.0", "x"),
    )


def test_a_binding_takes_peers_of_its_own_version_only() -> None:
    both = Connector(
        "both",
        bindings=(Binding(4, 0, 25), Binding(6, 0, 25)),
        remote_ip_ranges=(parse_range("0.0.0.0/0", "x"), parse_range("::/0", "x")),
    )
    policy = State((both,)).policy
    assert {str(binding): [item.version for item in found] for binding, found in policy.bindings} == {
        "0.0.0.0:25": [4],
        "[::]:25": [6],
    }
    assert rule_for(policy, Binding(4, 1, 25), Peer(6, 1)) is None
    assert rule_for(policy, Binding(6, 1, 25), Peer(4, 1)) is None


def test_ipv4_and_ipv6_peers_with_equal_numbers_differ() -> None:
    four = Connector(
        "four", bindings=(Binding(4, 0, 25), Binding(6, 0, 25)), remote_ip_ranges=(AddressRange(4, BASE[4], BASE[4]),)
    )
    policy = State((four,)).policy
    assert rule_for(policy, Binding(6, 0, 25), Peer(6, BASE[4])) is None
