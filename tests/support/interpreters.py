# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other Pythons on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# runs what runs on targets: the daemon, and the modules of whole playbooks
TARGET = os.environ.get("TARGET_PYTHON", sys.executable)
# a target is given an environment of its own, too
_TRIAL = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


def folders() -> list[str]:
    """Where interpreters may be: beside the one of this environment, where pyenv keeps them, on PATH."""
    real = Path(sys.base_prefix)
    homes = [real.parent, *_pyenv()]
    others = sorted(python.parent for home in homes for python in home.glob("*/bin/python3.*[0-9]"))
    return list(dict.fromkeys([str(real / "bin"), *map(str, others), *os.environ["PATH"].split(os.pathsep)]))


def _pyenv() -> list[Path]:
    if shutil.which("pyenv") is None:
        return []
    root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
    return [Path(root) / "versions"] if root else []


def find(version: str) -> str | None:
    """A Python of this version that starts, as wrappers of pyenv on PATH may not, and has venv, as Debian's may not."""
    candidates = (Path(folder) / f"python{version}" for folder in folders())
    return next((str(python) for python in candidates if python.is_file() and _starts(python, version)), None)


def _starts(python: Path, version: str) -> bool:
    try:
        run = subprocess.run([python, "-c", _TRIAL], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return (run.returncode, run.stdout.strip()) == (0, version)
