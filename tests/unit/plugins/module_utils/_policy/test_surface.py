# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding, parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.module_utils._policy.surface import Surface
from support import oracle
from support.scale import examples
from support.strategies import DOMAINS, PATTERNS, WIDE_DOMAINS, random_session, random_state, sessions, states

RELAY = (ExtendedRight(ANONYMOUS, ANY_RECIPIENT),)
WILDCARD, EXACT = Binding(4, 0, 25), Binding(4, 0x7F000001, 25)
UNKNOWN = "x@elsewhere.example"
MAILBOXES = (
    "v@outside.test",
    "w@outside.test",
    "s@corp.test",
    "v@corp.test",
    "v@branch.corp.test",
    "v@deep.sub.corp.test",
    "v@partner.test",
    "v@stranger.test",
    "v@test",
    UNKNOWN,
)
"""Each with the reach that it stands for: itself where a pattern names it, else its domain."""
REACHES = {item: item if item in PATTERNS else item.partition("@")[2] for item in MAILBOXES} | {UNKNOWN: "any"}


SEEDS = st.integers(0, (1 << 32) - 1)
PATTERNS_IN_PLAY = sorted({*PATTERNS, *DOMAINS, *WIDE_DOMAINS, *REACHES.values()} - {"*"})


def connector(name: str, *ranges: str, binding: Binding = WILDCARD, relay: bool = True, **changes: Any) -> Connector:
    return Connector(
        name=name,
        bindings=(binding,),
        remote_ip_ranges=tuple(parse_range(item, "x") for item in ranges),
        permission_groups=("AnonymousUsers",),
        extended_rights=RELAY if relay else (),
        **changes,
    )


def surface_of(*connectors: Connector, **domains: str) -> Surface:
    """``domains``: type of the domain that begins so and ends in ``.test``."""
    accepted = tuple(AcceptedDomain(f"{name}.test", kind) for name, kind in sorted(domains.items()))
    return State(connectors, accepted).policy.surface


def reaches(found: Surface, session: Session, reach: str) -> bool:
    """Whether the peer of the session is in ``found``."""
    version, number = session.peer
    return any(item.version == version and item.low <= number <= item.high for item in found.at(session.local, reach))


def outside_mailboxes(state: State) -> list[str]:
    return [item for item in MAILBOXES if not oracle.is_mailbox_of_ours(state, item.partition("@")[2])]


def test_what_reaches_a_domain_does_so_by_any_of_its_reaches() -> None:
    ranges = {reach: (parse_range(f"10.0.0.{number}", "x"),) for number, reach in enumerate(("any", "a.corp.test"), 1)}
    wild = {"*.corp.test": (parse_range("10.0.0.4", "x"),), "b.test": (parse_range("10.0.0.6", "x"),)}
    found = Surface({WILDCARD: {**ranges, **wild}})
    assert list(map(str, found.at(EXACT, "a.corp.test"))) == ["10.0.0.1-10.0.0.2", "10.0.0.4"]
    assert list(map(str, found.at(EXACT, "b.test"))) == ["10.0.0.1", "10.0.0.6"]
    assert list(map(str, found.at(EXACT, "any"))) == ["10.0.0.1"]


@examples(120)
@given(states(), sessions(20))
def test_the_surface_is_who_relays(state: State, asked: list[Session]) -> None:
    found = state.policy.surface
    for session in asked:
        for mailbox in outside_mailboxes(state):
            assert reaches(found, session, REACHES[mailbox]) == oracle.reaches(state, session, mailbox)


@given(states(), sessions(20))
def test_without_accepted_domains_it_is_what_the_connectors_grant(state: State, asked: list[Session]) -> None:
    found = state.policy.granted_surface
    alone = replace(state, accepted_domains=())
    for session in asked:
        for mailbox in MAILBOXES:
            assert reaches(found, session, REACHES[mailbox]) == oracle.reaches(alone, session, mailbox)


def random_case(rng: random.Random) -> tuple[list[State], list[Surface], list[Session]]:
    """Three states that have much in common, their surfaces, and sessions."""
    first, other = random_state(rng), random_state(rng)
    mixed = replace(first, accepted_domains=other.accepted_domains)
    if first.connectors:
        mixed = replace(mixed, connectors=first.connectors[1:])
    found = [first, mixed, other]
    return found, [state.policy.surface for state in found], [random_session(rng) for _number in range(20)]


@examples(120)
@given(SEEDS)
def test_the_difference_is_what_one_allows_and_the_others_do_not(seed: int) -> None:
    (first, *others), (mine, *theirs), asked = random_case(random.Random(seed))
    left, less = mine.minus(*theirs), mine.minus(theirs[0])
    for session in asked:
        for mailbox in outside_mailboxes(first):
            was = [oracle.reaches(state, session, mailbox) for state in others]
            if oracle.reaches(first, session, mailbox):
                # the other states may have it in a mailbox of their own, which their surfaces do not list
                assert was[0] or reaches(less, session, REACHES[mailbox])
                assert any(was) or reaches(left, session, REACHES[mailbox])
            else:
                assert not reaches(less, session, REACHES[mailbox])


def holds(wide: str, narrow: str) -> bool:
    """Whether every recipient of ``narrow`` is one of ``wide``."""
    domain = narrow.rpartition("@")[2]
    if wide in ("any", narrow):
        return True
    return wide == domain or (wide.startswith("*.") and domain.endswith(wide[1:]))


@examples(120)
@given(SEEDS)
def test_the_difference_holds_the_reaches_that_none_of_the_others_has(seed: int) -> None:
    _states, (mine, *theirs), asked = random_case(random.Random(seed))
    left = mine.minus(*theirs)
    for session in asked:
        new = [
            reach
            for reach in PATTERNS_IN_PLAY
            if reaches(mine, session, reach) and not any(reaches(other, session, reach) for other in theirs)
        ]
        for reach in PATTERNS_IN_PLAY:
            assert reaches(left, session, reach) == any(holds(wide, reach) for wide in new)
        assert left or not new
    assert not mine.minus(theirs[0], mine)
    assert mine.minus() == mine


@examples(120)
@given(SEEDS)
def test_what_is_rendered_is_read_back(seed: int) -> None:
    _states, found, _asked = random_case(random.Random(seed))
    for each in (*found, found[0].minus(found[1]), found[1].minus(found[0])):
        rendered = json.loads(json.dumps(each.render()))
        assert Surface.parse(rendered, "x") == each
        assert bool(each) == any(entry["addresses"] for entry in rendered)


@given(states(), SEEDS)
def test_the_order_of_the_input_does_not_show(state: State, seed: int) -> None:
    rng = random.Random(seed)

    def mixed(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(rng.sample(items, len(items)))

    lists = ("bindings", "remote_ip_ranges", "allowed_recipients", "extended_rights")
    connectors = [
        replace(item, **{option: mixed(getattr(item, option)) for option in lists}) for item in mixed(state.connectors)
    ]
    one, other = (
        each.policy.surface
        for each in (
            state,
            replace(state, connectors=tuple(connectors), accepted_domains=mixed(state.accepted_domains)),
        )
    )
    assert json.dumps([one.render(), one.words("opens")]) == json.dumps([other.render(), other.words("opens")])
    shuffled = Surface.parse(list(mixed(tuple(one.render()))), "x")
    assert json.dumps([shuffled.render(), shuffled.words("x")]) == json.dumps([one.render(), one.words("x")])


def test_a_surface_is_rendered_as_cidr_blocks_with_counts() -> None:
    scan = connector("scan", "10.0.0.1", "10.0.0.2", "10.0.0.3")
    assert surface_of(scan, connector("default", "0.0.0.0/0", relay=False)).render() == [
        {"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.1", "10.0.0.2/31"], "addresses": 3}
    ]


def test_a_strangers_accepted_domain_shows() -> None:
    everybody = connector("default", "0.0.0.0/0", relay=False)
    scan = connector("scan", "10.0.0.1")
    before = surface_of(everybody, scan, corp="Authoritative")
    after = surface_of(everybody, scan, corp="Authoritative", stranger="ExternalRelay")
    assert before.render() == [{"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.1"], "addresses": 1}]
    whole = {"binding": "0.0.0.0:25", "reach": "stranger.test", "ranges": ["0.0.0.0/0"], "addresses": 1 << 32}
    assert after.render() == [*before.render(), whole]
    assert after.minus(before).words("opens") == [
        "opens 0.0.0.0-10.0.0.0, 10.0.0.2-255.255.255.255 (4294967295 addresses) to stranger.test on 0.0.0.0:25"
    ], "the device could send there before"
    assert not before.minus(after)
    assert surface_of(scan, stranger="InternalRelay").render() == before.render(), "any domain says it all"


def test_allowed_recipients_are_the_reach() -> None:
    limited = connector("scan", "10.0.0.1", allowed_recipients=("*.parent.test", "v@outside.test"))
    found = surface_of(limited)
    other = connector("other", "10.0.0.2")
    assert [entry["reach"] for entry in surface_of(limited, other).render()] == [
        "any",
        "*.parent.test",
        "v@outside.test",
    ]
    inside = ("*.parent.test", "a.parent.test", "*.a.parent.test", "x@a.parent.test", "v@outside.test")
    assert all(found.at(WILDCARD, reach) for reach in inside)
    assert not any(found.at(WILDCARD, reach) for reach in ("any", "parent.test", "outside.test", "*.test"))
    opened = surface_of(replace(limited, allowed_recipients=("*.parent.test", "outside.test"))).minus(found)
    assert opened.words("opens") == ["opens 10.0.0.1 (1 address) to outside.test on 0.0.0.0:25"]


@pytest.mark.parametrize("kind", ["Authoritative", "InternalRelay", "ExternalRelay"])
@pytest.mark.parametrize(("name", "reach"), [("*", "any"), ("*.test", "*.test"), ("test", "test")])
def test_an_accepted_domain_that_is_no_organisations_is_a_reach_whatever_its_type(
    name: str, reach: str, kind: str
) -> None:
    everybody = connector("default", "10.0.0.1", relay=False)
    policy = State((everybody,), (AcceptedDomain(name, kind), AcceptedDomain("corp.test"))).policy
    assert [(entry["reach"], entry["ranges"]) for entry in policy.surface.render()] == [(reach, ["10.0.0.1"])]
    assert not policy.granted_surface


def test_ranges_that_no_session_of_a_binding_comes_from_are_not_counted() -> None:
    scan = connector("scan", "10.0.0.1", "fd00::1")
    assert surface_of(scan).render() == [
        {"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.1"], "addresses": 1}
    ]
    both = replace(scan, bindings=(WILDCARD, Binding(6, 0, 25)))
    assert [(entry["binding"], entry["ranges"]) for entry in surface_of(both).render()] == [
        ("0.0.0.0:25", ["10.0.0.1"]),
        ("[::]:25", ["fd00::1"]),
    ]


def test_a_domain_called_any_is_not_everything() -> None:
    named = surface_of(connector("scan", "10.0.0.1", allowed_recipients=("any", "a@any")))
    assert not named.at(WILDCARD, "any")
    assert [entry["reach"] for entry in named.render()] == ["any."]
    assert Surface.parse(named.render(), "x") == named


def test_a_hole_behind_a_removed_exact_binding_is_new() -> None:
    """Behind the exact binding nobody relays; without it the wildcard answers there too."""
    closed = connector("exact", "0.0.0.0/0", binding=EXACT, relay=False)
    opened = connector("any", "10.0.0.1")
    before, after = surface_of(opened, closed), surface_of(opened)
    assert before.at(EXACT, "any") == ()
    assert after.minus(before).at(EXACT, "any") == (parse_range("10.0.0.1", "x"),)
    assert after.minus(before).words("opens") == ["opens 10.0.0.1 (1 address) to any domain on 127.0.0.1:25"]
    assert not after.minus(after)
    assert before.render()[1] == {"binding": "127.0.0.1:25", "reach": "any", "ranges": [], "addresses": 0}
    assert Surface.parse(before.render(), "x").at(EXACT, "any") == ()
    assert surface_of(closed).render() == [], "where the wildcard is closed too, there is nothing to say"


def test_a_null_sender_relays_without_the_right_to_send_as_anyone() -> None:
    submit = ExtendedRight(ANONYMOUS, SUBMIT)
    bare = replace(connector("bare", "10.0.0.1"), permission_groups=(), extended_rights=(*RELAY, submit))
    assert surface_of(bare).addresses == (parse_range("10.0.0.1", "x"),)
    denied = replace(bare, extended_rights=(*bare.extended_rights, submit._replace(deny=True)))
    assert surface_of(denied, partner="InternalRelay").addresses == ()


def test_an_empty_surface() -> None:
    assert not Surface({})
    assert Surface({}).render() == Surface({}).words("opens") == []
    assert Surface({}).at(WILDCARD, "any") == ()
    assert Surface.parse([], "x") == Surface({WILDCARD: {"any": ()}, EXACT: {}}) == Surface({})


def test_words_put_together_what_is_alike() -> None:
    both = Surface(
        {
            WILDCARD: {"a.test": (parse_range("10.0.0.1", "x"),), "b.test": (parse_range("10.0.0.1", "x"),)},
            Binding(6, 0, 25): {"a.test": (parse_range("10.0.0.1", "x"),), "b.test": (parse_range("10.0.0.1", "x"),)},
            EXACT: {"any": (parse_range("10.0.0.0/31", "x"), parse_range("10.0.0.2/31", "x"))},
        }
    )
    assert both.words("closes") == [
        "closes 10.0.0.1 (1 address) to a.test, b.test on 0.0.0.0:25, [::]:25",
        "closes 10.0.0.0/30 (4 addresses) to any domain on 127.0.0.1:25",
    ]


def test_long_lists_are_cut_in_words_only() -> None:
    many = connector("many", *(f"10.0.0.{number}" for number in range(1, 21, 2)))
    assert surface_of(many).words("opens") == [
        "opens 10.0.0.1, 10.0.0.3, 10.0.0.5, 10.0.0.7, 10.0.0.9, 10.0.0.11, 10.0.0.13, 10.0.0.15 and 2 more "
        "(10 addresses) to any domain on 0.0.0.0:25"
    ]
    assert len(surface_of(many).render()[0]["ranges"]) == 10


def test_blocks_that_were_cut_out_of_mapped_addresses_are_read_back() -> None:
    """No such range can be written, but a wider one may begin there."""
    found = surface_of(connector("wide", "::ffff:0:0-::1:0:0:5", binding=Binding(6, 0, 25)))
    assert Surface.parse(found.render(), "x") == found
    assert found


def entry(**changes: object) -> dict[str, object]:
    return {"binding": "0.0.0.0:25", "reach": "any", "ranges": ["10.0.0.1"], "addresses": 1, **changes}


def test_addresses_may_be_left_out_and_two_entries_add_up() -> None:
    one, other = entry(ranges=["10.0.0.0/31", "10.0.0.1"], addresses=2), entry(ranges=["10.0.0.2/31"])
    del other["addresses"]
    assert Surface.parse([one, other], "x").at(WILDCARD, "any") == (parse_range("10.0.0.0/30", "x"),)


@pytest.mark.parametrize(
    ("rendered", "says"),
    [
        ({}, "base: not a relay surface, got {}"),
        ("10.0.0.1", "base: not a relay surface"),
        (["10.0.0.1"], r"base\[0\]: not an entry of a relay surface"),
        ([entry(), {"binding": "0.0.0.0:25"}], r"base\[1\]: not an entry .* as relay_surface has it"),
        ([entry(more=1)], "not an entry of a relay surface"),
        ([entry(binding="25")], r"base\[0\].binding: not a binding"),
        ([entry(reach="@")], r"base\[0\].reach: not a mail address or domain"),
        ([entry(reach=["any"])], r"base\[0\].reach"),
        ([entry(ranges="10.0.0.1")], r"base\[0\].ranges: not a list"),
        ([entry(ranges=["10.0.0.1", "x"])], r"base\[0\].ranges\[1\]: not an IP address"),
        ([entry(addresses=2)], r"base\[0\].addresses: not the number of addresses, got 2. The ranges hold 1;"),
    ],
)
def test_what_is_no_surface_is_refused(rendered: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Surface.parse(rendered, "base")
