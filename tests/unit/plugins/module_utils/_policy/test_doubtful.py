# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights of groups such as Everyone: whether sessions without AUTH belong to them is not documented.

The oracle is asked twice, of a server where they belong to none of them and of one where they belong to all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding, parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ConflictError, GuardError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.principals import DOUBTFUL, EVERYONE
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHORITATIVE_SENDER,
    RIGHTS,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.doubts import doubts
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits, guard
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import apply_operation
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._engine.result import _change
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import ServiceFacts
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session, decide
from ansible_collections.mailops.relay.plugins.module_utils._policy.explain import answer
from ansible_collections.mailops.relay.plugins.module_utils._policy.matrix import access_matrix
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.module_utils._policy.surface import Surface
from support import oracle
from support.doubts import with_doubts
from support.memory_backend import EVERYTHING
from support.planning import EVERYBODY, SCAN, connector
from support.scale import examples
from support.strategies import random_exchange_state, random_pair, random_session

SEEDS = st.integers(0, (1 << 32) - 1)
PERHAPS = ExtendedRight(EVERYONE, ANY_RECIPIENT)
MAILBOX = "x@elsewhere.example"
BINDING = Binding(4, 0, 25)


def sure(state: State, belongs: bool) -> State:
    """A server where sessions without AUTH belong to all of the groups, or to none: what they are denied counts for
    neither, because that may be wrong either way."""
    return replace(state, connectors=tuple(_sure(item, belongs) for item in state.connectors))


def _sure(item: Connector, belongs: bool) -> Connector:
    session = oracle.TRUSTED if "ExternalAuthoritative" in item.auth_mechanism else ANONYMOUS

    def of_session(entries: tuple[ExtendedRight, ...]) -> Iterator[ExtendedRight]:
        for entry in entries:
            rights = RIGHTS if entry.right == "GenericAll" else (entry.right,)
            if entry.principal not in DOUBTFUL:
                yield from (entry._replace(right=right) for right in rights)
            elif belongs and not entry.deny:
                yield from (ExtendedRight(session, right) for right in rights)

    own = (*item.known_rights, *item.full_control)
    above = tuple(of_session(item.inherited_rights))
    return replace(item, extended_rights=tuple(of_session(own)), full_control=(), inherited_rights=above)


def doubtful_state(rng: random.Random) -> State:
    return with_doubts(rng, random_exchange_state(rng))


def test_the_random_states_have_doubts() -> None:
    states = [doubtful_state(random.Random(seed)) for seed in range(50)]
    assert sum(bool(state.policy.doubtful) for state in states) > 20
    assert sum(bool(state.policy.granted_surface.unknown) for state in states) > 5


@examples(200)
@given(SEEDS)
def test_what_one_of_the_two_servers_takes_is_never_said_to_be_refused(seed: int) -> None:
    rng = random.Random(seed)
    state = doubtful_state(rng)
    least, most = sure(state, belongs=False), sure(state, belongs=True)
    for session in (random_session(rng) for _number in range(40)):
        decision = decide(state.policy, session)
        verdicts = [oracle.verdict(each, session) for each in (least, most)]
        takes = [verdict == "250 2.1.5" for verdict in verdicts]
        assert decision.allowed is (None if takes == [False, True] else takes[0])
        if decision.allowed is not None:
            assert decision.reply.startswith(f"{verdicts[0]} ")


@examples(200)
@given(SEEDS)
def test_the_surface_is_unknown_where_only_one_of_the_two_relays(seed: int) -> None:
    rng = random.Random(seed)
    state = doubtful_state(rng)
    surface = state.policy.surface
    assert Surface.parse(surface.render(), "x") == surface
    for session in (random_session(rng) for _number in range(40)):
        relays = [oracle.reaches(sure(state, belongs), session, MAILBOX) for belongs in (False, True)]
        within = [
            any(item.version == session.peer.version and item.low <= session.peer.number <= item.high for item in found)
            for found in (surface.at(session.local, "any"), surface.at(session.local, "unknown"))
        ]
        assert within == relays or state.domain("*") is not None


@examples(60)
@given(SEEDS)
def test_on_the_way_nobody_relays_who_may_not_relay_at_one_of_the_ends(seed: int) -> None:
    rng = random.Random(seed)
    before, wanted = random_pair(rng)
    before, wanted = with_doubts(rng, before), with_doubts(rng, wanted)
    above = {item.key: item for item in before.connectors}
    held = ("inherited_rights", "full_control")
    connectors = (
        replace(item, allowed_recipients=(), **{name: getattr(above.get(item.key, item), name) for name in held})
        for item in wanted.connectors
    )
    wanted = replace(wanted, connectors=tuple(connectors))
    try:
        operations = plan(before, wanted).operations
    except ConflictError:
        return
    state = before
    for operation in operations:
        state = apply_operation(state, operation)
        for session in (random_session(rng) for _number in range(20)):
            if oracle.reaches(sure(state, belongs=True), session, MAILBOX):
                assert any(oracle.reaches(sure(end, belongs=True), session, MAILBOX) for end in (before, wanted))
    assert state == wanted


# -- by name -----------------------------------------------------------------------------------------------------------


def doubtful(*ranges: str, name: str = "Scan", right: ExtendedRight = PERHAPS) -> Connector:
    return replace(connector(name, *ranges), extended_rights=(right,), allowed_senders=("*",))


def session(peer: str = "10.0.0.1") -> Session:
    return Session(BINDING, Peer(4, parse_range(peer, "x").low), "<s@corp.test>", f"<{MAILBOX}>")


def test_the_answer_says_that_it_is_not_known() -> None:
    policy = State((doubtful("10.0.0.1"),)).policy
    assert answer(policy, session()) == {
        "allowed": "unknown",
        "reply": None,
        "connector": "Scan",
        "right": ANY_RECIPIENT,
        "reason": f"Connector 'Scan' grants {ANY_RECIPIENT} to a group such as Everyone: whether sessions without AUTH "
        "carry this is not documented, so the server may take the session or refuse it.",
    }
    assert policy.surface.render() == [
        {"binding": "0.0.0.0:25", "reach": "unknown", "ranges": ["10.0.0.1"], "addresses": 1}
    ]
    assert policy.surface.words("opens") == ["opens 10.0.0.1 (1 address) to perhaps any domain on 0.0.0.0:25"]


def test_the_matrix_says_that_it_is_not_known() -> None:
    may_submit = replace(
        doubtful("10.0.0.2", name="Other", right=ExtendedRight(EVERYONE, SUBMIT)), permission_groups=()
    )
    rows = access_matrix(State((doubtful("10.0.0.1"), may_submit)).policy)
    assert [row["anonymous"] for row in rows] == [
        {"own_domains": True, "any_domain": "unknown"},
        {"own_domains": "unknown", "any_domain": False},
        {"own_domains": False, "any_domain": False},
    ]


def test_who_may_submit_perhaps_reaches_the_domains_that_are_relayed() -> None:
    may_submit = replace(doubtful("10.0.0.2", right=ExtendedRight(EVERYONE, SUBMIT)), permission_groups=())
    policy = State((may_submit,), (AcceptedDomain("partner.test", "ExternalRelay"),)).policy
    assert [entry["reach"] for entry in policy.surface.render()] == ["partner.test"]
    assert decide(policy, session()).allowed is False


def test_any_holds_unknown_and_not_the_other_way_round() -> None:
    perhaps, surely = (
        State((item,)).policy.surface for item in (doubtful("10.0.0.1"), connector("A", "10.0.0.1", relay=True))
    )
    assert not perhaps.minus(surely)
    assert surely.minus(perhaps) == surely
    assert perhaps.at_most == surely == surely.at_most
    both = State((doubtful("10.0.0.1"), connector("A", "10.0.0.2", relay=True))).policy.surface
    assert [entry["reach"] for entry in both.render()] == ["any", "unknown"]
    assert (str(both.unknown[0]), str(both.at_most.addresses[0])) == ("10.0.0.1", "10.0.0.1-10.0.0.2")


def test_a_domain_called_unknown_is_not_a_doubt() -> None:
    named = State((replace(SCAN, allowed_recipients=("unknown",)),)).policy.surface
    assert not named.unknown
    assert [entry["reach"] for entry in named.render()] == ["unknown."]
    assert Surface.parse(named.render(), "x") == named


def test_what_becomes_unknown_is_not_closed() -> None:
    surely, perhaps = (
        State((item,)).policy for item in (connector("Scan", "10.0.0.1", relay=True), doubtful("10.0.0.1"))
    )
    opens, closes = _change(surely, perhaps)
    assert not opens
    assert not closes
    opens, closes = _change(perhaps, surely)
    assert opens
    assert not closes


# -- guard -------------------------------------------------------------------------------------------------------------


def check(before: State, after: State) -> list[str]:
    return guard(Reading(before, ServiceFacts(False, False), EVERYTHING), after, Limits(allow_inbound_loss=True))


WIDE = State((EVERYBODY, doubtful("10.0.0.0/16")))


def test_a_change_that_adds_no_such_address_passes_with_a_warning() -> None:
    commented = State((EVERYBODY, replace(WIDE.connectors[1], comment="x")))
    warnings = check(WIDE, commented)
    assert "RELAYING NOT KNOWN, counted as relaying: 10.0.0.0/16." in warnings
    assert any(text.startswith("OPEN RELAY RISK, was so before: max_relay_addresses: 65536") for text in warnings)
    assert not any("Everyone" in text for text in warnings), "that was said of what was read"
    narrower = State((EVERYBODY, doubtful("10.0.0.0/17")))
    assert check(WIDE, narrower)
    surely = State((EVERYBODY, connector("Scan", "10.0.0.0/16", relay=True)))
    assert check(WIDE, surely), "counted as relaying before"


def test_to_remove_the_entry_always_passes() -> None:
    assert check(WIDE, State((EVERYBODY, connector("Scan", "10.0.0.0/16")))) == []
    assert check(WIDE, State((EVERYBODY,))) == []


@pytest.mark.parametrize("before", [State((EVERYBODY,)), State((EVERYBODY, doubtful("10.0.0.0/17")))])
def test_to_create_or_widen_one_is_refused_as_relay(before: State) -> None:
    with pytest.raises(GuardError, match="max_relay_addresses: 65536 addresses could relay anywhere without AUTH"):
        check(before, WIDE)


def test_a_built_in_connector_that_perhaps_relays_is_one_that_relays() -> None:
    before = State((SCAN, doubtful("10.0.0.2", name="Default")), built_in=("Default",))
    closed = replace(before, connectors=(SCAN, connector("Default", "10.0.0.2")))
    assert "built-in connector" in str(check(before, before))
    with pytest.raises(GuardError, match="built-in connector"):
        check(closed, before)


def test_a_new_doubt_is_named() -> None:
    small = State((EVERYBODY, doubtful("10.0.0.1")))
    assert check(State((EVERYBODY,)), small) == [
        f"connector 'Scan': Everyone holds {ANY_RECIPIENT}. Whether anonymous sessions carry this is not documented, "
        "so what they may do there is not known. Remove it, and grant ANONYMOUS LOGON or Authenticated Users what is "
        "meant.",
        "RELAYING NOT KNOWN, counted as relaying: 10.0.0.1.",
    ]


# -- what Exchange does not enforce ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "role", "said"),
    [
        (ANY_SENDER, "FrontendTransport", True),
        (AUTHORITATIVE_SENDER, "FrontendTransport", True),
        (AUTHORITATIVE_SENDER, "HubTransport", False),
        (AUTHORITATIVE_SENDER, None, False),
        (SUBMIT, "FrontendTransport", False),
    ],
)
def test_a_removed_sender_right_that_is_not_enforced(right: str, role: str | None, said: bool) -> None:
    plain = replace(EVERYBODY, transport_role=role)
    less = replace(plain, removed_rights=(ExtendedRight(ANONYMOUS, right),))
    told = [
        f"connector 'Default': anonymous senders lack {right}, but Exchange since 2013 is reported not to enforce that "
        "on a connector with transport_role FrontendTransport."
    ]
    assert list(doubts(less)) == (told if said else [])
    assert check(State((plain,)), State((less,))) == list(doubts(less))
    assert check(State((less,)), State((replace(less, comment="x"),))) == []
    assert list(doubts(replace(less, extended_rights=None, removed_rights=()))) == []


def test_of_equal_claims_the_one_that_perhaps_relays_counts_before_one_that_does_not() -> None:
    """A server may hold them, and which wins is not documented."""
    closed, perhaps, surely = connector("A", "10.0.0.1"), doubtful("10.0.0.1", name="B"), replace(SCAN, name="C")
    assert decide(State((closed, perhaps)).policy, session()).allowed is None
    relaying = replace(surely, allowed_senders=("*",))
    assert decide(State((closed, perhaps, relaying)).policy, session()).connector == "C"
