# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Life of a client connection: handshakes, timers, limits, replies and the end. What commands do is session.py's part.

What aiosmtpd 1.4.6 does that a relay must not do is replaced: its timer (runs on while we wait), its count of unknown
commands, its replies, and its STARTTLS, which knows no timeout.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import Iterator
from typing import Any, Callable, NoReturn, cast

from aiosmtpd.smtp import SMTP

from smtp_relayd import log, replies, tls
from smtp_relayd.auth import MAX_LINE
from smtp_relayd.policy import Rule
from smtp_relayd.replies import Reply
from smtp_relayd.shared import Shared

_FLUSH_SECONDS = 10
# SIZE (RFC 1870), BODY (RFC 6152) and AUTH (RFC 4954) on top of 512 octets
_MAIL_COMMAND_SIZE = 512 + 26 + 16 + 500
# what aiosmtpd says itself, in our words and with a status code
_OWN_WORDS = (
    ("500 Error", replies.SYNTAX_ERROR),
    ("500 Command line", replies.LINE_TOO_LONG),
)


class _Commands(dict[str, Any]):
    """The methods of commands, as aiosmtpd asks for them: here none is unknown, and `choose` has the last word."""

    def __init__(self, methods: dict[str, Any], choose: Callable[[str, Any], Any]) -> None:
        super().__init__(methods)
        self._choose = choose

    def get(self, command: str, default: Any = None) -> Any:
        return self._choose(command, super().get(command, default))


class Connection(SMTP):
    line_length_limit = MAX_LINE + len("\r")

    def __init__(
        self, shared: Shared, rule: Rule, peer: str, on_end: Callable[[Any], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        # aiosmtpd shares this table between all sessions, clears it for each and lets each EHLO add to it
        self.command_size_limits = collections.defaultdict(lambda: 512)
        super().__init__(
            None,
            hostname=rule.fqdn or shared.settings.fqdn,
            # not announced, not accepted: it makes aiosmtpd hand us 8-bit arguments, which we refuse with our codes
            enable_SMTPUTF8=True,
            data_size_limit=None,
            timeout=min(rule.inactivity_timeout, shared.limits.idle),
            loop=loop,
        )
        self.command_size_limits.update(MAIL=_MAIL_COMMAND_SIZE, AUTH=MAX_LINE)
        self._smtp_methods = _Commands(self._smtp_methods, self._command)
        self.rule = rule
        self.peer = peer
        # it is told so, and does not count as one of its connector's
        self.is_refused = False
        self._shared = shared
        self._fqdn = rule.fqdn or shared.settings.fqdn
        self._on_end = on_end
        self._errors = 0
        # version and cipher
        self._tls: str | None = None
        self._below_tls: asyncio.Transport | None = None
        self._handshake: asyncio.Task[Any] | None = None
        self._secured_reader: asyncio.StreamReader | None = None
        self._writer_in_the_clear: asyncio.StreamWriter | None = None
        self._lifetime: asyncio.TimerHandle | None = None
        self._stopping: Reply | None = None
        # from the last octet of a message to the reply to it: nothing may come between
        self._content_is_complete = False
        self._message_in_hand = False
        self._ended = False
        # aiosmtpd greets with "220 {hostname} {ident}"
        greeting = rule.banner[len("220 ") :] or f"{self._fqdn} ESMTP"
        self.hostname, _space, self.__ident__ = greeting.partition(" ")

    # what the commands add
    def _forget_client(self) -> None:
        """Everything that the client said so far is void."""

    def _drop_transaction(self) -> None:
        """The transaction, if there is one, is void."""

    def _command(self, name: str, method: Any) -> Any:
        """What to do on a command; `method` is None if aiosmtpd and we have none."""
        return method

    @property
    def _is_authenticated(self) -> bool:
        return False

    # -- beginning -----------------------------------------------------------------------------------------------------

    def begin(self, transport: asyncio.Transport, refusal: Reply | None) -> None:
        """Serve a new connection, or tell it why not; where TLS comes first, after the handshake."""
        if self.rule.implicit_tls:
            # asyncio keeps no strong reference to a task
            self._handshake = self.loop.create_task(self._shake_hands_first(transport, refusal))
        else:
            transport.set_protocol(self)
            self._welcome(transport, refusal)

    def _welcome(self, transport: asyncio.Transport, refusal: Reply | None) -> None:
        if refusal is None:
            self.connection_made(transport)
            return
        transport.write(f"{refusal}\r\n".encode("ascii"))
        transport.close()
        self.loop.call_later(_FLUSH_SECONDS, transport.abort)
        self._end()

    async def _shake_hands_first(self, transport: asyncio.Transport, refusal: Reply | None) -> None:
        try:
            self._welcome(await self._secured(transport), refusal)
        except Exception as error:  # noqa: BLE001 - nobody else sees an error of this task
            if not isinstance(error, ConnectionError):
                log.unexpected(error, peer=self.peer)
            transport.abort()
            self._end()

    async def _secured(self, transport: asyncio.Transport) -> asyncio.Transport:
        """The connection after the handshake. Without one it is over, also for versions of asyncio that keep quiet."""
        self._handshake = asyncio.current_task()
        context, limit = self._shared.certificates.context(self.rule), self._shared.limits.handshake
        secured = None
        try:
            secured = await self.loop.start_tls(transport, self, context, server_side=True, ssl_handshake_timeout=limit)
        except tls.HANDSHAKE_FAILURES as error:
            log.emit("tls_failed", peer=self.peer, connector=self.rule.connector, error=tls.reason(error))
        finally:
            self._handshake = None
            if secured is None:
                transport.abort()
                self._end()
        if secured is None or self._ended:
            raise ConnectionResetError
        self._tls, self._below_tls = tls.description(secured), transport
        return secured

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        seconds = min(self.rule.connection_timeout, self._shared.limits.connection)
        self._lifetime = self.loop.call_later(seconds, self._too_long)
        if self._handler_coroutine is not None:
            self._handler_coroutine.add_done_callback(self._handled)

    async def _start_tls(self) -> None:
        """The handshake within a connection. The new reader has seen nothing that was sent in the clear."""
        transport = cast(asyncio.Transport, self._writer.transport)
        # the old writer would close the connection when it is thrown away
        self._writer_in_the_clear = self._writer
        self._secured_reader = reader = asyncio.StreamReader(limit=self.line_length_limit, loop=self.loop)
        with self._timer_stopped():
            secured = await self._secured(transport)
        reader.set_transport(secured)
        self.transport, self._reader = secured, reader
        self._writer = asyncio.StreamWriter(secured, self, reader, self.loop)
        self._forget_client()

    @property
    def _is_encrypted(self) -> bool:
        return self._tls is not None

    def data_received(self, data: bytes) -> None:
        if self._secured_reader is None:
            super().data_received(data)
        else:
            self._secured_reader.feed_data(data)

    # -- end -----------------------------------------------------------------------------------------------------------

    def eof_received(self) -> bool:
        """The client sends no more: the end, as no reply that it waits for comes after that."""
        if self.session is not None:
            super().eof_received()
        return self.session is not None and not self._is_encrypted

    def connection_lost(self, error: Exception | None) -> None:
        if self.session is not None:  # it is None when the handshake before everything else failed
            super().connection_lost(error)
        self._end()

    def _end(self) -> None:
        """Once, at the end of the connection."""
        if self._ended:
            return
        self._ended = True
        for timer in (self._timeout_handle, self._lifetime):
            if timer is not None:
                timer.cancel()
        self._drop_transaction()
        self._on_end(self)

    def _handled(self, task: asyncio.Task[None]) -> None:
        """The command loop ended, whatever the reason."""
        error = None if task.cancelled() else task.exception()
        if error and not self._says_it_is_over(error):
            log.unexpected(error, peer=self.peer)
        self._drop_transaction()
        self._close()

    def stop(self, *, now: bool = False) -> None:
        """Say goodbye: at once, or after the reply to a message in hand."""
        self._stopping = replies.SHUTTING_DOWN
        if now or not self._message_in_hand:
            self._close_with(replies.SHUTTING_DOWN)

    def _close_with(self, reply: Reply) -> None:
        """End the session from outside of its command loop."""
        if self._handshake is not None:
            self._handshake.cancel()
            return
        if self._is_open():
            self._writer.write(f"{reply}\r\n".encode("ascii"))
        self._close()

    def _close(self) -> None:
        transport = self._writer.transport
        is_written = self._is_open() and transport.get_write_buffer_size() == 0
        transport.close()
        if is_written and self._below_tls is not None:
            # else TLS waits until the client says goodbye too
            self._below_tls.close()
        # for a client that does not take its last replies
        self.loop.call_later(_FLUSH_SECONDS, transport.abort)

    def _is_open(self) -> bool:
        with contextlib.suppress(AttributeError):  # asyncio up to Python 3.10, for TLS over a connection that is lost
            return not self._writer.transport.is_closing()
        return False

    def _says_it_is_over(self, error: BaseException) -> bool:
        """Whether an error only means that the client is gone, in one of asyncio's ways to say so."""
        is_lost = self._below_tls is not None and self._below_tls.is_closing()
        ways = (asyncio.IncompleteReadError, ConnectionError, *((AttributeError,) if is_lost else ()))
        return isinstance(error, ways)

    def _hang_up(self) -> NoReturn:
        """End the session from inside of its command loop: no further command of the client is looked at."""
        self._close()
        raise asyncio.CancelledError

    async def _farewell(self, reply: Reply) -> NoReturn:
        """The last reply, from inside of the command loop."""
        await super().push(str(reply))
        self._hang_up()

    async def handle_exception(self, error: Exception) -> str:
        self._drop_transaction()
        if self._says_it_is_over(error):
            # The client is gone. Before Python 3.12 wait_for() may swallow the cancellation that says so.
            self._close()
        else:
            log.unexpected(error, peer=self.peer)
        return str(replies.UNEXPECTED)

    # -- time ----------------------------------------------------------------------------------------------------------

    def _timeout_cb(self) -> None:
        log.emit("timeout", peer=self.peer)
        self._close_with(replies.TIMED_OUT)

    def _too_long(self) -> None:
        """The whole connection took too long. A message that is here whole still gets its reply."""
        if self._content_is_complete:
            self._stopping = self._stopping or replies.TIMED_OUT
        else:
            self._timeout_cb()

    @contextlib.contextmanager
    def _timer_stopped(self) -> Iterator[None]:
        """The client does not pay for the time that others take."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        try:
            yield
        finally:
            if self.transport is not None and not self._ended:
                self._reset_timeout()

    # -- replies -------------------------------------------------------------------------------------------------------

    async def push(self, status: str | bytes) -> None:
        text = status.decode("ascii") if isinstance(status, bytes) else status
        ours = next((reply for theirs, reply in _OWN_WORDS if text.startswith(theirs)), None)
        if ours is not None:
            await self._reply(ours)
        else:
            # the space after a challenge that is empty is part of it (RFC 4954)
            await super().push(text if text == "334 " else text.rstrip())

    async def _reply(self, reply: Reply) -> None:
        if reply.is_protocol_error:
            await self._count_error()
        if reply.is_permanent and not self._is_authenticated and self.rule.tarpit_interval:
            with self._timer_stopped():
                await asyncio.sleep(self.rule.tarpit_interval)
        await super().push(str(reply))

    async def _count_error(self) -> None:
        """The one that is too much is answered with the end."""
        self._errors += 1
        if 0 <= self.rule.max_protocol_errors < self._errors:
            log.emit("too_many_errors", peer=self.peer, connector=self.rule.connector)
            await self._farewell(replies.TOO_MANY_ERRORS)
