# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After somebody changed the servers by hand."""

from __future__ import annotations

from servers import DEVICE, NEIGHBOUR, OUTSIDE, Server


def test_it_bites(server: Server) -> None:
    replies = [server.mail.reply(peer, OUTSIDE) for peer in (DEVICE, NEIGHBOUR)]
    assert replies == (["250 2.1.5"] * 2 if server.name == "EX01" else ["550 5.7.54"] * 2)
