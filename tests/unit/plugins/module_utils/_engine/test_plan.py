# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import accumulate, combinations_with_replacement

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ConflictError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import conflicts, new_conflicts
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import (
    Create,
    Delete,
    Enable,
    Grant,
    Operation,
    RemoveDomain,
    Revoke,
    Set,
    apply_operation,
    describe,
    title,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.order import arrived
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._engine.safety import Safety
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Session, decide
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.module_utils._policy.surface import Surface
from support.planning import EVERYBODY, RELAY, SCAN, connector, never_empty, numbered_pair, swapped
from support.scale import examples, scaled
from support.strategies import changes, sessions, states


def lines(actual: State, wanted: State) -> list[str]:
    return [describe(operation) for operation in plan(actual, wanted).operations]


def titles(actual: State, wanted: State) -> list[str]:
    return [title(operation) for operation in plan(actual, wanted).operations]


def between(actual: State, operations: Iterable[Operation]) -> list[State]:
    """The states after each of the operations but the last."""
    return list(accumulate(operations, apply_operation, initial=actual))[1:-1]


@given(states())
def test_nothing_to_do(state: State) -> None:
    assert plan(state, state).operations == ()


@given(changes())
def test_all_at_once_leads_there_too(pair: tuple[State, State]) -> None:
    actual, wanted = pair
    assert follow(actual, plan(actual, wanted, atomic=True).operations) == wanted


def follow(state: State, operations: Iterable[Operation]) -> State:
    """Where they lead; every operation does something."""
    for operation in operations:
        after = apply_operation(state, operation)
        assert after != state
        state = after
    return state


@examples(50)
@given(changes(), sessions(60))
def test_every_state_on_the_way_is_safe(pair: tuple[State, State], asked: list[Session]) -> None:
    """Nobody gets further than before and after, and who could always send inbound mail still can."""
    actual, wanted = pair
    try:
        planned = plan(actual, wanted)
    except ConflictError:
        return
    policies = actual.policy, wanted.policy
    ends = [policy.surface for policy in policies]
    ours = [item.name for item in actual.accepted_domains if wanted.domain(item.name) == item and "*" not in item.name]
    for state in between(actual, planned.operations):
        assert not conflicts(state)
        policy = state.policy
        found = policy.surface
        recipient = f"<v@{'|'.join(ours[:1])}>"
        for session in asked:
            for domain in ("outside.test", "a.corp.test", *(item.name for item in state.accepted_domains)):
                if reaches(found, session, domain):
                    assert any(reaches(end, session, domain) for end in ends)
            # a stranger whose domain is none of ours on the way: senders of our own domains may need another right
            inward = replace(session, sender="<s@stranger.example>", recipient=recipient, account=None)
            if "inbound" in str(planned.warnings) or state.domain("*") is not None:
                continue
            if all(decide(end, inward).allowed for end in policies):
                assert decide(policy, inward).allowed


def test_the_plan_leads_there_without_a_detour_that_is_not_needed() -> None:
    for seed in range(scaled(120)):
        pair = numbered_pair(seed)
        safety = Safety(*pair, new_conflicts)
        try:
            path = plan(*pair).operations
        except ConflictError:
            continue
        assert follow(pair[0], path) == pair[1]
        for shorter in without_a_pair(path):
            assert not good(safety, shorter), (seed, list(map(title, path)), list(map(title, shorter)))


def without_a_pair(path: Sequence[Operation]) -> Iterator[list[Operation]]:
    """Without one operation on a connector that has several, and without two."""
    for first, second in combinations_with_replacement(range(len(path)), 2):
        names = [getattr(path[number], "name", "") for number in (first, second)]
        if names[0] == names[1] != "":
            yield [operation for number, operation in enumerate(path) if number not in (first, second)]


def good(safety: Safety, path: list[Operation]) -> bool:
    try:
        states = safety.states(path)
    except KeyError:  # a grant without its connector
        return False
    assessments = [safety.assess(state) for state in states]
    return arrived([safety.before, *states][-1], safety.wanted) and all(
        each.safe and not each.lost for each in assessments
    )


def reaches(found: Surface, session: Session, domain: str) -> bool:
    ranges = found.at(session.local, domain)
    return any(item.version == session.peer.version and item.low <= session.peer.number <= item.high for item in ranges)


def test_a_connector_is_created_disabled_and_enabled_last() -> None:
    created, *rest = plan(State(), State((SCAN,))).operations
    assert created == Create(replace(SCAN, enabled=False, extended_rights=()))
    assert describe(created).startswith('create connector "Scan" bindings=["0.0.0.0:25"] remote_ip_ranges=["10.0.0.1"]')
    assert [describe(operation) for operation in rest] == [
        'grant connector "Scan" allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient',
        'enable connector "Scan"',
    ]


def test_what_closes_comes_before_what_opens() -> None:
    deny = ExtendedRight(ANONYMOUS, SUBMIT, deny=True)
    closing = replace(SCAN, extended_rights=(deny,))
    opening = connector("Other", "10.0.0.1", port=26)
    actual = State((opening, SCAN), (AcceptedDomain("old.test"),))
    wanted = State((replace(opening, extended_rights=(RELAY,), comment="x\ny"), closing), (AcceptedDomain("new.test"),))
    assert lines(actual, wanted) == [
        'set accepted domain "new.test" type="Authoritative" next_hop=""',
        'grant connector "Scan" deny NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Submit',
        'revoke connector "Scan" allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient',
        'set connector "Other" comment="x\\ny"',
        'grant connector "Other" allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient',
        'remove accepted domain "old.test"',
    ]
    assert lines(State((SCAN,)), State()) == ['delete connector "Scan"']
    assert lines(State((SCAN,)), State((replace(SCAN, enabled=False),))) == ['disable connector "Scan"']


def test_the_outer_relay_is_narrowed_before_the_inner_closed_connector_goes() -> None:
    inner = connector("Inner", "10.0.0.0/25", anonymous=False)
    actual = State((inner, connector("Wide", "10.0.0.0/24", relay=True)))
    wanted = State((connector("Wide", "10.0.0.128/25", relay=True),))
    assert titles(actual, wanted) == ['set connector "Wide"', 'delete connector "Inner"']


def test_the_outer_relay_pauses_while_the_closed_connector_in_it_gets_another_name() -> None:
    wide = connector("Wide", "10.0.0.0/24", relay=True)
    old, new = (connector(name, "10.0.0.0/25", anonymous=False) for name in ("Old", "New"))
    planned = plan(State((old, wide)), State((new, wide)))
    assert [title(operation) for operation in planned.operations] == [
        'revoke connector "Wide"',
        'delete connector "Old"',
        'create connector "New"',
        'enable connector "New"',
        'grant connector "Wide"',
    ]
    assert planned.warnings == (
        "relaying pauses for 10.0.0.128/25 (128 addresses) to any domain on 0.0.0.0:25, "
        "after 'revoke connector \"Wide\"' until 'grant connector \"Wide\"'.",
    )


def test_one_pause_ends_before_the_next_begins() -> None:
    wide = [connector(f"Wide{number}", f"10.0.{number}.0/24", relay=True) for number in range(3)]
    old, new = (
        [connector(f"{name}{number}", f"10.0.{number}.0/25", anonymous=False) for number in range(3)]
        for name in ("New", "Old")
    )
    planned = plan(State((*old, *wide)), State((*new, *wide)))
    pausing = [operation.name for operation in planned.operations if isinstance(operation, (Grant, Revoke))]
    assert pausing == ["Wide0", "Wide0", "Wide1", "Wide1", "Wide2", "Wide2"]
    assert len(planned.warnings) == 3


def test_a_group_that_relays_pauses_by_a_denied_right() -> None:
    wide = replace(
        connector("Wide", "10.0.0.0/24"),
        auth_mechanism=("ExternalAuthoritative",),
        permission_groups=("ExchangeServers",),
    )
    old, new = (connector(name, "10.0.0.0/25", anonymous=False) for name in ("Old", "New"))
    first, *_between, last = lines(State((old, wide)), State((new, wide)))
    denied = "deny MS Exchange\\Externally Secured Servers ms-Exch-SMTP-Accept-Any-Recipient"
    assert (first, last) == (f'grant connector "Wide" {denied}', f'revoke connector "Wide" {denied}')


def test_connectors_swap_their_ranges_and_one_waits_without_any() -> None:
    """In between, a device falls to the connector of everybody, which does not relay."""
    one, two = connector("One", "10.0.0.1", relay=True), connector("Two", "10.0.0.2")
    actual = State((EVERYBODY, one, two))
    wanted = State(
        (
            EVERYBODY,
            replace(one, remote_ip_ranges=two.remote_ip_ranges),
            replace(two, remote_ip_ranges=one.remote_ip_ranges),
        )
    )
    planned = plan(actual, wanted)
    assert [describe(operation) for operation in planned.operations] == [
        'set connector "One" remote_ip_ranges=[]',
        'set connector "Two" remote_ip_ranges=["10.0.0.1"]',
        'set connector "One" remote_ip_ranges=["10.0.0.2"]',
    ]
    assert planned.warnings == ()


def test_many_connectors_pass_their_ranges_on_and_one_waits_without_any() -> None:
    """At every step only one of them has somewhere to go."""
    ring = [connector(f"C{number:02}", f"10.0.0.{number}", relay=number % 2 == 0) for number in range(60)]
    ranges = [item.remote_ip_ranges for item in (*ring[1:], ring[0])]
    turned = [replace(item, remote_ip_ranges=ranges[number]) for number, item in enumerate(ring)]
    planned = plan(State((*ring, EVERYBODY)), State((*turned, EVERYBODY)))
    assert (len(planned.operations), planned.warnings) == (len(ring) + 1, ())


def test_where_inbound_mail_must_stop_the_warning_says_for_whom_and_when() -> None:
    """Nobody else takes the addresses that change hands."""
    old, new = connector("Old", "0.0.0.0/0"), connector("New", "0.0.0.0/0")
    planned = plan(State((old,)), State((new,)))
    assert [title(operation) for operation in planned.operations] == [
        'delete connector "Old"',
        'create connector "New"',
        'enable connector "New"',
    ]
    assert planned.warnings == (
        "inbound mail is refused from 0.0.0.0/0 (4294967296 addresses) to accepted domains on 0.0.0.0:25, "
        "after 'delete connector \"Old\"' until 'enable connector \"New\"'.",
    )
    assert plan(State((old,)), State((new,)), atomic=True).warnings == ()


def test_a_domain_that_both_ends_accept_is_accepted_all_the_time() -> None:
    """By another entry before than after."""
    below, one = AcceptedDomain("*.corp.test"), AcceptedDomain("a.corp.test")
    assert titles(State((EVERYBODY,), (below,)), State((EVERYBODY,), (one,))) == [
        'set accepted domain "a.corp.test"',
        'remove accepted domain "*.corp.test"',
    ]
    safety = Safety(State((EVERYBODY,), (below,)), State((EVERYBODY,), (one,)), new_conflicts)
    assert not safety.assess(State((EVERYBODY,), (below, one))).lost
    assert safety.assess(State((EVERYBODY,))).lost.render()[0]["ranges"] == ["0.0.0.0/0"]
    ending = Safety(State((EVERYBODY,), (below,)), State((EVERYBODY,)), new_conflicts)
    assert not ending.assess(State((EVERYBODY,))).lost


@pytest.mark.parametrize("option", ["require_tls", "implicit_tls"])
def test_who_cannot_send_without_tls_for_a_moment_is_warned_of(option: str) -> None:
    """In between, a client falls to the connector of everybody, which requires TLS."""
    strict = replace(EVERYBODY, auth_mechanism=("Tls",), **{option: True})
    one, two = connector("One", "10.0.0.1"), connector("Two", "10.0.0.2")
    planned = plan(State((strict, one, two)), State((strict, *swapped(one, two))))
    assert "inbound mail is refused from 10.0.0.1 (1 address)" in str(planned.warnings)


def test_a_backend_that_applies_all_at_once_meets_no_state_between() -> None:
    one, two = connector("One", "10.0.0.1", relay=True), connector("Two", "10.0.0.2")
    actual = State((EVERYBODY, one, two))
    wanted = State((EVERYBODY, *swapped(one, two)))
    operations = plan(actual, wanted, validate=never_empty, atomic=True).operations
    assert reduce(apply_operation, operations, actual) == wanted


@pytest.mark.parametrize("atomic", [False, True])
def test_what_the_backend_cannot_hold_in_the_end_is_refused(atomic: bool) -> None:
    empty = State((replace(SCAN, remote_ip_ranges=()),))
    with pytest.raises(ConflictError, match="Scan: no range"):
        plan(State((SCAN,)), empty, validate=never_empty, atomic=atomic)
    commented = replace(empty, connectors=(replace(empty.connectors[0], comment="so it was"),))
    assert titles(empty, commented) == ['set connector "Scan"']
    assert plan(empty, commented, validate=never_empty, atomic=atomic).operations


@pytest.mark.parametrize(
    "operation", [Set("gone", ()), Enable("gone"), Delete("gone"), RemoveDomain("gone"), Create(SCAN)]
)
def test_an_operation_on_what_is_not_there_fails(operation: Operation) -> None:
    with pytest.raises(KeyError):
        apply_operation(State((SCAN,)), operation)


def test_an_entry_that_new_groups_grant_becomes_theirs() -> None:
    """A group's rights cannot be revoked one by one."""
    submit = ExtendedRight(ANONYMOUS, SUBMIT)
    single = replace(SCAN, permission_groups=(), extended_rights=(submit,))
    group = replace(SCAN, extended_rights=())
    assert lines(State((single,)), State((group,))) == ['set connector "Scan" permission_groups=["AnonymousUsers"]']
    assert titles(State((group,)), State((single,))) == ['set connector "Scan"', 'grant connector "Scan"']
