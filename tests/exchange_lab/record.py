# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the recordings of the lab anew: ``PWSH=/path/to/pwsh python tests/exchange_lab/record.py``."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".venv/collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from exchange_lab import recorded
from exchange_lab.reading import as_ascii, take_snapshots


def main() -> None:
    states = recorded.states()
    with tempfile.TemporaryDirectory() as folder:
        files = take_snapshots(Path(os.environ["PWSH"]).absolute(), Path(folder), states.values())
        for name, file in zip(states, files, strict=True):
            (recorded.FOLDER / f"{name}.txt").write_text(as_ascii(file), encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
