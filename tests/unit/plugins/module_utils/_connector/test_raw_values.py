# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever an option holds, it is read or refused with a message, never a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import ACCOUNT_PROPERTIES
from ansible_collections.mailops.relay.plugins.module_utils._connector import values
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError, RelayError
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    CONNECTOR_PROPERTIES,
    DOMAIN_PROPERTIES,
    USAGE,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import (
    Property,
    parse_list,
    render_value,
)
from support import raw
from support.scale import examples

ROWS = (*CONNECTOR_PROPERTIES, *DOMAIN_PROPERTIES, *ACCOUNT_PROPERTIES, USAGE)
LIKELY: tuple[Any, ...] = (
    "10.0.0.0/24",
    "10.0.0.1-10.0.0.9",
    "0.0.0.0:25",
    "[::]:25",
    "a@corp.test",
    "*.corp.test",
    "mail.corp.test:25",
    "00:05:00",
    "36MB",
    "Unlimited",
    "Tls",
    "a.test:AcceptOorgProtocol",
    {"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Submit"},
)


def read(row: Property, value: Any) -> Any:
    """The value, or the message that refuses it."""
    try:
        if not row.is_list:
            return row.parse(value, "x")
        there = parse_list(row, (), [entry for entry in LIKELY if fits(row, entry)], "x")
        return parse_list(row, there, value, "x")
    except RelayError as error:
        return str(error)


def fits(row: Property, entry: Any) -> bool:
    try:
        row.parse(entry, "x")
    except RelayError:
        return False
    return True


@examples(300)
@given(st.sampled_from(ROWS).flatmap(lambda row: st.tuples(st.just(row), raw.values(*LIKELY, *row.choices))))
def test_a_value_of_any_type_is_read_or_refused(drawn: tuple[Property, Any]) -> None:
    row, value = drawn
    found = read(row, value)
    hash(found)
    if found.__class__ is str:
        found.encode()
    else:
        json.dumps(render_value(row, found), ensure_ascii=False).encode()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.option)
def test_an_odd_value_alone_and_in_lists_and_changes(row: Property) -> None:
    for odd in (*raw.ODD_NUMBERS, *raw.ODD_TEXTS):
        for form in (odd, [odd], {"add": [odd]}, {"remove": [odd]}, {"set": [odd]}, {"add": odd}, {odd: []}):
            read(row, form)


@pytest.mark.parametrize("change", [{"add": None}, {"remove": None}, {"set": None}, {"add": None, "remove": None}])
@pytest.mark.parametrize("row", [row for row in ROWS if row.is_list], ids=lambda row: row.option)
def test_a_change_of_nothing_leaves_the_list_alone(row: Property, change: dict[str, Any]) -> None:
    assert parse_list(row, (), change, "x") == ()


TEXT_READERS = [
    values.parse_text,
    values.parse_comment,
    values.parse_name,
    values.parse_path,
    values.parse_domain_name,
]


@pytest.mark.parametrize("parse", TEXT_READERS, ids=lambda parse: parse.__name__)
def test_text_that_no_file_could_hold_is_refused(parse: Any) -> None:
    with pytest.raises(InputError, match=r"x: a character that UTF-8 cannot encode, got .*udc80'\. Remove it"):
        parse("/a\udc80", "x")


def test_a_time_span_of_thousands_of_digits() -> None:
    for value in (raw.NINES, f"{raw.NINES}.00:00:00", 10**5000):
        with pytest.raises(InputError, match="x: not a time span, got"):
            values.parse_span(value, "x")


def deep(depth: int) -> Any:
    value: Any = []
    for _number in range(depth):
        value = [value]
    return value


def test_a_value_that_cannot_be_shown() -> None:
    for value, kind in ((10**5000, "int"), ([10**5000], "list"), (deep(100000), "list")):
        message = str(RelayError("no good", where="x", value=value, way_out="Give another."))
        assert message == f"x: no good, got a value of type {kind} that cannot be shown. Give another."


def test_a_sentence_has_one_end() -> None:
    assert str(RelayError("no good", where="x", way_out="Stop.")) == "x: no good. Stop."
    assert str(RelayError("cannot be written; is the disk full?", where="x", way_out="Stop.")).endswith("full? Stop.")
