# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector for mail from the Internet takes clients too, and its service restarts, on a server without IPv6."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange_lab import state as lab
from exchange_lab.direct import direct

pytestmark = pytest.mark.timeout(900)
INTERNET = "Windows SBS Internet Receive EX01"


def test_a_changed_connector_is_not_awaited_on_ipv6_that_is_off(pwsh: Path, tmp_path: Path) -> None:
    with direct(pwsh, tmp_path, lab.state(lab.classic() | {"ipv6": False})) as server:
        changed = server.connectors(
            {
                "name": INTERNET,
                "permission_groups": {"add": ["ExchangeUsers"]},
                "auth_mechanism": {"add": ["Tls", "BasicAuth", "BasicAuthRequireTLS"]},
            }
        )
        assert changed["changed"]
        result = server.task("service")
        assert {command.partition(" ")[2] for command in result["commands"]} == {lab.FRONTEND, lab.TRANSPORT}
        assert any("Nothing listens on [::]:25" in warning for warning in result["warnings"])
