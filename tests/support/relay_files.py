# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""settings.json and store.json as docs/relay-files.md describes them, written for tests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ansible_collections.mailops.relay.plugins.module_utils._accounts.scram import make_hash

PASSWORD = "s3cret"
ANYONE_V4 = ("0.0.0.0", "255.255.255.255")


def settings(**changes: object) -> dict[str, Any]:
    """``smarthost`` may be a text, ``host:port``, or ``None``."""
    limits: dict[str, Any] = {"max_relay_addresses": 256, "shared_sources": []}
    found = {"version": 1, "name": "relay", "fqdn": "relay.corp.test", "smarthost": {}, **limits, **changes}
    if found["smarthost"] is None:
        found["smarthost"] = {}
    if isinstance(found["smarthost"], str):
        host, _colon, port = found["smarthost"].rpartition(":")
        found["smarthost"] = {"host": host.strip("[]"), "port": int(port)}
    return found


def settings_digest(directory: Path) -> str:
    """As docs/relay-files.md says: of what the daemon acts on, without the limits."""
    found = json.loads((directory / "settings.json").read_text())
    kept = {key: found[key] for key in ("fqdn", "name", "smarthost")}
    canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def rule(connector: str = "Default relay", **changes: object) -> dict[str, Any]:
    """Takes mail for accepted domains from everybody."""
    return {
        "connector": connector,
        "fqdn": "",
        "banner": "",
        "max_message_size": 37748736,
        "max_recipients": 200,
        "max_connections": 5000,
        "max_connections_per_source": -1,
        "max_protocol_errors": -1,
        "connection_timeout": 600,
        "inactivity_timeout": 300,
        "tarpit_interval": 0,
        "starttls": False,
        "implicit_tls": False,
        "require_tls": False,
        "certificate_file": "",
        "key_file": "",
        "auth": "never",
        "anonymous_submit": True,
        "anonymous_any_recipient": False,
        "anonymous_any_sender": True,
        "anonymous_authoritative_domain_sender": True,
        "allowed_senders": None,
        "allowed_recipients": None,
        "account_any_recipient": False,
        **changes,
    }


def binding(address: str, port: int, *intervals: tuple[str, str, int]) -> dict[str, Any]:
    return {
        "address": address,
        "port": port,
        "intervals": [list(interval) for interval in intervals or [(*ANYONE_V4, 0)]],
    }


def domain(name: str, next_hop: str = "", type: str = "Authoritative") -> dict[str, Any]:
    return {"name": name, "type": type, "next_hop": next_hop}


def policy(
    bindings: list[dict[str, Any]],
    rules: list[dict[str, Any]] | None = None,
    accepted_domains: list[dict[str, Any]] | None = None,
    postmaster: str | None = None,
) -> dict[str, Any]:
    return {
        "bindings": bindings,
        "rules": [rule()] if rules is None else rules,
        "accepted_domains": accepted_domains or [],
        "postmaster": postmaster,
    }


def store(policy: dict[str, Any], **changes: object) -> dict[str, Any]:
    canonical = json.dumps(policy, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return {
        "version": 1,
        "definitions": {"connectors": [], "accepted_domains": []},
        "policy": policy,
        "digest": hashlib.sha256(canonical.encode()).hexdigest(),
        **changes,
    }


def account(name: str = "alice", password: str = PASSWORD, **changes: object) -> dict[str, Any]:
    """The hash has the fewest iterations that are allowed, so that tests are fast."""
    hashed = {"hash": make_hash(password, iterations=4096)}
    return {"name": name, "addresses": [f"{name}@corp.test"], "allow_nets": [], **hashed, **changes}


def write_accounts(directory: Path, *accounts: dict[str, Any]) -> None:
    """Replace accounts.json as the module does."""
    scratch = directory / "accounts.new"
    scratch.write_text(json.dumps({"version": 1, "accounts": list(accounts)}))
    scratch.rename(directory / "accounts.json")


def write(directory: Path, policy: dict[str, Any], **changed_settings: object) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "settings.json").write_text(json.dumps(settings(**changed_settings)))
    (directory / "store.json").write_text(json.dumps(store(policy)))
    return directory
