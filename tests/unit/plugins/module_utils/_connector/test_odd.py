# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of a value that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError
from ansible_collections.mailops.relay.plugins.module_utils._connector.odd import Odd, plain_text, printed
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import CONNECTOR_PROPERTIES
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import (
    read_leniently,
    read_options,
    render_value,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.settings import SETTINGS_PROPERTIES, Settings

ROWS = {row.option: row for row in CONNECTOR_PROPERTIES}


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        (None, ""),
        (True, "True"),
        (7, "7"),
        ("a\nb", "a\nb"),
        ("\ud83d\ude00 \ud83d", "\U0001f600 \ufffd"),
        (["a", None, 7], ["a", "", "7"]),
        ((), []),
    ],
)
def test_whatever_is_printed_has_a_text(value: Any, rendered: str | list[str]) -> None:
    assert printed(value).rendered == rendered
    assert printed(printed(value).rendered) == printed(value)


def test_a_number_that_python_does_not_print() -> None:
    assert plain_text(10**5000) == "a value of type int that cannot be shown"


def test_a_text_stays_what_it_is() -> None:
    assert plain_text("\u2028 \x00 \U0001f600") == "\u2028 \x00 \U0001f600"


@pytest.mark.parametrize(
    ("option", "value", "read"),
    [
        ("max_hop_count", "60", 60),
        ("max_hop_count", 60, 60),
        ("max_hop_count", "900", Odd("900")),
        ("comment", True, "True"),
        ("chunking_enabled", "True", True),
        ("chunking_enabled", "yes", Odd("yes")),
        ("message_rate_source", ["User", "Moon"], Odd(("User", "Moon"))),
        ("message_rate_source", "User, Moon", Odd("User, Moon")),
        ("message_rate_source", "None, User", Odd("None, User")),
        ("fqdn", "mail_relay.corp.test", Odd("mail_relay.corp.test")),
        ("banner", [], Odd(())),
    ],
)
def test_what_can_be_read_is_read(option: str, value: Any, read: Any) -> None:
    row = ROWS[option]
    found = read_leniently(row, value, "x")
    assert found == read
    assert read_leniently(row, render_value(row, found), "x") == read, "what is rendered is read back"


def test_a_dictionary_stands_on_no_server() -> None:
    with pytest.raises(InputError, match="x: text is needed"):
        read_leniently(ROWS["banner"], {"a": 1}, "x")


def test_one_is_not_true_and_the_same_value_is_the_same() -> None:
    rows = (ROWS["require_tls"],)
    current = type("Holder", (), {"require_tls": True})()
    assert read_options(rows, current, {"require_tls": True}) == {"require_tls": True}
    with pytest.raises(InputError, match="require_tls: true or false is needed"):
        read_options(rows, current, {"require_tls": 1})
    settings = read_options(SETTINGS_PROPERTIES, Settings(max_relay_addresses=5), {"max_relay_addresses": 5})
    assert settings == {"max_relay_addresses": 5}
