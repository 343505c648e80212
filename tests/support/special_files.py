# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may lie where a file is expected."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


SPECIAL_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "directory": (Path.mkdir, "it is a directory, not a file"),
    "pipe": (os.mkfifo, "it is a named pipe, not a file"),
    "socket": (_socket, "it is a socket, not a file"),
    "device": (_device, "it is a device, not a file"),
    "loop": (_loop, "Too many levels of symbolic links"),
}
