# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that sends exactly the bytes that a test wants, and reads replies strictly."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from types import TracebackType
from typing import NamedTuple

# printable ASCII, a code, at most 512 octets with CRLF: RFC 5321, 4.2 and 4.5.3.1.5
_LINE = re.compile(rb"([2-5][0-9]{2})([ -])([\x20-\x7e]{0,506})\r\n")


class ClientReply(NamedTuple):
    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class SmtpClient:
    """`patience` bounds every wait; a test that needs it all has failed."""

    def __init__(self, address: str, port: int, *, source: str = "", patience: float = 15) -> None:
        self.socket = socket.create_connection((address, port), patience, (source, 0) if source else None)
        self._stream = self.socket.makefile("rb")

    def __enter__(self) -> SmtpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()
        self.socket.close()

    def reset(self) -> None:
        """Vanish: RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> ClientReply:
        codes, lines = set(), []
        while True:
            line = self._stream.readline()
            found = _LINE.fullmatch(line)
            assert found, f"not a reply line: {line!r}"
            codes.add(int(found[1]))
            lines.append(found[3].decode("ascii"))
            if found[2] == b" ":
                assert len(codes) == 1, f"codes differ: {codes} {lines}"
                return ClientReply(codes.pop(), lines)

    def command(self, line: str | bytes) -> ClientReply:
        self.send((line.encode("utf-8") if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def at_end(self) -> bool:
        """Whether the server closed the connection and said nothing more; waits for that."""
        try:
            return self._stream.read(1) == b""
        except ConnectionResetError:
            return True

    def hello(self) -> ClientReply:
        """Read the greeting, say EHLO."""
        greeting = self.reply()
        assert greeting.code == 220, greeting
        return self.command("EHLO client.test")

    def start_tls(self, context: ssl.SSLContext) -> ClientReply:
        """STARTTLS, the handshake, EHLO; returns the reply to the latter."""
        reply = self.command("STARTTLS")
        assert reply.code == 220, reply
        self.secure(context)
        return self.command("EHLO client.test")

    def secure(self, context: ssl.SSLContext) -> None:
        """The handshake."""
        self._stream.close()
        self.socket = context.wrap_socket(self.socket, server_hostname="relay.corp.test")
        self._stream = self.socket.makefile("rb")

    def certificate(self) -> bytes:
        """The server's, in DER."""
        assert isinstance(self.socket, ssl.SSLSocket)
        certificate = self.socket.getpeercert(binary_form=True)
        assert certificate
        return certificate

    def plain(self, name: str | bytes, password: str | bytes, act_as: str = "") -> ClientReply:
        """AUTH PLAIN with an initial response."""
        return self.command(b"AUTH PLAIN " + base64.b64encode(plain_message(name, password, act_as)))

    def data(self, content: bytes) -> ClientReply:
        """DATA with content that ends with CRLF and has its dots stuffed."""
        start = self.command("DATA")
        assert start.code == 354, start
        self.send(content + b".\r\n")
        return self.reply()

    def message(
        self, sender: str, recipients: list[str], content: bytes = b"Subject: test\r\n\r\nbody\r\n"
    ) -> ClientReply:
        """A whole transaction whose envelope must be accepted."""
        for line in (f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients)):
            reply = self.command(line)
            assert reply.code == 250, (line, reply)
        return self.data(content)


def plain_message(name: str | bytes, password: str | bytes, act_as: str = "") -> bytes:
    """What PLAIN sends."""
    parts = (act_as, name, password)
    return b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)


def b64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
