# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import (
    AddressRange,
    Binding,
    cidrs,
    intersect,
    parse_binding,
    parse_range,
    subtract,
    union,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError

EVERYTHING_V4 = AddressRange(4, 0, (1 << 32) - 1)


def v4(first: str, last: str | None = None) -> AddressRange:
    return AddressRange(4, int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last or first)))


def v6(first: str, last: str | None = None) -> AddressRange:
    return AddressRange(6, int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last or first)))


@pytest.mark.parametrize(
    ("text", "expected", "shortest"),
    [
        ("192.168.1.75", v4("192.168.1.75"), "192.168.1.75"),
        (" 192.168.1.75 ", v4("192.168.1.75"), "192.168.1.75"),
        ("192.168.1.75/32", v4("192.168.1.75"), "192.168.1.75"),
        ("192.168.1.1/24", v4("192.168.1.0", "192.168.1.255"), "192.168.1.0/24"),
        ("192.168.1.0-192.168.1.255", v4("192.168.1.0", "192.168.1.255"), "192.168.1.0/24"),
        ("192.168.1.1 - 192.168.1.9", v4("192.168.1.1", "192.168.1.9"), "192.168.1.1-192.168.1.9"),
        ("0.0.0.0-255.255.255.255", EVERYTHING_V4, "0.0.0.0/0"),
        ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AddressRange(6, 0, (1 << 128) - 1), "::/0"),
        ("2001:DB8::1/64", v6("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"), "2001:db8::/64"),
        ("63.128.21.0(255.255.255.0)", v4("63.128.21.0", "63.128.21.255"), "63.128.21.0/24"),
        (" 63.128.21.7 ( 255.255.255.0 ) ", v4("63.128.21.0", "63.128.21.255"), "63.128.21.0/24"),
        ("10.0.0.1(255.255.255.255)", v4("10.0.0.1"), "10.0.0.1"),
        ("10.0.0.1 (0.0.0.0)", EVERYTHING_V4, "0.0.0.0/0"),
        ("fe80::1%11", v6("fe80::1"), "fe80::1"),
        ("fe80::1%11-fe80::9%11", v6("fe80::1", "fe80::9"), "fe80::1-fe80::9"),
    ],
)
def test_every_spelling_is_read_and_gets_one(text: str, expected: AddressRange, shortest: str) -> None:
    assert parse_range(text, "x") == expected
    assert str(expected) == shortest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an address range is needed"),
        (None, "an address range is needed"),
        (17, "an address range is needed"),
        ("10.0.0", "not an IP address"),
        ("10.0.0.256", "not an IP address"),
        ("printer.corp.test", "not an IP address"),
        ("10.0.0.1/33", "not a prefix length"),
        ("10.0.0.1/255.255.255.0", "not a prefix length"),
        ("10.0.0.1/", "not a prefix length"),
        ("10.0.0.0(255.0.255.0)", "the mask 255.0.255.0 is no prefix, got '10.0.0.0(255.0.255.0)'"),
        ("10.0.0.0(0.0.0.255)", "the mask 0.0.0.255 is no prefix"),
        ("10.0.0.0(255.255.255.0", "not an address and its mask"),
        ("10.0.0.0(255.255.255.0)-10.0.0.9", "not an address and its mask"),
        ("10.0.0.0(24)", "not an IP address"),
        ("fe80::1(255.255.255.0)", "only IPv4 addresses have a mask"),
        ("10.0.0.0(ffff::)", "only IPv4 addresses have a mask"),
        ("10.0.0.9-10.0.0.1", "the range ends before it starts"),
        ("10.0.0.1-::1", "a range mixes IPv4 and IPv6"),
        ("10.0.0.1-", "not an IP address"),
        ("::ffff:10.0.0.1", "an IPv4-mapped IPv6 range never matches"),
        ("::ffff:10.0.0.0/120", "an IPv4-mapped IPv6 range never matches"),
        ("2001:db8::1%eth0", "only link-local"),
        ("10.0.0.1%eth0", "only link-local"),
    ],
)
def test_a_range_that_is_none_is_refused(text: object, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_range(text, "connector 'A', remote_ip_ranges[0]")
    assert says in str(caught.value)
    assert str(caught.value).startswith("connector 'A', remote_ip_ranges[0]: ")
    assert caught.value.way_out


def test_a_leading_zero_is_refused_on_every_python() -> None:
    with pytest.raises(InputError):
        parse_range("010.0.0.1", "x")


def test_the_way_out_of_a_mapped_range_is_its_ipv4_form() -> None:
    with pytest.raises(InputError, match=r"Write the IPv4 form: 10\.0\.0\.0/24\."):
        parse_range("::ffff:10.0.0.0/120", "x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:2525", Binding(4, 0x7F000001, 2525)),
        ("0.0.0.0:25", Binding(4, 0, 25)),
        ("[::]:25", Binding(6, 0, 25)),
        ("[2001:DB8::1]:587", Binding(6, 0x20010DB8 << 96 | 1, 587)),
    ],
)
def test_bindings(text: str, expected: Binding) -> None:
    assert parse_binding(text, "x") == expected
    assert str(expected) == text.lower()


def test_a_binding_as_some_tools_print_it() -> None:
    assert parse_binding(":::25", "x") == Binding(6, 0, 25)


@pytest.mark.parametrize(
    "text",
    [
        ":::",
        ":::0",
        ":::25:25",
        ":::25\n",
        "::::25",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:70000",
        "127.0.0.1:2525x",
        ":25",
        "::1:25",
        "[127.0.0.1]:25",
        "[::ffff:127.0.0.1]:25",
        "[fe80::1%eth0]:25",
        "[::]:",
        "relay:25",
        "",
        None,
        25,
    ],
)
def test_a_binding_that_is_none_is_refused(text: object) -> None:
    with pytest.raises(InputError) as caught:
        parse_binding(text, "x")
    assert caught.value.way_out


small = st.builds(lambda low, size: AddressRange(4, low, low + size), st.integers(0, 60), st.integers(0, 20))
some = st.lists(small, max_size=6)


def members(items: object) -> set[int]:
    return {number for item in items for number in range(item.low, item.high + 1)}  # type: ignore[attr-defined]


@given(some)
def test_union_keeps_the_addresses_and_nothing_touches(items: list[AddressRange]) -> None:
    found = union(items)
    assert members(found) == members(items)
    assert all(one.high + 1 < other.low for one, other in itertools.pairwise(found))


@given(some, some)
def test_subtract_and_intersect_are_set_arithmetic(ours: list[AddressRange], others: list[AddressRange]) -> None:
    assert members(subtract(ours, others)) == members(ours) - members(others)
    assert members(intersect(ours, others)) == members(ours) & members(others)
    assert subtract(ours, others) == union(subtract(ours, others))


def test_versions_do_not_mix() -> None:
    same_numbers = AddressRange(6, 0, 10)
    assert subtract([AddressRange(4, 0, 10)], [same_numbers]) == (AddressRange(4, 0, 10),)
    assert union([same_numbers, AddressRange(4, 0, 10)]) == (AddressRange(4, 0, 10), same_numbers)
    assert intersect([AddressRange(4, 0, 10)], [same_numbers]) == ()


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))
def test_cidrs_are_the_fewest(one: int, other: int) -> None:
    item = AddressRange(4, min(one, other), max(one, other))
    first, last = ipaddress.IPv4Address(item.low), ipaddress.IPv4Address(item.high)
    blocks = [ipaddress.ip_network(str(block)) for block in cidrs(item)]
    assert blocks == list(ipaddress.summarize_address_range(first, last))


@pytest.mark.parametrize("version", [4, 6])
def test_cidrs_of_everything(version: int) -> None:
    everything = AddressRange(version, 0, (1 << (32 if version == 4 else 128)) - 1)
    assert list(cidrs(everything)) == [everything]


@given(st.sampled_from((4, 6)), st.data())
def test_parse_reads_what_str_writes(version: int, data: st.DataObject) -> None:
    most = (1 << (32 if version == 4 else 128)) - 1
    low = data.draw(st.integers(0, most))
    item = AddressRange(version, low, data.draw(st.integers(low, most)))
    if version == 6 and item.low >= 0xFFFF00000000 and item.high <= 0xFFFFFFFFFFFF:
        return
    assert parse_range(str(item), "x") == item
