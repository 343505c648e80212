# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mail transaction with a next hop. Whatever goes wrong becomes a reply; only what was taken is positive."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Awaitable
from typing import NamedTuple

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from smtp_relayd import content, log, replies
from smtp_relayd.esmtp import MailParameters
from smtp_relayd.policy import Route
from smtp_relayd.replies import Reply

FAILURES = (aiosmtplib.SMTPException, OSError, asyncio.TimeoutError)


class HopTimeouts(NamedTuple):
    """Seconds to wait for a connection, for the reply to a command, and for progress of and reply to the content."""

    connect: float = 60
    command: float = 60
    content: float = 300


@functools.cache
def _opportunistic_tls() -> ssl.SSLContext:
    """TLS against listeners only (Postfix's level "may"): who can forge a certificate can also strip STARTTLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class NextHop:
    """MAIL, RCPT and DATA at `route`. After a failure every further call gets the reply to that failure."""

    def __init__(self, route: Route, fqdn: str, sender: str, parameters: MailParameters, timeouts: HopTimeouts) -> None:
        self.route = route
        self._sender = sender
        self._parameters = parameters
        self._timeouts = timeouts
        self._fqdn = fqdn
        self._client = self._new_client()
        self._began = False
        self.takes_8bit = False
        self._in_content = False
        self._failure: Reply | None = None

    async def recipient(self, mailbox: str) -> Reply:
        """RCPT, before the first one everything that leads to it."""
        if not self._began:
            self._began = True
            opening = await self._guarded(self._open(), replies.NO_ANSWER)
            if not opening.is_positive:
                return self._fail(opening)
        return await self._command(b"RCPT", b"TO:<" + mailbox.encode("ascii") + b">")

    async def keep_alive(self) -> None:
        """NOOP, while the client takes its time to send the content."""
        await self._command(b"NOOP")

    async def deliver(self, header: bytes, message: bytes) -> Reply:
        """DATA. Positive only if the next hop has the whole message and said so; else 451 or its own 5xx."""
        reply = self._failure or await self._guarded(self._transfer(header, message), replies.CONNECTION_BROKEN)
        return reply if reply.is_positive or reply.is_permanent else replies.deferred(reply)

    def close(self) -> None:
        """Let go of the next hop; a transaction that is not finished is void then."""
        transport = self._client.transport
        if isinstance(transport, asyncio.Transport) and not transport.is_closing():
            if self._in_content:
                transport.abort()
            else:
                transport.write(b"QUIT\r\n")
        self._client.close()

    def _new_client(self) -> aiosmtplib.SMTP:
        """A client for one connection: when a connection is lost, aiosmtplib closes whatever its client has by then."""
        return aiosmtplib.SMTP(
            hostname=self.route.host,
            port=self.route.port,
            local_hostname=self._fqdn,
            timeout=self._timeouts.command,
            start_tls=False,
            tls_context=_opportunistic_tls(),
        )

    async def _open(self) -> Reply:
        await self._greet()
        if self._client.supports_extension("starttls"):
            await self._start_tls()
        self.takes_8bit = self._client.supports_extension("8bitmime")
        return _reply(
            await self._client.execute_command(b"MAIL", b"FROM:<%b>" % self._sender.encode(), *self._options())
        )

    async def _greet(self) -> None:
        # the timeout that connect() takes is also the one for the greeting
        await self._client.connect(timeout=self._timeouts.connect)
        await self._hello()

    async def _hello(self) -> None:
        try:
            await self._client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await self._client.helo()

    async def _start_tls(self) -> None:
        """STARTTLS; where it was offered and does not work, the same in the clear, as Postfix does."""
        try:
            await self._client.starttls()
            await self._hello()
        except FAILURES as error:
            log.emit("starttls_failed", next_hop=str(self.route), error=type(error).__name__)
            self._client.close()
            self._client = self._new_client()
            await self._greet()

    def _options(self) -> list[bytes]:
        options = []
        if self._parameters.size is not None and self._client.supports_extension("size"):
            options.append(b"SIZE=%d" % self._parameters.size)
        if self._parameters.is_8bit and self.takes_8bit:
            options.append(b"BODY=8BITMIME")
        return options

    async def _command(self, *words: bytes) -> Reply:
        if self._failure:
            return self._failure
        return await self._guarded(self._execute(*words), replies.CONNECTION_BROKEN)

    async def _execute(self, *words: bytes) -> Reply:
        return _reply(await self._client.execute_command(*words))

    async def _guarded(self, conversation: Awaitable[Reply], excuse: Reply) -> Reply:
        """The reply, or `excuse` when there was none to pass on; the connection is not used any more then."""
        try:
            reply = await conversation
        except FAILURES as error:
            log.emit("next_hop_failed", next_hop=str(self.route), error=type(error).__name__, reply=_said(error))
            return self._fail(excuse)
        if reply.code != 421:
            return reply
        log.emit("next_hop_failed", next_hop=str(self.route), error="421", reply=str(reply))
        return self._fail(excuse)

    def _fail(self, reply: Reply) -> Reply:
        self._failure = reply
        self.close()
        return reply

    async def _transfer(self, header: bytes, message: bytes) -> Reply:
        start = await self._client.execute_command(b"DATA")
        # the client forgets its protocol when the connection breaks, but the last reply may be in there
        protocol = self._client.protocol
        if start.code != 354 or protocol is None:
            return _reply(start) if start.code >= 400 else replies.CONNECTION_BROKEN
        self._in_content = True
        sent = await self._send(protocol, header, message)
        reply = _reply(await protocol.read_response(timeout=self._timeouts.content))
        self._in_content = False
        return reply if sent or not reply.is_positive else self._fail(replies.CONNECTION_BROKEN)

    async def _send(self, protocol: SMTPProtocol, header: bytes, message: bytes) -> bool:
        """Write the content no faster than it is taken; False if the next hop hung up before the end."""
        try:
            for piece in content.stuffed(header, message):
                protocol.write(piece)
                # StreamWriter.drain() without the writer, whose end would close the connection
                await asyncio.wait_for(protocol._drain_helper(), self._timeouts.content)
        except ConnectionError:
            return False
        return True


def _reply(response: SMTPResponse) -> Reply:
    """What the next hop said; what is no refusal and no success (1xx, 3xx, junk) counts as a broken conversation."""
    if 200 <= response.code < 300 or 400 <= response.code < 600:
        return replies.passed_on(response.code, response.message)
    raise aiosmtplib.SMTPResponseException(response.code, response.message)


def _said(error: BaseException) -> str | None:
    """What the next hop said with the failure, for the log."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or None
