# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.plugin_utils._role import check_devices, role_error

TODAY = "2026-11-24"
COPIER = {"name": "Copier", "address": "10.0.0.11"}
LOAN = {"name": "Scanner on loan", "address": "10.0.0.12"}


def check(*devices: Any) -> dict[str, list[str]]:
    return check_devices(list(devices), TODAY)


def test_devices_stay_up_to_their_last_day() -> None:
    found = check(
        {**COPIER, "expires": None},
        {**LOAN, "expires": TODAY},
        {"name": "3", "address": "fd00::3", "expires": datetime.date(2026, 11, 24)},
        {"name": "4", "address": "10.0.0.4", "expires": datetime.date(2026, 11, 23)},
        {"name": "5", "address": "10.0.0.5", "expires": datetime.datetime(2026, 11, 23, 23, 59)},
        {"name": "6", "address": "10.0.0.6-10.0.0.9", "expires": "2020-01-31"},
        {"name": "7", "address": "10.0.0.16/30", "expires": ""},
    )
    assert found == {
        "addresses": ["10.0.0.11", "10.0.0.12", "fd00::3", "10.0.0.16/30"],
        "expired": [
            "device '4' (10.0.0.4), last day 2026-11-23",
            "device '5' (10.0.0.5), last day 2026-11-23",
            "device '6' (10.0.0.6-10.0.0.9), last day 2020-01-31",
        ],
        "errors": [],
    }


def test_every_overlap_is_named_in_one_go() -> None:
    ranges = ("10.0.0.1-10.0.0.5", "10.0.0.4-10.0.0.9", "10.0.0.7")
    devices = [{"name": str(number), "address": address} for number, address in enumerate(ranges)]
    assert check(*devices)["errors"] == [
        f"device '{number}' ({ranges[number]}): device '{number - 1}' ({ranges[number - 1]}) has some of it in its "
        "range. List each address once."
        for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("device", "says"),
    [
        (
            {**LOAN, "expires": "next year"},
            "device 'Scanner on loan' (10.0.0.12), expires: not a day, got 'next year'. W",
        ),
        ({**LOAN, "expires": "2027-02-30"}, "device 'Scanner on loan' (10.0.0.12), expires: not a day"),
        ({**LOAN, "expires": "20270228"}, "device 'Scanner on loan' (10.0.0.12), expires: not a day"),
        ({**LOAN, "expires": 2027}, "device 'Scanner on loan' (10.0.0.12), expires: not a day, got 2027. Write it as"),
        ({**LOAN, "address": "10.0.0.300"}, "device 'Scanner on loan' (10.0.0.300), address: not an IP address, got"),
        ({**LOAN, "address": ""}, "device 'Scanner on loan' (), address: an address range is needed"),
        ({"name": "A"}, "device 'A' (None), address: an address range is needed"),
        ({"address": "10.0.0.1"}, "device 1: not a device. Give its name and address."),
        ("10.0.0.1", "device 1: not a device. Give its name and address."),
        (
            {**LOAN, "address": "10.0.0.11"},
            "device 'Scanner on loan' (10.0.0.11): device 'Copier' (10.0.0.11) has this a",
        ),
        (
            {**LOAN, "address": "10.0.0.11/32"},
            "device 'Scanner on loan' (10.0.0.11/32): device 'Copier' (10.0.0.11) has",
        ),
        (
            {**LOAN, "address": "10.0.0.8/29"},
            "device 'Copier' (10.0.0.11): device 'Scanner on loan' (10.0.0.8/29) has some",
        ),
        (
            {**LOAN, "address": "10.0.0.1-10.0.0.11"},
            "device 'Copier' (10.0.0.11): device 'Scanner on loan' (10.0.0.1-10",
        ),
    ],
)
def test_an_error_names_the_device(device: Any, says: str) -> None:
    [error] = check(COPIER, device)["errors"]
    assert error.startswith(says)


def test_all_errors_are_told_at_once() -> None:
    found = check(COPIER, {"name": "2", "address": "x"}, LOAN, {"name": "4", "address": "10.0.0.8/29"}, 5)
    assert [error.partition(":")[0] for error in found["errors"]] == [
        "device '2' (x), address",
        "device 4",
        "device 'Copier' (10.0.0.11)",
        "device 'Scanner on loan' (10.0.0.12)",
    ]


def test_the_successor_of_an_expired_device_may_have_its_address() -> None:
    found = check(
        {**LOAN, "expires": "2020-01-31"}, {**COPIER, "address": "10.0.0.12"}, {"name": "6", "address": "::12"}
    )
    assert found["errors"] == []
    assert found["addresses"] == ["10.0.0.12", "::12"]


@pytest.mark.parametrize("devices", [None, "10.0.0.1", 5, {}])
def test_no_list_is_an_error(devices: Any) -> None:
    assert bool(check_devices(devices, TODAY)["errors"])


RAW = st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.dates(), st.lists)


@given(RAW | st.lists(RAW | st.dictionaries(st.sampled_from(["name", "address", "expires"]), RAW)))
def test_whatever_the_list_holds_it_is_an_answer(devices: Any) -> None:
    found = check_devices(devices, TODAY)
    assert len(found["addresses"]) + len(found["expired"]) + len(found["errors"]) >= (devices not in ([], ()))


VARIABLES = {"allow_open_relay": "scanner_relay_allow_open_relay", "bindings": "scanner_relay_bindings"}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("x. Or set allow_open_relay: true.", "x. Or set scanner_relay_allow_open_relay: true."),
        ("not_allow_open_relay, allow_open_relays", "not_allow_open_relay, allow_open_relays"),
        ("connector 'a', bindings[0]: not a binding", "connector 'a', scanner_relay_bindings[0]: not a binding"),
        ("connector 'a', bindings: x", "connector 'a', scanner_relay_bindings: x"),
        ("both have these bindings, bindings and more", "both have these bindings, bindings and more"),
        ("connector 'allow_open_relay': x", "connector 'allow_open_relay': x"),
    ],
)
def test_options_become_variables(message: str, told: str) -> None:
    assert role_error(message, VARIABLES) == told


@pytest.mark.parametrize(
    ("message", "about"),
    [
        (
            "addresses could relay (10.0.0.11-10.0.0.12).",
            "device 'Copier' (10.0.0.11), device 'Scanner on loan' (10.0.0.12)",
        ),
        ("addresses could relay (10.0.0.11).", "device 'Copier' (10.0.0.11)"),
        ("(2001:db8:0:0::/65, 2001:db8::8000:0:0:0/65)", "device 'Net' (2001:db8::/64)"),
        ("2001:db8::1", "device 'Net' (2001:db8::/64)"),
        ("10.0.0.11 on 10.0.0.12:25", "device 'Copier' (10.0.0.11)"),
        ("would no longer take mail of 0.0.0.0-9.255.255.255 on 0.0.0.0:25", ""),
        ("(0.0.0.0/0)", ""),
        ("110.0.0.11, 10.0.0.112, fe::a, a.b, 1.2, ::", ""),
    ],
)
def test_the_devices_that_an_error_is_about_are_named(message: str, about: str) -> None:
    devices = [COPIER, LOAN, {"name": "Net", "address": "2001:db8::/64"}, {"name": "odd", "address": "x"}]
    assert role_error(message, {}, devices) == (f"{message} It is about {about}." if about else message)


def test_of_many_devices_some_are_named() -> None:
    devices = [{"name": str(number), "address": f"10.0.0.{number}"} for number in range(1, 9)]
    told = role_error("(10.0.0.1-10.0.0.8)", {}, devices)
    assert told.endswith("device '4' (10.0.0.4), device '5' (10.0.0.5), 3 more.")
