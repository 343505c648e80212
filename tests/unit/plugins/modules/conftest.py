# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from support.modules import Runner, write_settings


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Modules on a relay directory that the role has just made."""
    write_settings(tmp_path)
    return Runner(tmp_path, capsys)
