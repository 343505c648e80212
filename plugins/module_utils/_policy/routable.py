# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses are globally routable: a table of our own, because Python versions disagree.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries, column "Globally Reachable". Where a block is not
global but holds
exceptions that are (192.0.0.9, 2001:1::1 and the like), the block counts as special: nobody sends mail from them.
6to4 and
NAT64 addresses stand for IPv4 hosts anywhere and count as global.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._connector.addresses import AddressRange, parse_range, subtract

_SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/3",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "4000::/2",
    "8000::/1",
)
_GLOBAL_AFTER_ALL = (parse_range("64:ff9b::/96", "table"),)
_SPECIAL_RANGES = subtract([parse_range(text, "table") for text in _SPECIAL], _GLOBAL_AFTER_ALL)


def globally_routable(ranges: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """The part of ``ranges`` that the Internet can reach."""
    return subtract(ranges, _SPECIAL_RANGES)
