# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from smtp_relayd.throttle import LONGEST_ACCOUNT_DELAY, LONGEST_SOURCE_DELAY, Throttle, source_of


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fail(throttle: Throttle, key: str) -> float:
    delay = throttle.begin(key)
    throttle.end(key, failed=True)
    return delay


@pytest.mark.parametrize(
    ("longest", "expected"),
    [
        (LONGEST_SOURCE_DELAY, [0, 0, 1, 2, 4, 8, 15, 15]),
        (LONGEST_ACCOUNT_DELAY, [0, 0, 1, 2, 4, 5, 5, 5]),
    ],
)
def test_delays_grow(clock: Clock, longest: float, expected: list[float]) -> None:
    throttle = Throttle(longest, clock)
    assert [fail(throttle, "a") for _attempt in expected] == expected
    assert fail(throttle, "b") == 0


def test_delays_stay_finite(clock: Clock) -> None:
    throttle = Throttle(15, clock)
    assert {fail(throttle, "a") for _attempt in range(3000)} == {0, 1, 2, 4, 8, 15}


def test_failures_are_forgotten_after_15_minutes_without_one(clock: Clock) -> None:
    throttle = Throttle(15, clock)
    for _attempt in range(5):
        fail(throttle, "a")
        clock.now += 899
    assert fail(throttle, "a") == 8
    clock.now += 900
    assert fail(throttle, "a") == 0


def test_success_clears(clock: Clock) -> None:
    throttle = Throttle(15, clock)
    for _attempt in range(5):
        fail(throttle, "a")
    throttle.begin("a")
    throttle.end("a", failed=False)
    assert throttle.begin("a") == 8
    throttle.clear("a")
    throttle.end("a", failed=False)
    assert throttle.begin("a") == 0


def test_many_at_once_do_not_slip_through(clock: Clock) -> None:
    """Who failed before does not get away from the delays by asking in parallel."""
    throttle = Throttle(15, clock)
    fail(throttle, "a")
    assert [throttle.begin("a") for _attempt in range(7)] == [0, 1, 2, 4, 8, 15, 15]
    for _attempt in range(7):
        throttle.end("a", failed=False)
    assert throttle.begin("a") == 0


def test_many_at_once_who_never_failed_do_not_wait(clock: Clock) -> None:
    throttle = Throttle(15, clock)
    assert {throttle.begin("a") for _attempt in range(50)} == {0}


def test_table_is_bounded_and_the_oldest_go_first(clock: Clock) -> None:
    throttle = Throttle(15, clock, entries=10)
    for key in ("old", "new"):
        for _attempt in range(3):
            fail(throttle, key)
    for number in range(8):
        fail(throttle, str(number))
    fail(throttle, "new")
    fail(throttle, "one more")
    assert len(throttle) == 10
    assert throttle.begin("new") == 4
    assert throttle.begin("old") == 0
    assert len(throttle) == 10


def test_only_who_failed_takes_room(clock: Clock) -> None:
    throttle = Throttle(15, clock)
    for key in "abc":
        throttle.begin(key)
        throttle.end(key, failed=key == "c")
    assert len(throttle) == 1
    throttle.clear("c")
    assert len(throttle) == 0


def test_attempt_that_ends_after_it_was_forgotten(clock: Clock) -> None:
    throttle = Throttle(15, clock, entries=1)
    throttle.begin("a")
    throttle.begin("b")
    throttle.end("a", failed=True)
    assert throttle.begin("a") == 0
    assert throttle.begin("a") == 1


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
    ],
)
def test_source(peer: str, expected: str) -> None:
    assert source_of(peer) == expected
