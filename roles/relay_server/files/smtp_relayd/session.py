# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Envelopes and messages of one client: MAIL, RCPT, DATA and what else a session consists of.

aiosmtpd's parsing of addresses and its DATA (no cap on what it drains, bare line feeds kept) are not used.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Callable

from smtp_relayd import content, esmtp, log, policy, replies
from smtp_relayd.identification import Identification
from smtp_relayd.policy import Rule
from smtp_relayd.replies import Reply
from smtp_relayd.shared import Shared
from smtp_relayd.transaction import Transaction

_READ_SIZE = 1024 * 1024  # more than asyncio buffers: a read empties the buffer


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


class RelaySession(Identification):
    def __init__(
        self,
        shared: Shared,
        rule: Rule,
        peer: str,
        on_end: Callable[[RelaySession], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(shared, rule, peer, on_end, loop)
        self._transaction: Transaction | None = None
        self._held = 0

    @property
    def _in_transaction(self) -> bool:
        return self._transaction is not None

    def _drop_transaction(self) -> None:
        if self._transaction is not None:
            self._transaction.close()
            self._transaction = None

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
        refusal = policy.refuse_sender(self._shared.policy, self.rule, path, self._addresses)
        refusal = refusal or self._open(path[1:-1], parameters)
        if refusal:
            self._log("sender_refused", refusal, sender=path)
        return refusal or replies.SENDER_OK

    def _open(self, sender: str, parameters: str) -> Reply | None:
        """Begin a transaction, if its parameters allow that."""
        parsed = esmtp.mail_parameters(parameters)
        if isinstance(parsed, Reply):
            return parsed
        if (parsed.size or 0) > self.rule.max_message_size:
            return replies.TOO_BIG
        self._transaction = Transaction(self._shared, sender, parsed, self.rule.max_recipients)
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
        refusal = policy.refuse_recipient(self._shared.policy, self.rule, path, transaction.sender, self._addresses)
        if refusal is None and parameters:
            refusal = replies.UNKNOWN_PARAMETER
        reply = refusal or await transaction.add(self._shared.policy.recipient(path))
        event = "recipient_accepted" if reply.is_positive else "recipient_refused"
        sender, queue_id, next_hop = transaction.sender, transaction.queue_id, transaction.next_hop
        self._log(event, reply, queue_id, sender=sender, recipient=path, next_hop=next_hop)
        return reply

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
        self._message_in_hand = True
        try:
            await self._reply(await self._take(transaction))
        finally:
            self._message_in_hand = self._content_is_complete = False
        if self._stopping:
            await self._farewell(self._stopping)

    async def _take(self, transaction: Transaction) -> Reply:
        """Receive and deliver a message."""
        intake = content.Intake(self.rule.max_message_size)
        reply: Reply | None = None
        try:
            await self.push(replies.START_INPUT)
            reply = await self._receive(intake, transaction) or await self._deliver(intake.content(), transaction)
        finally:
            self._release_memory()
            self._log_message(transaction, intake.size, reply)
            self._drop_transaction()
        return reply

    async def _receive(self, intake: content.Intake, transaction: Transaction) -> Reply | None:
        """Read up to the end of the content; returns why it is refused."""
        try:
            return await self._read_content(intake, transaction)
        except ConnectionError:
            self._hang_up()
        except Exception as error:  # noqa: BLE001 - nobody knows where the message ends: its rest must not become commands
            log.unexpected(error, peer=self.peer)
            await self._reply(replies.LOST_IN_DATA)
            self._hang_up()

    async def _read_content(self, intake: content.Intake, transaction: Transaction) -> Reply | None:
        progress = _Every(self._shared.limits.progress, self.loop.time)
        keep_alive = _Every(self._shared.limits.keep_alive, self.loop.time)
        while not intake.complete:
            chunk = await self._reader.read(_READ_SIZE)
            if not chunk:
                self._hang_up()
            # the buffer is empty now, so what follows the message is read next
            self._reader.feed_data(intake.feed(chunk))
            self._account_for(chunk, intake)
            if intake.dropped > self._shared.limits.drain:
                await self._reply(replies.TOO_MUCH_DRAINED)
                self._hang_up()
            if progress.is_due():
                self._reset_timeout()
            if keep_alive.is_due():
                await transaction.keep_alive()
        self._content_is_complete = True
        if intake.is_too_big:
            return replies.TOO_BIG
        return replies.NO_MEMORY if intake.discarded else None

    def _account_for(self, chunk: bytes, intake: content.Intake) -> None:
        """Keep what all sessions hold in memory within bounds."""
        if not intake.discarded:
            self._held += len(chunk)
            self._shared.memory.used += len(chunk)
            if self._shared.memory.exhausted:
                intake.discard()
        if intake.discarded:
            self._release_memory()

    def _release_memory(self) -> None:
        self._shared.memory.used -= self._held
        self._held = 0

    async def _deliver(self, message: bytes, transaction: Transaction) -> Reply:
        protocol = content.protocol(
            is_extended=self._is_extended, is_encrypted=self._is_encrypted, is_authenticated=self._is_authenticated
        )
        trace = content.Trace(self._hello_name, self.peer, self._fqdn, protocol, transaction.queue_id)
        with self._timer_stopped():
            return await transaction.deliver(trace.header(datetime.now(timezone.utc)), message)

    def _log_message(self, transaction: Transaction, size: int, reply: Reply | None) -> None:
        """One line for every message, also when the client did not wait for the reply."""
        self._log(
            "message",
            reply,
            transaction.queue_id,
            sender=transaction.sender,
            recipients=transaction.recipients,
            size=size,
            next_hop=transaction.next_hop,
            upstream=transaction.upstream,
            account=self._account.name if self._account else None,
            tls=self._tls,
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

    smtp_EXPN = smtp_HELP = _not_implemented
