# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify.yml tells the tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def wanted() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(Path(os.environ["WANTED"]).read_text())
    return facts
