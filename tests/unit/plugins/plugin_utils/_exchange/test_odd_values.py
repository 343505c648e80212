# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with odd values: whatever stands in a column, the rest of the server comes out, and nothing is lost."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain
from ansible_collections.mailops.relay.plugins.module_utils._connector.odd import Odd, plain_text, printed
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import Property, render_value
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.definitions import parse_definitions
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import Answers, ask
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.state import read_server
from support import exchange as x
from support.exchange import SCAN
from support.odd_values import DECIDING, LENIENT, ODD_TEXT, PRINTED, TEXTS, holding
from support.scale import examples

OTHER = replace(SCAN, name="Other", bindings=(parse_binding("192.0.2.1:26", "x"),))
GUARD = {"max_relay_addresses": 10**9, "shared_sources": None, "allow_open_relay": False, "allow_inbound_loss": False}
DOMAINS = (AcceptedDomain("corp.test"),)


def answers(**columns: Any) -> Answers:
    """Of a server with two connectors, the first of which has these columns."""
    rows = [x.connector_row(random.Random(0), item) for item in (SCAN, OTHER)]
    made = x.answers([SCAN, OTHER], DOMAINS, connectors=x.table("connectors", [{**rows[0], **columns}, rows[1]]))
    return ask(lambda _arguments: made, "remote")


def read(**columns: Any) -> Reading:
    return read_server(answers(**columns))


def odd_notices(reading: Reading) -> list[str]:
    return [notice.text for notice in reading.notices if "The server holds values that cannot be read" in notice.text]


COLUMNS = st.dictionaries(st.sampled_from([row.exchange for row in LENIENT]), PRINTED, max_size=8)


def test_a_server_with_odd_text_in_every_column_comes_out_whole() -> None:
    columns = {row.exchange: f"{ODD_TEXT} {row.exchange}" for row in LENIENT}
    reading = read(**columns, Name=" Scan ")
    odd = {row.option: Odd(columns[row.exchange]) for row in LENIENT}
    assert reading.state.connectors == (holding(SCAN, name=" Scan ", **odd), OTHER)
    assert len(odd_notices(reading)) == 1
    (entry, _other) = x.info(answers(**columns, Name=" Scan "))["connectors"]
    assert entry["unvalidated"] == ["name", *(row.option for row in LENIENT)]
    assert {row.option: entry[row.option] for row in LENIENT} == {row.option: columns[row.exchange] for row in LENIENT}


@examples(100)
@given(COLUMNS, st.none() | TEXTS, PRINTED)
def test_whatever_stands_in_the_columns_the_rest_of_the_server_comes_out(
    columns: dict[str, Any], name: str | None, changed: Any
) -> None:
    found = answers(**columns, Name=name, WhenChangedUTC=changed)
    reading = read_server(found)
    by_name = {item.name: item for item in reading.state.connectors}
    first, second = by_name[plain_text(name)], by_name["Other"]
    assert second == OTHER
    assert [getattr(first, row.option) for row in DECIDING] == [getattr(SCAN, row.option) for row in DECIDING]
    assert first.extended_rights == SCAN.extended_rights
    for row in (row for row in LENIENT if row.exchange in columns):
        held = getattr(first, row.option)
        assert not isinstance(held, Odd) or held == printed(columns[row.exchange])
    assert len(odd_notices(reading)) <= 1
    result = json.loads(json.dumps(x.info(found), ensure_ascii=False).encode())
    assert result["relay_surface"] == x.info(answers())["relay_surface"]
    again = parse_definitions(result)
    assert again.connectors == reading.state.connectors


@examples(40)
@given(COLUMNS, TEXTS)
def test_what_was_read_may_be_said_again_and_changes_nothing(columns: dict[str, Any], name: str) -> None:
    found = answers(**columns, Name=name)
    entries = json.loads(json.dumps(x.info(found)["connectors"]))
    told = ({key: value for key, value in entry.items() if key != "unvalidated"} for entry in entries)
    for task in (entries, list(told)):
        result = x.task("connectors", found, connectors=task, purge=True, allow_expired_certificate=False, **GUARD)
        assert (result["changed"], result["commands"]) == (False, [])
        assert result["before"] == result["after"] == entries


@pytest.mark.parametrize("row", LENIENT, ids=lambda row: row.option)
def test_a_column_of_which_nobody_relays_is_kept_as_text(row: Property) -> None:
    reading = read(**{row.exchange: ODD_TEXT})
    found = reading.state.connector("Scan")
    assert found is not None
    assert found == holding(SCAN, **{row.option: Odd(ODD_TEXT)})
    assert render_value(row, Odd(ODD_TEXT)) == ODD_TEXT
    assert odd_notices(reading) == [
        f"The server holds values that cannot be read: connector 'Scan', {row.option}: {ODD_TEXT!r}. They are kept as "
        "they are, and compared only with a task that sets the same option."
    ]
    info = x.info(answers(**{row.exchange: ODD_TEXT}))
    (entry,) = (item for item in info["connectors"] if item["name"] == "Scan")
    assert (entry[row.option], entry["unvalidated"]) == (ODD_TEXT, [row.option])


@pytest.mark.parametrize("row", DECIDING, ids=lambda row: row.option)
@pytest.mark.parametrize("value", [ODD_TEXT, [ODD_TEXT], None])
def test_a_column_that_decides_who_relays_must_be_readable(row: Property, value: Any) -> None:
    if row.since != "07" and value is None:  # an old server has none
        assert read(**{row.exchange: value}).state.connectors
        return
    with pytest.raises(StoreError, match=rf"connector 'Scan', {row.option} \({row.exchange}\).*: cannot be read"):
        read(**{row.exchange: value})


def test_which_columns_decide() -> None:
    assert [row.option for row in DECIDING] == [
        "enabled",
        "bindings",
        "remote_ip_ranges",
        "permission_groups",
        "auth_mechanism",
        "require_tls",
        "transport_role",
    ]


def test_inherited_rights_of_a_connector_with_an_odd_name_reach_the_filters() -> None:
    connector = replace(SCAN, name=f" {'x' * 70}", extended_rights=(), inherited_rights=(x.RELAY,))
    info = x.info(ask(lambda _arguments: x.answers([connector]), "remote"))
    assert info["connectors"][0]["unvalidated"] == ["name"]
    assert parse_definitions(info).connectors == (connector,)
    assert info["relay_surface"]


def test_one_notice_lists_the_first_and_counts_the_rest() -> None:
    columns = {row.exchange: "y" * 500 for row in LENIENT if row.least is not None}
    (text,) = odd_notices(read(**columns))
    assert text.count("connector 'Scan'") == 5
    assert f" and {len(columns) - 5} more." in text
    assert "'yyyyyyyyyyy" in text
    assert len(text) < 800


def test_an_empty_column_of_numbers_is_odd_and_no_default() -> None:
    option = "max_hop_count"
    (found, *_others) = (item for item in read(MaxHopCount=None).state.connectors if item.name == "Scan")
    assert getattr(found, option) == Odd("")
    assert found.known(option) is None
    assert read(AuthTarpitInterval=None).state.connectors[1].auth_tarpit_interval is None


def test_two_connectors_of_one_name_cannot_be_told_apart() -> None:
    with pytest.raises(StoreError, match="connectors: two connectors of one name, got 'Other'"):
        read(Name="OTHER")


def test_a_time_that_cannot_be_read_is_said_and_costs_nothing_else() -> None:
    reading = read(WhenChangedUTC="yesterday")
    assert len(reading.state.connectors) == 2
    assert [notice.text for notice in reading.notices] == [
        "When these were changed cannot be read: 'Scan'. Whether a restart is due is told without them."
    ]
