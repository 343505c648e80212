# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from smtp_relayd import supervisor
from smtp_relayd.supervisor import next_delay


def test_pauses_double_up_to_the_longest() -> None:
    delay, delays = supervisor.FIRST_DELAY / 2, []
    for _death in range(8):
        delay = next_delay(delay, lived=0.1)
        delays.append(delay)
    assert delays == [1, 2, 4, 8, 16, 30, 30, 30]


def test_after_a_minute_of_life_they_begin_anew() -> None:
    assert next_delay(30, lived=59.9) == 30
    assert next_delay(30, lived=60) == 1
