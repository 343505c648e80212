# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs of the modules, made from the property table."""

from __future__ import annotations

from typing import Any

from ._accounts.model import ACCOUNT_PROPERTIES
from ._backends import NAMES
from ._connector.properties import CONNECTOR_PROPERTIES, DOMAIN_PROPERTIES, DOMAIN_TYPES, USAGE
from ._connector.property import Property


def _entries(rows: tuple[Property, ...], **more: dict[str, Any]) -> dict[str, Any]:
    """A list of named things, each with a ``state``."""
    options: dict[str, Any] = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    options.update({row.option: {"type": row.type, **more.get(row.option, {})} for row in rows})
    return {"type": "list", "elements": "dict", "required": True, "options": options}


def backend_spec() -> dict[str, Any]:
    return {
        "backend": {"type": "str", "choices": list(NAMES), "required": True},
        "directory": {"type": "path", "default": "/var/lib/mailops-relay"},
        "exchange_session": {"type": "str", "choices": ["remote", "snapin"], "default": "remote"},
    }


def guard_spec() -> dict[str, Any]:
    return {
        "max_relay_addresses": {"type": "int", "default": 256},
        "shared_sources": {"type": "list", "elements": "str", "default": []},
        "allow_open_relay": {"type": "bool", "default": False},
    }


def connectors_spec() -> dict[str, Any]:
    return {
        "connectors": _entries((*CONNECTOR_PROPERTIES, USAGE)),
        "allow_expired_certificate": {"type": "bool", "default": False},
        "purge": {"type": "bool", "default": False},
    }


def domains_spec() -> dict[str, Any]:
    types = {"choices": list(DOMAIN_TYPES)}
    return {"accepted_domains": _entries(DOMAIN_PROPERTIES, type=types), "purge": {"type": "bool", "default": False}}


def service_spec() -> dict[str, Any]:
    return {
        "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "required": True},
        "only_if_required": {"type": "bool", "default": False},
    }


def accounts_spec() -> dict[str, Any]:
    accounts = _entries(ACCOUNT_PROPERTIES)
    # raw: as text Ansible would make yes "True" and a list its Python form, and nobody would see it
    accounts["options"]["password"] = {"type": "raw", "no_log": True}
    accounts["options"]["password_hash"] = {"type": "raw", "no_log": True}
    return {"accounts": accounts, "purge": {"type": "bool", "default": False}}


def info_spec() -> dict[str, Any]:
    select = {"binding": {"type": "str", "required": True}, "client": {"type": "str", "required": True}}
    return {
        "query": {"type": "str"},
        "connector_for": {"type": "dict", "options": select},
        "snapshot": {"type": "path"},
    }
