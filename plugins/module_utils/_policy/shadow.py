# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shadowed addresses: what a connector lists and never serves, because another one takes it.

On an exact binding the connector that is bound to it wins over one that is bound to the wildcard; among equals the
smallest range wins. A listed range is shadowed where none of its addresses is left to its connector: that a scanner
lies inside the range of everybody is normal.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._connector.addresses import AddressRange, Binding, union
from .._connector.model import Connector
from .compile import Policy
from .rule import Interval
from .state import State
from .surface import listed, sized

_SHOWN = 5


@dataclass(frozen=True)
class Shadow:
    """Ranges that ``connector`` lists and that others take as a whole on ``binding``.

    :ivar takers: names, sorted
    :ivar exact: those of the takers that win because they are bound to the exact address
    :ivar equal: a taker lists one of the ranges itself: which of the two wins is not documented
    """

    connector: str
    binding: Binding
    takers: tuple[str, ...]
    exact: tuple[str, ...]
    ranges: tuple[AddressRange, ...]
    equal: bool = False

    def __str__(self) -> str:
        verb = "is" if sum(item.size for item in union(self.ranges)) == 1 else "are"
        named = listed([f"'{name}'" for name in self.takers], _SHOWN)
        who = f"connector {named}" if len(self.takers) == 1 else f"connectors {named}"
        where = f"connector '{self.connector}': {sized(union(self.ranges))} {verb} taken by {who} on {self.binding}"
        return f"{where}, {self._why()}."

    def _why(self) -> str:
        one = len(self.takers) == 1
        exact = "is bound to the exact address" if one else "are bound to the exact address"
        smaller = "has a smaller range" if one else "have smaller ranges"
        if self.equal:
            smaller = f"{'lists' if one else 'list'} the same addresses (which of them wins is not documented)"
        if self.exact == self.takers:
            return f"which {exact}"
        return f"which {exact} or {smaller}" if self.exact else f"which {smaller}"


def shadow_warnings(state: State, names: Collection[str] | None = None) -> list[str]:
    """A sentence for each set of shadowed addresses.

    :param names: keys of the connectors that the task is about: what they lose and what they take. ``None``: all
    """
    return [
        str(item)
        for item in shadows(state)
        if names is None or any(name.lower() in names for name in (item.connector, *item.takers))
    ]


def shadows(state: State) -> list[Shadow]:
    """Sorted by binding and connector. Says once what other connectors take on the wildcard by a smaller range, and not
    again for each exact binding."""
    enabled = {item.name: item for item in state.connectors if item.enabled}
    found: list[Shadow] = []
    for binding, intervals in state.policy.bindings:
        taken = _Taken(state.policy, binding, intervals, enabled)
        for name in sorted(enabled, key=str.lower):
            found += taken.shadows_of(enabled[name])
    return found


class _Taken:
    """Who takes what on one binding."""

    def __init__(
        self, policy: Policy, binding: Binding, intervals: Sequence[Interval], enabled: Mapping[str, Connector]
    ) -> None:
        self._binding = binding
        self._enabled = enabled
        self._intervals = intervals
        self._lows = [item.low for item in intervals]
        self._names = [rule.connector for rule in policy.rules]
        self._bound = {name for name, item in enabled.items() if binding in item.bindings}
        self._own: dict[str, list[Interval]] = {}
        for item in intervals:
            self._own.setdefault(self._names[item.rule], []).append(item)

    def shadows_of(self, connector: Connector) -> Iterator[Shadow]:
        """One for each set of takers."""
        is_bound = connector.name in self._bound
        if not is_bound and self._binding.wildcard not in connector.bindings:
            return
        together: dict[tuple[str, ...], list[AddressRange]] = {}
        for item in self._lost(connector):
            together.setdefault(self._takers(item), []).append(item)
        for takers, ranges in sorted(together.items()):
            exact = () if is_bound else tuple(name for name in takers if name in self._bound)
            if is_bound or exact:
                equal = any(self._lists(name, ranges) for name in takers if name not in exact)
                yield Shadow(connector.name, self._binding, takers, exact, tuple(sorted(ranges)), equal)

    def _lists(self, name: str, ranges: Iterable[AddressRange]) -> bool:
        return bool({*self._enabled[name].remote_ip_ranges} & {*ranges})

    def _lost(self, connector: Connector) -> Iterable[AddressRange]:
        """Ranges of which no address is left to the connector."""
        kept = self._own.get(connector.name, [])
        highs = [item.high for item in kept]
        for item in connector.remote_ip_ranges:
            if item.version == self._binding.version:
                after = bisect.bisect_left(highs, item.low)
                if after == len(kept) or kept[after].low > item.high:
                    yield item

    def _takers(self, item: AddressRange) -> tuple[str, ...]:
        start = max(bisect.bisect_right(self._lows, item.low) - 1, 0)
        end = bisect.bisect_right(self._lows, item.high)
        return tuple(sorted({self._names[found.rule] for found in self._intervals[start:end]}))
