# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon as a process of its own, watched through its ready descriptor and its log. Every wait is for an event."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

from support.interpreters import TARGET
from support.relay_files import PASSWORD

SOURCE = Path(__file__).resolve().parents[2] / "roles" / "relay_server" / "files"
FROM_SOURCE = [TARGET, "-m", "smtp_relayd"]
PATIENCE = 20.0


class Daemon:
    """`command` defaults to the daemon from source."""

    def __init__(self, directory: Path, *options: str, command: list[str] | None = None) -> None:
        self.directory = directory
        reading, writing = os.pipe()
        self.process = subprocess.Popen(
            [*(command or FROM_SOURCE), "--directory", str(directory), "--ready-fd", str(writing), *options],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[writing],
        )
        os.close(writing)
        self._ready = reading
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.log: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.cleanup()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._events.put(json.loads(line))
        self._events.put(None)

    def answer(self) -> dict[str, Any]:
        """What came on the ready descriptor before it was closed; empty if nothing did."""
        with os.fdopen(self._ready, "rb") as stream:
            assert select.select([stream], [], [], PATIENCE)[0], "no answer on the ready descriptor"
            content = stream.read()
        return dict(json.loads(content)) if content else {}

    def event(self, name: str) -> dict[str, Any]:
        """The next log line with this event."""
        while True:
            line = self._events.get(timeout=PATIENCE)
            assert line is not None, f"the log ended without {name}: {self.log}"
            self.log.append(line)
            if line["event"] == name:
                return line

    def everybody_gone(self) -> bool:
        """Whether every process that holds the log ended; waits for that."""
        while (line := self._events.get(timeout=PATIENCE)) is not None:
            self.log.append(line)
        self._events.put(None)
        return True

    def complaints(self) -> list[dict[str, Any]]:
        """What should not be in the log of any test: errors that nobody foresaw, passwords."""
        return [line for line in self.log if line["event"] in ("unexpected", "warning") or PASSWORD in str(line)]

    def status(self) -> dict[str, Any]:
        return dict(json.loads((self.directory / "status.json").read_text()))

    def terminate(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def cleanup(self) -> None:
        """End the process, and the child of a supervisor, by number."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        # the log ends when the last process that inherited it is gone: one without its supervisor soon stops by itself
        with contextlib.suppress(OSError, ValueError):
            if self._reader.is_alive():
                os.kill(int(self.status()["pid"]), signal.SIGKILL)
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), "a process was left behind"
        assert self.everybody_gone()
        assert self.complaints() == []


def running(directory: Path, *options: str, command: list[str] | None = None) -> Daemon:
    """A daemon that is listening; leaving its context ends it."""
    daemon = Daemon(directory, *options, command=command)
    answer = daemon.answer()
    if answer.get("ready") is not True:
        daemon.cleanup()
        raise AssertionError(answer)
    return daemon
