# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs of the modules, made from the property table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ._accounts.model import ACCOUNT_PROPERTIES
from ._backends import BACKENDS
from ._connector.properties import CONNECTOR_PROPERTIES, DOMAIN_PROPERTIES, USAGE
from ._connector.property import Property
from ._connector.settings import SETTINGS_PROPERTIES


def _entries(rows: tuple[Property, ...]) -> dict[str, Any]:
    """A list of named things, each with a ``state``."""
    options: dict[str, Any] = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    options.update({row.option: _option(row) for row in rows})
    return {"type": "list", "elements": "dict", "required": True, "options": options}


def _option(row: Property) -> dict[str, Any]:
    """Ansible knows choices of one value only; those of a list are seen where it is read."""
    return {"type": row.type, "choices": list(row.choices)} if row.choices and not row.is_list else {"type": row.type}


def plain_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a task, the entries (connectors, domains, accounts) in the form that Ansible's validation takes:
    without null options, because null is the same as omitted and would be taken for a wrong choice; names as text,
    because it fails on others (YAML knows ``1: x``) instead of refusing them."""
    return {
        key: [_plain(entry) for entry in value] if isinstance(value, list) else value
        for key, value in arguments.items()
    }


def _plain(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {str(key): value for key, value in entry.items() if value is not None}


def backend_spec() -> dict[str, Any]:
    return {
        "backend": {"type": "str", "choices": list(BACKENDS), "required": True},
        **{option: dict(spec) for entry in BACKENDS.values() for option, spec in entry.options.items()},
    }


def guard_spec() -> dict[str, Any]:
    return {
        "max_relay_addresses": {"type": "int"},
        "shared_sources": {"type": "list", "elements": "str"},
        "allow_open_relay": {"type": "bool", "default": False},
        "allow_inbound_loss": {"type": "bool", "default": False},
    }


def connectors_spec() -> dict[str, Any]:
    return {
        "connectors": _entries((*CONNECTOR_PROPERTIES, USAGE)),
        "allow_expired_certificate": {"type": "bool", "default": False},
        "purge": {"type": "bool", "default": False},
    }


def domains_spec() -> dict[str, Any]:
    return {"accepted_domains": _entries(DOMAIN_PROPERTIES), "purge": {"type": "bool", "default": False}}


def settings_spec() -> dict[str, Any]:
    options: dict[str, Any] = {row.option: {"type": row.type} for row in SETTINGS_PROPERTIES}
    options["smarthost"]["options"] = {"host": {"type": "str"}, "port": {"type": "int"}}
    return options


def service_spec() -> dict[str, Any]:
    return {
        "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "required": True},
        "only_if_required": {"type": "bool", "default": False},
        "restart_in_maintenance": {"type": "bool", "default": False},
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


SPECS: dict[str, Callable[[], dict[str, Any]]] = {
    "connectors": lambda: {**guard_spec(), **connectors_spec()},
    "accepted_domains": lambda: {**guard_spec(), **domains_spec()},
    "settings": settings_spec,
    "accounts": accounts_spec,
    "service": service_spec,
    "info": info_spec,
}
"""Options by the kind of task, without those that choose the backend."""


def argument_spec(kind: str) -> dict[str, Any]:
    """The argument spec of the module for tasks of this kind."""
    return {**backend_spec(), **SPECS[kind]()}
