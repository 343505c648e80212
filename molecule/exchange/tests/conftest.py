# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that molecule runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from servers import Server
from testinfra.host import Host


@pytest.fixture(params=["EX01", "EX02"])
def server(request: pytest.FixtureRequest, host: Host) -> Server:
    return Server(request.param, Path(os.environ["LAB"]) / request.param, host)
