# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange servers as they answer: what the cmdlets print of connectors, rights, domains and services.

The formats are written down here by hand and not taken from the code that reads them.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import AddressRange, format_address
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import CONNECTOR_PROPERTIES
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.task import run
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.backend import SnapshotBackend
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import Answers, ask
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.state import read_server
from support.strategies import as_on_exchange, random_exchange_connector, random_value

SIZES = ("MaxMessageSize", "MaxHeaderSize")
SPANS = (
    "ConnectionTimeout",
    "ConnectionInactivityTimeout",
    "TarpitInterval",
    "AuthTarpitInterval",
    "MaxAcknowledgementDelay",
)
COUNTS = (
    "MaxRecipientsPerMessage",
    "MaxInboundConnection",
    "MaxInboundConnectionPerSource",
    "MaxInboundConnectionPercentagePerSource",
    "MaxProtocolErrors",
    "MaxHopCount",
    "MaxLocalHopCount",
    "MessageRateLimit",
    "MaxLogonFailures",
)
FLAGS = ("PermissionGroups", "AuthMechanism", "MessageRateSource")
OPTIONS = {
    "enabled": "Enabled",
    "bindings": "Bindings",
    "remote_ip_ranges": "RemoteIPRanges",
    "permission_groups": "PermissionGroups",
    "fqdn": "Fqdn",
    "banner": "Banner",
    "max_message_size": "MaxMessageSize",
    "comment": "Comment",
    "auth_mechanism": "AuthMechanism",
    "require_tls": "RequireTLS",
    "max_recipients_per_message": "MaxRecipientsPerMessage",
    "max_inbound_connection": "MaxInboundConnection",
    "max_inbound_connection_per_source": "MaxInboundConnectionPerSource",
    "max_protocol_errors": "MaxProtocolErrors",
    "connection_timeout": "ConnectionTimeout",
    "connection_inactivity_timeout": "ConnectionInactivityTimeout",
    "tarpit_interval": "TarpitInterval",
    "transport_role": "TransportRole",
    "domain_secure_enabled": "DomainSecureEnabled",
    "enable_auth_gssapi": "EnableAuthGSSAPI",
    "extended_protection_policy": "ExtendedProtectionPolicy",
    "suppress_x_anonymous_tls": "SuppressXAnonymousTls",
    "tls_certificate_name": "TlsCertificateName",
    "tls_domain_capabilities": "TlsDomainCapabilities",
    "service_discovery_fqdn": "ServiceDiscoveryFqdn",
    "default_domain": "DefaultDomain",
    "advertise_client_settings": "AdvertiseClientSettings",
    "protocol_logging_level": "ProtocolLoggingLevel",
    "max_header_size": "MaxHeaderSize",
    "max_hop_count": "MaxHopCount",
    "max_local_hop_count": "MaxLocalHopCount",
    "max_inbound_connection_percentage_per_source": "MaxInboundConnectionPercentagePerSource",
    "message_rate_limit": "MessageRateLimit",
    "message_rate_source": "MessageRateSource",
    "max_logon_failures": "MaxLogonFailures",
    "auth_tarpit_interval": "AuthTarpitInterval",
    "max_acknowledgement_delay": "MaxAcknowledgementDelay",
    "chunking_enabled": "ChunkingEnabled",
    "binary_mime_enabled": "BinaryMimeEnabled",
    "eight_bit_mime_enabled": "EightBitMimeEnabled",
    "pipelining_enabled": "PipeliningEnabled",
    "delivery_status_notification_enabled": "DeliveryStatusNotificationEnabled",
    "enhanced_status_codes_enabled": "EnhancedStatusCodesEnabled",
    "size_enabled": "SizeEnabled",
    "long_addresses_enabled": "LongAddressesEnabled",
    "orar_enabled": "OrarEnabled",
    "require_ehlo_domain": "RequireEHLODomain",
    "bare_linefeed_rejection_enabled": "BareLinefeedRejectionEnabled",
    "reject_reserved_top_level_recipient_domains": "RejectReservedTopLevelRecipientDomains",
    "reject_reserved_second_level_recipient_domains": "RejectReservedSecondLevelRecipientDomains",
    "reject_single_label_recipient_domains": "RejectSingleLabelRecipientDomains",
    "smtp_utf8_enabled": "SmtpUtf8Enabled",
}
INTERNAL = (
    ("CORP\\Exchange Servers", "ms-Exch-SMTP-Accept-XShadow", False, True),
    ("CORP\\Domain Admins", "Send-As", True, True),
)
"""Entries that every connector inherits and that are none of our business."""
GERMAN = {
    "NT AUTHORITY\\ANONYMOUS LOGON": "NT-AUTORITÄT\\ANONYMOUS-ANMELDUNG",
    "NT AUTHORITY\\Authenticated Users": "NT-AUTORITÄT\\Authentifizierte Benutzer",
}
FRENCH = {
    "NT AUTHORITY\\ANONYMOUS LOGON": "AUTORITE NT\\ANONYMOUS LOGON",
    "NT AUTHORITY\\Authenticated Users": "AUTORITE NT\\Utilisateurs authentifiés",
}


def print_size(size: int, *, compact: bool = False) -> str:
    """``36 MB (37,748,736 bytes)``, of Exchange 2007 ``37748736B``."""
    if compact:
        return f"{size}B"
    unit = next(power for power in (3, 2, 1, 0) if size >= 1 << 10 * power)
    number = float(f"{size / (1 << 10 * unit):.4g}")
    return f"{number:g} {('B', 'KB', 'MB', 'GB')[unit]} ({size:,} bytes)"


def print_span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}.{clock}" if days else clock


def print_range(rng: random.Random, item: AddressRange) -> str:
    """As one of the ways in which Exchange has kept it."""
    first, last = format_address(item.version, item.low), format_address(item.version, item.high)
    return first if item.low == item.high else rng.choice((f"{first}-{last}", str(item)))


def print_value(rng: random.Random, name: str, value: Any) -> Any:
    """As text, or as the list of a collection."""
    if name in SIZES:
        return print_size(value, compact=rng.random() < 0.2)
    if name in SPANS:
        return print_span(value)
    if name in COUNTS:
        return "Unlimited" if value == -1 else str(value)
    if name in FLAGS:
        return ", ".join(value) if value else "None"
    if name == "Bindings":
        return [str(item) for item in value]
    if name == "RemoteIPRanges":
        return [print_range(rng, item) for item in value]
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, bool):
        return rng.choice((value, str(value)))
    return (rng.choice(("", None)) if value == "" else value) if isinstance(value, str) else str(value)


def connector_row(rng: random.Random, connector: Connector) -> dict[str, Any]:
    """As Get-ReceiveConnector prints it; without the properties that this server does not have."""
    row: dict[str, Any] = {
        "Name": connector.name,
        "Guid": str(uuid.uuid5(uuid.NAMESPACE_URL, connector.name)),
        "DistinguishedName": f"CN={connector.name},CN=SMTP Receive Connectors,CN=Protocols,CN=EX1",
        "Server": "EX1",
        "WhenChangedUTC": "2026-01-01T10:00:00.0000000Z",
    }
    for option, name in OPTIONS.items():
        value = getattr(connector, option)
        if value is not None:
            row[name] = print_value(rng, name, value)
    if connector.known_rights:
        row["PermissionGroups"] = ", ".join((*connector.permission_groups, "Custom"))
    if connector.removed_rights:  # what is printed then is not documented
        row["PermissionGroups"] = rng.choice((", ".join(connector.permission_groups), "Custom"))
    return row


def right_rows(
    number: int, connector: Connector, names: Mapping[str, str] | None = None, *, deserialised: bool = False
) -> list[dict[str, Any]]:
    """As Get-ADPermission prints them: a row for each entry."""
    names = names or {}
    own = sorted(connector.own_entries)
    entries: Iterable[tuple[str, str, bool, bool]] = (
        *((item.principal, item.right, item.deny, False) for item in own),
        *((item.principal, item.right, item.deny, True) for item in connector.inherited_rights),
        *INTERNAL,
    )
    rows = []
    for principal, right, deny, inherited in entries:
        bare = principal in ("Exchange Servers", "ExchangeLegacyInterop")
        rows.append(
            {
                "for": str(number),
                "Identity": f"corp.test/Configuration/EX1/{connector.name}",
                "User": f"CORP\\{principal}" if bare else names.get(principal, principal),
                "Deny": str(deny) if deserialised else deny,
                "IsInherited": str(inherited) if deserialised else inherited,
                "ExtendedRights": f"{{{right}}}" if deserialised else [right],
            }
        )
    nothing = {**rows[-1], "Deny": False, "ExtendedRights": None}  # a row about reading properties
    return [*rows, nothing]


def domain_rows(domains: Iterable[AcceptedDomain]) -> list[dict[str, Any]]:
    return [
        {
            "DomainName": item.name,
            "DomainType": item.type,
            "MatchSubDomains": False,
            "WhenChangedUTC": "2026-01-01T10:00:00.0000000Z",
        }
        for item in domains
    ]


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An answer as the script gives it."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return {"id": name, "columns": columns, "rows": [[row.get(key) for key in columns] for row in rows], "notices": []}


def answers(
    connectors: Sequence[Connector],
    domains: Sequence[AcceptedDomain] = (),
    /,
    *,
    rng: random.Random | None = None,
    names: Mapping[str, str] | None = None,
    deserialised: bool = False,
    **other: dict[str, Any],
) -> dict[str, Any]:
    """What the internal module returns. :param other: answers by id, in place of those made here"""
    rng = rng or random.Random(0)
    rights = [
        row
        for number, item in enumerate(connectors)
        for row in right_rows(number, item, names, deserialised=deserialised)
    ]
    service = [{"Name": "MSExchangeFrontEndTransport", "State": "Running", "ProcessId": "11"}]
    service += [{"Name": "MSExchangeTransport", "State": "Running", "ProcessId": "12"}]
    start = "2026-01-02T10:00:00.0000000+01:00"
    server = {"Name": "EX1", "ServerRole": "Mailbox", "OriginatingServer": "dc1.corp.test"}
    made: dict[str, list[dict[str, Any]]] = {
        "host": [{"Name": "EX1", "Anonymous": None, "Authenticated": None}],
        "server": [{**server, "AdminDisplayVersion": "Version 15.1 (Build 2507.6)"}],
        "connectors": [connector_row(rng, item) for item in connectors],
        "rights": rights,
        "domains": domain_rows(domains),
        "services": service,
        "processes": [{"for": str(number), "Id": str(11 + number), "StartTime": start} for number in (0, 1)],
        "marker": [],
    }
    tables = {**{name: table(name, rows) for name, rows in made.items()}, **other}
    return packed({"answers": list(tables.values())})


def packed(result: Mapping[str, Any]) -> dict[str, Any]:
    """As the script returns it."""
    text = gzip.compress(json.dumps(result).encode())
    return {"schema": 2, "packed": base64.b64encode(text).decode()}


def unpacked(result: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`packed` made of it."""
    return dict(json.loads(gzip.decompress(base64.b64decode(result["packed"]))))


def as_read(connector: Connector) -> Connector:
    """``connector`` without what Exchange does not have."""
    return replace(
        connector,
        implicit_tls=False,
        tls_certificate_file="",
        tls_key_file="",
        allowed_senders=("*",),
        allowed_recipients=(),
        inherited_rights=tuple(sorted(set(connector.inherited_rights))),
    )


def in_words_of(connector: Connector, read: Connector) -> Connector:
    """``read`` with the groups and rights of ``connector`` if they come to the same entries."""
    if read.own_entries != connector.own_entries:
        return read
    words = ("permission_groups", "extended_rights", "removed_rights")
    return replace(read, **{option: getattr(connector, option) for option in words})


RELAY = ExtendedRight("NT AUTHORITY\\ANONYMOUS LOGON", "ms-Exch-SMTP-Accept-Any-Recipient")


def complete(**changes: Any) -> Connector:
    """A connector of Exchange 2016 with every property."""
    found = (random_exchange_connector(random.Random(seed), "Scan") for seed in range(1000))
    return as_read(replace(next(item for item in found if None not in vars(item).values()), **changes))


def some(rng: random.Random, name: str) -> Connector:
    """A connector with every property that Exchange has had from the start."""
    connector = random_exchange_connector(rng, name)
    if rng.random() < 0.5:
        connector = replace(as_on_exchange(rng, connector), domain_secure_enabled=False)
    missing: dict[str, Any] = {
        row.option: row.option == "chunking_enabled" if row.type == "bool" else random_value(rng, row)
        for row in CONNECTOR_PROPERTIES
        if row.since == "07" and getattr(connector, row.option) is None
    }
    return replace(connector, **missing)


SCAN = complete(
    enabled=True,
    permission_groups=("AnonymousUsers",),
    auth_mechanism=("Tls",),
    extended_rights=(RELAY,),
    require_tls=False,
)


def read(result: Mapping[str, Any]) -> Reading:
    return read_server(ask(lambda _arguments: result, "remote"))


def rights(*entries: dict[str, Any], **more: Any) -> Connector:
    """The connector with these rows of Get-ADPermission and the groups that ``more`` says."""
    plain = {"for": "0", "Identity": "EX1/Scan", "Deny": False, "IsInherited": False}
    rows = [*right_rows(0, replace(SCAN, extended_rights=())), *({**plain, **entry} for entry in entries)]
    rows = [{**row, "Identity": "EX1/Scan"} for row in rows]
    state = read(answers([SCAN], rights=table("rights", rows), **more)).state
    assert state.rights_known
    return state.connectors[0]


def info(answers: Answers) -> dict[str, Any]:
    """The result of ``receive_connectors_info``."""
    return task("info", answers, connector_for=None)


def domains(answers: Answers, *entries: Mapping[str, Any], purge: bool = False) -> dict[str, Any]:
    """The result of ``accepted_domains``."""
    guard = {
        "max_relay_addresses": None,
        "shared_sources": None,
        "allow_open_relay": False,
        "allow_inbound_loss": False,
    }
    return task("accepted_domains", answers, accepted_domains=list(entries), purge=purge, **guard)


def task(kind: str, answers: Answers, **params: Any) -> dict[str, Any]:
    result = run(kind, SnapshotBackend(lambda: answers), params, check=False)
    return {**result.shown(diff=True), "warnings": list(result.warnings)}
