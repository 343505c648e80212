# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where connectors may listen on the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ServiceError
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import ask
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.places import check_places
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.seen import Seen
from support import exchange as x
from support.exchange import SCAN

PROBLEM = {"stage": "x", "message": "Access is denied.", "id": "x", "category": "", "type": ""}
ADDRESSES = ["127.0.0.1", "::1", "192.0.2.10", "fd00::10", "fe80::10%11"]
SOCKETS = [("0.0.0.0", 25, 11), ("::", 25, 11), ("192.0.2.10", 80, 4), ("0.0.0.0", 443, 4), ("127.0.0.1", 9, 77)]
PROGRAMS = {4: "System", 11: "MSExchangeFrontendTransport"}


def seen(**other: Any) -> Seen:
    tables = {
        "addresses": x.table("addresses", [{"IPAddress": text} for text in ADDRESSES]),
        "sockets": x.table(
            "sockets",
            [{"LocalAddress": host, "LocalPort": str(port), "OwningProcess": str(pid)} for host, port, pid in SOCKETS],
        ),
        "programs": x.table("programs", [{"Id": str(pid), "ProcessName": name} for pid, name in PROGRAMS.items()]),
    }
    answer = x.answers([SCAN], **{**tables, **other})
    return Seen(ask(lambda _arguments: answer, "remote"))


def check(*bindings: str, **other: Any) -> list[str]:
    wanted = replace(SCAN, name="New", bindings=tuple(parse_binding(text, "bindings") for text in bindings))
    return [finding.what for finding in check_places(State((SCAN,)), State((SCAN, wanted)), seen(**other))]


@pytest.mark.parametrize(
    "binding",
    [
        "0.0.0.0:26",
        "[::]:26",
        "192.0.2.10:26",
        "[fd00::10]:26",
        "127.0.0.7:26",
        "[fe80::10]:26",
        "0.0.0.0:25",
        "[::]:80",
    ],
)
def test_where_it_may(binding: str) -> None:
    assert check(binding) == []


@pytest.mark.parametrize(
    ("binding", "says"),
    [
        ("192.0.2.11:26", "does not have this address.*192.0.2.11:26.*It has .*192.0.2.10"),
        ("[2001:db8::1]:26", "does not have this address"),
        ("0.0.0.0:80", "the program System listens there already"),
        ("192.0.2.10:443", "the program System listens there already"),
    ],
)
def test_where_it_may_not(binding: str, says: str) -> None:
    with pytest.raises(ServiceError, match=says):
        check(binding)


def test_a_program_without_a_name_is_not_refused() -> None:
    assert check("127.0.0.1:9") == []


def test_what_cannot_be_looked_at() -> None:
    unknown = {"sockets": {"id": "sockets", "problem": PROBLEM}}
    assert check("0.0.0.0:26", **unknown) == ["whether another program listens on 0.0.0.0:26 could not be read"]
    blind = {"addresses": {"id": "addresses", "problem": PROBLEM}}
    assert check("0.0.0.0:26", **blind) == []
    with pytest.raises(ServiceError, match="the addresses of the server could not be read"):
        check("192.0.2.10:26", **blind)


def test_a_binding_that_was_there_before_is_left_alone() -> None:
    odd = replace(SCAN, bindings=(parse_binding("192.0.2.99:25", "bindings"),))
    assert check_places(State((odd,)), State((replace(odd, comment="x"),)), seen()) == []
