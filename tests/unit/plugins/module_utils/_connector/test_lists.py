# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``{add, remove, set}`` makes of a list, and what a removal may not pretend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import ACCOUNT_PROPERTIES
from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import AddressRange
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    CONNECTOR_PROPERTIES,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import parse_list, render_value
from ansible_collections.mailops.relay.plugins.module_utils._connector.values import pattern_holds

ROWS = {row.option: row for row in (*CONNECTOR_PROPERTIES, *ACCOUNT_PROPERTIES)}
RANGES = ("remote_ip_ranges", "allow_nets")
PATTERNS = ("allowed_senders", "allowed_recipients")
WIDE_WHEN_EMPTY = {
    "allowed_senders": "every accepted domain",
    "allowed_recipients": "every recipient",
    "allow_nets": "every client address",
}


GUIDE = (Path(__file__).resolve().parents[5] / "docs/lists.md").read_text()


def changed(option: str, current: list[Any], value: Any) -> list[Any]:
    row = ROWS[option]
    there = parse_list(row, (), current, "before")
    found: list[Any] = render_value(row, parse_list(row, there, value, f"connector 'Scanner relay', {option}"))
    return found


def refusal(option: str, current: list[Any], value: Any) -> str:
    with pytest.raises(InputError) as caught:
        changed(option, current, value)
    return str(caught.value)


def test_which_lists_allow_more_when_they_are_empty() -> None:
    assert {name: row.empty_allows for name, row in ROWS.items() if row.empty_allows} == WIDE_WHEN_EMPTY


@pytest.mark.parametrize("option", WIDE_WHEN_EMPTY)
def test_the_last_entry_of_a_list_that_limits_is_not_removed(option: str) -> None:
    only = "10.0.0.1" if option in RANGES else "corp.test"
    says = refusal(option, [only], {"remove": [only]})
    assert says.startswith(f"connector 'Scanner relay', {option}.remove: without its last entry the list would allow ")
    assert f"{WIDE_WHEN_EMPTY[option]}, got '{only}'. " in says
    assert says.endswith("Add another entry in the same task, or give the whole list [] if that is meant.")
    assert refusal(option, [only], {"remove": [only], "add": []}) == says


@pytest.mark.parametrize("option", WIDE_WHEN_EMPTY)
def test_a_list_that_limits_is_emptied_by_the_whole_list(option: str) -> None:
    only = "10.0.0.1" if option in RANGES else "corp.test"
    other = "10.9.0.1" if option in RANGES else "other.test"
    assert changed(option, [only], []) == []
    assert changed(option, [only], {"set": []}) == []
    assert changed(option, [only], {"remove": [only], "add": [other]}) == [other]
    assert changed(option, [only, other], {"remove": [only]}) == [other]
    assert changed(option, [only], {"remove": [other]}) == [only]
    assert changed(option, [], {"remove": [only]}) == []


def test_a_list_of_which_an_empty_one_is_nobody_may_be_emptied() -> None:
    assert changed("remote_ip_ranges", ["10.0.0.1"], {"remove": ["10.0.0.1"]}) == []


@pytest.mark.parametrize("option", RANGES)
@pytest.mark.parametrize(
    ("current", "value", "says"),
    [
        (["10.0.0.0/24"], {"remove": ["10.0.0.7"]}, "lies inside what stays in the list: 10.0.0.0/24"),
        (["10.0.0.0/24", "10.0.0.7"], {"remove": ["10.0.0.7"]}, "lies inside what stays in the list: 10.0.0.0/24"),
        (
            ["10.0.0.0/8", "10.0.0.0/24"],
            {"remove": ["10.0.0.7"]},
            "lies inside what stays in the list: 10.0.0.0/24, 10.0.0.0/8",
        ),
        (["2001:db8::/64"], {"remove": ["2001:db8::1"]}, "lies inside what stays in the list: 2001:db8::/64"),
        (
            ["10.0.0.7"],
            {"remove": ["10.0.0.7"], "add": ["10.0.0.0/24"]},
            "lies inside what stays in the list: 10.0.0.0/24",
        ),
        (
            ["10.0.0.1-10.0.0.9"],
            {"remove": ["10.0.0.5-10.0.0.20"]},
            "overlaps what stays in the list: 10.0.0.1-10.0.0.9",
        ),
        (["10.0.0.7", "10.1.0.1"], {"remove": ["10.0.0.0/24"]}, "overlaps what stays in the list: 10.0.0.7"),
        (
            ["10.0.0.1-10.0.0.9", "10.0.0.5-10.0.0.20"],
            {"remove": ["10.0.0.5-10.0.0.20"]},
            "overlaps what stays in the list: 10.0.0.1-10.0.0.9",
        ),
    ],
)
def test_addresses_that_would_stay_in_the_list_are_not_removed(
    option: str, current: list[str], value: dict[str, list[str]], says: str
) -> None:
    message = refusal(option, current, value)
    assert message.startswith(f"connector 'Scanner relay', {option}.remove: {says}")
    assert f"got '{value['remove'][0]}'" in message


def test_the_message_says_how_to_take_an_address_out_of_a_range() -> None:
    says = refusal("remote_ip_ranges", ["10.0.0.0/24"], {"remove": ["10.0.0.7"]})
    assert says.endswith("Remove 10.0.0.0/24 too, and add what is to stay of it in the same task.")
    parts = ["10.0.0.0-10.0.0.6", "10.0.0.8-10.0.0.255"]
    assert changed("remote_ip_ranges", ["10.0.0.0/24"], {"remove": ["10.0.0.0/24"], "add": parts}) == parts


def test_a_message_names_a_few_entries_only() -> None:
    says = refusal("remote_ip_ranges", [f"10.0.0.{number}" for number in range(9)], {"remove": ["10.0.0.0/24"]})
    assert "in the list: 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and 4 more, got '10.0.0.0/24'" in says


@pytest.mark.parametrize("option", RANGES)
@pytest.mark.parametrize(
    ("current", "value", "after"),
    [
        (["10.0.0.0/24", "10.2.0.1"], {"remove": ["10.3.0.1", "::1", "10.3.0.0/16"]}, ["10.0.0.0/24", "10.2.0.1"]),
        (["10.0.0.0/24", "10.2.0.1"], {"remove": ["10.0.0.0/24"]}, ["10.2.0.1"]),
        (["10.0.0.0/24", "10.0.0.7", "10.2.0.1"], {"remove": ["10.0.0.0/24", "10.0.0.7"]}, ["10.2.0.1"]),
        (["10.0.0.0/24", "10.0.0.7"], {"remove": ["10.0.0.0/24"], "add": ["10.0.0.7"]}, ["10.0.0.7"]),
        (["10.0.0.0/24"], {"remove": ["10.0.0.0/24"], "add": ["10.0.0.0/25"]}, ["10.0.0.0/25"]),
    ],
)
def test_what_may_be_removed_and_again_changes_nothing(
    option: str, current: list[str], value: dict[str, list[str]], after: list[str]
) -> None:
    assert changed(option, current, value) == after
    assert changed(option, after, value) == after


@pytest.mark.parametrize("option", PATTERNS)
@pytest.mark.parametrize(
    ("holder", "removed"),
    [
        ("corp.test", "boss@corp.test"),
        ("*.corp.test", "boss@a.corp.test"),
        ("*.corp.test", "a.corp.test"),
        ("*.corp.test", "*.a.corp.test"),
        ("*", "corp.test"),
    ],
)
def test_a_pattern_that_another_one_holds_is_not_removed(option: str, holder: str, removed: str) -> None:
    says = refusal(option, [holder, "x.test"], {"remove": [removed]})
    assert f"{option}.remove: lies inside what stays in the list: {holder}, got '{removed}'" in says
    wider = refusal(option, [removed], {"remove": [holder], "add": ["x.test"]})
    assert f"overlaps what stays in the list: {removed}, got '{holder}'. Remove {removed} too, and add" in wider
    assert changed(option, [holder, removed], {"remove": [holder], "add": [removed]}) == [removed]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("corp.test", "*.corp.test"),
        ("*.corp.test", "corp.test"),
        ("*.corp.test", "xcorp.test"),
        ("corp.test", "*"),
        ("*.test", "*"),
        ("a@corp.test", "b@corp.test"),
        ("a@corp.test", "corp.test"),
    ],
)
def test_a_pattern_that_does_not_hold_another(one: str, other: str) -> None:
    assert not pattern_holds(one, other)


OFFSETS = st.integers(0, 12)
SOME = st.lists(st.tuples(OFFSETS, OFFSETS).map(sorted).map(lambda ends: AddressRange(4, ends[0], ends[1])), max_size=3)


def addresses(ranges: Iterable[AddressRange]) -> set[int]:
    return {number for item in ranges for number in range(item.low, item.high + 1)}


@given(SOME, SOME, SOME)
def test_what_is_removed_is_gone_but_for_what_is_added(
    current: list[AddressRange], removed: list[AddressRange], added: list[AddressRange]
) -> None:
    """Or the task is refused; and what it made, it makes again."""
    change = {"remove": [str(item) for item in removed], "add": [str(item) for item in added]}
    row = ROWS["remote_ip_ranges"]
    try:
        after = parse_list(row, tuple(current), change, "x")
    except InputError:
        return
    assert after is not None
    assert not (addresses(after) - addresses(added)) & addresses(removed)
    assert parse_list(row, after, change, "x") == after


@given(SOME, st.sampled_from(RANGES))
def test_a_listed_range_that_meets_no_other_is_removed(current: list[AddressRange], option: str) -> None:
    apart = [item for item in current if not any(item.meets(other) for other in current if other != item)]
    other = AddressRange(4, 100, 100)
    for item in apart:
        after = parse_list(ROWS[option], (*current, other), {"remove": [str(item)]}, "x")
        assert after == tuple(sorted({*current, other} - {item}))


def test_the_guide_has_every_list_option_with_an_entry() -> None:
    cells = [line.strip("| ").split(" | ") for line in GUIDE.splitlines() if line.startswith("| `")]
    told = {row[0].split("`")[1]: (row[1].strip("`"), row[2]) for row in cells if len(row) == 3}
    assert told.keys() == {name for name, row in ROWS.items() if row.is_list}
    for option, (entry, empty) in told.items():
        ROWS[option].parse(yaml.safe_load(entry), "x")
        assert empty.partition("**more**: ")[2] == ROWS[option].empty_allows


@pytest.mark.parametrize(
    ("option", "current", "value"),
    [
        ("allowed_recipients", ["partner.example"], {"remove": ["partner.example"]}),
        ("remote_ip_ranges", ["10.0.0.0/24"], {"remove": ["10.0.0.7"]}),
        ("remote_ip_ranges", ["10.0.0.0/24", "10.0.0.7"], {"remove": ["10.0.0.0/24"]}),
    ],
)
def test_the_guide_shows_the_messages_as_they_are(option: str, current: list[str], value: dict[str, list[str]]) -> None:
    assert refusal(option, current, value) in " ".join(GUIDE.split())
    assert yaml.safe_dump({option: value}).splitlines()[0] in GUIDE


@pytest.mark.parametrize("current", [["10.0.0.0/24"], ["10.0.0.0/24", "10.0.0.7"]])
def test_what_the_guide_advises_works(current: list[str]) -> None:
    blocks = [yaml.safe_load(block.partition("```")[0]) for block in GUIDE.split("```yaml\n")[1:]]
    advice = [block["remote_ip_ranges"] for block in blocks if isinstance(block, dict) and "remote_ip_ranges" in block]
    (_refused, cut, kept) = advice
    parts = ["10.0.0.0-10.0.0.6", "10.0.0.8-10.0.0.255"]
    assert changed("remote_ip_ranges", current, cut) == parts
    assert changed("remote_ip_ranges", parts, cut) == parts
    assert changed("remote_ip_ranges", current, kept) == ["10.0.0.7"]
