# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and replace files as a whole."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import tempfile
from contextlib import suppress

from .._connector.errors import StoreError

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: str) -> int:
    """A descriptor to read ``path`` from. Opening anything but a regular file could wait forever, so that is refused.

    :raises OSError: it is not there, cannot be read, or is no regular file
    """
    try:
        _refuse_special(os.stat(path))
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a NUL, or half of a surrogate pair
        raise OSError(errno.EINVAL, "no file can have this name") from error
    try:
        _refuse_special(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_special(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file")


def read_bytes(path: str) -> bytes | None:
    """The content, ``None`` when there is no such file.

    :raises StoreError: it cannot be read, or is no regular file
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"cannot be read: {error.strerror}", where=path, way_out="Check what is there, its owner and mode."
        ) from error


def replace_file(path: str, content: bytes, mode: int = 0o644) -> None:
    """Atomically: temporary file in the same directory, fsync, rename, fsync of the directory.

    What root writes belongs to the owner of the file that was there, or else of the directory: a service of another
    user goes on reading it. Temporary files that killed writers of this file left behind are removed.

    :raises StoreError: nothing was changed (directory missing or not writable, disk full, ...)
    """
    directory, name = os.path.split(path)
    temporary = ""
    try:
        _remove_leftovers(directory, name)
        descriptor, temporary = _make_temporary(directory, name)
        with os.fdopen(descriptor, "wb") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), *_owner(path, directory))
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)  # before it is closed: until then it is locked
        _sync_directory(directory)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        way_out = "Nothing was changed. Make room, or check owner and mode of the directory, and run the task again."
        raise StoreError(f"cannot be written: {error.strerror}", where=path, way_out=way_out) from error


def _owner(path: str, directory: str) -> tuple[int, int]:
    """User and group that a new file at ``path`` should have."""
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        facts = os.stat(directory)
    return facts.st_uid, facts.st_gid


def _make_temporary(directory: str, name: str) -> tuple[int, str]:
    """A file that is locked as long as its writer lives: that tells it from one that was left behind."""
    while True:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=directory)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, temporary
        os.close(descriptor)  # another writer found it before it was locked


def _remove_leftovers(directory: str, name: str) -> None:
    pattern = re.compile(rf"\.{re.escape(name)}\.[a-z0-9_]{{8}}\.tmp")
    for found in filter(pattern.fullmatch, os.listdir(directory)):
        with suppress(OSError):  # a live writer has it, or it is gone
            _remove_unlocked(os.path.join(directory, found))


def _remove_unlocked(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(descriptor)


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
