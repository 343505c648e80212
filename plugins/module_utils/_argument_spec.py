# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs of the modules, made from the property table."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Callable

from ._accounts.model import ACCOUNT_PROPERTIES
from ._backends import BACKENDS
from ._connector.errors import InputError
from ._connector.properties import CONNECTOR_PROPERTIES, DOMAIN_PROPERTIES, USAGE
from ._connector.property import Property
from ._connector.settings import SETTINGS_PROPERTIES

_LONGEST_NUMBER = 30  # digits


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
    return {key: _plain_value(value) for key, value in arguments.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value


def _plain(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {str(key): value for key, value in entry.items() if value is not None}


def refuse_what_ansible_fails_on(spec: Mapping[str, Any], arguments: Mapping[str, Any], where: str = "") -> None:
    """Ansible's validation ends in a traceback on numbers that are infinite, and on a list in place of a number, a list
    or number in place of a dictionary; of ``1e999999999`` it never comes back.

    :raises InputError: there is such a value
    """
    for option in (name for name in spec if name in arguments):
        entry, value = spec[option], arguments[option]
        name = f"{where}{option}"
        if entry["type"] == "int" and value is not None and not _may_be_number(value):
            raise InputError("not a number", where=name, value=value, way_out="Give a whole number.")
        if entry["type"] != "dict" or value is None:
            continue
        if isinstance(value, dict):
            refuse_what_ansible_fails_on(entry.get("options", {}), value, f"{name}, ")
        elif not isinstance(value, str):
            way_out = f"Give options, such as {next(iter(entry.get('options', {'name': None})))}: ... (value hidden)."
            raise InputError("not a dictionary of options", where=name, way_out=way_out)


def _may_be_number(value: Any) -> bool:
    """Whether Ansible makes a number of it, or refuses it in words."""
    if not isinstance(value, (float, str)):
        return isinstance(value, int)
    try:
        number = Decimal(value)
    except InvalidOperation:
        return True
    return number.is_finite() and number.adjusted() < _LONGEST_NUMBER


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


def set_aside(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The arguments of a task without the values of options that an entry names in ``unvalidated``, and these by the
    number of the entry: Ansible would refuse a word that is no choice and turn lists into text."""
    entries = arguments.get("connectors")
    if not isinstance(entries, list):
        return dict(arguments), []
    aside = [_unvalidated(entry) for entry in entries]
    kept = [_without(entry, values) for entry, values in zip(entries, aside)]
    return {**arguments, "connectors": kept}, aside


def put_back(params: Mapping[str, Any], aside: list[dict[str, Any]]) -> dict[str, Any]:
    """The validated parameters with what :func:`set_aside` took out."""
    if not any(aside):
        return dict(params)
    entries = [{**entry, **values} for entry, values in zip(params["connectors"], aside)]
    return {**params, "connectors": entries}


def _unvalidated(entry: Any) -> dict[str, Any]:
    names = entry.get("unvalidated") if isinstance(entry, dict) else None
    if not isinstance(names, list):
        return {}
    rows = (row.option for row in CONNECTOR_PROPERTIES if row.may_be_odd)
    return {option: entry[option] for option in rows if option in names and option in entry}


def _without(entry: Any, values: Mapping[str, Any]) -> Any:
    return {key: value for key, value in entry.items() if key not in values} if values else entry


def connectors_spec() -> dict[str, Any]:
    connectors = _entries((*CONNECTOR_PROPERTIES, USAGE))
    connectors["options"]["unvalidated"] = {"type": "list", "elements": "str"}
    return {
        "connectors": connectors,
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
