# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the lab: what the cmdlets read and write, as JSON in the file that EXCHANGE_LAB_STATE names.

Written by hand from the facts, not by the code of the collection, which is what the lab is to check::

    servers: [{name, fqdn, guid, version (2007 2010 2013 2016 2019 SE), role (Mailbox, HubTransport, Edge),
        domain (before the groups of the organisation), locale (en de fr: names of principals), edition, when_changed,
        services: {name: {state, start_time, process_id}},
        loaded: {service: JSON of {connectors, accepted_domains}}: what the service read when it started,
        connectors: [{name, guid, when_changed, when_created, groups, aces: [{user, right, deny, inherited}],
            properties: {parameter name: value}}]}]
    accepted_domains: [{name, domain_name, type, default, match_sub_domains, address_book_enabled, guid, when_...}]
    domain_controllers, forest, users (names that Add-ADPermission finds), delegation (a second hop needs no credential)
    faults: [{cmdlet, kind, skip, times, message}], history: [{at, cmdlet, parameters}]

The first server is the one whose shell the engine is. Times are seconds since 1970, sizes bytes, spans seconds,
counts a number or ``Unlimited``, flags and multi-valued properties lists of texts (ranges in the spelling they print
in), texts that are empty null. ``user`` of an entry is a key of ``$LabPrincipals`` (Principals.ps1) or the text that
is shown.

Kinds of faults: ``absent`` (the cmdlet is not there: RBAC), ``access_denied``, ``busy``, ``connection_lost`` and
``connection_lost_after`` (the process of the session ends before or after the change), ``not_modified`` (a warning, and
nothing done), ``warning`` and ``non_terminating`` (``message``); for New-PSSession ``access_denied``, ``quota``,
``busy``, ``not_found``, ``cannot_connect``.
"""

from __future__ import annotations

import copy
import json
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exchange_lab import parameters

HERE = Path(__file__).resolve().parent
MODULES = HERE / "modules"
DEFAULTS: dict[str, Any] = json.loads((MODULES / "ExchangeLab" / "defaults.json").read_text(encoding="utf-8"))
FACTS: dict[str, Any] = json.loads((HERE / "exchange_cmdlets.json").read_text(encoding="utf-8"))["cmdlets"]

TRANSPORT, FRONTEND = "MSExchangeTransport", "MSExchangeFrontEndTransport"
ALL_V4 = "0.0.0.0-255.255.255.255"
ALL_V6 = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
ALL = [ALL_V6, ALL_V4]
EPOCH = 1_767_225_600  # 2026-01-01: nothing in a state depends on the clock of the machine

# short: the default connectors of exchange.md 3.3
SERVERS_AUTH = ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer"]
CLIENT_AUTH = ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"]
HUB_AUTH = ["Tls", "Integrated", "BasicAuth", "ExchangeServer"]
NOT_IN_2007 = {
    "AdvertiseClientSettings",
    "MaxAcknowledgementDelay",
    "MessageRateSource",
    "BareLinefeedRejectionEnabled",
    "ExtendedProtectionPolicy",
    "SuppressXAnonymousTls",
    "TlsDomainCapabilities",
}

Data = dict[str, Any]


def identifier(*parts: str) -> str:
    """The same GUID for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)))


def property_names(version: str) -> list[str]:
    """Of a connector of this version, as the documentation of Set-ReceiveConnector has them."""
    facts = FACTS["Set-ReceiveConnector"]["parameters"]
    of_call = {"Identity", "Name", "DomainController", "WhatIf", "Confirm", "PermissionGroups"}
    wanted = "2010" if version == "2007" else version
    skipped = of_call | (NOT_IN_2007 if version == "2007" else set())
    return [name for name, item in facts.items() if wanted in item["applies_to"] and name not in skipped]


def bindings(port: int, *, v6: bool = True) -> list[str]:
    return [f"[::]:{port}", f"0.0.0.0:{port}"] if v6 else [f"0.0.0.0:{port}"]


def connector(
    server: Data, name: str, groups: Iterable[str] = (), aces: Iterable[Data] = (), **properties: Any
) -> Data:
    """A connector with every property of the server's version; what is not given is as on a new one."""
    defaults = DEFAULTS["connector"] | (DEFAULTS["edge"] if server["role"] == "Edge" else {})
    values = {**defaults, "Fqdn": server["fqdn"], **properties}
    return {
        "name": name,
        "guid": identifier(server["name"], name),
        "when_changed": EPOCH,
        "when_created": EPOCH,
        "groups": list(groups),
        "aces": list(aces),
        "properties": {key: copy.deepcopy(values[key]) for key in property_names(server["version"])},
    }


def ace(user: str, right: str, *, deny: bool = False, inherited: bool = False) -> Data:
    return {"user": user, "right": right, "deny": deny, "inherited": inherited}


def relay_ace(user: str = "ANONYMOUS") -> Data:
    return ace(user, "ms-Exch-SMTP-Accept-Any-Recipient")


def server(
    name: str, version: str, role: str, *, domain: str = "CORP", locale: str = "en", forest: str = "corp.test"
) -> Data:
    """Without connectors. Its services started an hour after everything was changed last."""
    has_frontend = role != "Edge" and version not in ("2007", "2010")
    names = [TRANSPORT, FRONTEND] if has_frontend else [TRANSPORT]
    services = {
        item: {"state": "Running", "start_time": EPOCH + 3600, "process_id": 4000 + 100 * number}
        for number, item in enumerate(names)
    }
    return {
        "name": name,
        "fqdn": f"{name}.{forest}",
        "guid": identifier(name),
        "version": version,
        "role": role,
        "domain": domain,
        "locale": locale,
        "edition": "Standard",
        "when_changed": EPOCH,
        "services": services,
        "loaded": {},
        "connectors": [],
    }


def accepted_domain(
    name: str, type: str = "Authoritative", *, default: bool = False, sub_domains: bool = False
) -> Data:
    return {
        "name": name.replace("*.", "any "),
        "domain_name": name,
        "type": type,
        "default": default,
        "match_sub_domains": sub_domains,
        "address_book_enabled": type == "Authoritative",
        "guid": identifier("domain", name),
        "when_changed": EPOCH,
        "when_created": EPOCH,
    }


def state(*servers: Data, domains: Iterable[Data] | None = None, forest: str = "corp.test", **more: Any) -> Data:
    """A whole state; its services have loaded what is there."""
    found: Data = {
        "forest": forest,
        "domain_controllers": [f"DC01.{forest}", f"DC02.{forest}"],
        "delegation": True,
        "users": [
            f"{item['domain']}\\{user}"
            for item in servers
            for user in ("svc-scan", "svc-scan2", "J\u00fcrgen M\u00fcller")
        ],
        "servers": list(servers),
        "accepted_domains": list(domains) if domains is not None else [accepted_domain(forest, default=True)],
        "faults": [],
        "history": [],
        **more,
    }
    for item in servers:
        for service in item["services"]:
            load(found, item, service)
    return found


def load(whole: Data, item: Data, service: str) -> None:
    """The service reads the configuration."""
    item["loaded"][service] = json.dumps({key: (item | whole)[key] for key in ("connectors", "accepted_domains")})


def loaded(item: Data, service: str) -> Data:
    """What the running service acts on: ``{connectors, accepted_domains}``."""
    return dict(json.loads(item["loaded"][service]))


def restart(whole: Data, service: str, at: int | None = None, name: str | None = None) -> None:
    """As Restart-Service does; ``at``: now."""
    item = next(item for item in whole["servers"] if name in (None, item["name"]))
    item["services"][service] |= {"state": "Running", "start_time": int(time.time()) if at is None else at}
    load(whole, item, service)


def fault(cmdlet: str, kind: str, *, skip: int = 0, times: int | None = None, message: str = "") -> Data:
    """``skip`` calls go well first; then it happens ``times`` times (None: always)."""
    return {"cmdlet": cmdlet, "kind": kind, "skip": skip, "times": times, "message": message}


def write(path: Path, whole: Data) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_text(json.dumps(whole, indent=1, ensure_ascii=True), encoding="ascii")
    scratch.replace(path)


def read(path: Path) -> Data:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def calls(log: Path) -> list[Data]:
    """What cmdlets were called: ``{cmdlet, parameters, where}``, ``where`` is ``shell`` or ``session``."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines]


def environment(path: Path, log: Path) -> dict[str, str]:
    """What the engine needs to find the lab."""
    return {
        "EXCHANGE_LAB_STATE": str(path),
        "EXCHANGE_LAB_LOG": str(log),
        "EXCHANGE_LAB_PARAMETERS": str(parameters.folder()),
        "PSModulePath": str(MODULES),
    }


# -- servers as they are after setup ----------------------------------------------------------------------------------


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
