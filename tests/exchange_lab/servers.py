# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of the lab as they are after setup."""

from __future__ import annotations

from typing import Any

from exchange_lab.entries import Data, relay_ace
from exchange_lab.parts import bindings, connector, server

ALL_V4 = "0.0.0.0-255.255.255.255"
ALL_V6 = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
ALL = [ALL_V6, ALL_V4]
SERVERS_AUTH = ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer"]
HUB_AUTH = ["Tls", "Integrated", "BasicAuth", "ExchangeServer"]
CLIENT_AUTH = ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"]


def mailbox(name: str = "EX01", version: str = "2016", **more: Any) -> Data:
    """2013 and newer: exchange.md 3.3, the rows marked 13+."""
    found = server(name, version, "Mailbox", **more)
    front: Data = {"TransportRole": "FrontendTransport", "RemoteIPRanges": ALL}
    hub: Data = {"TransportRole": "HubTransport", "RemoteIPRanges": ALL}
    wide: Data = {
        "MaxInboundConnectionPerSource": "Unlimited",
        "MaxInboundConnectionPercentagePerSource": 100,
        "MaxRecipientsPerMessage": 5000,
    }
    client: Data = {"MessageRateLimit": 5, "MessageRateSource": ["User"]}
    servers = ["ExchangeServers", "ExchangeLegacyServers"]
    found["connectors"] = [
        connector(
            found,
            f"Default {name}",
            ["ExchangeUsers", *servers],
            Bindings=bindings(2525),
            AuthMechanism=HUB_AUTH,
            **hub,
            **wide,
        ),
        connector(
            found,
            f"Client Proxy {name}",
            ["ExchangeUsers", "ExchangeServers"],
            Bindings=bindings(465),
            AuthMechanism=SERVERS_AUTH,
            **hub,
            **client,
        ),
        connector(
            found,
            f"Default Frontend {name}",
            ["AnonymousUsers", *servers],
            Bindings=bindings(25),
            AuthMechanism=SERVERS_AUTH,
            ProtocolLoggingLevel="Verbose",
            **front,
        ),
        connector(
            found,
            f"Outbound Proxy Frontend {name}",
            ["ExchangeServers"],
            Bindings=bindings(717),
            AuthMechanism=SERVERS_AUTH,
            **front,
        ),
        connector(
            found,
            f"Client Frontend {name}",
            ["ExchangeUsers"],
            Bindings=bindings(587),
            AuthMechanism=CLIENT_AUTH,
            AdvertiseClientSettings=True,
            **front,
            **client,
        ),
    ]
    return found


def hub(name: str = "EX01", version: str = "2010", **more: Any) -> Data:
    """2007 and 2010. Not anonymous until somebody adds it."""
    found = server(name, version, "HubTransport", **more)
    found["connectors"] = [
        connector(
            found,
            f"Default {name}",
            ["ExchangeUsers", "ExchangeServers", "ExchangeLegacyServers"],
            Bindings=bindings(25, v6=False),
            RemoteIPRanges=ALL,
            AuthMechanism=SERVERS_AUTH,
        ),
        connector(
            found,
            f"Client {name}",
            ["ExchangeUsers"],
            Bindings=bindings(587, v6=False),
            RemoteIPRanges=ALL,
            AuthMechanism=CLIENT_AUTH,
        ),
    ]
    return found


def edge(name: str = "EDGE01", version: str = "2016", **more: Any) -> Data:
    found = server(name, version, "Edge", **more)
    found["connectors"] = [
        connector(
            found,
            f"Default internal receive connector {name}",
            ["AnonymousUsers", "ExchangeServers", "Partners"],
            Bindings=bindings(25, v6=False),
            RemoteIPRanges=[ALL_V4],
            AuthMechanism=["Tls", "ExchangeServer"],
        )
    ]
    return found


def sbs_2008(name: str = "SBS", lan: str = "192.168.16", **more: Any) -> Data:
    """Like Small Business Server 2008 (Exchange 2007): mail from the internet has a connector of its own, the default
    one takes the local network only. Names are known, ranges and rights are a guess, not a recording."""
    found = hub(name, "2007", **more)
    default, _client = found["connectors"]
    default["properties"]["RemoteIPRanges"] = [f"{lan}.0-{lan}.255", "127.0.0.0-127.255.255.255"]
    outside = ["0.0.0.0-126.255.255.255", f"128.0.0.0-{_before(lan)}", f"{_after(lan)}-255.255.255.255"]
    found["connectors"] += [
        connector(
            found,
            f"Windows SBS Internet Receive {name}",
            ["AnonymousUsers"],
            Bindings=bindings(25, v6=False),
            RemoteIPRanges=outside,
            AuthMechanism=["Tls"],
        ),
        connector(
            found,
            f"Windows SBS Fax Sharepoint Receive {name}",
            ["AnonymousUsers"],
            [relay_ace()],
            Bindings=["127.0.0.1:25"],
            RemoteIPRanges=["127.0.0.1"],
            AuthMechanism=["Tls"],
        ),
    ]
    return found


def _before(lan: str) -> str:
    first, second, third = (int(part) for part in lan.split("."))
    return f"{first}.{second}.{third - 1}.255"


def _after(lan: str) -> str:
    first, second, third = (int(part) for part in lan.split("."))
    return f"{first}.{second}.{third + 1}.0"
