# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._host import files
from ansible_collections.mailops.relay.plugins.module_utils._host.files import read_bytes, replace_file
from support.special_files import SPECIAL_FILES

WRITER = """
import os, sys
from ansible_collections.mailops.relay.plugins.module_utils._host import files
def pause(temporary, path):
    print("writing", flush=True)
    sys.stdin.readline()
    os.rename(temporary, path)
files.os.replace = pause
files.replace_file(sys.argv[1], sys.argv[2].encode())
"""


def writer(path: Path, content: str) -> subprocess.Popen[str]:
    """A process that stops before the rename, until it is told to go on."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, str(path), content]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "store.json"
    with writer(target, "never") as killed:
        killed.send_signal(signal.SIGKILL)
    assert len(os.listdir(tmp_path)) == 1
    replace_file(str(target), b"new")
    assert os.listdir(tmp_path) == ["store.json"]
    assert target.read_bytes() == b"new"


def test_what_a_live_writer_has_is_left(tmp_path: Path) -> None:
    target = tmp_path / "store.json"
    with writer(target, "second") as alive:
        replace_file(str(target), b"first")
        assert len(os.listdir(tmp_path)) == 2
        assert target.read_bytes() == b"first"
        alive.communicate("go on\n")
    assert alive.returncode == 0
    assert os.listdir(tmp_path) == ["store.json"]
    assert target.read_bytes() == b"second"


def test_files_of_others_are_left(tmp_path: Path) -> None:
    others = ["store.json.bak", ".store.json.swp", ".store.json.abcdefgh.tmp~", ".accounts.json.abcdefgh.tmp"]
    for name in others:
        (tmp_path / name).write_text("mine")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / ".store.json.aaaaaaaa.tmp").symlink_to(tmp_path / "store.json.bak")
    replace_file(str(tmp_path / "store.json"), b"new")
    assert set(os.listdir(tmp_path)) == {*others, "pipe", "store.json", ".store.json.aaaaaaaa.tmp"}


def test_a_temporary_file_that_another_writer_removed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the creation and the lock it looks as if it had been left behind."""
    flock, taken = files.fcntl.flock, []

    def remove_first(descriptor: int, how: int) -> None:
        if how == files.fcntl.LOCK_EX and not taken:
            taken.extend(os.listdir(tmp_path))
            os.unlink(tmp_path / taken[0])
        flock(descriptor, how)

    monkeypatch.setattr(files.fcntl, "flock", remove_first)
    replace_file(str(tmp_path / "store.json"), b"new")
    assert len(taken) == 1
    assert os.listdir(tmp_path) == ["store.json"]


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(str(tmp_path / "store.json"), b"new")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    make, says = SPECIAL_FILES[kind]
    make(tmp_path / "store.json")
    before = os.listdir("/proc/self/fd")
    with pytest.raises(StoreError, match=rf"store\.json: cannot be read: {says}"):
        read_bytes(str(tmp_path / "store.json"))
    assert os.listdir("/proc/self/fd") == before


def test_a_name_that_no_file_can_have() -> None:
    for name in ("/a\0b", "/\ud800"):
        with pytest.raises(StoreError, match="no file can have this name"):
            read_bytes(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for others")
def test_what_root_writes_for_the_relay_of_another_user_stays_his(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, 4712)
    path = tmp_path / "accounts.json"
    files.replace_file(str(path), b"new", 0o600)
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) == (4711, 4712, 0o600)
    os.chown(path, 4711, 4713)
    files.replace_file(str(path), b"newer", 0o600)
    assert (path.stat().st_uid, path.stat().st_gid) == (4711, 4713)
