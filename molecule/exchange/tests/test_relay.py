# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the roles, the first time and after what somebody changed by hand."""

from __future__ import annotations

from servers import DEVICE, NEIGHBOUR, OUTSIDE, STRANGER, Server

SUBMISSION = {"EX01": 587, "EX02": 25}


def test_only_the_device_relays_without_a_password(server: Server) -> None:
    peers = (DEVICE, NEIGHBOUR, STRANGER)
    assert [server.mail.reply(peer, OUTSIDE) for peer in peers] == ["250 2.1.5", "550 5.7.54", "550 5.7.54"]


def test_inbound_mail_arrives(server: Server) -> None:
    assert [server.mail.reply(peer, "v@corp.test") for peer in (DEVICE, STRANGER)] == ["250 2.1.5"] * 2


def test_accounts_relay_after_tls(server: Server) -> None:
    port = SUBMISSION[server.name]
    assert server.mail.reply(STRANGER, OUTSIDE, port, login=True, tls=True) == "250 2.1.5"
    assert not server.mail.reply(STRANGER, OUTSIDE, port, login=True).startswith("2")


def test_services_were_restarted(server: Server) -> None:
    was, now = (server.whole(file)["services"] for file in ("noted.json", "state.json"))
    assert now.keys() == was.keys()
    assert all(now[service]["start_time"] > was[service]["start_time"] for service in was)


def test_one_connector_is_new_and_submission_adopted_another(server: Server) -> None:
    was, now = ({item["name"] for item in server.whole(file)["connectors"]} for file in ("noted.json", "state.json"))
    assert now - was == {"Scanner relay"}
    assert was <= now
