# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which connector options the bundled relay has, and what it does where Exchange has a choice and it has none.

Neither here nor there: ``max_header_size`` (bounded by the size of the message), ``auth_tarpit_interval`` (delays grow
with the failures), ``max_acknowledgement_delay`` (as long as the next hop takes), ``transport_role`` (it has no roles).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .._connector.rights import ANONYMOUS, ANY_RECIPIENT, ANY_SENDER, AUTHENTICATED, AUTHORITATIVE_SENDER, SUBMIT
from .._connector.values import UNLIMITED
from .._engine.capabilities import Capabilities

OPTIONS = frozenset(
    {
        "enabled",
        "bindings",
        "remote_ip_ranges",
        "permission_groups",
        "extended_rights",
        "removed_rights",
        "fqdn",
        "banner",
        "max_message_size",
        "comment",
        "auth_mechanism",
        "require_tls",
        "implicit_tls",
        "tls_certificate_file",
        "tls_key_file",
        "max_recipients_per_message",
        "max_inbound_connection",
        "max_inbound_connection_per_source",
        "max_protocol_errors",
        "connection_timeout",
        "connection_inactivity_timeout",
        "tarpit_interval",
        "allowed_senders",
        "allowed_recipients",
    }
)
FIXED: Mapping[str, Any] = MappingProxyType(
    {
        # EHLO announces PIPELINING, SIZE with the number, 8BITMIME and ENHANCEDSTATUSCODES, and of extensions no more
        "pipelining_enabled": True,
        "size_enabled": "Enabled",
        "eight_bit_mime_enabled": True,
        "enhanced_status_codes_enabled": True,
        "chunking_enabled": False,
        "binary_mime_enabled": False,
        "delivery_status_notification_enabled": False,
        "long_addresses_enabled": False,
        "orar_enabled": False,
        "smtp_utf8_enabled": False,
        "suppress_x_anonymous_tls": True,
        # TLS is neither mutual nor tied to domains, AUTH is PLAIN and LOGIN; a certificate is a file
        "domain_secure_enabled": False,
        "enable_auth_gssapi": False,
        "extended_protection_policy": "None",
        "tls_certificate_name": "",
        "tls_domain_capabilities": (),
        "advertise_client_settings": False,
        "service_discovery_fqdn": "",
        "default_domain": "",
        # no mail before EHLO or HELO with a name; without one they are refused, the session goes on
        "require_ehlo_domain": True,
        "bare_linefeed_rejection_enabled": False,
        "reject_reserved_top_level_recipient_domains": False,
        "reject_reserved_second_level_recipient_domains": False,
        "reject_single_label_recipient_domains": False,
        "max_hop_count": 50,
        "max_local_hop_count": 0,
        "max_logon_failures": 3,
        "max_inbound_connection_percentage_per_source": 100,
        "message_rate_limit": UNLIMITED,
        "message_rate_source": (),
        # the log has events, not the conversation
        "protocol_logging_level": "None",
    }
)
CAPABILITIES = Capabilities(
    options=MappingProxyType(
        {
            **dict.fromkeys(OPTIONS),
            "permission_groups": frozenset({"AnonymousUsers", "ExchangeUsers"}),
            "auth_mechanism": frozenset({"Tls", "BasicAuth", "BasicAuthRequireTLS"}),
            **{option: frozenset(() if value == () else (value,)) for option, value in FIXED.items()},
        }
    ),
    principals=frozenset({ANONYMOUS, AUTHENTICATED}),
    rights=frozenset({SUBMIT, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER}),
    atomic=True,
)
