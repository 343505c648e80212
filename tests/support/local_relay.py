# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The relay in a thread of the test process: for limits that no test can wait for otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

from smtp_relayd.server import Relay
from smtp_relayd.shared import Limits, Memory, Shared, load_shared


class LocalRelay:
    """`complaints` are those of the event loop."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.complaints: list[str] = []
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._loop, self._stop = self._started.result(10)

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: self.complaints.append(str(context)))
        stop = asyncio.Event()
        relay = Relay(self.shared)
        try:
            await relay.open()
        except BaseException as error:
            self._started.set_exception(error)
            raise
        self._started.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()
        await relay.stop()

    def begin_to_stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # it came to its end already
            self._loop.call_soon_threadsafe(self._stop.set)

    def stopped(self) -> bool:
        """Whether it came to its end; waits for that."""
        self._thread.join(20)
        return not self._thread.is_alive()


@contextlib.contextmanager
def local_relay(directory: Path, limits: Limits, memory: Memory | None = None) -> Iterator[LocalRelay]:
    relay = LocalRelay(load_shared(directory, limits, memory))
    try:
        yield relay
    finally:
        relay.begin_to_stop()
        assert relay.stopped()
        assert relay.complaints == []


# how the fixture `local` is called
LocalRelayAt = Callable[..., LocalRelay]
