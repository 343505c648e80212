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
CLIENT_AUTH = ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"]


def mailbox(name: str = "EX01", version: str = "2016", **more: Any) -> Data:
    """2013 and newer: the objects of a real 2019, and what public scripts that make those of 2013 say of it."""
    found = server(name, version, "Mailbox", **more)
    everybody = ["ExchangeServers", "ExchangeLegacyServers"]
    size: Data = {"MaxMessageSize": 35 * 1024**2} if version == "2013" else {}
    client: Data = {"MessageRateLimit": 5, "MessageRateSource": ["User"], "EnableAuthGSSAPI": True, **size}
    wide: Data = {
        "MaxInboundConnectionPerSource": "Unlimited",
        "MaxInboundConnectionPercentagePerSource": 100,
        "MaxRecipientsPerMessage": 5000,
        "SizeEnabled": "EnabledWithoutValue",
        **size,
    }
    outside: Data = {"DomainSecureEnabled": True, "ProtocolLoggingLevel": "Verbose"}

    def built_in(form: str, port: int, role: str, groups: list[str], **properties: Any) -> Data:
        values: Data = {"Bindings": bindings(port), "AuthMechanism": SERVERS_AUTH, "RemoteIPRanges": ALL} | properties
        return connector(found, f"{form} {name}", groups, TransportRole=role, **values)

    found["connectors"] = [
        built_in(
            "Default",
            2525,
            "HubTransport",
            ["ExchangeUsers", *everybody],
            **wide | {"Bindings": ["0.0.0.0:2525", "[::]:2525"]},
        ),
        built_in("Client Proxy", 465, "HubTransport", ["ExchangeUsers", "ExchangeServers"], **client),
        built_in("Default Frontend", 25, "FrontendTransport", ["AnonymousUsers", *everybody], **outside),
        built_in(
            "Outbound Proxy Frontend", 717, "FrontendTransport", ["ExchangeServers"], **outside | {"TarpitInterval": 0}
        ),
        built_in(
            "Client Frontend", 587, "FrontendTransport", ["ExchangeUsers"], **client | {"AuthMechanism": CLIENT_AUTH}
        ),
    ]
    return found


def classic(name: str = "EX01", version: str = "2016", **more: Any) -> Data:
    """One that was set up like Small Business Server: the connector for mail from the Internet owns port 25 alone, and
    nothing listens for clients. No recording of such a server is known."""
    found = mailbox(name, version, **more)
    hub_only = [item for item in found["connectors"] if item["properties"]["TransportRole"] == "HubTransport"]
    internet = connector(
        found,
        f"Windows SBS Internet Receive {name}",
        ["AnonymousUsers"],
        Bindings=bindings(25),
        RemoteIPRanges=ALL,
        AuthMechanism=["Tls"],
        TransportRole="FrontendTransport",
    )
    found["connectors"] = [*hub_only, internet]
    return found


ODD: Data = {
    "AdvertiseClientSettings": "Maybe",
    "AuthTarpitInterval": "-00:00:05",
    "Banner": "hello, no number before it",
    "BareLinefeedRejectionEnabled": "",
    "BinaryMimeEnabled": "Disabled",
    "ChunkingEnabled": "Yes!",
    "Comment": "two\r\nlines \u4e2d",
    "ConnectionInactivityTimeout": "00:05:00.5000000",
    "ConnectionTimeout": "forever",
    "DefaultDomain": "corp.test/Deleted Objects/gone\nDEL:5b1f",
    "DeliveryStatusNotificationEnabled": "partly",
    "DomainSecureEnabled": "Unknown",
    "EightBitMimeEnabled": "on and off",
    "EnableAuthGSSAPI": "off?",
    "EnhancedStatusCodesEnabled": "None",
    "ExtendedProtectionPolicy": "Sometimes",
    "Fqdn": "mail_server.corp.test",
    "LongAddressesEnabled": "-",
    "MaxAcknowledgementDelay": "1.00:00:00.0000001",
    "MaxHeaderSize": "256 KiB",
    "MaxHopCount": "501",
    "MaxInboundConnection": "Infinite",
    "MaxInboundConnectionPerSource": "-1",
    "MaxInboundConnectionPercentagePerSource": "101",
    "MaxLocalHopCount": "51",
    "MaxLogonFailures": "11",
    "MaxMessageSize": "37.5 MB",
    "MaxProtocolErrors": "many",
    "MaxRecipientsPerMessage": "0",
    "MessageRateLimit": "none",
    "MessageRateSource": "IPAddress, Planet",
    "OrarEnabled": "?",
    "PipeliningEnabled": "\u00fc",
    "ProtocolLoggingLevel": "Chatty",
    "RejectReservedSecondLevelRecipientDomains": "2 of 3",
    "RejectReservedTopLevelRecipientDomains": "\ttrue?",
    "RejectSingleLabelRecipientDomains": "ja",
    "RequireEHLODomain": "nein",
    "ServiceDiscoveryFqdn": "*",
    "SizeEnabled": "EnabledWithout",
    "SmtpUtf8Enabled": "UTF8",
    "SuppressXAnonymousTls": "oui",
    "TarpitInterval": "five seconds",
    "TlsCertificateName": "CN=mail.corp.test",
    "TlsDomainCapabilities": ["no colon", "a b:AcceptEverything"],
}
"""An odd text in every property that decides nothing about who relays (field-reports.md E2, E4)."""


def odd(version: str = "2019", **more: Any) -> Data:
    """One whose relay connector has an odd text in every property that decides nothing, and another a name that no new
    one may have. Both can be given other values."""
    found = mailbox(version=version, **more)
    front: Data = {"Bindings": ["0.0.0.0:25"], "TransportRole": "FrontendTransport"}
    relay = connector(found, "Odd relay", ["AnonymousUsers"], [relay_ace()], RemoteIPRanges=["10.1.0.1"], **front)
    relay |= {"odd": {key: value for key, value in ODD.items() if key in relay["properties"]}}
    relay |= {"corrupted": "Banner: The SMTP banner must start with 220."}
    long = connector(found, f" {'n' * 70} ", ["AnonymousUsers"], RemoteIPRanges=["10.1.0.2"], **front)
    found["connectors"] += [relay, long]
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
