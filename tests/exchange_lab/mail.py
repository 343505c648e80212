# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of mail clients with a server of the lab, from any peer to any port."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from exchange_lab import smtp


@dataclass(frozen=True)
class Mail:
    """With the first server of a state file. Whoever logs in is alice@corp.test."""

    file: Path
    authority: trustme.CA = field(default_factory=trustme.CA)

    @contextmanager
    def session(self, peer: str, port: int, *, tls: bool = False) -> Iterator[smtplib.SMTP]:
        context, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        self.authority.configure_trust(trust)
        line = f"PROXY TCP4 {peer} 192.0.2.1 40000 {port}"
        with smtp.serving(self.file, context, line) as local, smtplib.SMTP("127.0.0.1", local) as client:
            client.ehlo()
            if tls:
                client.starttls(context=trust)
                client.ehlo()
            yield client

    def reply(self, peer: str, recipient: str, port: int = 25, *, login: bool = False, tls: bool = False) -> str:
        """The code, with the enhanced one, that ends the attempt."""
        with self.session(peer, port, tls=tls) as client:
            replies = []
            if login:
                word = base64.b64encode(b"\0alice\0s3cret").decode()
                replies.append(client.docmd("AUTH", f"PLAIN {word}"))
            if not replies or replies[-1][0] == 235:
                replies.append(client.mail("alice@corp.test" if login else "s@stranger.test"))
            if replies[-1][0] == 250:
                replies.append(client.rcpt(recipient))
            return f"{replies[-1][0]} {replies[-1][1].decode()}"
