# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file relayd.pid: locked as long as the relay runs, with the number of the process to signal in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence

from .._connector.errors import ServiceError
from .._host.files import open_regular
from .._host.processes import command_line, describe_process, lock_holder

_LARGEST_NUMBER = 2**31
_FIND_IT = "Nothing was signalled. Find the process that holds it (fuser, lsof) and stop it."


class PidFile:
    """That of one relay directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.path = os.path.join(directory, "relayd.pid")

    def read(self) -> tuple[bool, int | None]:
        """Whether the lock is held, and the number. A number left behind means nothing."""
        try:
            descriptor = open_regular(self.path)
        except FileNotFoundError:
            return False, None
        except OSError as error:
            way_out = "Check what is there, its owner and mode, or become its user."
            raise ServiceError(f"cannot be read: {error.strerror}", where=self.path, way_out=way_out) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(descriptor, 32).decode("ascii", "replace").strip()
            return True, int(text) if text.isdigit() and 1 < int(text) < _LARGEST_NUMBER else None
        finally:
            os.close(descriptor)
        return False, None

    def refuse_stranger(self) -> None:
        """:raises ServiceError: a process that is not this relay has the lock"""
        stranger = self._stranger()
        if stranger is not None:
            what = f"it is locked by {describe_process(stranger)}, which is not the relay of this directory"
            way_out = "Nothing was signalled. Stop that process, then run the task again."
            raise ServiceError(what, where=self.path, way_out=way_out)

    @property
    def held(self) -> bool:
        """Whether the relay holds the lock: by all that can be found out no stranger does."""
        return self.read()[0] and self._stranger() is None

    def process_to_signal(self) -> int | None:
        """``None``: the lock is free, or its holder has ended and left it to a child that is about to end too.

        :raises ServiceError: who is to be signalled cannot be told for sure
        """
        self.refuse_stranger()
        held, number = self.read()
        if not held:
            return None
        if number is None:
            raise ServiceError("there is no process number in it", where=self.path, way_out=_FIND_IT)
        holder = lock_holder(self.path, exclusive=True)
        if holder not in (None, number):
            what = f"the number in it is {number}, and it is locked by {describe_process(holder)}"
            raise ServiceError(what, where=self.path, way_out=_FIND_IT)
        words = command_line(number)
        if words is None and os.path.isdir("/proc/self"):
            return None
        if not words or not self._is_relay(words):
            what = f"the number in it is that of {describe_process(number)}, which is not the relay of this directory"
            raise ServiceError(what, where=self.path, way_out=_FIND_IT)
        return number

    def _stranger(self) -> int | None:
        """The holder of the lock if it can be seen that it is not this relay."""
        holder = lock_holder(self.path, exclusive=True)
        words = None if holder is None else command_line(holder)
        return holder if words and not self._is_relay(words) else None

    def _is_relay(self, words: Sequence[str]) -> bool:
        """However it was started: ``python smtp_relayd.pyz --directory DIR``, with ``-m``, by a service manager."""
        named = [after for word, after in zip(words, words[1:]) if word == "--directory"]
        named += [word.partition("=")[2] for word in words if word.startswith("--directory=")]
        program = any(os.path.basename(word).startswith("smtp_relayd") for word in words)
        return program and any(os.path.realpath(name) == os.path.realpath(self._directory) for name in named)
