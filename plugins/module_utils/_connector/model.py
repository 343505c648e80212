# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection manages: connectors and accepted domains."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

from .addresses import AddressRange, Binding
from .errors import UnknownRightsError
from .rights import ANONYMOUS, AUTHENTICATED, EXTERNALLY_SECURED, ExtendedRight, effective_rights


@dataclass(frozen=True)
class Connector:
    """One receive connector. Field names are the option names; values are normalised (see :mod:`.properties`).

    Sizes in bytes, times in seconds, counts ``-1`` for unlimited. ``allowed_senders`` empty: the accepted domains.
    ``None``: the server has no such property, or it is left to the server's default; ``extended_rights``: nobody let us
    read them.
    ``inherited_rights`` are no option: they come from above the connector, are counted and never changed.
    """

    name: str
    enabled: bool = True
    bindings: tuple[Binding, ...] = ()
    remote_ip_ranges: tuple[AddressRange, ...] = ()
    permission_groups: tuple[str, ...] = ()
    extended_rights: tuple[ExtendedRight, ...] | None = ()
    fqdn: str = ""
    banner: str = ""
    max_message_size: int = 36 << 20
    comment: str = ""
    auth_mechanism: tuple[str, ...] = ()
    require_tls: bool = False
    implicit_tls: bool = False
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    max_recipients_per_message: int = 200
    max_inbound_connection: int = 5000
    max_inbound_connection_per_source: int = 20
    max_protocol_errors: int = 5
    connection_timeout: int = 600
    connection_inactivity_timeout: int = 300
    tarpit_interval: int = 0
    transport_role: str | None = None
    domain_secure_enabled: bool | None = None
    enable_auth_gssapi: bool | None = None
    extended_protection_policy: str | None = None
    suppress_x_anonymous_tls: bool | None = None
    tls_certificate_name: str | None = None
    tls_domain_capabilities: tuple[str, ...] | None = None
    service_discovery_fqdn: str | None = None
    default_domain: str | None = None
    advertise_client_settings: bool | None = None
    protocol_logging_level: str | None = None
    max_header_size: int | None = None
    max_hop_count: int | None = None
    max_local_hop_count: int | None = None
    max_inbound_connection_percentage_per_source: int | None = None
    message_rate_limit: int | None = None
    message_rate_source: tuple[str, ...] | None = None
    max_logon_failures: int | None = None
    auth_tarpit_interval: int | None = None
    max_acknowledgement_delay: int | None = None
    chunking_enabled: bool | None = None
    binary_mime_enabled: bool | None = None
    eight_bit_mime_enabled: bool | None = None
    pipelining_enabled: bool | None = None
    delivery_status_notification_enabled: bool | None = None
    enhanced_status_codes_enabled: bool | None = None
    size_enabled: str | None = None
    long_addresses_enabled: bool | None = None
    orar_enabled: bool | None = None
    require_ehlo_domain: bool | None = None
    bare_linefeed_rejection_enabled: bool | None = None
    reject_reserved_top_level_recipient_domains: bool | None = None
    reject_reserved_second_level_recipient_domains: bool | None = None
    reject_single_label_recipient_domains: bool | None = None
    smtp_utf8_enabled: bool | None = None
    allowed_senders: tuple[str, ...] = ()
    allowed_recipients: tuple[str, ...] = ()
    inherited_rights: tuple[ExtendedRight, ...] = ()

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

    @cached_property
    def anonymous_rights(self) -> frozenset[str]:
        """Of a session without AUTH."""
        return self._rights(self.anonymous_principal)

    @property
    def entries(self) -> tuple[ExtendedRight, ...]:
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

    def _rights(self, principal: str) -> frozenset[str]:
        own = self.extended_rights or ()
        return effective_rights(principal, self.permission_groups, own, self.inherited_rights)


@dataclass(frozen=True)
class AcceptedDomain:
    """A domain that is ours. ``next_hop``: ``host:port`` its mail goes to, empty for the smarthost (bundled relays
    only)."""

    name: str
    type: str = "Authoritative"
    next_hop: str = ""

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
