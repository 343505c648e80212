# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses and ports for tests: loopback only."""

from __future__ import annotations

import random
import socket


def loopback() -> str:
    """An address of its own on 127.0.0.0/8: what other tests do there does not matter."""
    return f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def free_port(address: str) -> int:
    """A port that nobody listens on."""
    with socket.create_server((address, 0)) as listener:
        return int(listener.getsockname()[1])
