# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""build_zipapp.py, and the daemon out of what it builds."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.daemon import SOURCE, running
from support.interpreters import TARGET, find
from support.place import Place
from support.sink import Sink


def build(cache: Path, *flags: str, script: Path = SOURCE / "build_zipapp.py") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, str(script), "--cache", str(cache)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    result = build(tmp_path_factory.mktemp("cache"))
    assert result.returncode == 0, result.stderr
    return Path(result.stdout.rstrip("\n"))


def test_stdout_is_the_path_and_the_cache_holds_nothing_else(zipapp: Path) -> None:
    assert zipapp.is_absolute()
    assert os.listdir(zipapp.parent) == [zipapp.name]
    assert zipapp.stat().st_mode & 0o777 == 0o644


def test_equal_inputs_give_equal_bytes(zipapp: Path, tmp_path: Path) -> None:
    """Built again elsewhere, from a copy with other times and modes."""
    copy = tmp_path / "copy"
    shutil.copytree(SOURCE, copy, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "smtp_relayd" / "__pycache__").mkdir()
    (copy / "smtp_relayd" / "__pycache__" / "x.pyc").write_bytes(b"not a source")
    (copy / "smtp_relayd" / "policy.py").chmod(0o600)
    result = build(tmp_path / "cache", script=copy / "build_zipapp.py")
    again = Path(result.stdout.rstrip("\n"))
    assert again.name == zipapp.name
    assert again.read_bytes() == zipapp.read_bytes()


@pytest.mark.parametrize("file", ["smtp_relayd/policy.py", "requirements.txt"])
def test_other_inputs_give_another_name(zipapp: Path, tmp_path: Path, file: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(SOURCE, copy)
    with (copy / file).open("a") as stream:
        stream.write("# changed\n")
    assert Path(build(tmp_path / "cache", script=copy / "build_zipapp.py").stdout.rstrip("\n")).name != zipapp.name


def test_contents(zipapp: Path) -> None:
    with zipfile.ZipFile(zipapp) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        *("__main__.py", "smtp_relayd", "aiosmtpd", "aiosmtplib", "attr", "attrs", "public", "atpublic"),
    }
    licences = {name.split("-")[0] for name in names if ".dist-info/" in name and "LICENSE" in name}
    assert licences == {"aiosmtpd", "aiosmtplib", "atpublic", "attrs"}
    assert not [name for name in names if "/tests/" in name or name.endswith((".pyc", ".so", ".key", "RECORD"))]


def test_what_was_built_once_needs_no_pip(zipapp: Path) -> None:
    before = zipapp.stat()
    result = build(zipapp.parent, "-I", "-S")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{zipapp}\n", "")
    assert zipapp.stat().st_mtime_ns == before.st_mtime_ns


def test_without_pip(tmp_path: Path) -> None:
    no_pip = tmp_path / "no_pip"
    no_pip.mkdir()
    (no_pip / "pip.py").write_text("raise SystemExit('ERROR: this Python has no pip')\n")
    result = subprocess.run(
        [sys.executable, str(SOURCE / "build_zipapp.py"), "--cache", str(tmp_path / "cache")],
        env={**os.environ, "PYTHONPATH": str(no_pip)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert f"pip of {sys.executable} cannot install {SOURCE / 'requirements.txt'}" in result.stderr
    assert "ERROR: this Python has no pip; install pip" in result.stderr
    assert os.listdir(tmp_path / "cache") == []


def test_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = build(tmp_path / "file" / "cache")
    assert (result.returncode, result.stdout) == (1, "")
    assert "Not a directory; name another directory with --cache" in result.stderr


def test_daemon_runs_from_it(zipapp: Path, place: Place, sink: Sink) -> None:
    """Isolated: nothing but the zipapp and the standard library is found."""
    with running(place.directory, "--supervise", command=[TARGET, "-I", str(zipapp)]) as supervisor:
        assert supervisor.status()["program_digest"] == hashlib.sha256(zipapp.read_bytes()).hexdigest()
        with place.client() as client:
            client.hello()
            assert client.message("a@x.test", ["b@corp.test"]).code == 250
        assert sink.message().sender == "<a@x.test>"
        assert supervisor.terminate() == 0


def check(python: str, zipapp: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", str(zipapp), "--directory", str(directory), "--check"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_check(zipapp: Path, place: Place) -> None:
    result = check(TARGET, zipapp, place.directory)
    assert (result.returncode, result.stderr) == (0, "")


PYTHON_39 = find("3.9")


@pytest.mark.skipif(PYTHON_39 is None, reason="no python3.9 here")
def test_oldest_python(zipapp: Path, place: Place, sink: Sink) -> None:
    """The floor of the targets, all the way to a message."""
    python = str(PYTHON_39)
    assert check(python, zipapp, place.directory).returncode == 0
    with running(place.directory, "--supervise", command=[python, "-I", str(zipapp)]) as supervisor:
        with place.client() as client:
            client.hello()
            assert client.message("a@x.test", ["b@corp.test"], b"..\xff\r\n").code == 250
        assert sink.message().body == b".\xff\r\n"
        assert supervisor.terminate() == 0
