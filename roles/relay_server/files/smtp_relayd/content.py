# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Message content between the two legs: reading it out of the stream, normalising, tracing, writing it again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

MAX_HOPS = 50
# RFC 5322, 2.1.1, without CRLF
MAX_LINE = 998
_SLICE = 64 * 1024
_END = b"\r\n.\r\n"
_RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Intake:
    """Takes the bytes after DATA until CRLF.CRLF, and nothing else, ends them; un-stuffs dots.

    Content beyond `limit` octets is dropped while the end is looked for; `dropped` counts it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()
        # What may still become the end. The content starts at the beginning of a line, hence the CRLF.
        self._tail = b"\r\n"
        self.size = -len(self._tail)
        self.discarded = False
        self.complete = False
        self.dropped = 0

    @property
    def is_too_big(self) -> bool:
        return self.size > self._limit

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece of the stream; returns what follows the end of the message, if it is in there."""
        data = self._tail + chunk
        end = data.find(_END)
        if end >= 0:
            self.complete = True
            self._add(data[: end + 2])
            return data[end + len(_END) :]
        decided = len(data) - _end_begun(data)
        self._add(data[:decided])
        self._tail = data[decided:]
        return b""

    def content(self) -> bytes:
        """The message, every line ended by CRLF."""
        return normalised(bytes(memoryview(self._content)[2:]))

    def discard(self) -> None:
        """Keep looking for the end, hold nothing from now on."""
        self.discarded = True
        self._content.clear()

    def _add(self, data: bytes) -> None:
        content = data.replace(b"\r\n.", b"\r\n")
        self.size += len(content)
        if self.is_too_big:
            self.discard()
        if self.discarded:
            self.dropped += len(data)
        else:
            self._content += content


def _end_begun(data: bytes) -> int:
    """How many octets at the end of `data` may be the beginning of CRLF.CRLF."""
    return next((length for length in range(len(_END) - 1, 0, -1) if data.endswith(_END[:length])), 0)


def normalised(content: bytes) -> bytes:
    """Every CR, LF and CRLF as CRLF, one at the end: whoever reads this next sees the lines that we see."""
    if not content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n"):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return content if not content or content.endswith(b"\r\n") else content + b"\r\n"


def has_long_line(content: bytes) -> bool:
    """Whether a line of normalised content exceeds RFC 5322's limit."""
    start = 0
    while len(content) - start > MAX_LINE:
        end = content.rfind(b"\r\n", start, start + MAX_LINE + 2)
        if end < 0:
            return True
        start = end + 2
    return False


def hops(content: bytes) -> int:
    """The number of Received fields."""
    header, _empty_line, _body = (b"\r\n" + content).partition(b"\r\n\r\n")
    return len(_RECEIVED.findall(header))


def stuffed(header: bytes, content: bytes) -> Iterator[bytes]:
    """What follows DATA for a normalised message, in pieces that end with a line."""
    yield header
    start = 0
    while start < len(content):
        end = content.rfind(b"\r\n", start, start + _SLICE) + 2
        piece = content[start:end]
        yield (b"." if piece.startswith(b".") else b"") + piece.replace(b"\r\n.", b"\r\n..")
        start = end
    yield b".\r\n"


def protocol(*, is_extended: bool, is_encrypted: bool, is_authenticated: bool) -> str:
    """How a message came in, in the words of RFC 3848. Who sent it is not disclosed."""
    if not is_extended:
        return "SMTP"
    return f"ESMTP{'S' if is_encrypted else ''}{'A' if is_authenticated else ''}"


class Trace(NamedTuple):
    """What the Received field says. `hello` has passed esmtp.is_hello_name: it cannot end the line."""

    hello: str
    peer: str
    fqdn: str
    protocol: str
    queue_id: str

    def header(self, now: datetime) -> bytes:
        literal = f"[IPv6:{self.peer}]" if ":" in self.peer else f"[{self.peer}]"
        return (
            f"Received: from {self.hello} ({literal})\r\n"
            f"\tby {self.fqdn} with {self.protocol} id {self.queue_id};\r\n"
            f"\t{format_datetime(now)}\r\n"
        ).encode("ascii")
