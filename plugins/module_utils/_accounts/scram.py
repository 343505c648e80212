# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one password hash: ``{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey``, in Dovecot's form.

Source: RFC 5802 and RFC 7677, Dovecot's password schemes. Made with :mod:`hashlib` alone, because ``crypt`` is gone
from Python 3.13. The password is its UTF-8 bytes, without SASLprep.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from typing import Any, NamedTuple

from .._connector.errors import InputError

SCHEME = "{SCRAM-SHA-256}"
ITERATIONS = 15000
_LEAST, _MOST = 4096, 1000000
_SALT_BYTES = 16


class _Parts(NamedTuple):
    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes


def make_hash(password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    stored_key, server_key = _keys(password, salt, iterations)
    encoded = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"{SCHEME}{iterations},{','.join(encoded)}"


def verify(password: str, hashed: str) -> bool:
    """Whether the hash is that of the password. ``hashed`` must be one that :func:`parse_hash` takes."""
    parts = _split(hashed)
    if parts is None:
        return False
    stored_key, _server_key = _keys(password, parts.salt, parts.iterations)
    return hmac.compare_digest(stored_key, parts.stored_key)


def parse_hash(value: Any, where: str) -> str:
    """The hash if it is one.

    :raises InputError: another scheme or malformed; the value is never shown
    """
    if _split(value) is None:
        way_out = f"Give {SCHEME}iterations,salt,StoredKey,ServerKey as 'doveadm pw -s SCRAM-SHA-256' prints it."
        raise InputError("not a password hash of a scheme known here (value hidden)", where=where, way_out=way_out)
    return str(value)


def _keys(password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256")


def _split(hashed: Any) -> _Parts | None:
    if not isinstance(hashed, str) or not hashed.startswith(SCHEME):
        return None
    count, *encoded = hashed[len(SCHEME) :].split(",")
    if len(encoded) != 3 or not re.fullmatch("[1-9][0-9]{3,6}", count) or not _LEAST <= int(count) <= _MOST:
        return None
    salt, stored_key, server_key = map(_decoded, encoded)
    if not salt or len(stored_key) != 32 or len(server_key) != 32:
        return None
    return _Parts(int(count), salt, stored_key, server_key)


def _decoded(text: str) -> bytes:
    """Nothing for what is not the one spelling of some octets."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return octets if base64.b64encode(octets).decode() == text else b""
