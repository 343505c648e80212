# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a run in check mode."""

from __future__ import annotations

from servers import Server


def test_the_state_is_as_it_was(server: Server) -> None:
    assert server.whole() == server.whole("noted.json")
