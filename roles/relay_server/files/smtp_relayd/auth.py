# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said after AUTH: the mechanisms PLAIN (RFC 4616) and LOGIN, as RFC 4954 carries them. Pure.

A mechanism is a generator: it yields challenges, is sent the responses and returns the credentials.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from smtp_relayd import replies
from smtp_relayd.replies import Reply

# RFC 4954, 4.3, without CRLF
MAX_LINE = 12288
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


@dataclass(frozen=True)
class Credentials:
    """As the client sent them, but for the case of the name: octets, because nobody says in which encoding."""

    name: bytes
    password: bytes = field(repr=False)

    @property
    def shown_name(self) -> str:
        return self.name.decode("utf-8", "backslashreplace")


class Refused(Exception):
    """The exchange came to an end without credentials."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(str(reply))


Exchange = Generator[bytes, bytes, Credentials]


def _plain(initial: bytes | None) -> Exchange:
    message = (yield b"") if initial is None else initial
    parts = message.split(b"\0")
    if len(parts) != 3 or not parts[1]:
        raise Refused(replies.AUTH_MALFORMED)
    act_as, name, password = parts
    if act_as.lower() not in (b"", name.lower()):
        # nobody acts as somebody else here
        raise Refused(replies.AUTH_FAILED)
    return Credentials(name.lower(), password)


def _login(initial: bytes | None) -> Exchange:
    name = (yield b"Username:") if initial is None else initial
    password = yield b"Password:"
    return Credentials(name.lower(), password)


MECHANISMS: Mapping[str, Callable[[bytes | None], Exchange]] = {"PLAIN": _plain, "LOGIN": _login}


def begin(argument: str | None) -> Exchange:
    """The exchange that `AUTH argument` begins."""
    words = (argument or "").split()
    if not 1 <= len(words) <= 2:
        raise Refused(replies.INVALID_ARGUMENTS)
    mechanism = MECHANISMS.get(words[0].upper())
    if mechanism is None:
        raise Refused(replies.AUTH_NOT_OFFERED)
    return mechanism(_initial_response(words[1]) if len(words) == 2 else None)


def _initial_response(word: str) -> bytes:
    """ "=" stands for an empty one."""
    return b"" if word == "=" else decoded(word.encode("utf-8", "surrogateescape"))


def challenge_line(challenge: bytes) -> str:
    return f"334 {base64.b64encode(challenge).decode('ascii')}"


def decoded(line: bytes) -> bytes:
    """What a line of the client says, without its line end."""
    if line == b"*":
        raise Refused(replies.AUTH_CANCELLED)
    if not _BASE64.fullmatch(line):
        raise Refused(replies.AUTH_MALFORMED)
    return base64.b64decode(line)
