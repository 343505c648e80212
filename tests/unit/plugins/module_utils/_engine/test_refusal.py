# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that have no safe order: the refusal names a step, and who follows it arrives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import Conflict, ConflictError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import new_conflicts
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import Delete, Operation
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._engine.safety import Validate
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.planning import EVERYBODY, SCAN, after_step, connector, never_empty, numbered_pair, swapped
from support.scale import scaled

ONE, TWO = connector("One", "10.0.0.1", relay=True), connector("Two", "10.0.0.2")
SWAP = State((EVERYBODY, ONE, TWO)), State((EVERYBODY, *swapped(ONE, TWO)))


def refused(before: State, wanted: State, validate: Validate) -> str:
    with pytest.raises(ConflictError) as caught:
        plan(before, wanted, validate=validate)
    return str(caught.value)


def follow(before: State, wanted: State, validate: Validate, says: str) -> tuple[Operation, ...]:
    """Both tasks have a plan; that of the step."""
    step = after_step(before, says)
    assert plan(step, wanted, validate=validate).operations
    return plan(before, step, validate=validate).operations


def test_the_step_is_named_and_helps() -> None:
    says = refused(*SWAP, never_empty)
    assert says == (
        "connectors 'One', 'Two': no order of these changes was found that is safe at every step. Delete 'One' in a "
        "task of its own, then run this one again."
    )
    assert follow(*SWAP, never_empty, says) == (Delete("One"),)


def test_a_step_that_opens_something_says_what() -> None:
    """A closed connector cannot change its name without a gap through which a relayed domain is in reach."""
    domains = (AcceptedDomain("branch.test", "InternalRelay"),)
    old, new = (connector(name, "10.0.0.1", anonymous=False) for name in ("Old", "New"))
    pair = State((EVERYBODY, old), domains), State((EVERYBODY, new), domains)
    says = refused(*pair, new_conflicts)
    opened = "opens 10.0.0.1 (1 address) to branch.test on 0.0.0.0:25"
    assert f"Delete 'Old' (it {opened} meanwhile) in a task of its own" in says
    follow(*pair, new_conflicts, says)


def test_a_step_that_stops_inbound_mail_says_whose() -> None:
    pair = State((ONE, TWO)), State(swapped(ONE, TWO))
    says = refused(*pair, never_empty)
    stopped = "stops inbound mail from 10.0.0.1 (1 address) to accepted domains on 0.0.0.0:25"
    assert f"Delete 'One' (it {stopped} meanwhile) in a task of its own" in says
    follow(*pair, never_empty, says)


def test_built_in_connectors_are_not_advised_to_go() -> None:
    before = State((EVERYBODY, SCAN), built_in=("Default", "Scan"))
    pair = before, replace(before, connectors=swapped(EVERYBODY, SCAN))
    says = refused(*pair, never_empty)
    assert "Give 'Scan' only the range 192.0.2.1 in a task of its own" in says
    follow(*pair, never_empty, says)


def test_a_range_to_wait_in_is_nobodys() -> None:
    there = connector("Other", "192.0.2.1")
    before = State((EVERYBODY, there, SCAN), built_in=("Default", "Scan"))
    default, scan = swapped(EVERYBODY, SCAN)
    pair = before, replace(before, connectors=(default, there, scan))
    says = refused(*pair, never_empty)
    assert "Give 'Scan' only the range 192.0.2.2 in a task" in says
    follow(*pair, never_empty, says)


@pytest.mark.parametrize(
    ("built_in", "step"),
    [
        ((), "Delete 'One' and 'Two' and 'X' and 'Y' in a task"),
        (
            ("One", "Two", "X", "Y"),
            "Give 'One' and 'Two' and 'X' and 'Y' only the ranges "
            "192.0.2.1 and 192.0.2.2 and 192.0.2.3 and 192.0.2.4, one each, (it opens",
        ),
    ],
)
def test_where_one_is_not_enough_all_of_them_make_room(built_in: tuple[str, ...], step: str) -> None:
    more = connector("X", "10.0.0.3", relay=True), connector("Y", "10.0.0.4")
    before = State((*SWAP[0].connectors, *more), built_in=built_in)
    pair = before, replace(before, connectors=(*SWAP[1].connectors, *swapped(*more)))
    says = refused(*pair, never_empty)
    assert step in says
    follow(*pair, never_empty, says)


def test_where_no_step_helps_none_is_named() -> None:
    def nothing_else(state: State, before: State) -> list[Conflict]:
        return [] if state.connectors in [end.connectors for end in SWAP] else [Conflict("no", "x", "Stay.")]

    assert "safe at every step. Change fewer of them in one task." in refused(*SWAP, nothing_else)


@pytest.mark.parametrize("built_in", [(), ("A", "b", "C", "d", "E", "f")])
def test_every_step_that_a_refusal_names_helps(built_in: tuple[str, ...]) -> None:
    refusals = 0
    for seed in range(scaled(60)):
        pair = tuple(replace(state, built_in=built_in) for state in numbered_pair(seed))
        try:
            plan(pair[0], pair[1], validate=never_empty)
        except ConflictError as error:
            if "no order" in str(error):
                refusals += 1
                follow(pair[0], pair[1], never_empty, str(error))
    assert refusals or scaled(60) < 60


def test_few_changes_are_refused() -> None:
    """Of 5,000 such pairs 32 were; a search that tries every order refused 23."""
    refusals = 0
    for seed in range(scaled(300)):
        try:
            plan(*numbered_pair(seed))
        except ConflictError:
            refusals += 1
    assert refusals <= scaled(5)
