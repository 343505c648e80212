# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""--supervise: keeps one daemon running where no service manager does."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

from smtp_relayd import log
from smtp_relayd.process import Ready, SystemRefused, program_file

EX_OSERR = 71
FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
# a daemon that lived this long was healthy
HEALTHY = 60.0
# from start to ready; from SIGTERM to the end (messages in hand may take 60)
_START_PATIENCE = 30.0
_STOP_PATIENCE = 75.0
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def next_delay(delay: float, lived: float) -> float:
    """How long to wait after the next death, when `delay` was the last pause and the daemon lived `lived` seconds."""
    return FIRST_DELAY if lived >= HEALTHY else min(delay * 2, LONGEST_DELAY)


class Supervisor:
    """Starts the daemon again when it dies. Signals stay blocked and are taken one by one, so none gets lost."""

    def __init__(self, directory: str, lock: int) -> None:
        self._directory = directory
        self._lock = lock
        self._stopping = False
        # nobody writes to it: when this process is gone, the daemon reads its end
        self._alive, self._keep = os.pipe()

    def run(self, ready: Ready) -> int:
        """Serve until SIGTERM; a first start that fails is not repeated."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {*_STOP_SIGNALS, signal.SIGCHLD})
        child, answer = self._start()
        if not answer.get("ready"):
            ready.failed(str(answer.get("error", "the daemon ended before it was ready, see its log")))
            return self._watch(child) or EX_OSERR
        ready.ok(os.getpid())
        delay, started = FIRST_DELAY / 2, time.monotonic()
        while True:
            code = self._watch(child)
            if self._stopping:
                return code
            delay = next_delay(delay, time.monotonic() - started)
            log.emit("daemon_died", pid=child.pid, status=code, restart_in=delay)
            if self._told_to_stop(delay):
                return 0
            started = time.monotonic()
            with contextlib.suppress(SystemRefused):  # the dead one is found dead again, and the pause grows
                child, _answer = self._start()

    def _start(self) -> tuple[subprocess.Popen[bytes], dict[str, object]]:
        """Start a daemon and wait until it is ready or says why not."""
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as answers:
            try:
                child = self._spawn(writing)
            except OSError as error:
                raise SystemRefused(f"cannot start the daemon: {error}") from None
            finally:
                os.close(writing)
            if not select.select([answers], [], [], _START_PATIENCE)[0]:
                child.kill()
            line = answers.readline()
        with contextlib.suppress(ValueError, TypeError):
            return child, dict(json.loads(line))
        return child, {}

    def _spawn(self, ready: int) -> subprocess.Popen[bytes]:
        descriptors = {"--lock-fd": self._lock, "--alive-fd": self._alive, "--ready-fd": ready}
        options = [word for name, descriptor in descriptors.items() for word in (name, str(descriptor))]
        return subprocess.Popen(
            [sys.executable, *_program(), "--directory", self._directory, *options],
            stdin=subprocess.DEVNULL,
            pass_fds=list(descriptors.values()),
        )

    def _watch(self, child: subprocess.Popen[bytes]) -> int:
        """Wait for the end of the daemon, pass signals on."""
        deadline: float | None = None
        while child.poll() is None:
            patience = 3600 if deadline is None else max(0, deadline - time.monotonic())
            caught = signal.sigtimedwait({*_STOP_SIGNALS, signal.SIGCHLD}, patience)
            if caught is None and deadline is not None:
                child.kill()
            elif caught is not None and caught.si_signo in _STOP_SIGNALS:
                self._stopping = True
                deadline = time.monotonic() + _STOP_PATIENCE
                child.terminate()
                child.send_signal(signal.SIGCONT)  # one that was halted would not hear it
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def _told_to_stop(self, seconds: float) -> bool:
        """Sleep, unless a signal comes."""
        return signal.sigtimedwait(_STOP_SIGNALS, seconds) is not None


def _program() -> list[str]:
    archive = program_file()
    return [str(archive)] if archive else ["-m", "smtp_relayd"]
