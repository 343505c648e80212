# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay surface: who may send to external domains without AUTH, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._connector.addresses import AddressRange, Binding, cidrs, subtract, union
from .compile import Policy, as_range


@dataclass(frozen=True)
class Surface:
    """Per binding the addresses (disjoint, sorted) that relay anywhere without AUTH."""

    ranges: Mapping[Binding, tuple[AddressRange, ...]]

    @property
    def addresses(self) -> tuple[AddressRange, ...]:
        """Every address that relays on some binding."""
        return union(item for ranges in self.ranges.values() for item in ranges)

    def at(self, binding: Binding) -> tuple[AddressRange, ...]:
        """What relays for a session that arrives at ``binding``: its own entry, else that of the wildcard."""
        return self.ranges.get(binding, self.ranges.get(binding.wildcard, ()))

    def minus(self, other: Surface) -> Surface:
        """What ``self`` opens that ``other`` does not. A binding that only one of them has is compared with the
        wildcard of the other."""
        bindings = {**self.ranges, **other.ranges}
        return Surface({binding: subtract(self.at(binding), other.at(binding)) for binding in bindings})

    def render(self) -> list[dict[str, Any]]:
        """``[{binding, ranges, addresses}]``: ranges as the fewest CIDR blocks, ``addresses`` their number."""
        return [
            {
                "binding": str(binding),
                "ranges": [str(block) for item in ranges for block in cidrs(item)],
                "addresses": sum(item.size for item in ranges),
            }
            for binding, ranges in sorted(self.ranges.items())
            if ranges
        ]


def surface(policy: Policy) -> Surface:
    return Surface(
        {
            binding: union(as_range(item) for item in intervals if policy.rules[item.rule].anonymous_relay)
            for binding, intervals in policy.bindings
        }
    )
