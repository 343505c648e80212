# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs the command lines that clients send: PowerShell, or a function that plays it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from exchange_lab import state as lab
from exchange_lab.prelude import with_prelude

# between the parts of what ansible-core sends on stdin: its wrapper, the manifest of actions, further input
SEPARATOR = b"\n\0\0\0\0\n"
BECOME = "become_wrapper.ps1"


@dataclass(frozen=True)
class Output:
    stdout: bytes = b""
    stderr: bytes = b""
    status: int = 0


class Job(Protocol):
    """One command line that was started."""

    def finish(self) -> Output:
        """Wait for its end."""

    def stop(self) -> None:
        """Make `finish` return soon; called at any time, also afterwards."""


# command line and stdin to what runs it
Program = Callable[[str, bytes], Job]


@dataclass(frozen=True)
class Function:
    """Plays PowerShell; for tests of the transport. What blocks in it must end by itself."""

    function: Callable[[str, bytes], Output]

    def __call__(self, line: str, stdin: bytes) -> Job:
        return _Call(self.function, line, stdin)


@dataclass(frozen=True)
class _Call:
    function: Callable[[str, bytes], Output]
    line: str
    stdin: bytes

    def finish(self) -> Output:
        return self.function(self.line, self.stdin)

    def stop(self) -> None:
        pass


@dataclass(frozen=True)
class PowerShell:
    """Runs each command line as a process of its own, with the stub module on its module path."""

    executable: Path
    state: Path
    log: Path

    def __call__(self, line: str, stdin: bytes) -> Job:
        name, *words = line.split()
        if name.lower() not in ("powershell", "powershell.exe"):
            return Function(_not_recognized)(line, stdin)
        environment = {**os.environ, **lab.environment(self.state, self.log)}
        return Process([str(self.executable), *with_prelude(words)], stdin, environment)


def _not_recognized(line: str, _stdin: bytes) -> Output:
    name = line.split()[0]
    return Output(stderr=f"'{name}' is not recognized as an internal or external command,\r\n".encode(), status=1)


class Process:
    """A process and its children, which are ended as one group."""

    def __init__(self, command: list[str], stdin: bytes, environment: dict[str, str]) -> None:
        self._stdin = stdin
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
        )

    def finish(self) -> Output:
        stdout, stderr = self._process.communicate(self._stdin)
        self._end_group()  # what it left behind
        return Output(stdout, stderr, self._process.returncode)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._end_group()

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def take_out_become(stdin: bytes) -> tuple[bytes, str | None]:
    """Remove the action that changes the user, which needs Windows, with the password in it; returns the user, too.

    Everything else stays as it was received, byte for byte where nobody asked for another user.
    """
    parts = stdin.split(SEPARATOR, 2)
    if len(parts) < 2 or BECOME.encode() not in parts[1]:
        return stdin, None
    manifest = json.loads(parts[1])
    users = [action["params"]["BecomeUser"] for action in manifest["actions"] if action["name"] == BECOME]
    if not users:
        return stdin, None
    manifest["actions"] = [action for action in manifest["actions"] if action["name"] != BECOME]
    return SEPARATOR.join([parts[0], json.dumps(manifest).encode(), *parts[2:]]), users[0]
