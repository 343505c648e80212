# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._host import locks, processes
from ansible_collections.mailops.relay.plugins.module_utils._host.locks import locked

HOLDER = "import fcntl, sys; fcntl.flock(file := open(sys.argv[1], 'w'), fcntl.LOCK_EX); print(flush=True); input()"


def test_a_lock_that_is_held_is_waited_for_so_long_and_the_holder_named(tmp_path: Path) -> None:
    path = tmp_path / "store.lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        expected = re.escape(f"{path}: still locked after 0.1 s, by process {holder.pid} ({sys.executable} -c ")
        with pytest.raises(StoreError, match=expected), locked(str(path), patience=0.1):
            raise AssertionError("two hold it")
        holder.communicate(b"\n")
    with locked(str(path), patience=0):
        pass


def test_a_holder_that_cannot_be_found_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "lock_holder", lambda _path: None)
    with (
        locked(str(tmp_path / "lock")),
        pytest.raises(StoreError, match=r"by a process that cannot be found from here\. Nothing was changed"),
        locked(str(tmp_path / "lock"), patience=0),
    ):
        pass


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(StoreError, match="cannot be locked: No locks available"), locked(str(tmp_path / "lock")):
        pass
    assert os.listdir("/proc/self/fd") == before


def test_the_holder_of_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert processes.lock_holder(str(path)) is None
    path.touch()
    assert processes.lock_holder(str(path)) is None
    with locked(str(path)):
        assert processes.lock_holder(str(path)) == os.getpid()


def test_a_process_is_described_on_one_line() -> None:
    assert processes.describe_process(None) == "a process that cannot be found from here"
    words = [sys.executable, "-c", "input(1)", "\n\x1b\udc80" + "x" * 500]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.read(1) == b"1", "before that its words may not be there yet"
        text = processes.describe_process(child.pid)
        child.communicate(b"\n")
    assert text.startswith(f"process {child.pid} ({sys.executable} -c input(1) ???xxx")
    assert text.endswith("x...)")
    assert processes.describe_process(child.pid) == f"process {child.pid}", "it has ended"
