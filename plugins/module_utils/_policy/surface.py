# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay surface: who may send where without AUTH beyond our own mailboxes, exactly.

A *reach* is ``any``, ``unknown`` (any or nothing: what the server does is not documented), or a pattern of recipients:
``domain``, ``*.domain`` or ``user@domain``. A session with the null sender needs no right to send as anyone, so whoever
may submit reaches the accepted domains that are relayed (InternalRelay, ExternalRelay) or wide (``*``, ``*.tld``, a
single label), and with Accept-Any-Recipient any domain, or the ``allowed_recipients``.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from .._connector.addresses import BITS, AddressRange, Binding, cidrs, parse_binding, read_range, subtract, union
from .._connector.errors import InputError
from .._connector.model import AcceptedDomain
from .._connector.values import parse_address_pattern
from .rule import Interval, Rule, as_range

ANY, UNKNOWN = "any", "unknown"
_DOMAINS = {ANY: "any.", UNKNOWN: "unknown."}
"""The domains that are called so."""
_WORDS = {ANY: "any domain", UNKNOWN: "perhaps any domain"}
_SHOWN = 8
_ENTRY_FORM = "Write {binding: ..., reach: ..., ranges: [...]}, as relay_surface has it."


@dataclass(frozen=True)
class Surface:
    """Per binding and reach the addresses: union form, without what a wider reach has anyway.

    A session that arrives at a binding without entry is judged by that of the wildcard, so an exact binding with
    nothing in it is kept where its wildcard has something.
    """

    entries: Mapping[Binding, Mapping[str, tuple[AddressRange, ...]]]

    def __post_init__(self) -> None:
        reduced = {binding: _reduced(reaches) for binding, reaches in sorted(self.entries.items())}
        kept = {binding: reaches for binding, reaches in reduced.items() if reaches or reduced.get(binding.wildcard)}
        object.__setattr__(self, "entries", kept)

    def __bool__(self) -> bool:
        return any(reaches for reaches in self.entries.values())

    @property
    def addresses(self) -> tuple[AddressRange, ...]:
        """Every address that reaches anything on some binding."""
        return union(item for reaches in self.entries.values() for ranges in reaches.values() for item in ranges)

    @property
    def at_most(self) -> Surface:
        """With ``any`` for ``unknown``: what is not known is not said to be closed."""
        if not any(UNKNOWN in reaches for reaches in self.entries.values()):
            return self
        return Surface({binding: _at_most(reaches) for binding, reaches in self.entries.items()})

    @property
    def unknown(self) -> tuple[AddressRange, ...]:
        """The addresses of which it is not known on some binding."""
        return union(item for reaches in self.entries.values() for item in reaches.get(UNKNOWN, ()))

    def at(self, binding: Binding, reach: str) -> tuple[AddressRange, ...]:
        """The addresses that reach all of ``reach`` in a session that arrives at ``binding``."""
        reaches = self._reaches(binding)
        found = [reaches[each] for each in (reach, *_wider(reach)) if each in reaches]
        return found[0] if len(found) == 1 else union(chain.from_iterable(found))

    def reaching(self, pattern: str) -> tuple[AddressRange, ...]:
        """The addresses that reach all of ``pattern`` on some binding."""
        return union(chain.from_iterable(self.at(binding, _reach(pattern)) for binding in self.entries))

    def minus(self, *others: Surface) -> Surface:
        """The part of ``self`` that is in none of ``others``: empty if ``self`` lies within them. A binding that
        one of them lacks is compared with its wildcard."""
        bindings = {binding for each in (self, *others) for binding in each.entries}
        return Surface({binding: self._left(binding, others) for binding in bindings})

    def _left(self, binding: Binding, others: Sequence[Surface]) -> dict[str, tuple[AddressRange, ...]]:
        return {
            reach: subtract(ranges, (item for other in others for item in other.at(binding, reach)))
            for reach, ranges in self._reaches(binding).items()
            if all(other._reaches(binding).get(reach) != ranges for other in others)
        }

    def _reaches(self, binding: Binding) -> Mapping[str, tuple[AddressRange, ...]]:
        return self.entries.get(binding, self.entries.get(binding.wildcard, {}))

    def render(self) -> list[dict[str, Any]]:
        """``[{binding, reach, ranges, addresses}]``, sorted: ranges as the fewest CIDR blocks, ``addresses`` their
        number. Without ranges: an exact binding where nobody relays although the wildcard does."""
        return [
            {
                "binding": str(binding),
                "reach": reach,
                "ranges": [str(block) for item in ranges for block in cidrs(item)],
                "addresses": _count(ranges),
            }
            for binding, reaches in self.entries.items()
            for reach, ranges in reaches.items() or [(ANY, ())]
        ]

    @classmethod
    def parse(cls, rendered: object, where: str) -> Surface:
        """Read what :meth:`render` made; ``addresses`` may be missing.

        :raises InputError: anything else
        """
        if not isinstance(rendered, (list, tuple)):
            raise InputError("not a relay surface", where=where, value=rendered, way_out="Give a list of entries.")
        entries: dict[Binding, dict[str, tuple[AddressRange, ...]]] = {}
        for number, entry in enumerate(rendered):
            binding, reach, ranges = _parse_entry(entry, f"{where}[{number}]")
            reaches = entries.setdefault(binding, {})
            reaches[reach] = (*reaches.get(reach, ()), *ranges)
        return cls(entries)

    def words(self, verb: str) -> list[str]:
        """A sentence for each set of addresses, such as ``opens 10.1.0.0/28 (16 addresses) to any domain on
        0.0.0.0:25``."""
        bindings: dict[tuple[tuple[AddressRange, ...], tuple[str, ...]], list[Binding]] = {}
        for binding, reaches in self.entries.items():
            together: dict[tuple[AddressRange, ...], list[str]] = {}
            for reach, ranges in reaches.items():
                together.setdefault(ranges, []).append(_WORDS.get(reach, reach))
            for ranges, where in together.items():
                bindings.setdefault((ranges, tuple(where)), []).append(binding)
        return [
            f"{verb} {sized(ranges)} to {listed(where, _SHOWN)} on {listed(on, _SHOWN)}"
            for (ranges, where), on in bindings.items()
        ]


def surface_of(
    bindings: Iterable[tuple[Binding, Sequence[Interval]]],
    rules: Sequence[Rule],
    relayed: Iterable[AcceptedDomain],
    perhaps: Mapping[int, Rule],
) -> Surface:
    """:param relayed: accepted domains that whoever may submit reaches, also where it is not known who may
    :param perhaps: rules that may hold in place of some of ``rules``, by number
    """
    reaches = [_reach(item.name) for item in relayed]
    return Surface({binding: _reached(rules, intervals, reaches, perhaps) for binding, intervals in bindings})


def _at_most(reaches: Mapping[str, tuple[AddressRange, ...]]) -> dict[str, tuple[AddressRange, ...]]:
    known = {reach: ranges for reach, ranges in reaches.items() if reach != UNKNOWN}
    return {**known, ANY: (*reaches.get(ANY, ()), *reaches.get(UNKNOWN, ()))}


def _reached(
    rules: Sequence[Rule], intervals: Iterable[Interval], relayed: Iterable[str], perhaps: Mapping[int, Rule]
) -> dict[str, tuple[AddressRange, ...]]:
    by_rule: dict[int, list[AddressRange]] = {}
    for item in intervals:
        by_rule.setdefault(item.rule, []).append(as_range(item))
    found: dict[str, list[AddressRange]] = {}
    submitting: list[AddressRange] = []
    for number, ranges in by_rule.items():
        rule, widest = rules[number], perhaps.get(number, rules[number])
        if widest.anonymous_submit:
            submitting += ranges
        for reach in (*_rule_reaches(rule), *((UNKNOWN,) if widest.anonymous_relay > rule.anonymous_relay else ())):
            found.setdefault(reach, []).extend(ranges)
    merged = union(submitting)
    for reach in relayed:
        found.setdefault(reach, []).extend(merged)
    return {reach: tuple(ranges) for reach, ranges in found.items()}


def _rule_reaches(rule: Rule) -> tuple[str, ...]:
    if not rule.anonymous_relay:
        return ()
    return (ANY,) if rule.allowed_recipients is None else tuple(map(_reach, rule.allowed_recipients))


def _reach(pattern: str) -> str:
    return ANY if pattern == "*" else _DOMAINS.get(pattern, pattern)


def _wider(reach: str) -> Iterator[str]:
    """Every reach that holds ``reach`` and more."""
    if reach == ANY:
        return
    _user, at, domain = reach.rpartition("@")
    if at:
        yield _reach(domain)
    labels = domain.split(".")
    for depth in range(2 if labels[0] == "*" else 1, len(labels)):
        yield f"*.{'.'.join(labels[depth:])}"
    yield ANY


def _reduced(reaches: Mapping[str, Iterable[AddressRange]]) -> dict[str, tuple[AddressRange, ...]]:
    """In union form, ``any`` first, then ``unknown``; without ranges that a wider reach has as a whole. Ranges that it
    has in part stay: cut up they would say the same in more lines."""
    unions = {reach: union(reaches[reach]) for reach in sorted(reaches, key=_order)}
    done: dict[tuple[tuple[AddressRange, ...], tuple[str, ...]], tuple[AddressRange, ...]] = {}
    found = {}
    for reach, ranges in unions.items():
        wider = tuple(each for each in _wider(reach) if each in unions)
        if (ranges, wider) not in done:  # many relayed domains have the same addresses
            rest = subtract(ranges, (item for each in wider for item in unions[each]))
            done[ranges, wider] = _holding(ranges, rest) if wider else ranges
        if done[ranges, wider]:
            found[reach] = done[ranges, wider]
    return found


def _order(reach: str) -> tuple[bool, bool, str]:
    return reach != ANY, reach != UNKNOWN, reach


def _holding(ranges: tuple[AddressRange, ...], parts: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Those of the sorted, disjoint ``ranges`` that hold one of ``parts``."""
    found = {bisect.bisect_right(ranges, (part.version, part.low, 1 << BITS[6])) - 1 for part in parts}
    return tuple(ranges[index] for index in sorted(found))


def _parse_entry(entry: object, where: str) -> tuple[Binding, str, list[AddressRange]]:
    needed = {"binding", "reach", "ranges"}
    if not isinstance(entry, Mapping) or not needed <= set(entry) <= {*needed, "addresses"}:
        raise InputError("not an entry of a relay surface", where=where, value=entry, way_out=_ENTRY_FORM)
    reach, texts, addresses = entry["reach"], entry["ranges"], entry.get("addresses")
    if reach not in (*_DOMAINS, *_DOMAINS.values()):
        reach = _reach(parse_address_pattern(reach, f"{where}.reach"))
    if not isinstance(texts, (list, tuple)):
        raise InputError("not a list", where=f"{where}.ranges", value=texts, way_out=_ENTRY_FORM)
    ranges = [read_range(text, f"{where}.ranges[{number}]") for number, text in enumerate(texts)]
    if addresses is not None and addresses != _count(union(ranges)):
        way_out = f"The ranges hold {_count(union(ranges))}; was one of the two edited? Without addresses they count."
        raise InputError("not the number of addresses", where=f"{where}.addresses", value=addresses, way_out=way_out)
    return parse_binding(entry["binding"], f"{where}.binding"), reach, ranges


def _count(ranges: Iterable[AddressRange]) -> int:
    return sum(item.size for item in ranges)


def sized(ranges: tuple[AddressRange, ...]) -> str:
    count = _count(ranges)
    return f"{listed(ranges, _SHOWN)} ({count} {'address' if count == 1 else 'addresses'})"


def listed(items: Sequence[object], most: int) -> str:
    """``a, b and 3 more``."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + more
