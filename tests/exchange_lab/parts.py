# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a state of the lab: servers, connectors, accepted domains. Their shape is described in state.py."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exchange_lab import parameters
from exchange_lab.entries import Data, distinct, of_groups

HERE = Path(__file__).resolve().parent
MODULES = HERE / "modules"
DEFAULTS: dict[str, Any] = json.loads((MODULES / "ExchangeLab" / "defaults.json").read_text(encoding="utf-8"))
FACTS: dict[str, Any] = json.loads((HERE / "exchange_cmdlets.json").read_text(encoding="utf-8"))["cmdlets"]

TRANSPORT, FRONTEND = "MSExchangeTransport", "MSExchangeFrontEndTransport"
EPOCH = 1_767_225_600  # 2026-01-01: nothing in a state depends on the clock of the machine
ADDRESSES = ("127.0.0.1", "::1", "192.0.2.10", "192.0.2.11", "fd00::10", "fe80::10%11")
"""What a server holds, where nothing else is said."""
OTHERS = (("System", 4, 80), ("System", 4, 443), ("MSExchangeDelivery", 3800, 475), ("svchost", 900, 135))
"""What listens on every address of a server besides the transport services: program, process, port."""


def identifier(*parts: str) -> str:
    """The same GUID for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)))


def property_names(version: str) -> list[str]:
    """Of a connector of this version, as the documentation of Set-ReceiveConnector has them."""
    facts = FACTS["Set-ReceiveConnector"]["parameters"]
    of_call = {"Identity", "Name", "DomainController", "WhatIf", "Confirm", "PermissionGroups"}
    wanted = "2010" if version == "2007" else version
    skipped = of_call | (parameters.NOT_IN_2007 if version == "2007" else set())
    return [name for name, item in facts.items() if wanted in item["applies_to"] and name not in skipped]


def bindings(port: int, *, v6: bool = True) -> list[str]:
    return [f"[::]:{port}", f"0.0.0.0:{port}"] if v6 else [f"0.0.0.0:{port}"]


def connector(
    server: Data, name: str, groups: Iterable[str] = (), aces: Iterable[Data] = (), **properties: Any
) -> Data:
    """A connector with every property of the server's version; what is not given is as on a new one.

    Its entries are those of its groups, ``aces``, and what it inherits on this server.
    """
    defaults = DEFAULTS["connector"] | (DEFAULTS["edge"] if server["role"] == "Edge" else {})
    values = {**defaults, "Fqdn": server["fqdn"], **properties}
    groups = list(groups)
    return {
        "name": name,
        "guid": identifier(server["name"], name),
        "when_changed": EPOCH,
        "when_created": EPOCH,
        "groups": groups,
        "aces": distinct([*of_groups(server, groups), *aces, *server["inherited"]]),
        "properties": {key: copy.deepcopy(values[key]) for key in property_names(server["version"])},
    }


def listener(owner: str, address: str, port: int, process_id: int = 5000) -> Data:
    """Another program's, for ``listeners`` of a server."""
    return {"owner": owner, "address": address, "port": port, "process_id": process_id}


def service(number: int = 0, **more: Any) -> Data:
    """One that runs, since an hour after everything was changed last. ``more``: see state.py."""
    return {"state": "Running", "start_time": EPOCH + 3600, "process_id": 4000 + 100 * number, **more}


def server(
    name: str,
    version: str,
    role: str,
    *,
    domain: str = "CORP",
    locale: str = "en",
    forest: str = "corp.test",
    inherited: Iterable[Data] = (),
) -> Data:
    """Without connectors."""
    has_frontend = role != "Edge" and version not in ("2007", "2010")
    names = [TRANSPORT, FRONTEND] if has_frontend else [TRANSPORT]
    active = ["ServerWideOffline", *(["HubTransport", "FrontendTransport"] if has_frontend else ["EdgeTransport"])]
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
        "services": {item: service(number) for number, item in enumerate(names)},
        "loaded": {},
        "inherited": list(inherited),
        "addresses": list(ADDRESSES),
        "ipv6": True,
        "listeners": [
            listener(owner, address, port, process) for owner, process, port in OTHERS for address in ("::", "0.0.0.0")
        ],
        "components": dict.fromkeys(active, "Active"),
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
