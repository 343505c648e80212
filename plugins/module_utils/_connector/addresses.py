# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as numbers: ranges, bindings, and the arithmetic on them.

A range is ``(version, low, high)``, both ends included. IPv4 and IPv6 never mix. IPv4-mapped IPv6 addresses
(RFC 4291, 2.5.5.2) are refused: the backends unwrap them, so such a range would never match.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .errors import InputError

BITS = {4: 32, 6: 128}
_MAPPED_LOW = 0xFFFF00000000
_MAPPED_HIGH = 0xFFFFFFFFFFFF
_RANGE_FORMS = (
    "Write one address (10.0.0.1), first-last (10.0.0.1-10.0.0.9) or CIDR (10.0.0.0/24), IPv6 likewise, or an IPv4 "
    "address and its mask: 10.0.0.0(255.255.255.0)."
)
_BINDING_FORMS = "Write address:port, IPv6 in brackets: 192.0.2.1:25, 0.0.0.0:25, [::]:25."


class AddressRange(NamedTuple):
    """Addresses ``low`` to ``high`` of IP ``version`` 4 or 6, both ends included."""

    version: int
    low: int
    high: int

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def holds(self, other: AddressRange) -> bool:
        """Every address of ``other`` is in it."""
        return self.version == other.version and self.low <= other.low and other.high <= self.high

    def meets(self, other: AddressRange) -> bool:
        """They have an address in common."""
        return self.version == other.version and self.low <= other.high and other.low <= self.high

    def __str__(self) -> str:
        """The shortest spelling: one address, CIDR where the range is one, else ``first-last``."""
        first = format_address(self.version, self.low)
        if self.size == 1:
            return first
        if self.size & (self.size - 1) == 0 and self.low % self.size == 0:
            return f"{first}/{BITS[self.version] - self.size.bit_length() + 1}"
        return f"{first}-{format_address(self.version, self.high)}"


class Binding(NamedTuple):
    """A local ``address`` (0: every address of that IP version) and TCP ``port``."""

    version: int
    address: int
    port: int

    @property
    def host(self) -> str:
        return format_address(self.version, self.address)

    @property
    def wildcard(self) -> Binding:
        """The binding to every address of the same version on the same port."""
        return self._replace(address=0)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.version == 4 else f"[{self.host}]:{self.port}"


def format_address(version: int, number: int) -> str:
    if version == 4:
        return str(ipaddress.IPv4Address(number))
    return str(ipaddress.IPv6Address(number))


def parse_address(text: str, where: str, way_out: str) -> tuple[int, int]:
    """Return ``(version, number)``. A scope (``%eth0``) is dropped from link-local addresses, the only ones that
    have one."""
    bare, _percent, scope = text.strip(" ").partition("%")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise InputError("not an IP address", where=where, value=text, way_out=way_out) from None
    if scope and not (address.version == 6 and address.is_link_local):
        raise InputError("only link-local IPv6 addresses have a scope", where=where, value=text, way_out=way_out)
    if address.version == 4 and re.search(r"(^|\.)0\d", bare):  # Pythons before 3.9.5 read 010 as 10, others as 8
        raise InputError("leading zeros in an IPv4 address", where=where, value=text, way_out=way_out)
    return address.version, int(address)


def parse_range(text: object, where: str) -> AddressRange:
    """Read one entry of RemoteIPRanges in any spelling that Exchange takes.

    :raises InputError: no address, reversed, empty, mixed versions, IPv4-mapped
    """
    found = read_range(text, where)
    if found.version == 6 and found.low >= _MAPPED_LOW and found.high <= _MAPPED_HIGH:
        raise InputError(
            "an IPv4-mapped IPv6 range never matches a client",
            where=where,
            value=text,
            way_out=f"Write the IPv4 form: {AddressRange(4, found.low - _MAPPED_LOW, found.high - _MAPPED_LOW)}.",
        )
    return found


def read_range(text: object, where: str) -> AddressRange:
    """As :func:`parse_range`; an IPv4-mapped range is one too: a block of a range that was cut up may be mapped."""
    if not isinstance(text, str) or not text.strip():
        raise InputError("an address range is needed", where=where, value=text, way_out=_RANGE_FORMS)
    if "(" in text:
        return _parse_masked(text, where)
    if "/" in text:
        return _parse_cidr(text, where)
    if "-" in text:
        return _parse_first_last(text, where)
    version, number = parse_address(text, where, _RANGE_FORMS)
    return AddressRange(version, number, number)


def _parse_cidr(text: str, where: str) -> AddressRange:
    head, _slash, prefix = text.partition("/")
    version, number = parse_address(head, where, _RANGE_FORMS)
    if not re.fullmatch(r" *[0-9]{1,3} *", prefix) or int(prefix) > BITS[version]:
        way_out = f"The prefix length of IPv{version} is 0 to {BITS[version]}."
        raise InputError("not a prefix length", where=where, value=text, way_out=way_out)
    size = 1 << (BITS[version] - int(prefix))
    low = number - number % size
    return AddressRange(version, low, low + size - 1)


def _parse_masked(text: str, where: str) -> AddressRange:
    """``10.0.0.0(255.255.255.0)``: as the console of Exchange 2007 and 2010 has it."""
    match = re.fullmatch(r"([^()]*)\(([^()]*)\) *", text)
    if match is None:
        raise InputError("not an address and its mask", where=where, value=text, way_out=_RANGE_FORMS)
    version, number = parse_address(match[1], where, _RANGE_FORMS)
    mask_version, mask = parse_address(match[2], where, _RANGE_FORMS)
    if (version, mask_version) != (4, 4):
        raise InputError("only IPv4 addresses have a mask", where=where, value=text, way_out=_RANGE_FORMS)
    size = (1 << BITS[version]) - mask
    if size & (size - 1):
        way_out = "Write one that is ones and then zeros in binary, as 255.255.255.0, or first-last."
        raise InputError(f"the mask {match[2].strip()} is no prefix", where=where, value=text, way_out=way_out)
    low = number - number % size
    return AddressRange(version, low, low + size - 1)


def _parse_first_last(text: str, where: str) -> AddressRange:
    first, _dash, last = text.partition("-")
    version, low = parse_address(first, where, _RANGE_FORMS)
    last_version, high = parse_address(last, where, _RANGE_FORMS)
    if version != last_version:
        raise InputError("a range mixes IPv4 and IPv6", where=where, value=text, way_out=_RANGE_FORMS)
    if low > high:
        way_out = f"Turn it round: {last.strip()}-{first.strip()}."
        raise InputError("the range ends before it starts", where=where, value=text, way_out=way_out)
    return AddressRange(version, low, high)


def parse_binding(text: object, where: str) -> Binding:
    """Read ``address:port`` or ``[IPv6]:port``; ``:::25``, as some tools print it, is ``[::]:25``.

    :raises InputError: no address, no port, port outside 1 to 65535, IPv4-mapped or scoped address
    """
    spelling = re.sub(r"^:::(?=[0-9]+$)", "[::]:", text.strip(" ")) if isinstance(text, str) else ""
    match = re.fullmatch(r"(?:\[([^\[\]]+)\]|([^:\[\]]+)):([0-9]{1,5})", spelling)
    if match is None or "%" in match[0]:
        raise InputError("not a binding", where=where, value=text, way_out=_BINDING_FORMS)
    version, number = parse_address(match[1] or match[2], where, _BINDING_FORMS)
    if (version == 6) != (match[1] is not None) or (version == 6 and _MAPPED_LOW <= number <= _MAPPED_HIGH):
        raise InputError("not a binding", where=where, value=text, way_out=_BINDING_FORMS)
    port = int(match[3])
    if not 1 <= port <= 65535:
        raise InputError("the port must be 1 to 65535", where=where, value=text, way_out=_BINDING_FORMS)
    return Binding(version, number, port)


def union(ranges: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """The same addresses as sorted, disjoint ranges that do not touch."""
    merged: list[AddressRange] = []
    for item in sorted(ranges):
        last = merged[-1] if merged else None
        if last is None or last.version != item.version or item.low > last.high + 1:
            merged.append(item)
        elif item.high > last.high:
            merged[-1] = AddressRange(last.version, last.low, item.high)
    return tuple(merged)


def subtract(ranges: Iterable[AddressRange], less: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """The addresses of ``ranges`` that are not in ``less``, in the form of :func:`union`."""
    holes = union(less)
    rest: list[AddressRange] = []
    start = 0
    for item in union(ranges):
        while start < len(holes) and (holes[start].version, holes[start].high) < (item.version, item.low):
            start += 1
        low = item.low
        for number in range(start, len(holes)):
            hole = holes[number]
            if not hole.meets(item):
                break
            if hole.low > low:
                rest.append(AddressRange(item.version, low, hole.low - 1))
            low = max(low, hole.high + 1)
        if low <= item.high:
            rest.append(AddressRange(item.version, low, item.high))
    return tuple(rest)


def intersect(ranges: Iterable[AddressRange], others: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """The addresses that are in both, in the form of :func:`union`."""
    ours = union(ranges)
    return subtract(ours, subtract(ours, others))


def cidrs(item: AddressRange) -> Iterator[AddressRange]:
    """Cut a range into the fewest CIDR blocks, ascending."""
    low = item.low
    while low <= item.high:
        size = low & -low or 1 << BITS[item.version]
        while size > item.high - low + 1:
            size >>= 1
        yield AddressRange(item.version, low, low + size - 1)
        low += size
