# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Growing delays for who fails to log in. Pure: the clock is passed in, the waiting is done elsewhere."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Callable

FORGET_SECONDS = 15 * 60
MAX_ENTRIES = 10_000
LONGEST_SOURCE_DELAY = 15.0
# nobody can keep the owner of an account away for longer
LONGEST_ACCOUNT_DELAY = 5.0


def source_of(peer: str) -> str:
    """Who is one source: an IPv4 address, the /64 of an IPv6 address."""
    value = ipaddress.ip_address(peer)
    return peer if value.version == 4 else str(ipaddress.ip_network((int(value) >> 64 << 64, 64)))


@dataclass
class _History:
    failures: int = 0
    # begun, not ended: they count as if they will fail, or many at once would all come first
    pending: int = 0
    last: float = 0.0


class Throttle:
    """Failures by key; the keys that failed longest ago are forgotten when there are too many."""

    def __init__(self, longest: float, clock: Callable[[], float], entries: int = MAX_ENTRIES) -> None:
        self._longest = longest
        self._clock = clock
        self._entries = entries
        self._histories: OrderedDict[str, _History] = OrderedDict()

    def begin(self, key: str) -> float:
        """An attempt begins; returns how many seconds it has to wait."""
        history = self._known(key)
        count = history.failures + history.pending if history.failures else 0
        history.pending += 1
        # the first failure is forgiven
        return 0.0 if count < 2 else min(2.0 ** min(count - 2, 30), self._longest)

    def end(self, key: str, *, failed: bool) -> None:
        """An attempt that began is over."""
        history = self._known(key)
        history.pending = max(0, history.pending - 1)
        if failed:
            history.failures += 1
            history.last = self._clock()
            self._histories.move_to_end(key)
        self._drop_blameless(key, history)

    def clear(self, key: str) -> None:
        """Its failures are forgiven."""
        history = self._known(key)
        history.failures = 0
        self._drop_blameless(key, history)

    def _drop_blameless(self, key: str, history: _History) -> None:
        if not history.failures and not history.pending:
            del self._histories[key]

    def __len__(self) -> int:
        return len(self._histories)

    def _known(self, key: str) -> _History:
        history = self._histories.get(key)
        if history is None:
            history = self._histories[key] = _History(last=self._clock())
            if len(self._histories) > self._entries:
                self._histories.popitem(last=False)
        elif self._clock() - history.last >= FORGET_SECONDS:
            history.failures = 0
        return history
