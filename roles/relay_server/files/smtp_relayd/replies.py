# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMTP replies: the ones of this relay, in Exchange's words, and the ones it passes on."""

from __future__ import annotations

import re
from typing import NamedTuple

_ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?=\s|\Z)", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
# RFC 5321, 4.5.3.1.5: 512 octets with code and CRLF
_MAX_TEXT = 480
_MAX_LINES = 20


class Reply(NamedTuple):
    """A reply with an enhanced status code (RFC 2034). Lines of `text` are separated by a line feed."""

    code: int
    status: str
    text: str

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_permanent(self) -> bool:
        return 500 <= self.code < 600

    @property
    def is_protocol_error(self) -> bool:
        """Said to a client that does not speak SMTP well, or looks for holes."""
        return self.code in (500, 502, 503, 504) or (self.code == 501 and self.status.startswith("5.5."))

    def __str__(self) -> str:
        """The reply as it is sent, without the last CRLF."""
        lines = self.text.split("\n")
        last = len(lines) - 1
        return "\r\n".join(
            f"{self.code}{' ' if number == last else '-'}{self.status} {line}".rstrip()
            for number, line in enumerate(lines)
        )


def passed_on(code: int, message: str) -> Reply:
    """What a next hop said, in a form that is safe to give to a client: printable, bounded, with a status code."""
    lines = [_UNPRINTABLE.sub("?", line.strip()) for line in message.split("\n")[:_MAX_LINES]]
    found = _ENHANCED.match(lines[0])
    status = found.group() if found and found.group(1) == str(code)[0] else f"{str(code)[0]}.0.0"
    text = "\n".join(line[len(status) :] if line.startswith(status) else line for line in lines)
    return Reply(code, status, "\n".join(line.strip()[:_MAX_TEXT] for line in text.split("\n")))


def deferred(reply: Reply) -> Reply:
    """The same words as a temporary refusal."""
    status = "4" + reply.status[1:] if reply.status[0] in "45" else "4.0.0"
    return Reply(451, status, reply.text)


PEER_REFUSED = Reply(554, "5.7.1", "No connector accepts connections from this address")
_TOO_MANY = "The maximum number of concurrent connections has exceeded a {}limit, closing transmission channel"
TOO_MANY_CONNECTIONS = Reply(421, "4.3.2", _TOO_MANY.format(""))
TOO_MANY_OF_SOURCE = Reply(421, "4.3.2", _TOO_MANY.format("per-source "))
TOO_MANY_SESSIONS = Reply(421, "4.3.2", "Too many connections, try again later")
SHUTTING_DOWN = Reply(421, "4.3.2", "Service shutting down")
TIMED_OUT = Reply(421, "4.4.1", "Connection timed out")
TOO_MUCH_DRAINED = Reply(421, "4.3.4", "Message size exceeds fixed maximum message size, giving up")
LOST_IN_DATA = Reply(421, "4.3.0", "Cannot read the message, closing")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors on this connection, closing transmission channel")
TOO_MANY_FAILED_AUTH = Reply(421, "4.7.0", "Too many failed authentications")

START_TLS = Reply(220, "2.0.0", "Ready to start TLS")
GOODBYE = Reply(221, "2.0.0", "Service closing transmission channel")
AUTHENTICATED = Reply(235, "2.7.0", "Authentication successful")
OK = Reply(250, "2.0.0", "OK")
RESET = Reply(250, "2.0.0", "Resetting")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
CANNOT_VERIFY = Reply(252, "2.1.5", "Cannot VRFY user")
# the one positive reply without a status code: RFC 2034 gives codes to 2xx, 4xx and 5xx only
START_INPUT = "354 Start mail input; end with <CRLF>.<CRLF>"

UNEXPECTED = Reply(451, "4.3.0", "Temporary server error, try again later")
NO_MEMORY = Reply(452, "4.3.1", "Insufficient system resources, try again later")
NO_ROUTE = Reply(451, "4.4.4", "No next hop and no smarthost for this recipient")
NO_ANSWER = Reply(451, "4.4.1", "The next hop does not answer")
CONNECTION_BROKEN = Reply(451, "4.4.2", "The connection to the next hop broke")
CANNOT_AUTHENTICATE_NOW = Reply(454, "4.7.0", "Temporary authentication failure")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients")
OTHER_ROUTE = Reply(452, "4.5.3", "This recipient takes another route, send it in a message of its own")

UNKNOWN_COMMAND = Reply(500, "5.3.3", "Unrecognized command")
SYNTAX_ERROR = Reply(500, "5.5.2", "Syntax error")
LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")
AUTH_LINE_TOO_LONG = Reply(500, "5.5.6", "Authentication exchange line is too long")
INVALID_RECIPIENT = Reply(501, "5.1.3", "Invalid address")
AUTH_MALFORMED = Reply(501, "5.5.2", "Cannot decode response")
INVALID_ARGUMENTS = Reply(501, "5.5.4", "Invalid arguments")
INVALID_HELLO = Reply(501, "5.5.4", "Invalid domain name")
AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
AUTH_NOT_NOW = Reply(503, "5.5.1", "Authentication is not possible now")
HELLO_FIRST = Reply(503, "5.5.2", "Send hello first")
TLS_TWICE = Reply(503, "5.5.2", "TLS is in use already")
SENDER_TWICE = Reply(503, "5.5.2", "Sender already specified")
SENDER_FIRST = Reply(503, "5.5.2", "Need mail command")
RECIPIENT_FIRST = Reply(503, "5.5.2", "Need rcpt command")
AUTH_NOT_OFFERED = Reply(504, "5.7.4", "Unrecognized authentication type")
TLS_FIRST = Reply(530, "5.7.0", "Must issue a STARTTLS command first")
NOT_AUTHENTICATED = Reply(530, "5.7.1", "Client was not authenticated")
AUTH_FAILED = Reply(535, "5.7.3", "Authentication unsuccessful")
AUTH_NEEDS_TLS = Reply(538, "5.7.11", "Encryption required for requested authentication mechanism")
USER_UNKNOWN = Reply(550, "5.1.1", "User unknown")
INVALID_SENDER = Reply(550, "5.1.7", "Invalid address")
LONG_CONTENT_LINE = Reply(550, "5.6.0", "A line of the message is longer than 998 characters")
CANNOT_RELAY = Reply(550, "5.7.54", "SMTP; Unable to relay recipient in non-accepted domain")
CANNOT_SEND_AS = Reply(550, "5.7.60", "SMTP; Client does not have permissions to send as this sender")
TOO_BIG = Reply(552, "5.3.4", "Message size exceeds fixed maximum message size")
LOOP = Reply(554, "5.4.6", "Hop count exceeded - possible mail loop")
NEEDS_8BITMIME = Reply(554, "5.6.3", "The next hop takes no 8-bit content")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Unsupported parameter")
