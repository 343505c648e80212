# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the daemon tells others: the locked pid file, status.json, the line on the ready descriptor."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

# a reader that probes the lock holds it for an instant
_LOCK_PATIENCE = 2.0
_LOCK_PAUSE = 0.05


class SystemRefused(Exception):
    """The system does not let the daemon start (EX_OSERR)."""


def lock_pid_file(directory: Path) -> int:
    """Lock relayd.pid, write our number into it; the lock lives as long as the descriptor and its copies."""
    file = directory / "relayd.pid"
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SystemRefused(f"{file}: cannot be written: {error.strerror}; is this the right user?") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SystemRefused(f"{file}: is no regular file; remove it")
    if not _lock(descriptor):
        number = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise SystemRefused(f"{file}: a relay is already running here, process {number}; stop it first")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def _lock(descriptor: int) -> bool:
    deadline = time.monotonic() + _LOCK_PATIENCE
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOCK_PAUSE)


class Status:
    """status.json: there while the daemon serves."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "status.json"

    def write(self, status: Mapping[str, object]) -> None:
        """Only who holds the lock on relayd.pid may: temporary files that are here are of writers that were killed."""
        try:
            _remove_leftovers(self._file)
            _replace(self._file, json.dumps(status, sort_keys=True).encode("ascii") + b"\n")
        except OSError as error:
            raise SystemRefused(f"{self._file}: cannot be written: {error.strerror}; is the disk full?") from None

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self._file.unlink()


def _remove_leftovers(file: Path) -> None:
    for path in file.parent.iterdir():
        if re.fullmatch(rf"\.{re.escape(file.name)}\.[a-z0-9_]{{8}}\.tmp", path.name):
            path.unlink()


def _replace(file: Path, content: bytes) -> None:
    """Atomically: readers see the old file or the new one, after a crash too."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(descriptor, 0o644)
            os.fsync(descriptor)
        os.rename(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Ready:
    """The descriptor on which the starter waits; says one thing, then it is closed."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def ok(self, pid: int) -> None:
        self._say({"ready": True, "pid": pid})

    def failed(self, error: str) -> None:
        self._say({"error": error})

    def _say(self, message: Mapping[str, object]) -> None:
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):  # the starter did not wait
            os.write(self._descriptor, json.dumps(message).encode("ascii") + b"\n")
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = None


def program_file() -> Path | None:
    """The zipapp that this program runs from, None if it runs from source."""
    archive = Path(__file__).resolve().parents[1]
    return archive if archive.is_file() else None


def program_digest() -> str | None:
    file = program_file()
    return hashlib.sha256(file.read_bytes()).hexdigest() if file else None
