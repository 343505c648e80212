# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for tests, from an authority that exists for one test run."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

import trustme


@functools.cache
def _authority() -> trustme.CA:
    return trustme.CA()


def issue(file: Path) -> bytes:
    """Put a new certificate and its key into a file, as an ACME client does; returns the certificate in DER."""
    issued = _authority().issue_cert("relay.corp.test")
    scratch = file.with_name(f"{file.name}.new")
    issued.private_key_and_cert_chain_pem.write_to_path(str(scratch))
    scratch.rename(file)
    return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())


def issue_pair(certificate: Path, key: Path) -> None:
    """The same in two files."""
    issued = _authority().issue_cert("relay.corp.test")
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))


def client_context(**changes: object) -> ssl.SSLContext:
    """Of a client that trusts that authority only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _authority().configure_trust(context)
    for name, value in changes.items():
        setattr(context, name, value)
    return context
