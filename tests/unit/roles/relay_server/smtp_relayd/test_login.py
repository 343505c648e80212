# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from smtp_relayd import login
from smtp_relayd.accounts import AccountsFile, Hash
from smtp_relayd.auth import Credentials
from smtp_relayd.login import MAX_WAITING, WORKERS, Logins, Unavailable
from support import relay_files

T = TypeVar("T")
PEER = "192.0.2.1"


class Time:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def credentials(name: str = "alice", *, is_right: bool = False) -> Credentials:
    return Credentials(name.encode(), b"s3cret" if is_right else b"wrong")


RIGHT = credentials(is_right=True)


@contextlib.contextmanager
def opened(directory: Path, time: Time) -> Iterator[Logins]:
    logins = Logins(AccountsFile(directory), time.clock, time.sleep)
    try:
        yield logins
    finally:
        logins.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def logins(tmp_path: Path, time: Time) -> Iterator[Logins]:
    relay_files.write_accounts(tmp_path, relay_files.account(), relay_files.account("bob", allow_nets=["10.0.0.1"]))
    with opened(tmp_path, time) as logins:
        yield logins


def run(main: Callable[[], Awaitable[T]]) -> T:
    async def wrapped() -> T:
        return await main()

    return asyncio.run(wrapped())


def check(logins: Logins, *attempts: tuple[Credentials, str]) -> list[str]:
    """The outcome of attempts one after the other."""

    async def main() -> list[str]:
        verdicts = [await logins.check(who, peer) for who, peer in attempts]
        return [verdict.account.name if verdict.account else verdict.reason for verdict in verdicts]

    return run(main)


def test_outcomes(logins: Logins) -> None:
    attempts = [
        (RIGHT, PEER),
        (credentials(), PEER),
        (credentials("carol"), PEER),
        (credentials("bob", is_right=True), PEER),
    ]
    assert check(logins, *attempts) == ["alice", "wrong password", "unknown account", "address not allowed"]


def test_delay_of_a_source_grows_whatever_name_it_tries(logins: Logins, time: Time) -> None:
    check(logins, *((credentials(f"name{number}"), PEER) for number in range(8)))
    assert time.slept == [0, 0, 1, 2, 4, 8, 15, 15]


def test_delay_of_an_account_grows_whoever_tries_it(logins: Logins, time: Time) -> None:
    """Up to 5 seconds: its owner is not kept away."""
    for name in ("alice", "nobody"):
        time.slept.clear()
        check(logins, *((credentials(name), f"192.0.2.{number}") for number in range(8)))
        assert time.slept == [0, 0, 1, 2, 4, 5, 5, 5]
    time.slept.clear()
    assert check(logins, (RIGHT, "198.51.100.1")) == ["alice"]
    assert time.slept == [5]


def test_addresses_of_one_ipv6_network_are_one_source(logins: Logins, time: Time) -> None:
    check(logins, *((credentials(f"name{number}"), f"2001:db8::{number}") for number in range(4)))
    assert time.slept == [0, 0, 1, 2]


def test_success_clears_the_source_and_leaves_the_account(logins: Logins, time: Time) -> None:
    check(logins, *((credentials(), PEER) for _attempt in range(4)), (RIGHT, PEER))
    time.slept.clear()
    check(logins, (credentials("carol"), PEER), (RIGHT, PEER))
    assert time.slept == [0, 4]


def test_network_that_is_not_allowed_counts_as_failure(logins: Logins, time: Time) -> None:
    check(logins, *((credentials("bob", is_right=True), PEER) for _attempt in range(4)))
    assert time.slept == [0, 0, 1, 2]


def test_who_hangs_up_while_waiting_has_not_tried(logins: Logins, time: Time) -> None:
    async def main() -> None:
        await logins.check(credentials(), PEER)
        await logins.check(credentials(), PEER)
        held = asyncio.Event()
        logins._sleep = lambda _seconds: held.wait()  # type: ignore[assignment,return-value]
        waiting = asyncio.create_task(logins.check(credentials(), PEER))
        await asyncio.sleep(0)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        logins._sleep = time.sleep
        await logins.check(credentials(), PEER)

    run(main)
    assert time.slept == [0, 0, 1]


class Slow:
    """Password checks that wait until they may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running = 0
        self.most = 0
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()
        self._lock = threading.Lock()
        monkeypatch.setattr(Hash, "fits", self.fits)

    def fits(self, _password: bytes) -> bool:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.release()
        assert self.go.wait(20)
        with self._lock:
            self.running -= 1
        return False


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


async def begin(logins: Logins, count: int) -> list[asyncio.Task[object]]:
    attempts = [(credentials(f"n{number}"), f"10.0.{number // 250}.{number % 250}") for number in range(count)]
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(logins.check(who, peer)) for who, peer in attempts]
    for _turn in range(3):
        await asyncio.sleep(0)
    return tasks


def test_two_at_a_time_and_a_bounded_line(logins: Logins, slow: Slow) -> None:
    """Who finds the line full is told so, and has not failed."""

    async def main() -> list[object]:
        tasks = await begin(logins, WORKERS + MAX_WAITING + 5)
        refused = [task for task in tasks if task.done()]
        assert tasks[-5:] == refused
        for _worker in range(WORKERS):
            await asyncio.to_thread(slow.begun.acquire)
        slow.go.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes[-5:]] == [Unavailable] * 5
        assert not any(isinstance(outcome, Exception) for outcome in outcomes[:-5])
        assert len(logins._sources) == WORKERS + MAX_WAITING
        return list(await asyncio.gather(*await begin(logins, 5)))

    assert len(run(main)) == 5
    assert slow.most == WORKERS


def test_who_hangs_up_during_the_check_has_failed(logins: Logins, slow: Slow, time: Time) -> None:
    """Or nobody who does so would ever be delayed. Who waits in the line gives the place free."""

    async def main() -> None:
        for _attempt in range(2):
            waiting = asyncio.create_task(logins.check(credentials(), PEER))
            await asyncio.to_thread(slow.begun.acquire)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
        assert logins._waiting == 0
        slow.go.set()
        await logins.check(credentials(), PEER)

    run(main)
    assert time.slept == [0, 0, 1]


def test_file_that_cannot_be_used_is_told_once_and_blames_nobody(
    tmp_path: Path, time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "accounts.json").write_text('{"s3cret": 1')
    with opened(tmp_path, time) as logins:
        for _attempt in range(4):
            with pytest.raises(Unavailable):
                check(logins, (RIGHT, PEER))
        relay_files.write_accounts(tmp_path, relay_files.account())
        assert check(logins, (RIGHT, PEER)) == ["alice"]
        assert time.slept == [0] * 5
        (tmp_path / "accounts.json").write_text('{"s3cret": 1')
        with pytest.raises(Unavailable):
            check(logins, (RIGHT, PEER))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["accounts_unusable"] * 2
    assert "s3cret" not in str(lines)


def test_constants() -> None:
    assert (login.WORKERS, login.MAX_WAITING) == (2, 100)
