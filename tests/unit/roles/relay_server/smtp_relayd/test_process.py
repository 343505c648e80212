# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

import pytest

from smtp_relayd import process
from smtp_relayd.process import Ready, Status, SystemRefused
from support.special_files import SPECIAL_FILES


def test_lock_waits_for_a_reader_that_probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "relayd.pid").write_text("1\n")
    with (tmp_path / "relayd.pid").open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)
        pauses = []

        def reader_goes(seconds: float) -> None:
            pauses.append(seconds)
            fcntl.flock(reader, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", reader_goes)
        descriptor = process.lock_pid_file(tmp_path)
        assert len(pauses) == 1
        with pytest.raises(BlockingIOError):
            fcntl.flock(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)
    assert (tmp_path / "relayd.pid").read_text() == f"{os.getpid()}\n"
    os.close(descriptor)


def test_lock_that_is_held_is_an_error_with_the_number_of_the_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LOCK_PATIENCE", 0)
    descriptor = process.lock_pid_file(tmp_path)
    with pytest.raises(SystemRefused, match=f"already running here, process {os.getpid()};"):
        process.lock_pid_file(tmp_path)
    copy = os.dup(descriptor)
    os.close(descriptor)
    with pytest.raises(SystemRefused):
        process.lock_pid_file(tmp_path)
    os.close(copy)
    os.close(process.lock_pid_file(tmp_path))


def test_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SystemRefused, match="cannot be written: No such file or directory"):
        process.lock_pid_file(tmp_path / "missing")


def test_status_is_replaced_whole_and_removed(tmp_path: Path) -> None:
    status = Status(tmp_path)
    status.remove()
    status.write({"a": 1})
    before = (tmp_path / "status.json").stat().st_ino
    status.write({"a": 2})
    assert json.loads((tmp_path / "status.json").read_text()) == {"a": 2}
    assert (tmp_path / "status.json").stat().st_ino != before
    assert os.listdir(tmp_path) == ["status.json"]
    status.remove()
    assert os.listdir(tmp_path) == []


def test_status_of_a_writer_that_was_killed_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def kill(_from: str, _to: Path) -> None:
        raise Killed

    others = {"status.json.bak", ".status.json.swp", ".store.json.abcdefgh.tmp"}
    for name in others:
        (tmp_path / name).write_text("mine")
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", kill)
        patched.setattr(os, "unlink", lambda _path: None)
        with pytest.raises(Killed):
            Status(tmp_path).write({})
    assert len(os.listdir(tmp_path)) == len(others) + 1
    Status(tmp_path).write({})
    assert set(os.listdir(tmp_path)) == {*others, "status.json"}


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pid_file_that_is_no_file(tmp_path: Path, kind: str) -> None:
    SPECIAL_FILES[kind][0](tmp_path / "relayd.pid")
    before = os.listdir("/proc/self/fd")
    with pytest.raises(SystemRefused, match=r"relayd\.pid: is no regular file; remove it"):
        process.lock_pid_file(tmp_path)
    assert os.listdir("/proc/self/fd") == before


def test_status_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SystemRefused, match=r"status\.json: cannot be written"):
        Status(tmp_path / "missing").write({})


def test_ready_says_one_thing() -> None:
    reading, writing = os.pipe()
    ready = Ready(writing)
    ready.ok(7)
    ready.failed("too late")
    with os.fdopen(reading, "rb") as stream:
        assert json.loads(stream.read()) == {"ready": True, "pid": 7}


def test_ready_without_a_listener_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Ready(writing).failed("nobody hears")
    Ready(None).ok(7)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writing)


def test_program_digest_is_null_from_source() -> None:
    assert process.program_digest() is None
