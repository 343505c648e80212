# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the lab: what the cmdlets read and write, as JSON in the file that EXCHANGE_LAB_STATE names.

Written by hand from the facts, not by the code of the collection, which is what the lab is to check::

    servers: [{name, fqdn, guid, version (2007 2010 2013 2016 2019 SE), role (Mailbox, HubTransport, Edge),
        domain (before the groups of the organisation), locale (en de fr: names of principals), edition, when_changed,
        services: {name: {state, start_time, process_id,
            stop_seconds, start_seconds (what it needs for that), broken (it does not start any more),
            depends_on (names of services)}},
        loaded: {service: JSON of {connectors, accepted_domains}}: what the service read when it started,
        inherited: entries that every new connector inherits,
        addresses: of the server, ipv6 (false: nothing listens on IPv6),
        listeners: [{owner, address, port, process_id}] of other programs, components: {name: state},
        connectors: [{name, guid, when_changed, when_created, groups (that were named last), aces (see entries.py),
            properties: {parameter name: value}, odd: {property: what Get shows instead}, corrupted: text}]}]
    accepted_domains: [{name, domain_name, type, default, match_sub_domains, address_book_enabled, guid, when_...}]
    domain_controllers, forest, users (names that Add-ADPermission finds), delegation (a second hop needs no credential)
    faults: [{cmdlet, kind, skip, times, message}], history: [{at, cmdlet, parameters, state (see `steps`)}]
    groups_print, set_groups, set_refuses, users_print: see `state`; accounts: see smtp.py

The first server is the one whose shell the engine is. Times are seconds since 1970, sizes bytes, spans seconds,
counts a number or ``Unlimited``, flags and multi-valued properties lists of texts (ranges in the spelling they print
in), texts that are empty null. ``user`` of an entry is a key of ``$LabPrincipals`` (Principals.ps1) or the text that
is shown.

Kinds of faults: ``absent`` (the cmdlet is not there: RBAC), ``access_denied``, ``busy``, ``connection_lost`` and
``connection_lost_after`` (the process of the session, or for what Windows has that of the shell, ends before or after
the change), ``slow`` (``message``: seconds), ``not_modified`` (a warning, and nothing done), ``warning`` and
``non_terminating`` (``message``), ``gone`` (``message``: a domain controller that cannot be reached any more; cmdlet
``*``: by any), and the texts of Faults.ps1; for New-PSSession those of Sessions.ps1.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from exchange_lab import parameters
from exchange_lab.entries import (
    ALL_RIGHTS,
    EVERYTHING,
    EXTENDED,
    Data,
    ace,
    effective,
    grants,
    of_groups,
    pack,
    packed,
    relay_ace,
    revoke,
    unpack,
    unpacked,
)
from exchange_lab.parts import (
    ADDRESSES,
    EPOCH,
    FACTS,
    FRONTEND,
    MODULES,
    TRANSPORT,
    accepted_domain,
    bindings,
    connector,
    identifier,
    listener,
    property_names,
    server,
    service,
)
from exchange_lab.servers import ALL, ALL_V4, ALL_V6, ODD, classic, edge, hub, mailbox, odd, sbs_2008

__all__ = [
    "ADDRESSES",
    "ALL",
    "ALL_RIGHTS",
    "ALL_V4",
    "ALL_V6",
    "EPOCH",
    "EVERYTHING",
    "EXTENDED",
    "FACTS",
    "FRONTEND",
    "MODULES",
    "ODD",
    "TRANSPORT",
    "Data",
    "accepted_domain",
    "ace",
    "bindings",
    "classic",
    "connector",
    "edge",
    "effective",
    "grants",
    "hub",
    "identifier",
    "listener",
    "mailbox",
    "odd",
    "of_groups",
    "property_names",
    "relay_ace",
    "revoke",
    "sbs_2008",
    "server",
    "service",
]
DECIDING = ("Enabled", "Bindings", "RemoteIPRanges", "AuthMechanism", "RequireTLS", "TransportRole")
VARIANTS = [
    {"groups_print": groups_print, "set_groups": set_groups}
    for groups_print in ("stored", "entries")
    for set_groups in ("keeps", "regrants")
]
"""What is unknown about rights, in all combinations."""


def state(*servers: Data, domains: Iterable[Data] | None = None, forest: str = "corp.test", **more: Any) -> Data:
    """A whole state; its services have loaded what is there. What nobody knows of Exchange can be switched:

    * ``groups_print``: ``stored``: PermissionGroups prints the groups that were named last, whatever became of their
      entries; ``entries``: a group prints if all of its entries are there
    * ``set_groups``: ``keeps``: Set-ReceiveConnector -PermissionGroups grants the entries of groups that were not named
      before; ``regrants``: of every group that it names
    * ``set_refuses``: ``conflicts``: Set refuses a connector in conflict with another role whatever it was to change
      (exchange.md W17); ``changes``: only what it brings about itself
    * ``users_print``: ``object``: in a session User has properties too; ``text``: it is nothing but its text
    """
    found: Data = {
        "forest": forest,
        "domain_controllers": [f"DC01.{forest}", f"DC02.{forest}"],
        "delegation": True,
        "groups_print": "stored",
        "set_groups": "keeps",
        "set_refuses": "conflicts",
        "users_print": "object",
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
    for number, item in enumerate(servers):
        if number and item["addresses"] == [*ADDRESSES]:  # no two servers have the same
            item["addresses"] = ["127.0.0.1", "::1", f"192.0.2.{100 + number}"]
        for name in item["services"]:
            load(found, item, name)
    return found


def load(whole: Data, item: Data, service: str) -> None:
    """The service reads the configuration."""
    known = {"connectors": packed(item["connectors"]), "accepted_domains": whole["accepted_domains"]}
    item["loaded"][service] = json.dumps(known)


def loaded(item: Data, service: str) -> Data:
    """What the running service acts on: ``{connectors, accepted_domains}``."""
    found: Data = json.loads(item["loaded"][service])
    return found | {"connectors": unpacked(found["connectors"])}


def service_state(facts: Data) -> str:
    """What became of it until now."""
    over = facts.get("until") is not None and facts["until"] <= time.time() * 1000
    return str(facts["then"] if over else facts["state"])


def restart(whole: Data, service: str, at: int | None = None, name: str | None = None) -> None:
    """As Restart-Service does; ``at``: now."""
    item = next(item for item in whole["servers"] if name in (None, item["name"]))
    started = int(time.time()) if at is None else at
    item["services"][service] |= {"state": "Running", "start_time": started, "until": None}
    load(whole, item, service)


def fault(cmdlet: str, kind: str, *, skip: int = 0, times: int | None = None, message: str = "") -> Data:
    """``skip`` calls go well first; then it happens ``times`` times (None: always)."""
    return {"cmdlet": cmdlet, "kind": kind, "skip": skip, "times": times, "message": message}


def write(path: Path, whole: Data) -> None:
    servers = [item | _entries(item, pack, packed) for item in whole["servers"]]
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_text(json.dumps(whole | {"servers": servers}, indent=1, ensure_ascii=True), encoding="ascii")
    scratch.replace(path)


def read(path: Path) -> Data:
    whole: Data = json.loads(path.read_text(encoding="utf-8"))
    servers = [item | _entries(item, unpack, unpacked) for item in whole["servers"]]
    return whole | {"servers": servers}


def _entries(item: Data, one: Callable[[Any], Any], all_of: Callable[[Iterable[Data]], list[Data]]) -> Data:
    """What of a server has entries in it."""
    return {"connectors": all_of(item["connectors"]), "inherited": [one(entry) for entry in item["inherited"]]}


def steps(whole: Data) -> Iterator[Data]:
    """What decided after each change, in order: ``{servers: [{name, connectors}], accepted_domains}``.

    A connector has name, guid, groups, aces, and of its properties those of `DECIDING` that its version has.
    """
    for entry in whole["history"]:
        if "state" not in entry:
            continue
        found: Data = json.loads(entry["state"])
        for item in found["servers"]:
            item["connectors"] = unpacked(item["connectors"])
        yield found


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
