# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ipaddress import ip_address

import pytest

from smtp_relayd.policy import Binding, Policy
from smtp_relayd.server import sockets


@pytest.mark.parametrize(
    ("bindings", "opened"),
    [
        ([("10.0.0.1", 25), ("10.0.0.2", 25)], [("10.0.0.1", 25), ("10.0.0.2", 25)]),
        ([("0.0.0.0", 25), ("10.0.0.1", 25)], [("0.0.0.0", 25)]),
        ([("0.0.0.0", 25), ("10.0.0.1", 26)], [("0.0.0.0", 25), ("10.0.0.1", 26)]),
        ([("0.0.0.0", 25), ("::1", 25)], [("0.0.0.0", 25), ("::1", 25)]),
        ([("0.0.0.0", 25), ("::", 25), ("::1", 25)], [("0.0.0.0", 25), ("::", 25)]),
    ],
)
def test_a_wildcard_socket_serves_single_addresses_too(
    bindings: list[tuple[str, int]], opened: list[tuple[str, int]]
) -> None:
    nobody = Binding((), (), ())
    policy = Policy({(ip_address(address), port): nobody for address, port in bindings}, {}, None, "")
    assert sockets(policy) == [(ip_address(address), port) for address, port in opened]
