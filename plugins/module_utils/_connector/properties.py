# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property table: argument spec, parsing, rendering and diff of connectors and domains all read these rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable, TypeVar

from . import values
from .addresses import parse_binding, parse_range
from .errors import InputError
from .model import AcceptedDomain, Connector
from .rights import GROUPS, parse_extended_right, parse_permission_group

Item = TypeVar("Item", Connector, AcceptedDomain)
MECHANISMS = ("Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer", "ExternalAuthoritative")
_FLAGS: dict[str, tuple[str, ...]] = {"permission_groups": tuple(GROUPS), "auth_mechanism": MECHANISMS}
DOMAIN_TYPES = ("Authoritative", "InternalRelay", "ExternalRelay")
_LIST_FORMS = "Give a list (exactly this), or {add: [...], remove: [...]}, or {set: [...]}."


@dataclass(frozen=True)
class Property:
    """One option.

    :ivar option: its name, also the field of the dataclass
    :ivar exchange: the parameter of Set-ReceiveConnector (or Set-AcceptedDomain), empty where there is none
    :ivar type: Ansible argument type; ``raw`` rows are lists that also take ``{add, remove, set}``
    :ivar parse: ``(value, where)`` to the normalised value; of one entry for lists
    :ivar render: normalised value (one entry for lists) to option value
    """

    option: str
    exchange: str
    type: str
    parse: Callable[[Any, str], Any]
    render: Callable[[Any], Any] = lambda value: value

    @property
    def is_list(self) -> bool:
        return self.type == "raw"


def _parse_mechanism(value: Any, where: str) -> str:
    mechanism = values.parse_choice(value, (*MECHANISMS, "None"), where)
    return "" if mechanism == "None" else mechanism


def _count(option: str, exchange: str, low: int, high: int, *, unlimited: bool = True) -> Property:
    return Property(option, exchange, "str", values.count_parser(low, high, unlimited=unlimited), values.format_count)


def _span(option: str, exchange: str, parse: Callable[[Any, str], int]) -> Property:
    return Property(option, exchange, "str", parse, values.format_span)


CONNECTOR_PROPERTIES = (
    Property("enabled", "Enabled", "bool", values.parse_bool),
    Property("bindings", "Bindings", "raw", parse_binding, str),
    Property("remote_ip_ranges", "RemoteIPRanges", "raw", parse_range, str),
    Property("permission_groups", "PermissionGroups", "raw", parse_permission_group),
    Property("extended_rights", "", "raw", parse_extended_right, lambda entry: dict(entry._asdict())),
    Property("fqdn", "Fqdn", "str", values.parse_host),
    Property("banner", "Banner", "str", values.parse_banner),
    Property("max_message_size", "MaxMessageSize", "str", values.parse_size, values.format_size),
    Property("comment", "Comment", "str", values.parse_comment),
    Property("auth_mechanism", "AuthMechanism", "raw", _parse_mechanism),
    Property("require_tls", "RequireTLS", "bool", values.parse_bool),
    Property("implicit_tls", "", "bool", values.parse_bool),
    Property("tls_certificate_file", "", "str", values.parse_path),
    Property("tls_key_file", "", "str", values.parse_path),
    _count("max_recipients_per_message", "MaxRecipientsPerMessage", 1, 512000, unlimited=False),
    _count("max_inbound_connection", "MaxInboundConnection", 1, 2147483647),
    _count("max_inbound_connection_per_source", "MaxInboundConnectionPerSource", 1, 10000),
    _count("max_protocol_errors", "MaxProtocolErrors", 0, 2147483647),
    _span("connection_timeout", "ConnectionTimeout", values.parse_timeout),
    _span("connection_inactivity_timeout", "ConnectionInactivityTimeout", values.parse_timeout),
    _span("tarpit_interval", "TarpitInterval", values.parse_span),
    Property("allowed_senders", "", "raw", values.parse_address_pattern),
    Property("allowed_recipients", "", "raw", values.parse_address_pattern),
)
DOMAIN_PROPERTIES = (
    Property("type", "DomainType", "str", lambda value, where: values.parse_choice(value, DOMAIN_TYPES, where)),
    Property("next_hop", "", "str", values.parse_endpoint),
)


def render_item(item: Connector | AcceptedDomain) -> dict[str, Any]:
    """A connector or domain in the shape of the module options."""
    rows = CONNECTOR_PROPERTIES if isinstance(item, Connector) else DOMAIN_PROPERTIES
    rendered = {row.option: render_value(row, getattr(item, row.option)) for row in rows}
    return {"name": item.name, "state": "present", **rendered}


def render_value(row: Property, value: Any) -> Any:
    return [row.render(entry) for entry in value] if row.is_list else row.render(value)


def apply_options(item: Item, options: Mapping[str, Any], where: str) -> Item:
    """``item`` with every option that is not omitted (``None``) parsed and put in its place.

    :raises InputError: a value that cannot be read
    """
    rows = CONNECTOR_PROPERTIES if isinstance(item, Connector) else DOMAIN_PROPERTIES
    changes: dict[str, Any] = {}
    for row in rows:
        value = options.get(row.option)
        if value is None:
            continue
        place = f"{where}, {row.option}"
        changes[row.option] = (
            parse_list(row, getattr(item, row.option), value, place) if row.is_list else row.parse(value, place)
        )
    return replace(item, **changes)


def parse_list(row: Property, current: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    """A list option: a list (exactly this) or a change ``{add, remove}`` or ``{set}`` of ``current``.

    :raises InputError: anything else, or an entry that cannot be read
    """
    if not isinstance(value, dict):
        return _normalise(row, _parse_entries(row, value, where))
    if not value or not set(value) <= {"add", "remove", "set"} or ("set" in value and len(value) > 1):
        raise InputError("not a list", where=where, value=value, way_out=_LIST_FORMS)
    parts = {
        key: _parse_entries(row, entries, f"{where}.{key}") for key, entries in value.items() if entries is not None
    }
    if "set" in value:
        return _normalise(row, parts["set"]) if "set" in parts else current
    both = [entry for entry in parts.get("add", []) if entry in parts.get("remove", [])]
    if both:
        seen = row.render(both[0])
        raise InputError(
            "an entry is both added and removed", where=where, value=seen, way_out="Keep it in one of the lists."
        )
    gone = set(parts.get("remove", []))
    return _normalise(row, [entry for entry in current if entry not in gone] + parts.get("add", []))


def _parse_entries(row: Property, value: Any, where: str) -> list[Any]:
    entries = value.split(",") if isinstance(value, str) and value.strip() else value
    if isinstance(entries, str):
        entries = []
    if not isinstance(entries, (list, tuple)):
        raise InputError("not a list", where=where, value=value, way_out=_LIST_FORMS)
    return [row.parse(entry, f"{where}[{number}]") for number, entry in enumerate(entries)]


def _normalise(row: Property, entries: list[Any]) -> tuple[Any, ...]:
    """Lists are sets: no duplicates, one order."""
    if row.option in _FLAGS:
        return tuple(flag for flag in _FLAGS[row.option] if flag in entries)
    return tuple(sorted(set(entries)))
