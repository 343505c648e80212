# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a certificate and its key can be used, found out as a client would: by a TLS handshake, in memory."""

from __future__ import annotations

import ssl

from .._connector.errors import Finding, ServiceError
from .._connector.model import Connector

_PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN; ssl.VERIFY_X509_PARTIAL_CHAIN is there from Python 3.10 on
_DATES = {9: "is not valid yet", 10: "has expired"}  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED


def certificate_finding(connector: Connector) -> Finding | None:
    """What is wrong with the dates of the certificate, ``None`` if nothing.

    :raises ServiceError: a file that cannot be read or is no PEM, a key that does not belong to the certificate
    """
    where = f"connector '{connector.name}', tls_certificate_file"
    for option in ("tls_certificate_file", "tls_key_file"):
        _readable(getattr(connector, option), f"connector '{connector.name}', {option}")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(connector.tls_certificate_file, connector.tls_key_file, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        mismatch = getattr(error, "reason", "") == "KEY_VALUES_MISMATCH"
        what = "the key does not belong to the certificate" if mismatch else f"cannot be used: {error}"
        way_out = "Both must be PEM, the server's certificate first, the key without a passphrase."
        raise ServiceError(what, where=where, value=connector.tls_certificate_file, way_out=way_out) from error
    wrong = _DATES.get(_verify_code(server, connector.tls_certificate_file))
    what = f"{connector.tls_certificate_file} {wrong}"
    return None if wrong is None else Finding(what, where, "Renew it.", "allow_expired_certificate")


def _readable(path: str, where: str) -> None:
    try:
        with open(path, "rb"):
            return
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        way_out = "Put the file there, or check owner and mode."
        raise ServiceError(what, where=where, value=path, way_out=way_out) from error


def _verify_code(server: ssl.SSLContext, trusted: str) -> int:
    """What a client that trusts just this file finds wrong with it, as OpenSSL's number; 0: nothing."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= _PARTIAL_CHAIN
    client.load_verify_locations(trusted)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _round in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_code
    return 0
