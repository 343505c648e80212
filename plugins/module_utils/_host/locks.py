# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks between processes of one host."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .._connector.errors import StoreError
from .processes import describe_process, lock_holder

_PATIENCE = 60.0
_PAUSE = 0.02


@contextmanager
def locked(path: str, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path`` (made if missing), waiting ``patience`` seconds for whoever has it.

    :raises StoreError: it cannot be opened or locked, or somebody holds it for longer
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        way_out = "Run the role relay_server first, or check owner and mode of the directory."
        raise StoreError(f"cannot be opened: {error.strerror}", where=path, way_out=way_out) from error
    try:
        _lock(descriptor, path, patience)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _held(path, patience) from None
        except OSError as error:
            way_out = "Use a directory on a file system that has locks."
            raise StoreError(f"cannot be locked: {error.strerror}", where=path, way_out=way_out) from error
        time.sleep(_PAUSE)


def _held(path: str, patience: float) -> StoreError:
    what = f"still locked after {patience:g} s, by {describe_process(lock_holder(path))}"
    way_out = "Nothing was changed. Wait until that process has ended, or stop it, and run the task again."
    return StoreError(what, where=path, way_out=way_out)
