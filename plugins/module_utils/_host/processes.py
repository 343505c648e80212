# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other processes of this host, as /proc shows them: who holds a lock, and what was started there."""

from __future__ import annotations

import os

_LONGEST_COMMAND = 120


def lock_holder(path: str, *, exclusive: bool = False) -> int | None:
    """The process that took the (``exclusive``) ``flock`` on the file, ``None`` if that cannot be found.

    It cannot where the process has ended and a child keeps the lock, in another PID namespace, and on file systems
    whose device number the kernel shows in two ways.
    """
    try:
        facts = os.stat(path)
        with open("/proc/locks") as table:
            lines = [line.split() for line in table]
    except OSError:
        return None
    place = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    # who waits for it has "->" there; who shares it with others does not keep readers out
    found = [(words[3], int(words[4])) for words in lines if words[1:2] == ["FLOCK"] and words[5] == place]
    return next((pid for how, pid in found if how == "WRITE" or not exclusive), None)


def command_line(pid: int) -> list[str] | None:
    """The words that the process was started with, ``None`` if there is none or it cannot be seen."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")[:-1]
    except OSError:
        return None
    return [os.fsdecode(word) for word in words]


def describe_process(pid: int | None) -> str:
    """For an error: number and command line."""
    if pid is None:
        return "a process that cannot be found from here"
    words = command_line(pid)
    if not words:
        return f"process {pid}"
    text = "".join(char if char.isprintable() else "?" for char in " ".join(words))
    return f"process {pid} ({text if len(text) <= _LONGEST_COMMAND else text[:_LONGEST_COMMAND] + '...'})"
