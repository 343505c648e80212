# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and replace the files of a relay directory (docs/relay-files.md)."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .._connector.errors import StoreError

VERSION = 1


def read_bytes(path: str) -> bytes | None:
    """The content, ``None`` when there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"cannot be read: {error.strerror}", where=path, way_out="Check its owner and mode."
        ) from error


def read_document(path: str, keys: frozenset[str]) -> dict[str, Any] | None:
    """A versioned JSON object with exactly ``keys``, ``None`` when there is no such file.

    :raises StoreError: not JSON, not of a version known here, keys missing or unknown
    """
    content = read_bytes(path)
    if content is None:
        return None
    try:
        document: dict[str, Any] = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f"not JSON: {error}", where=path, way_out="Restore it from a backup, or remove it to start afresh."
        ) from error
    version = document.get("version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StoreError(
            "not a file of this collection",
            where=f"{path}, version",
            value=version,
            way_out="Restore it from a backup.",
        )
    if version > VERSION:
        way_out = f"This collection knows version {VERSION}: update mailops.relay where you run it from."
        raise StoreError("written by a newer release", where=f"{path}, version", value=version, way_out=way_out)
    odd = sorted(keys.symmetric_difference(document))
    if odd:
        raise StoreError(
            "a key is missing or unknown", where=path, value=odd[0], way_out="Restore the file from a backup."
        )
    return document


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def replace_file(path: str, content: bytes, mode: int = 0o644) -> None:
    """Atomically: temporary file in the same directory, fsync, rename, fsync of the directory.

    :raises StoreError: nothing was changed (directory missing or not writable, disk full, ...)
    """
    directory = os.path.dirname(path)
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=os.path.basename(path) + ".", dir=directory)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_directory(directory)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        way_out = "Nothing was changed. Make room, or check owner and mode of the directory, and run the task again."
        raise StoreError(f"cannot be written: {error.strerror}", where=path, way_out=way_out) from error


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path`` (made if missing), waiting for whoever has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        way_out = "Run the role relay_server first, or check owner and mode of the directory."
        raise StoreError(f"cannot be opened: {error.strerror}", where=path, way_out=way_out) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
