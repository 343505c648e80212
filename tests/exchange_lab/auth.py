# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is at the other end of a connection: Basic, or NTLM with its encryption of messages."""

from __future__ import annotations

import base64
import hmac
import os
import re
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import spnego
from spnego.exceptions import SpnegoError

from exchange_lab.soap import CONTENT_TYPE

BOUNDARY = b"--Encrypted Boundary"
ENCRYPTED = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
# pyspnego takes the accounts of a server from the file that an environment variable names, and from nowhere else
_environment = threading.Lock()


@dataclass
class Account:
    """The one account of a lab; no part may hold a colon. Once `revoked`, nobody gets in with it."""

    domain: str
    name: str
    password: str = field(repr=False)
    revoked: bool = False

    @property
    def login(self) -> str:
        return f"{self.domain}\\{self.name}"

    def write(self, file: Path) -> None:
        """In the form that pyspnego reads."""
        file.touch(mode=0o600)
        file.write_text(f"{self.domain}:{self.name}:{self.password}\n", encoding="utf-8")


class Identity:
    """What one connection has proved."""

    def __init__(self, account: Account, accounts: Path) -> None:
        self._account = account
        self._accounts = accounts
        self._context: spnego.ContextProxy | None = None

    def admit(self, authorization: str) -> list[str]:
        """Look at the Authorization header of a request; returns WWW-Authenticate headers: empty means welcome."""
        return self._look_at(authorization) or (self.refuse() if self._account.revoked else [])

    def _look_at(self, authorization: str) -> list[str]:
        scheme, _space, token = authorization.partition(" ")
        if scheme == "Basic":
            wanted = base64.b64encode(f"{self._account.login}:{self._account.password}".encode()).decode()
            return [] if hmac.compare_digest(token, wanted) else self.refuse()
        if scheme == "NTLM":
            return self._negotiate(base64.b64decode(token))
        return [] if self._context is not None and self._context.complete else self.refuse()

    def refuse(self) -> list[str]:
        self._context = None
        return ["NTLM", 'Basic realm="WSMAN"']

    def _negotiate(self, token: bytes) -> list[str]:
        with _environment, mock.patch.dict(os.environ, NTLM_USER_FILE=str(self._accounts)):
            if self._context is None or self._context.complete:
                self._context = spnego.server(protocol="ntlm")
            try:
                answer = self._context.step(token)
            except SpnegoError:
                return self.refuse()
        return [] if self._context.complete else [f"NTLM {base64.b64encode(answer or b'').decode()}"]

    def decrypt(self, body: bytes) -> bytes:
        """The message in the one encrypted part of a body."""
        assert self._context is not None
        head, _marker, rest = body.partition(b"\tContent-Type: application/octet-stream\r\n")
        sealed = rest.removesuffix(BOUNDARY + b"--\r\n")
        size = struct.unpack("<i", sealed[:4])[0]
        message = self._context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
        stated = re.search(rb"Length=(\d+)", head)
        assert stated is not None
        assert int(stated.group(1)) == len(message)
        return message

    def encrypt(self, message: bytes) -> bytes:
        assert self._context is not None
        sealed = self._context.wrap_winrm(message)
        lines = [
            BOUNDARY,
            b"\tContent-Type: application/HTTP-SPNEGO-session-encrypted",
            f"\tOriginalContent: type={CONTENT_TYPE};Length={len(message)}".encode(),
            BOUNDARY,
            b"\tContent-Type: application/octet-stream",
            struct.pack("<i", len(sealed.header)) + sealed.header + sealed.data + BOUNDARY + b"--",
            b"",
        ]
        return b"\r\n".join(lines)
