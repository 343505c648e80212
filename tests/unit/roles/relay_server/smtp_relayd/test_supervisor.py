# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_relayd import supervisor
from smtp_relayd.process import SystemRefused
from smtp_relayd.supervisor import Supervisor, next_delay


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervisor]:
    lock = os.open(tmp_path, os.O_RDONLY)
    made = Supervisor(str(tmp_path), lock)
    yield made
    for descriptor in (lock, made._alive, made._keep):
        os.close(descriptor)


def test_pauses_double_up_to_the_longest() -> None:
    delay, delays = supervisor.FIRST_DELAY / 2, []
    for _death in range(8):
        delay = next_delay(delay, lived=0.1)
        delays.append(delay)
    assert delays == [1, 2, 4, 8, 16, 30, 30, 30]


def test_after_a_minute_of_life_they_begin_anew() -> None:
    assert next_delay(30, lived=59.9) == 30
    assert next_delay(30, lived=60) == 1


def test_a_start_that_the_system_refuses_loses_no_descriptor(
    supervised: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object, **_options: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    before = os.listdir("/proc/self/fd")
    for _time in range(3):
        with pytest.raises(SystemRefused, match=r"cannot start the daemon: .* temporarily unavailable"):
            supervised._start()
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("said", ["", "junk", "[1]", "7", '{"error": "no"}'])
def test_a_daemon_that_does_not_start_loses_no_descriptor(
    supervised: Supervisor, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    script = "import os, sys; os.write(int(sys.argv[-1]), sys.argv[1].encode())"
    monkeypatch.setattr(supervisor, "_program", lambda: ["-c", script, said])
    before = os.listdir("/proc/self/fd")
    child, answer = supervised._start()
    assert child.wait(20) == 0
    assert answer == ({"error": "no"} if "error" in said else {})
    assert os.listdir("/proc/self/fd") == before
