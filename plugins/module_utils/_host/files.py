# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and replace files as a whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress

from .._connector.errors import StoreError


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
