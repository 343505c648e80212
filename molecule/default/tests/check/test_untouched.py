# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a run in check mode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def test_check_mode_touched_no_inode_of_the_relay(wanted: dict[str, Any]) -> None:
    """The time of the last status change moves with every write, rename, chmod and chown."""
    noted = {item["path"]: (item["inode"], item["ctime"]) for item in json.loads(Path(wanted["noted"]).read_text())}
    directory = Path(wanted["directory"])
    found = {str(path): (path.lstat().st_ino, path.lstat().st_ctime) for path in [directory, *directory.rglob("*")]}
    assert found == noted
    assert str(directory / "store.json") in noted
