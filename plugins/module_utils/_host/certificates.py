# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a certificate and its key can be used, found out as a client would: by a TLS handshake, in memory."""

from __future__ import annotations

import os
import re
import ssl
from contextlib import suppress

from .._connector.errors import Finding, ServiceError
from .._connector.model import Connector
from .files import open_regular

_PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN; ssl.VERIFY_X509_PARTIAL_CHAIN is there from Python 3.10 on
_DATES = {9: "is not valid yet", 10: "has expired"}  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_PEM = {
    "tls_certificate_file": (re.compile(rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----"), "certificate"),
    "tls_key_file": (re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "private key"),
}
_MISMATCH = "the key does not belong to the certificate"
_REASONS = {
    "KEY_VALUES_MISMATCH": _MISMATCH,
    "NO_CERTIFICATE_ASSIGNED": _MISMATCH,  # said where not even the sort of key is the same
    "EE_KEY_TOO_SMALL": "the key is too short for OpenSSL on this host",
}
_KEYS = "Use an RSA key of 2048 bits or more, or an EC key on the curve P-256 or P-384."


def certificate_finding(connector: Connector) -> Finding | None:
    """What is wrong with the dates of the certificate, ``None`` if nothing.

    :raises ServiceError: a file that cannot be read or is no PEM, a key that does not belong to the certificate, or
        one that TLS cannot use
    """
    contents = {option: _read(connector, option) for option in _PEM}
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(connector.tls_certificate_file, connector.tls_key_file, password=_no_password)
    except _Encrypted as error:
        raise _error(connector, "tls_key_file", "the key has a passphrase") from error
    except (OSError, ValueError) as error:
        raise _explained(connector, contents, error) from error
    try:
        _handshake(server, _client())
    except ssl.SSLError as error:
        what = f"TLS cannot use this sort of key ({error.reason or error})"
        raise _error(connector, "tls_certificate_file", what, _KEYS) from error
    wrong = _DATES.get(_verify_code(server, connector.tls_certificate_file))
    where, what = f"connector '{connector.name}', tls_certificate_file", f"{connector.tls_certificate_file} {wrong}"
    return None if wrong is None else Finding(what, where, "Renew it.", "allow_expired_certificate")


class _Encrypted(ValueError):
    pass


def _no_password() -> str:
    """Without such a function OpenSSL would ask on the terminal."""
    raise _Encrypted


def _read(connector: Connector, option: str) -> bytes:
    try:
        with os.fdopen(open_regular(getattr(connector, option)), "rb") as file:
            return file.read()
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise _error(connector, option, what, "Put the file there, or check owner and mode.") from error


def _explained(connector: Connector, contents: dict[str, bytes], error: Exception) -> ServiceError:
    """OpenSSL has no words for a file without PEM."""
    for option, (pattern, name) in _PEM.items():
        if not contents[option]:
            return _error(connector, option, "the file is empty")
        if not pattern.search(contents[option]):
            return _error(connector, option, f"there is no {name} in PEM in this file")
    reason = getattr(error, "reason", "")
    known = _REASONS.get(reason, f"cannot be used: {error}")
    return _error(connector, "tls_certificate_file", known, _KEYS if reason == "EE_KEY_TOO_SMALL" else "")


def _error(connector: Connector, option: str, what: str, way_out: str = "") -> ServiceError:
    way_out = way_out or "Both must be PEM, the server's certificate first, the key without a passphrase."
    where = f"connector '{connector.name}', {option}"
    return ServiceError(what, where=where, value=getattr(connector, option), way_out=way_out)


def _client() -> ssl.SSLContext:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client


def _verify_code(server: ssl.SSLContext, trusted: str) -> int:
    """What a client that trusts just this file finds wrong with it, as OpenSSL's number; 0: nothing."""
    client = _client()
    client.verify_mode = ssl.CERT_REQUIRED
    client.verify_flags |= _PARTIAL_CHAIN
    try:
        client.load_verify_locations(trusted)
        _handshake(server, client)
    except ssl.SSLCertVerificationError as error:
        return error.verify_code
    except ssl.SSLError:  # the dates are not what is wrong
        return 0
    return 0


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """:raises ssl.SSLError: the two do not come to terms"""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _round in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
