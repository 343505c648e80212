# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a connector is made for: options that a new one has when the task omits them.

Source: Microsoft, New-ReceiveConnector (Usage) and "Receive connectors".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .values import parse_choice

USAGES: dict[str, dict[str, Any]] = {
    "Client": {
        "permission_groups": ["ExchangeUsers"],
        "auth_mechanism": ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"],
        "bindings": ["0.0.0.0:587"],
    },
    "Custom": {"permission_groups": [], "auth_mechanism": ["Tls"]},
    "Internal": {
        "permission_groups": ["ExchangeServers", "ExchangeLegacyServers"],
        "auth_mechanism": ["Tls", "ExchangeServer"],
        "bindings": ["0.0.0.0:25"],
    },
    "Internet": {
        "permission_groups": ["AnonymousUsers"],
        "auth_mechanism": ["Tls"],
        "remote_ip_ranges": ["0.0.0.0-255.255.255.255"],
    },
    "Partner": {"permission_groups": ["Partners"], "auth_mechanism": ["Tls"]},
}


def parse_usage(value: Any, where: str) -> str:
    return parse_choice(value, USAGES, where)


def usage_defaults(value: Any, where: str) -> Mapping[str, Any]:
    """Options of a new connector of this usage; none without a usage.

    :raises InputError: no such usage
    """
    return {} if value is None else USAGES[parse_usage(value, where)]
