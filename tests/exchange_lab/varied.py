# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Varied connectors for the lab: every property, entries of every kind, names that break careless scripts.

They follow the rules of the server (combinations, conflicts), so that they could stand there.
"""

from __future__ import annotations

import random
from typing import Any

from exchange_lab import state as lab

NAMES = (
    "Relay",
    "O'Brien's relay",
    "Scanner \u2019s floor",
    'the "quoted" one',
    "$(Remove-Item x) $env:PATH",
    "back`tick `n",
    "B\u00fcro Stra\u00dfe \u00c4\u00d6\u00dc",
    "\u6253\u5370\u673a \u4e2d\u7ee7",
    "comma, plus + <angle> ; =",
    "# hash {braces} [brackets] *?",
    "%PATH% & | ^ !",
    "2026-01-01T00:00:00Z",
)
COMMENTS = (
    None,
    "plain",
    'quote\'s "double" $(x) `tick',
    "\u00dc\u4e2d\U0001f4e0",
    "2026-01-01T00:00:00Z",
    "two\r\nlines\tand a tab",
)
RIGHTS = (
    "ms-Exch-SMTP-Submit",
    "ms-Exch-SMTP-Accept-Any-Recipient",
    "ms-Exch-SMTP-Accept-Any-Sender",
    "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender",
    "ms-Exch-Bypass-Anti-Spam",
    "ms-Exch-Accept-Headers-Routing",
)
USERS = (
    "ANONYMOUS",
    "ANONYMOUS",
    "AUTHENTICATED",
    "EXTERNALLY_SECURED",
    "CORP\\svc-scan",
    "CORP\\svc-scan2",
    "CORP\\J\u00fcrgen M\u00fcller",
    "S-1-5-21-1004336348-1177238915-682003330-1104",
)
GROUPS = ("AnonymousUsers", "ExchangeUsers", "ExchangeServers", "ExchangeLegacyServers", "Partners")
MECHANISMS: tuple[list[str], ...] = (
    [],
    ["Tls"],
    ["BasicAuth"],
    ["Tls", "Integrated"],
    ["Tls", "BasicAuth", "BasicAuthRequireTLS"],
    ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer"],
    ["ExternalAuthoritative"],
    ["Tls", "ExternalAuthoritative"],
)
CAPABILITIES: tuple[list[str], ...] = (
    [],
    ["NO-TLS:AcceptCloudServicesMail"],
    ["a.test:AcceptCloudServicesMail,AcceptOorgProtocol", "b.test:AcceptOorgProtocol"],
)
TEXTS: dict[str, tuple[Any, ...]] = {
    "Banner": (None, "220 hello", '220 it\'s "us" $(x)'),
    "Comment": COMMENTS,
    "Fqdn": ("mail.corp.test", "EX01.corp.test"),
    "ServiceDiscoveryFqdn": (None, "find.corp.test"),
    "TlsCertificateName": (
        None,
        "<I>CN=R3, O=Let's Encrypt, C=US<S>CN=*.corp.test",
        "<I>CN=Corp CA<S>CN=mail.corp.test, O=B\u00fcro",
    ),
    "TlsDomainCapabilities": CAPABILITIES,
    "DefaultDomain": (None, "corp.test"),
    "SizeEnabled": ("Enabled", "Disabled", "EnabledWithoutValue"),
    "MessageRateSource": (["None"], ["IPAddress"], ["User"], ["All"]),
}


def varied(count: int = 40, seed: int = 0, version: str = "2016", locale: str = "en") -> lab.Data:
    """A state of one server with its default connectors and ``count`` more."""
    rng = random.Random(seed)
    found = (
        lab.mailbox(version=version, locale=locale)
        if version not in ("2007", "2010")
        else lab.hub(version=version, locale=locale)
    )
    for number in range(count):
        found["connectors"].append(_connector(rng, found, number))
    domains = [lab.accepted_domain("corp.test", default=True), lab.accepted_domain("*.corp.test", "InternalRelay")]
    return lab.state(found, accepted_domains=[*domains, lab.accepted_domain("partner.test", "ExternalRelay")])


def _connector(rng: random.Random, server: lab.Data, number: int) -> lab.Data:
    names = lab.property_names(server["version"])
    properties = {name: _value(rng, name) for name in names}
    groups = [group for group in GROUPS if rng.random() < 0.4]
    mechanisms = list(rng.choice(MECHANISMS))
    if "ExternalAuthoritative" in mechanisms and "ExchangeServers" not in groups:
        groups = [group for group in GROUPS if group in groups or group == "ExchangeServers"]
    properties |= {"AuthMechanism": mechanisms, "Bindings": _bindings(rng), "RemoteIPRanges": _ranges(rng, number)}
    _obey(rng, properties, mechanisms)
    name = f"{NAMES[number % len(NAMES)]} {number}" if number >= len(NAMES) else NAMES[number]
    found = lab.connector(server, name, groups, _aces(rng), **{key: properties[key] for key in names})
    changed = lab.EPOCH + rng.choice((0, 0, 3599, 3601, 86400))
    return found | {"when_changed": changed}


def _value(rng: random.Random, name: str) -> Any:
    """Of the property, by what the documentation says about it; ends of a range come often."""
    if name in TEXTS:
        return rng.choice(TEXTS[name])
    facts = lab.FACTS["Set-ReceiveConnector"]["parameters"][name]
    if facts["type"] == "Boolean":
        return rng.random() < 0.5
    if facts["type"] == "EnhancedTimeSpan":
        return rng.choice((1, 5, 59, 61, 300, 3600, 86399, 86400))
    if facts["accepted_values"]:
        return rng.choice(facts["accepted_values"])
    if facts["type"] in ("Int32", "Unlimited", "ByteQuantifiedSize"):
        least, most = int(facts["range"]["min"]), int(facts["range"]["max"])
        ends = ["Unlimited"] if facts["type"] == "Unlimited" else [least + 1]
        return rng.choice([least, most, rng.randint(least, most), (most - most % 1024) or most, *ends])
    return None


def _bindings(rng: random.Random) -> list[str]:
    """Port 25 is of the frontend: connectors of two roles may not share a binding."""
    choices = ("0.0.0.0:25", "[::]:25", "192.0.2.10:25", "[fd00::10]:25", "192.0.2.11:26", "0.0.0.0:26")
    return rng.sample(choices, rng.randint(1, 3))


def _ranges(rng: random.Random, number: int) -> list[str]:
    """In every spelling; those of two connectors never meet, those of one may nest."""
    spellings = (
        f"10.{number}.1.7",
        f"10.{number}.2.0-10.{number}.2.255",
        f"10.{number}.3.0/24",
        f"10.{number}.4.9/30",
        f"10.{number}.5.1-10.{number}.5.9",
        f"10.{number}.3.128/25",
        f"fd00:{number:x}::1",
        f"fd00:{number:x}:1::/64",
        f"fd00:{number:x}:2::1-fd00:{number:x}:2::ff",
        f"fe80::{number + 1:x}%11",
    )
    return rng.sample(spellings, rng.randint(1, 5))


def _obey(rng: random.Random, properties: lab.Data, mechanisms: list[str]) -> None:
    """exchange.md 1.3 and 1.4."""
    tls = "Tls" in mechanisms
    properties["RequireTLS"] = tls and rng.random() < 0.3
    properties["DomainSecureEnabled"] = tls and "ExternalAuthoritative" not in mechanisms and rng.random() < 0.3
    properties["BinaryMimeEnabled"] = properties["ChunkingEnabled"] and properties["BinaryMimeEnabled"]
    inactive, whole = sorted(rng.sample((1, 60, 61, 300, 3600, 86399, 86400), 2))
    properties |= {"ConnectionInactivityTimeout": inactive, "ConnectionTimeout": whole}
    if "TransportRole" in properties:
        properties["TransportRole"] = "FrontendTransport"


def _aces(rng: random.Random) -> list[lab.Data]:
    found = [
        lab.ace(rng.choice(USERS), rng.choice(RIGHTS), deny=rng.random() < 0.3, inherited=rng.random() < 0.2)
        for _number in range(rng.choice((0, 0, 1, 2, 5)))
    ]
    return [item for number, item in enumerate(found) if item not in found[:number]]
