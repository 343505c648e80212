# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property table: argument spec, parsing, rendering and diff of connectors and domains all read these rows.

Names, limits and values are those of Microsoft's New-ReceiveConnector and Set-ReceiveConnector; a row without an
Exchange name is an option of bundled relays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Callable, TypeVar

from . import values
from .addresses import parse_binding, parse_range
from .errors import InputError
from .model import AcceptedDomain, Connector
from .property import Property, parse_list
from .rights import GROUPS, parse_extended_right
from .usage import USAGES, parse_usage

Item = TypeVar("Item", Connector, AcceptedDomain)
MECHANISMS = ("Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer", "ExternalAuthoritative")
DOMAIN_TYPES = ("Authoritative", "InternalRelay", "ExternalRelay")
_MOST = 2147483647


def _switch(option: str, exchange: str, **facts: Any) -> Property:
    return Property(option, exchange, "bool", values.parse_bool, **facts)


def _text(option: str, exchange: str, parse: Callable[[Any, str], str], **facts: Any) -> Property:
    return Property(option, exchange, "str", parse, **facts)


def _word(option: str, exchange: str, choices: tuple[str, ...], **facts: Any) -> Property:
    def parse(value: Any, where: str) -> str:
        return values.parse_choice(value, choices, where)

    return Property(option, exchange, "str", parse, choices=choices, **facts)


def _flags(option: str, exchange: str, choices: tuple[str, ...], **facts: Any) -> Property:
    """``None`` is a word of every list of flags, and stands for none of them."""
    aliases: dict[str, tuple[str, ...]] = {"None": (), **facts.pop("aliases", {})}

    def parse(value: Any, where: str) -> str:
        return values.parse_choice(value, (*choices, *aliases), where)

    return Property(option, exchange, "raw", parse, choices=choices, aliases=aliases, **facts)


def _count(option: str, exchange: str, low: int, high: int, *, unlimited: bool = False, **facts: Any) -> Property:
    facts.update(least=low, most=high, unlimited=unlimited)
    parse = values.count_parser(low, high, unlimited=unlimited)
    return Property(option, exchange, "str", parse, values.format_count, **facts)


def _span(option: str, exchange: str, *, least: int = 0, **facts: Any) -> Property:
    """A day is the most wherever a limit is documented at all."""
    parse = values.parse_timeout if least else values.parse_span
    return Property(option, exchange, "str", parse, values.format_span, least=least, most=values.DAY, **facts)


def _size(option: str, exchange: str, least: int) -> Property:
    parse = partial(values.parse_size, least=least)
    return Property(option, exchange, "str", parse, values.format_size, least=least, most=values.MAX_MESSAGE_SIZE)


CONNECTOR_PROPERTIES = (
    _switch("enabled", "Enabled"),
    Property("bindings", "Bindings", "raw", parse_binding, str),
    Property("remote_ip_ranges", "RemoteIPRanges", "raw", parse_range, str),
    # Exchange shows Custom for rights beyond the groups; it cannot be set
    _flags("permission_groups", "PermissionGroups", tuple(GROUPS), aliases={"Custom": ()}),
    Property("extended_rights", "", "raw", parse_extended_right, lambda entry: dict(entry._asdict())),
    _text("fqdn", "Fqdn", values.parse_host),
    _text("banner", "Banner", values.parse_banner),
    _size("max_message_size", "MaxMessageSize", values.MIN_MESSAGE_SIZE),
    _text("comment", "Comment", values.parse_comment),
    _flags("auth_mechanism", "AuthMechanism", MECHANISMS),
    _switch("require_tls", "RequireTLS"),
    _switch("implicit_tls", ""),
    _text("tls_certificate_file", "", values.parse_path),
    _text("tls_key_file", "", values.parse_path),
    _count("max_recipients_per_message", "MaxRecipientsPerMessage", 1, 512000),
    _count("max_inbound_connection", "MaxInboundConnection", 1, _MOST, unlimited=True),
    _count("max_inbound_connection_per_source", "MaxInboundConnectionPerSource", 1, 10000, unlimited=True),
    _count("max_protocol_errors", "MaxProtocolErrors", 0, _MOST, unlimited=True),
    _span("connection_timeout", "ConnectionTimeout", least=1),
    _span("connection_inactivity_timeout", "ConnectionInactivityTimeout", least=1),
    _span("tarpit_interval", "TarpitInterval"),
    Property("allowed_senders", "", "raw", values.parse_address_pattern),
    Property("allowed_recipients", "", "raw", values.parse_address_pattern),
    _word("transport_role", "TransportRole", ("FrontendTransport", "HubTransport"), since="13"),
    _switch("domain_secure_enabled", "DomainSecureEnabled"),
    _switch("enable_auth_gssapi", "EnableAuthGSSAPI", since="07s"),
    _word("extended_protection_policy", "ExtendedProtectionPolicy", ("None", "Allow", "Require"), since="10s"),
    _switch("suppress_x_anonymous_tls", "SuppressXAnonymousTls", since="10"),
    _text("tls_certificate_name", "TlsCertificateName", values.parse_certificate_name, since="13"),
    Property(
        "tls_domain_capabilities",
        "TlsDomainCapabilities",
        "raw",
        values.parse_tls_capabilities,
        since="10",
        split=values.split_tls_capabilities,
    ),
    _text("service_discovery_fqdn", "ServiceDiscoveryFqdn", values.parse_host, since="13"),
    _text("default_domain", "DefaultDomain", values.parse_domain_name),
    _switch("advertise_client_settings", "AdvertiseClientSettings", since="10"),
    _word("protocol_logging_level", "ProtocolLoggingLevel", ("None", "Verbose")),
    _size("max_header_size", "MaxHeaderSize", 1),
    _count("max_hop_count", "MaxHopCount", 1, 500),
    _count("max_local_hop_count", "MaxLocalHopCount", 0, 50),
    _count("max_inbound_connection_percentage_per_source", "MaxInboundConnectionPercentagePerSource", 1, 100),
    _count("message_rate_limit", "MessageRateLimit", 1, _MOST, unlimited=True),
    _flags(
        "message_rate_source",
        "MessageRateSource",
        ("IPAddress", "User"),
        aliases={"All": ("IPAddress", "User")},
        since="10",
    ),
    _count("max_logon_failures", "MaxLogonFailures", 0, 10),
    _span("auth_tarpit_interval", "AuthTarpitInterval", since="16"),
    _span("max_acknowledgement_delay", "MaxAcknowledgementDelay", since="10"),
    _switch("chunking_enabled", "ChunkingEnabled"),
    _switch("binary_mime_enabled", "BinaryMimeEnabled"),
    _switch("eight_bit_mime_enabled", "EightBitMimeEnabled"),
    _switch("pipelining_enabled", "PipeliningEnabled"),
    _switch("delivery_status_notification_enabled", "DeliveryStatusNotificationEnabled"),
    _switch("enhanced_status_codes_enabled", "EnhancedStatusCodesEnabled"),
    _word("size_enabled", "SizeEnabled", ("Enabled", "Disabled", "EnabledwithoutValue")),
    _switch("long_addresses_enabled", "LongAddressesEnabled", since="07s"),
    _switch("orar_enabled", "OrarEnabled", since="07s"),
    _switch("require_ehlo_domain", "RequireEHLODomain"),
    _switch("bare_linefeed_rejection_enabled", "BareLinefeedRejectionEnabled", since="10s", in_new=False),
    _switch("reject_reserved_top_level_recipient_domains", "RejectReservedTopLevelRecipientDomains", since="16"),
    _switch("reject_reserved_second_level_recipient_domains", "RejectReservedSecondLevelRecipientDomains", since="16"),
    _switch("reject_single_label_recipient_domains", "RejectSingleLabelRecipientDomains", since="16"),
    _switch("smtp_utf8_enabled", "SmtpUtf8Enabled", since="13", in_new=False, reserved=True),
)
USAGE = Property("usage", "Usage", "str", parse_usage, in_set=False, readable=False, choices=tuple(USAGES))
"""The one option that is no property of a connector: it only says what a new one has where the task says nothing."""
NOT_OPTIONS = {
    "Name": "which connector it is: the key of every entry",
    "Identity": "how Set-ReceiveConnector names the connector: made of the server and the name",
    "Server": "the host of the task",
    "DomainController": "of the session and not of a connector: one for all calls",
    "Confirm": "of the call",
    "WhatIf": "of the call: check mode changes nothing by itself",
    **dict.fromkeys(USAGES, "a switch that says the same as Usage"),
}
"""Parameters of New- and Set-ReceiveConnector that are no option of a connector, and what they are instead."""
DOMAIN_PROPERTIES = (
    _word("type", "DomainType", DOMAIN_TYPES),
    _text("next_hop", "", values.parse_endpoint),
)


def render_item(item: Connector | AcceptedDomain) -> dict[str, Any]:
    """A connector or domain in the shape of the module options, without the properties that it does not have."""
    rows = CONNECTOR_PROPERTIES if isinstance(item, Connector) else DOMAIN_PROPERTIES
    found = ((row, getattr(item, row.option)) for row in rows)
    rendered = {row.option: render_value(row, value) for row, value in found if value is not None}
    return {"name": item.name, "state": "present", **rendered}


def render_value(row: Property, value: Any) -> Any:
    if value is None:
        return None
    return [row.render(entry) for entry in value] if row.is_list else row.render(value)


def apply_options(item: Item, options: Mapping[str, Any], where: str) -> Item:
    """``item`` with every option that is not omitted (``None``) parsed and put in its place.

    :raises InputError: a value that cannot be read, or a new value for what is never changed
    :raises ConflictError: ``None`` beside another flag
    """
    rows = CONNECTOR_PROPERTIES if isinstance(item, Connector) else DOMAIN_PROPERTIES
    changes = {
        row.option: _given(row, getattr(item, row.option), options[row.option], f"{where}, {row.option}")
        for row in rows
        if options.get(row.option) is not None
    }
    return replace(item, **changes)


def _given(row: Property, current: Any, value: Any, where: str) -> Any:
    wanted = parse_list(row, current, value, where) if row.is_list else row.parse(value, where)
    if row.reserved and current not in (None, wanted):
        way_out = f"Leave it out: it stays {render_value(row, current)}."
        raise InputError("Microsoft reserves it, it is never changed", where=where, value=value, way_out=way_out)
    return wanted
