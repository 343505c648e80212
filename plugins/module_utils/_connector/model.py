# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection manages: connectors and accepted domains. Each option is one field: its name, type, default and
property.

Names, limits and values are those of Microsoft's New-ReceiveConnector and Set-ReceiveConnector; a field without an
Exchange name is an option of bundled relays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from . import values
from .addresses import AddressRange, Binding, parse_binding
from .errors import UnknownRightsError
from .fields import count, entries, flags, patterns, ranges, size, span, switch, text, word
from .odd import Odd
from .principals import DOUBTFUL, fold
from .rights import (
    ANONYMOUS,
    AUTHENTICATED,
    EXTERNALLY_SECURED,
    GROUPS,
    ExtendedRight,
    effective_rights,
    own_entries,
    parse_extended_right,
    render_extended_right,
)

MECHANISMS = ("Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer", "ExternalAuthoritative")
_DOUBTFUL = frozenset(map(fold, DOUBTFUL))
DOMAIN_TYPES = ("Authoritative", "InternalRelay", "ExternalRelay")


@dataclass(frozen=True)
class Connector:
    """One receive connector. Field names are the option names; values are normalised.

    Sizes in bytes, times in seconds, counts ``-1`` for unlimited. ``allowed_senders`` empty: the accepted domains.
    ``None``: the server has no such property, or it is left to the server's default; ``extended_rights``: nobody let us
    read them, and then ``removed_rights`` is empty. Whatever its type says, an option that does not decide who may
    relay is ``Odd`` where what a server holds cannot be read: :meth:`known`.
    ``inherited_rights`` (from above the connector) and ``full_control`` (entries of every right) are no options: they
    are counted and never changed.
    """

    name: str
    enabled: bool = switch("Enabled", True, decides=True)
    bindings: tuple[Binding, ...] = entries("Bindings", (), parse_binding, render=str, decides=True)
    remote_ip_ranges: tuple[AddressRange, ...] = ranges("RemoteIPRanges", (), decides=True)
    # Exchange shows Custom for rights beyond the groups; it cannot be set
    permission_groups: tuple[str, ...] = flags("PermissionGroups", (), tuple(GROUPS), {"Custom": ()}, decides=True)
    extended_rights: tuple[ExtendedRight, ...] | None = entries(
        "", (), parse_extended_right, render=render_extended_right
    )
    removed_rights: tuple[ExtendedRight, ...] = entries("", (), parse_extended_right, render=render_extended_right)
    fqdn: str = text("Fqdn", "", values.parse_host)
    banner: str = text("Banner", "", values.parse_banner)
    max_message_size: int = size("MaxMessageSize", 36 << 20, values.MIN_MESSAGE_SIZE)
    comment: str = text("Comment", "", values.parse_comment)
    auth_mechanism: tuple[str, ...] = flags("AuthMechanism", (), MECHANISMS, decides=True)
    require_tls: bool = switch("RequireTLS", False, decides=True)
    implicit_tls: bool = switch("", False)
    tls_certificate_file: str = text("", "", values.parse_path)
    tls_key_file: str = text("", "", values.parse_path)
    max_recipients_per_message: int = count("MaxRecipientsPerMessage", 200, 1, 512000)
    max_inbound_connection: int = count("MaxInboundConnection", 5000, 1, unlimited=True)
    max_inbound_connection_per_source: int = count("MaxInboundConnectionPerSource", 20, 1, 10000, unlimited=True)
    max_protocol_errors: int = count("MaxProtocolErrors", 5, 0, unlimited=True)
    connection_timeout: int = span("ConnectionTimeout", 600, least=1)
    connection_inactivity_timeout: int = span("ConnectionInactivityTimeout", 300, least=1)
    tarpit_interval: int = span("TarpitInterval", 0)
    allowed_senders: tuple[str, ...] = patterns("", (), empty_allows="every accepted domain")
    allowed_recipients: tuple[str, ...] = patterns("", (), empty_allows="every recipient")
    transport_role: str | None = word(
        "TransportRole", None, ("FrontendTransport", "HubTransport"), since="13", decides=True
    )
    domain_secure_enabled: bool | None = switch("DomainSecureEnabled", None)
    enable_auth_gssapi: bool | None = switch("EnableAuthGSSAPI", None, since="07s")
    extended_protection_policy: str | None = word(
        "ExtendedProtectionPolicy", None, ("None", "Allow", "Require"), since="10s"
    )
    suppress_x_anonymous_tls: bool | None = switch("SuppressXAnonymousTls", None, since="10")
    tls_certificate_name: str | None = text("TlsCertificateName", None, values.parse_certificate_name, since="13")
    tls_domain_capabilities: tuple[str, ...] | None = entries(
        "TlsDomainCapabilities", None, values.parse_tls_capabilities, since="10", split=values.split_tls_capabilities
    )
    service_discovery_fqdn: str | None = text("ServiceDiscoveryFqdn", None, values.parse_host, since="13")
    default_domain: str | None = text("DefaultDomain", None, values.parse_domain_name)
    advertise_client_settings: bool | None = switch("AdvertiseClientSettings", None, since="10")
    protocol_logging_level: str | None = word("ProtocolLoggingLevel", None, ("None", "Verbose"))
    max_header_size: int | None = size("MaxHeaderSize", None, 1)
    max_hop_count: int | None = count("MaxHopCount", None, 1, 500)
    max_local_hop_count: int | None = count("MaxLocalHopCount", None, 0, 50)
    max_inbound_connection_percentage_per_source: int | None = count(
        "MaxInboundConnectionPercentagePerSource", None, 1, 100
    )
    message_rate_limit: int | None = count("MessageRateLimit", None, 1, unlimited=True)
    message_rate_source: tuple[str, ...] | None = flags(
        "MessageRateSource", None, ("IPAddress", "User"), {"All": ("IPAddress", "User")}, since="10"
    )
    max_logon_failures: int | None = count("MaxLogonFailures", None, 0, 10)
    auth_tarpit_interval: int | None = span("AuthTarpitInterval", None, since="16")
    max_acknowledgement_delay: int | None = span("MaxAcknowledgementDelay", None, since="10")
    chunking_enabled: bool | None = switch("ChunkingEnabled", None)
    binary_mime_enabled: bool | None = switch("BinaryMimeEnabled", None)
    eight_bit_mime_enabled: bool | None = switch("EightBitMimeEnabled", None)
    pipelining_enabled: bool | None = switch("PipeliningEnabled", None)
    delivery_status_notification_enabled: bool | None = switch("DeliveryStatusNotificationEnabled", None)
    enhanced_status_codes_enabled: bool | None = switch("EnhancedStatusCodesEnabled", None)
    size_enabled: str | None = word("SizeEnabled", None, ("Enabled", "Disabled", "EnabledwithoutValue"))
    long_addresses_enabled: bool | None = switch("LongAddressesEnabled", None, since="07s")
    orar_enabled: bool | None = switch("OrarEnabled", None, since="07s")
    require_ehlo_domain: bool | None = switch("RequireEHLODomain", None)
    bare_linefeed_rejection_enabled: bool | None = switch(
        "BareLinefeedRejectionEnabled", None, since="10s", in_new=False
    )
    reject_reserved_top_level_recipient_domains: bool | None = switch(
        "RejectReservedTopLevelRecipientDomains", None, since="16"
    )
    reject_reserved_second_level_recipient_domains: bool | None = switch(
        "RejectReservedSecondLevelRecipientDomains", None, since="16"
    )
    reject_single_label_recipient_domains: bool | None = switch("RejectSingleLabelRecipientDomains", None, since="16")
    smtp_utf8_enabled: bool | None = switch("SmtpUtf8Enabled", None, since="13", in_new=False)
    inherited_rights: tuple[ExtendedRight, ...] = ()
    full_control: tuple[ExtendedRight, ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept, because a plan asks for it again and again and there may be thousands of ranges."""
        return hash(tuple(getattr(self, item.name) for item in fields(self)))

    @property
    def key(self) -> str:
        """Names are the same whatever their case, as in Exchange."""
        return self.name.lower()

    def known(self, option: str) -> Any:
        """The value of an option; that of a new connector where what the server holds cannot be read."""
        value = getattr(self, option)
        return _DEFAULTS[option] if isinstance(value, Odd) else value

    @cached_property
    def anonymous_rights(self) -> frozenset[str]:
        """Of a session without AUTH."""
        return self._rights(self.anonymous_principal)

    @cached_property
    def possible_rights(self) -> frozenset[str]:
        """Of a session without AUTH, if it belongs to every group of which that is not documented."""
        entries = (*(self.extended_rights or ()), *self.full_control, *self.inherited_rights)
        if _DOUBTFUL.isdisjoint(fold(entry.principal) for entry in entries):
            return self.anonymous_rights
        return self._rights(self.anonymous_principal, DOUBTFUL)

    @cached_property
    def own_entries(self) -> frozenset[ExtendedRight]:
        """The entries that stand on the connector and are ours to change: what its groups grant, less what was removed,
        and what goes beyond them.

        :raises UnknownRightsError: nobody let us read them
        """
        return own_entries(self.permission_groups, self.known_rights, self.removed_rights)

    @property
    def known_rights(self) -> tuple[ExtendedRight, ...]:
        """The extended rights.

        :raises UnknownRightsError: nobody let us read them
        """
        if self.extended_rights is None:
            raise UnknownRightsError([self.name])
        return self.extended_rights

    @property
    def anonymous_principal(self) -> str:
        """Who a session without AUTH is. ExternalAuthoritative makes it a trusted server, whoever it is."""
        return EXTERNALLY_SECURED if "ExternalAuthoritative" in self.auth_mechanism else ANONYMOUS

    @cached_property
    def account_rights(self) -> frozenset[str]:
        return self._rights(AUTHENTICATED)

    def _rights(self, principal: str, perhaps: tuple[str, ...] = ()) -> frozenset[str]:
        own = own_entries(self.permission_groups, self.extended_rights or (), self.removed_rights)
        return effective_rights(principal, (*own, *self.full_control), self.inherited_rights, perhaps)


_DEFAULTS = {item.name: item.default for item in fields(Connector)}


@dataclass(frozen=True)
class AcceptedDomain:
    """A domain that is ours. ``next_hop``: ``host:port`` its mail goes to, empty for the smarthost (bundled relays
    only)."""

    name: str
    type: str = word("DomainType", "Authoritative", DOMAIN_TYPES, decides=True)
    next_hop: str = text("", "", values.parse_endpoint)

    @property
    def key(self) -> str:
        return self.name

    @property
    def is_relayed(self) -> bool:
        """Mail to it goes on to servers that are not ours alone."""
        return self.type != "Authoritative"

    @property
    def is_wide(self) -> bool:
        """``*``, ``*.tld`` or a single label: a part of the Internet and no mailboxes of ours, whatever its type."""
        return "." not in self.name.removeprefix("*.")
