# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of one connector that must fit together.

Source: Microsoft, Set-ReceiveConnector, AuthMechanism, RequireTLS, DomainSecureEnabled, BinaryMimeEnabled,
ConnectionTimeout. The messages are ours: what the cmdlet says is not documented. That None stands alone in a list of
flags is seen where the list is read (:mod:`.property`).
"""

from __future__ import annotations

from .errors import ConflictError
from .model import Connector

_TLS_OPTIONS = ("require_tls", "implicit_tls", "domain_secure_enabled")


def validate_combination(connector: Connector) -> None:
    """:raises ConflictError: naming the connector and the option to change"""
    _authentication(connector)
    _tls(connector)
    if connector.binary_mime_enabled and connector.chunking_enabled is False:
        way_out = "Give chunking_enabled: true, or binary_mime_enabled: false."
        _refuse(connector, "binary_mime_enabled", "it needs chunking_enabled", way_out)
    if connector.connection_timeout <= connector.connection_inactivity_timeout:
        way_out = "Give both in one task, connection_timeout the longer one."
        _refuse(connector, "connection_timeout", "it must exceed connection_inactivity_timeout", way_out)


def _authentication(connector: Connector) -> None:
    mechanisms = set(connector.auth_mechanism)
    if "BasicAuthRequireTLS" in mechanisms and not {"Tls", "BasicAuth"} <= mechanisms:
        way_out = "Give Tls, BasicAuth and BasicAuthRequireTLS together."
        _refuse(connector, "auth_mechanism", "BasicAuthRequireTLS needs BasicAuth and Tls", way_out)
    if "ExternalAuthoritative" in mechanisms:
        if mechanisms - {"ExternalAuthoritative", "Tls"}:
            way_out = "Take the others away."
            _refuse(connector, "auth_mechanism", "ExternalAuthoritative may be joined by Tls only", way_out)
        if "ExchangeServers" not in connector.permission_groups:
            way_out = "Add ExchangeServers to permission_groups in the same task."
            _refuse(connector, "permission_groups", "ExternalAuthoritative needs ExchangeServers", way_out)


def _tls(connector: Connector) -> None:
    if "Tls" not in connector.auth_mechanism:
        for option in _TLS_OPTIONS:
            if getattr(connector, option):
                _refuse(connector, option, "it needs Tls in auth_mechanism", "Add Tls to auth_mechanism.")
    if connector.domain_secure_enabled and "ExternalAuthoritative" in connector.auth_mechanism:
        way_out = "Take ExternalAuthoritative out of auth_mechanism."
        _refuse(connector, "domain_secure_enabled", "ExternalAuthoritative excludes it", way_out)
    if bool(connector.tls_certificate_file) != bool(connector.tls_key_file):
        option = "tls_key_file" if connector.tls_certificate_file else "tls_certificate_file"
        way_out = "Give both tls_certificate_file and tls_key_file."
        _refuse(connector, option, "a certificate and its key go together", way_out)


def _refuse(connector: Connector, option: str, what: str, way_out: str) -> None:
    raise ConflictError(what, where=f"connector '{connector.name}', {option}", way_out=way_out)
