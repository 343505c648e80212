# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make matrix` makes of Pythons that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
import run_matrix

from support import interpreters

VERSION = "3.77"


@pytest.mark.parametrize(
    ("script", "starts"),
    [
        ("echo 3.77", True),
        ("echo 3.7", False),
        ("echo 'pyenv: python3.77: command not found' >&2; exit 127", False),
        ("echo 3.77; exit 1", False),
    ],
)
def test_a_python_that_does_not_start_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, starts: bool
) -> None:
    python = tmp_path / f"python{VERSION}"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreters.find(VERSION) == (str(python) if starts else None)


def test_of_two_the_one_that_starts_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, script in (("shims", "exit 127"), ("real", f"echo {VERSION}")):
        (tmp_path / folder).mkdir()
        python = tmp_path / folder / f"python{VERSION}"
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{tmp_path / 'real'}")
    assert interpreters.find(VERSION) == str(tmp_path / "real" / f"python{VERSION}")


@pytest.mark.parametrize(
    ("expected", "names", "status"),
    [
        ("", [], 0),
        ("core-2.21", ["core-2.19"], 0),
        ("core-2.20 target-3.9", [], 1),
        ("core-2.7", [], 2),
        ("", ["core-2.7"], 2),
    ],
)
def test_only_what_is_expected_has_to_be_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], expected: str, names: list[str], status: int
) -> None:
    monkeypatch.setenv("MATRIX_EXPECTED", expected)
    monkeypatch.setattr(run_matrix, "find", lambda _version: None)
    assert run_matrix.main(names) == status
    said = capsys.readouterr()
    if status < 2:
        assert said.out.count("missing, no Python 3.") == len(names or run_matrix.PARTS)
    else:
        assert "no such part of the matrix: core-2.7" in said.err


@pytest.mark.parametrize(("text", "status"), [("passed, Python 3.9, 1 s", 0), ("failed, Python 3.9, 1 s", 1)])
def test_what_failed_fails(monkeypatch: pytest.MonkeyPatch, text: str, status: int) -> None:
    monkeypatch.delenv("MATRIX_EXPECTED", raising=False)
    monkeypatch.setattr(run_matrix, "run", lambda _name: text)
    assert run_matrix.main([]) == status
