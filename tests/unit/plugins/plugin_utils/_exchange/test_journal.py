# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change leaves for a while, and what the next task makes of it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ConflictError
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Change, Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import apply_operation
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import ServiceFacts
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.journal import (
    is_fresh,
    journal,
    read_journal,
    unfinished,
    write_journal,
)
from support import exchange as x
from support.exchange import SCAN
from support.memory_backend import EVERYTHING
from support.scale import examples
from support.strategies import random_state

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANONYMOUS = "NT AUTHORITY\\ANONYMOUS LOGON"
SENDER = ExtendedRight(ANONYMOUS, "ms-Exch-SMTP-Accept-Any-Sender")


def change(before: State, wanted: State) -> Change:
    return Change(Reading(before, ServiceFacts(True, False), EVERYTHING), wanted, plan(before, wanted).operations)


@examples(150)
@given(st.integers(0, (1 << 32) - 1))
def test_wherever_a_change_is_cut_off_a_task_that_says_nothing_of_it_ends_where_it_wanted(seed: int) -> None:
    """Of everything that is left for a while: whether it is enabled, and who has which right."""
    rng = random.Random(seed)
    before, wanted = random_state(rng), random_state(rng)
    wanted = replace(wanted, accepted_domains=before.accepted_domains)
    try:
        made = change(before, wanted)
    except ConflictError:
        return
    entries = read_journal(write_journal(journal(made)))
    final = {item.key: item for item in wanted.connectors}
    was = {item.key: item for item in before.connectors}
    for state in accumulate(made.operations, apply_operation, initial=before):
        left = unfinished(state.connectors, entries)
        cut = replace(state, unfinished=tuple(left))
        for item in state.connectors:
            end = final.get(item.key)
            if end is None:
                continue
            intended = cut.intended(item.name)
            assert intended is not None
            old = was.get(item.key)
            meant = {end.enabled} if old is None else {old.enabled, end.enabled}
            assert intended.enabled in meant
            if old is not None:
                assert old.own_entries & end.own_entries <= intended.own_entries
                assert intended.own_entries <= old.own_entries | end.own_entries


def test_a_new_connector_that_was_left_disabled_is_enabled_by_the_next_task() -> None:
    wanted = State((SCAN,))
    made = change(State(), wanted)
    entries = journal(made)
    assert [(entry["name"], entry["enabled"]) for entry in entries] == [("Scan", True)]
    bare = apply_operation(State(), made.operations[0])
    cut = replace(bare, unfinished=tuple(unfinished(bare.connectors, entries)))
    again = merge(cut, Options(connectors=[{"name": "Scan", "comment": "x"}])).connectors[0]
    assert again.enabled
    assert not merge(bare, Options(connectors=[{"name": "Scan", "comment": "x"}])).connectors[0].enabled
    assert not merge(cut, Options(connectors=[{"name": "Scan", "enabled": False}])).connectors[0].enabled


def test_a_right_that_a_group_brings_for_a_while_is_in_it() -> None:
    held = replace(SCAN, removed_rights=(SENDER,))
    wider = replace(held, permission_groups=("AnonymousUsers", "ExchangeUsers"))
    [entry] = journal(change(State((held,)), State((wider,))))
    assert {"principal": ANONYMOUS, "right": SENDER.right, "deny": False} in entry["added"]
    [intended] = unfinished([replace(wider, removed_rights=())], [entry])
    assert intended.removed_rights == (SENDER,)


@pytest.mark.parametrize("text", ["", "{", "7", '[7, {"name": 7}, {}]', '{"name": "Scan"}'])
def test_what_cannot_be_read_is_nothing(text: str) -> None:
    assert read_journal(text) == []


def test_rights_that_cannot_be_read_leave_the_connector_as_it_is() -> None:
    odd = {"name": "Scan", "enabled": False, "added": [{"principal": "", "right": "?"}], "revoked": 7}
    assert unfinished([SCAN], [odd]) == []


def test_after_a_day_it_is_old() -> None:
    assert is_fresh(NOW - timedelta(hours=23), NOW)
    assert not is_fresh(NOW - timedelta(hours=25), NOW)
    assert not is_fresh(None, NOW)


def left_behind(hours: int) -> x.Reading:
    disabled = replace(SCAN, enabled=False)
    written = (NOW - timedelta(hours=hours)).isoformat()
    entries = [{"name": "SCAN", "enabled": True, "added": [], "revoked": []}]
    return x.read(
        x.answers(
            [disabled],
            host=x.table("host", [{"Name": "EX1", "Now": NOW.isoformat()}]),
            journal=x.table("journal", [{"*": write_journal(entries)}]),
            journaled=x.table("journaled", [{"LastWriteTimeUtc": written}]),
        )
    )


def test_a_reading_says_what_was_left_and_forgets_it_after_a_day() -> None:
    fresh = left_behind(1)
    assert [item.enabled for item in fresh.state.unfinished] == [True]
    assert any("A change of connector 'Scan' was cut off" in notice.text for notice in fresh.notices)
    assert left_behind(30).state.unfinished == ()
