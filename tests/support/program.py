# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay program as the role transfers it, built once and kept beside the environment of the tests."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def zipapp() -> Path:
    script = ROOT / "roles/relay_server/files/build_zipapp.py"
    command = [sys.executable, str(script), "--cache", str(ROOT / ".venv/cache")]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
