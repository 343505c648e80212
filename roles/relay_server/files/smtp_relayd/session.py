# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One client session: aiosmtpd's command loop with our commands.

What aiosmtpd 1.4.6 does that a relay must not do is replaced here: its address parsing, its DATA (no cap on what it
drains, bare line feeds kept), its timer (runs on during DATA and while we wait) and its replies.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Callable, NoReturn

from aiosmtpd.smtp import SMTP

from smtp_relayd import content, esmtp, log, policy, replies
from smtp_relayd.policy import Rule
from smtp_relayd.replies import Reply
from smtp_relayd.transaction import Site, Transaction

_FLUSH_SECONDS = 10
_READ_SIZE = 1024 * 1024  # more than asyncio buffers: a read empties the buffer
# SIZE (RFC 1870), BODY (RFC 6152) and AUTH (RFC 4954) on top of 512 octets
_MAIL_COMMAND_SIZE = 512 + 26 + 16 + 500
# what aiosmtpd says itself, in our words and with a status code
_OWN_WORDS = (
    ("500 Error: command", replies.UNKNOWN_COMMAND),
    ("500 Error", replies.SYNTAX_ERROR),
    ("500 Command line", replies.LINE_TOO_LONG),
)


class _Every:
    """Is due when `interval` seconds have passed since it was due last."""

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        self._interval = interval
        self._clock = clock
        self._last = clock()

    def is_due(self) -> bool:
        now = self._clock()
        if now - self._last < self._interval:
            return False
        self._last = now
        return True


class RelaySession(SMTP):
    def __init__(
        self, site: Site, rule: Rule, peer: str, on_end: Callable[[RelaySession], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        # aiosmtpd shares this table between all sessions, clears it for each and lets each EHLO add to it
        self.command_size_limits = collections.defaultdict(lambda: 512)
        super().__init__(
            None,
            hostname=rule.fqdn or site.settings.fqdn,
            # not announced, not accepted: it makes aiosmtpd hand us 8-bit arguments, which we refuse with our codes
            enable_SMTPUTF8=True,
            data_size_limit=None,
            timeout=site.limits.idle,
            loop=loop,
        )
        self.command_size_limits["MAIL"] = _MAIL_COMMAND_SIZE
        self._site = site
        self._rule = rule
        self._peer = peer
        self._on_end = on_end
        self._fqdn = rule.fqdn or site.settings.fqdn
        self._hello_name = ""
        self._is_extended = False
        self._transaction: Transaction | None = None
        self._held = 0
        self._message_in_hand = False
        self._stopping = False
        # aiosmtpd greets with "220 {hostname} {ident}"
        greeting = rule.banner[len("220 ") :] or f"{self._fqdn} ESMTP"
        self.hostname, _space, self.__ident__ = greeting.partition(" ")

    # -- life of a session ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._handler_coroutine is not None:
            self._handler_coroutine.add_done_callback(self._handled)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._drop_transaction()
        self._on_end(self)

    def _handled(self, task: asyncio.Task[None]) -> None:
        """The command loop ended, whatever the reason."""
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, ConnectionError):
            log.unexpected(error, peer=self._peer)
        self._drop_transaction()
        self._close()

    def stop(self, *, now: bool = False) -> None:
        """Say goodbye: at once, or after the reply to a message in hand."""
        self._stopping = True
        if now or not self._message_in_hand:
            self._close_with(replies.SHUTTING_DOWN)

    def _close_with(self, reply: Reply) -> None:
        """End the session from outside of its command loop."""
        if not self._writer.is_closing():
            self._writer.write(f"{reply}\r\n".encode("ascii"))
        self._close()

    def _close(self) -> None:
        self._writer.close()
        # for a client that does not take its last replies
        self.loop.call_later(_FLUSH_SECONDS, self._writer.transport.abort)

    def _hang_up(self) -> NoReturn:
        """End the session from inside of its command loop: no further command of the client is looked at."""
        raise asyncio.CancelledError

    def _timeout_cb(self) -> None:
        log.emit("timeout", peer=self._peer)
        self._close_with(replies.TIMED_OUT)

    @contextlib.contextmanager
    def _timer_stopped(self) -> Iterator[None]:
        """The client does not pay for the time that the next hop takes."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        try:
            yield
        finally:
            if self.transport is not None:
                self._reset_timeout()

    def _drop_transaction(self) -> None:
        if self._transaction is not None:
            self._transaction.close()
            self._transaction = None

    async def handle_exception(self, error: Exception) -> str:
        self._drop_transaction()
        if isinstance(error, (asyncio.IncompleteReadError, ConnectionError)):
            # The client is gone. Before Python 3.12 wait_for() may swallow the cancellation that says so.
            self._close()
        else:
            log.unexpected(error, peer=self._peer)
        return str(replies.UNEXPECTED)

    async def push(self, status: str | bytes) -> None:
        text = status.decode("ascii") if isinstance(status, bytes) else status
        ours = next((str(reply) for theirs, reply in _OWN_WORDS if text.startswith(theirs)), text)
        await super().push(ours.rstrip())

    async def _reply(self, reply: Reply) -> None:
        await self.push(str(reply))

    # -- hello ---------------------------------------------------------------------------------------------------------

    async def smtp_HELO(self, hostname: str | None) -> None:
        await self._hello(hostname, [])

    async def smtp_EHLO(self, hostname: str | None) -> None:
        await self._hello(hostname, self._extensions())

    def _extensions(self) -> list[str]:
        """What EHLO announces."""
        return ["PIPELINING", f"SIZE {self._rule.max_message_size}", "8BITMIME", "ENHANCEDSTATUSCODES"]

    async def _hello(self, hostname: str | None, extensions: list[str]) -> None:
        if hostname is None or not esmtp.is_hello_name(hostname):
            await self._reply(replies.INVALID_HELLO)
            return
        self._drop_transaction()
        self._hello_name = hostname
        self._is_extended = bool(extensions)
        if self.session is not None:
            self.session.extended_smtp = self._is_extended  # aiosmtpd: which table of command sizes holds
        # the address that we see: behind NAT or a proxy it is not the client's own
        lines = [f"{self._fqdn} Hello [{self._peer}]", *extensions]
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    # -- envelope ------------------------------------------------------------------------------------------------------

    async def smtp_MAIL(self, arg: str | None) -> None:
        await self._reply(self._mail(arg))

    def _mail(self, arg: str | None) -> Reply:
        if not self._hello_name:
            return replies.HELLO_FIRST
        if self._transaction is not None:
            return replies.SENDER_TWICE
        argument = esmtp.split_path("FROM:", arg)
        if argument is None:
            return replies.INVALID_ARGUMENTS
        path, parameters = argument
        refusal = policy.refuse_sender(self._site.policy, self._rule, path) or self._open(path[1:-1], parameters)
        if refusal:
            self._log("sender_refused", refusal, None, sender=path)
        return refusal or replies.SENDER_OK

    def _open(self, sender: str, parameters: str) -> Reply | None:
        """Begin a transaction, if its parameters allow that."""
        parsed = esmtp.mail_parameters(parameters)
        if isinstance(parsed, Reply):
            return parsed
        if (parsed.size or 0) > self._rule.max_message_size:
            return replies.TOO_BIG
        self._transaction = Transaction(self._site, sender, parsed)
        return None

    async def smtp_RCPT(self, arg: str | None) -> None:
        with self._timer_stopped():
            reply = await self._recipient(arg)
        await self._reply(reply)

    async def _recipient(self, arg: str | None) -> Reply:
        if not self._hello_name:
            return replies.HELLO_FIRST
        transaction = self._transaction
        if transaction is None:
            return replies.SENDER_FIRST
        argument = esmtp.split_path("TO:", arg)
        if argument is None:
            return replies.INVALID_ARGUMENTS
        path, parameters = argument
        refusal = policy.refuse_recipient(self._site.policy, self._rule, path)
        if refusal is None and parameters:
            refusal = replies.UNKNOWN_PARAMETER
        reply = refusal or await transaction.add(self._site.policy.recipient(path))
        event = "recipient_accepted" if reply.is_positive else "recipient_refused"
        self._log(event, reply, transaction, sender=transaction.sender, recipient=path, next_hop=transaction.next_hop)
        return reply

    def _log(self, event: str, reply: Reply | None, transaction: Transaction | None, **fields: object) -> None:
        queue_id = None if transaction is None else transaction.queue_id
        said = None if reply is None else str(reply)
        log.emit(event, id=queue_id, connector=self._rule.connector, peer=self._peer, reply=said, **fields)

    # -- content -------------------------------------------------------------------------------------------------------

    async def smtp_DATA(self, arg: str | None) -> None:
        transaction = self._transaction
        if not self._hello_name:
            await self._reply(replies.HELLO_FIRST)
        elif transaction is None or not transaction.recipients:
            await self._reply(replies.RECIPIENT_FIRST if transaction else replies.SENDER_FIRST)
        elif arg:
            await self._reply(replies.INVALID_ARGUMENTS)
        else:
            await self._message(transaction)

    async def _message(self, transaction: Transaction) -> None:
        intake = content.Intake(self._rule.max_message_size)
        reply: Reply | None = None
        self._message_in_hand = True
        try:
            await self.push(replies.START_INPUT)
            reply = await self._receive(intake, transaction) or await self._deliver(intake.content(), transaction)
        finally:
            self._message_in_hand = False
            self._release_memory()
            self._log_message(transaction, intake.size, reply)
            self._drop_transaction()
        await self._reply(reply)
        if self._stopping:
            self._close_with(replies.SHUTTING_DOWN)
            self._hang_up()

    async def _receive(self, intake: content.Intake, transaction: Transaction) -> Reply | None:
        """Read up to the end of the content; returns why it is refused."""
        try:
            return await self._read_content(intake, transaction)
        except ConnectionError:
            self._hang_up()
        except Exception as error:  # noqa: BLE001 - nobody knows where the message ends: its rest must not become commands
            log.unexpected(error, peer=self._peer)
            await self._reply(replies.LOST_IN_DATA)
            self._hang_up()

    async def _read_content(self, intake: content.Intake, transaction: Transaction) -> Reply | None:
        progress = _Every(self._site.limits.progress, self.loop.time)
        keep_alive = _Every(self._site.limits.keep_alive, self.loop.time)
        while not intake.complete:
            chunk = await self._reader.read(_READ_SIZE)
            if not chunk:
                self._hang_up()
            # the buffer is empty now, so what follows the message is read next
            self._reader.feed_data(intake.feed(chunk))
            self._account_for(chunk, intake)
            if intake.dropped > self._site.limits.drain:
                await self._reply(replies.TOO_MUCH_DRAINED)
                self._hang_up()
            if progress.is_due():
                self._reset_timeout()
            if keep_alive.is_due():
                await transaction.keep_alive()
        if intake.is_too_big:
            return replies.TOO_BIG
        return replies.NO_MEMORY if intake.discarded else None

    def _account_for(self, chunk: bytes, intake: content.Intake) -> None:
        """Keep what all sessions hold in memory within bounds."""
        if not intake.discarded:
            self._held += len(chunk)
            self._site.memory.used += len(chunk)
            if self._site.memory.exhausted:
                intake.discard()
        if intake.discarded:
            self._release_memory()

    def _release_memory(self) -> None:
        self._site.memory.used -= self._held
        self._held = 0

    async def _deliver(self, message: bytes, transaction: Transaction) -> Reply:
        trace = content.Trace(self._hello_name, self._peer, self._fqdn, self._is_extended, transaction.queue_id)
        with self._timer_stopped():
            return await transaction.deliver(trace.header(datetime.now(timezone.utc)), message)

    def _log_message(self, transaction: Transaction, size: int, reply: Reply | None) -> None:
        """One line for every message, also when the client did not wait for the reply."""
        self._log(
            "message",
            reply,
            transaction,
            sender=transaction.sender,
            recipients=transaction.recipients,
            size=size,
            next_hop=transaction.next_hop,
            upstream=transaction.upstream,
        )

    # -- the rest ------------------------------------------------------------------------------------------------------

    async def smtp_RSET(self, arg: str | None) -> None:
        self._drop_transaction()
        await self._reply(replies.RESET)

    async def smtp_NOOP(self, arg: str | None) -> None:
        await self._reply(replies.OK)

    async def smtp_QUIT(self, arg: str | None) -> None:
        await self._reply(replies.GOODBYE)
        self._hang_up()

    async def smtp_VRFY(self, arg: str | None) -> None:
        await self._reply(replies.CANNOT_VERIFY)

    async def _not_implemented(self, arg: str | None) -> None:
        await self._reply(replies.NOT_IMPLEMENTED)

    smtp_EXPN = smtp_HELP = smtp_STARTTLS = smtp_AUTH = _not_implemented
