# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test with other releases of ansible-core and on other Pythons: run_matrix.py [name ...], all of them by default.

Each has an environment of its own in .venv/matrix, which is made again when its pins change. One whose Python is not
found is missing: that is said, and an error if MATRIX_EXPECTED names it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from support.checkout import ROOT
from support.interpreters import find

WORK = ROOT / ".venv" / "matrix"
SITE = "tests/site/test_site.py"
CORE = ("tests/unit", "tests/contract", SITE)
TARGET = ("tests/sockets", SITE)


class Part(NamedTuple):
    """``requirements`` are installed for the Python of that version. A target has no tests of its own: ours run what
    runs on targets with its Python."""

    python: str
    requirements: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    "core-2.19": Part("3.11", ("matrix", "matrix-2.19"), CORE),
    "core-2.20": Part("3.12", ("matrix", "matrix-2.20"), CORE),
    "core-2.21": Part("3.13", ("matrix", "matrix-2.21"), CORE),
    "target-3.9": Part("3.9", ("relay",), TARGET),
    "target-3.13": Part("3.13", ("relay",), TARGET),
}


def main(names: list[str]) -> int:
    expected = os.environ.get("MATRIX_EXPECTED", "").split()
    unknown = sorted({*names, *expected} - set(PARTS))
    if unknown:
        print(f"no such part of the matrix: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    results = {name: run(name) for name in names or PARTS}
    print("\nmatrix:", *(f"{name}: {text}" for name, text in results.items()), sep="\n  ")
    failed = [name for name, text in results.items() if not text.startswith("passed")]
    return int(any(name in expected or not results[name].startswith("missing") for name in failed))


def run(name: str) -> str:
    """One part; how it went."""
    part = PARTS[name]
    python = find(part.python)
    if python is None:
        return f"missing, no Python {part.python} starts here"
    print(f"\n== {name}, Python {part.python}", flush=True)
    begin = time.monotonic()
    ours = environment(name, python, part.requirements)
    is_target = part.tests == TARGET
    command = [sys.executable if is_target else str(ours), "-m", "pytest", "-q", "-p", "no:cacheprovider", *part.tests]
    more = {"TARGET_PYTHON": str(ours)} if is_target else {}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **more}, stdin=subprocess.DEVNULL, check=False)
    word = "failed" if done.returncode else "passed"
    return f"{word}, Python {part.python}, {time.monotonic() - begin:.0f} s"


def environment(name: str, python: str, requirements: Iterable[str]) -> Path:
    """Its interpreter."""
    files = [ROOT / "requirements" / f"{item}.txt" for item in requirements]
    digest = hashlib.sha256("\0".join([python, *(file.read_text() for file in files)]).encode()).hexdigest()
    target, stamp = WORK / name, WORK / f"{name}.stamp"
    ours = target / "bin" / "python"
    if not (stamp.is_file() and stamp.read_text() == digest):
        stamp.unlink(missing_ok=True)
        subprocess.run([python, "-m", "venv", "--clear", target], check=True)
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
        lists = [word for file in files for word in ("--requirement", str(file))]
        subprocess.run([ours, "-m", "pip", "install", *options, *lists], check=True)
        stamp.write_text(digest)
    return ours


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
