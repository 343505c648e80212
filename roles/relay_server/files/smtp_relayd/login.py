# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checking a login: first the delay of who failed before, then the password in one of a few threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from smtp_relayd import log
from smtp_relayd.accounts import AccountsFile, Verdict
from smtp_relayd.auth import Credentials
from smtp_relayd.json_file import ConfigError
from smtp_relayd.throttle import LONGEST_ACCOUNT_DELAY, LONGEST_SOURCE_DELAY, Throttle, source_of

# hashlib lets go of the interpreter, so these keep that many cores busy and no more
WORKERS = 2
MAX_WAITING = 100
_MAX_KEY = 128


class Unavailable(Exception):
    """Nobody can say now whether a password is right."""


class Logins:
    """All login attempts of this relay."""

    def __init__(
        self,
        accounts: AccountsFile,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._accounts = accounts
        self._sources = Throttle(LONGEST_SOURCE_DELAY, clock)
        self._names = Throttle(LONGEST_ACCOUNT_DELAY, clock)
        self._sleep = sleep
        self._workers = ThreadPoolExecutor(WORKERS, "password")
        self._waiting = 0
        self._complaint = ""

    async def check(self, credentials: Credentials, peer: str) -> Verdict:
        """Who the client is, None if nobody says so. A check that began counts as failed unless it succeeds."""
        source, name = source_of(peer), credentials.shown_name[:_MAX_KEY]
        failed = False
        delay = max(self._sources.begin(source), self._names.begin(name))
        try:
            await self._sleep(delay)
            self._take_place()
            failed = True
            verdict = await self._judged(credentials, peer)
            failed = verdict.account is None
        except Unavailable:
            failed = False
            raise
        finally:
            self._sources.end(source, failed=failed)
            self._names.end(name, failed=failed)
        if not failed:
            self._sources.clear(source)
        return verdict

    def close(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _take_place(self) -> None:
        if self._waiting >= WORKERS + MAX_WAITING:
            raise Unavailable
        self._waiting += 1

    async def _judged(self, credentials: Credentials, peer: str) -> Verdict:
        judging = asyncio.get_running_loop().run_in_executor(self._workers, self._judge, credentials, peer)
        judging.add_done_callback(self._judging_ended)
        try:
            verdict = await judging
        except ConfigError as error:
            self._complain(str(error))
            raise Unavailable from None
        self._complaint = ""
        return verdict

    def _judging_ended(self, judging: asyncio.Future[Verdict]) -> None:
        self._waiting -= 1

    def _judge(self, credentials: Credentials, peer: str) -> Verdict:
        """In a worker."""
        return self._accounts.current().check(credentials, peer)

    def _complain(self, text: str) -> None:
        """Once for every thing that is wrong, not for every client that comes."""
        if text != self._complaint:
            self._complaint = text
            log.emit("accounts_unusable", error=text)
