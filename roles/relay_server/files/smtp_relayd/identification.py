# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a client is: EHLO, STARTTLS, AUTH, and which commands have to wait for them.

aiosmtpd's AUTH is not used: it knows no TLS but STARTTLS, and no mechanism in lower case.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any, Callable

from smtp_relayd import auth, esmtp, log, policy, replies
from smtp_relayd.accounts import Account, Verdict
from smtp_relayd.connection import Connection
from smtp_relayd.login import Unavailable
from smtp_relayd.policy import Rule
from smtp_relayd.replies import Reply
from smtp_relayd.shared import Shared

_MAX_FAILED_AUTHS = 3
_NEED_TLS = frozenset({"AUTH", "MAIL", "RCPT", "DATA", "VRFY"})


class Identification(Connection):
    def __init__(
        self, shared: Shared, rule: Rule, peer: str, on_end: Callable[[Any], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(shared, rule, peer, on_end, loop)
        self._hello_name = ""
        self._is_extended = False
        self._account: Account | None = None
        self._failed_auths = 0

    @property
    def _in_transaction(self) -> bool:
        return False

    def _forget_client(self) -> None:
        self._drop_transaction()
        self._hello_name = ""
        self._is_extended = False
        self._account = None
        if self.session is not None:
            self.session.extended_smtp = False

    @property
    def _is_authenticated(self) -> bool:
        return self._account is not None

    @property
    def _addresses(self) -> frozenset[str] | None:
        return self._account.addresses if self._account else None

    def _command(self, name: str, method: Any) -> Any:
        """The method of a command, or one that refuses it."""
        refusal = policy.refuse_before_tls(self.rule, is_encrypted=self._is_encrypted) if name in _NEED_TLS else None
        if method is None:
            refusal = replies.UNKNOWN_COMMAND
        return method if refusal is None else functools.partial(self._refuse, refusal)

    async def _refuse(self, refusal: Reply, arg: str | None) -> None:
        await self._reply(refusal)

    def _log(self, event: str, reply: Reply | None, queue_id: str | None = None, **fields: object) -> None:
        said = None if reply is None else str(reply)
        log.emit(event, id=queue_id, connector=self.rule.connector, peer=self.peer, reply=said, **fields)

    # -- hello ---------------------------------------------------------------------------------------------------------

    async def smtp_HELO(self, hostname: str | None) -> None:
        await self._hello(hostname, [])

    async def smtp_EHLO(self, hostname: str | None) -> None:
        await self._hello(hostname, self._extensions())

    def _extensions(self) -> list[str]:
        """What EHLO announces."""
        extensions = ["PIPELINING", f"SIZE {self.rule.max_message_size}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self.rule.starttls and not self._is_encrypted:
            extensions.append("STARTTLS")
        if policy.refuse_auth(self.rule, is_encrypted=self._is_encrypted) is None and not self._is_authenticated:
            extensions.append("AUTH " + " ".join(auth.MECHANISMS))
        return extensions

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
        lines = [f"{self._fqdn} Hello [{self.peer}]", *extensions]
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    # -- STARTTLS and AUTH ---------------------------------------------------------------------------------------------

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        if not self.rule.starttls:
            await self._reply(replies.NOT_IMPLEMENTED)
        elif self._is_encrypted:
            await self._reply(replies.TLS_TWICE)
        elif arg:
            await self._reply(replies.INVALID_ARGUMENTS)
        else:
            await self._reply(replies.START_TLS)
            await self._start_tls()

    async def smtp_AUTH(self, arg: str | None) -> None:
        refusal = self._refuse_auth()
        if refusal:
            self._log("auth_refused", refusal)
        reply = refusal or await self._log_in(arg)
        await self._reply(reply)
        if reply == replies.AUTH_FAILED:
            self._failed_auths += 1
            if self._failed_auths >= _MAX_FAILED_AUTHS:
                await self._farewell(replies.TOO_MANY_FAILED_AUTH)

    def _refuse_auth(self) -> Reply | None:
        refusal = policy.refuse_auth(self.rule, is_encrypted=self._is_encrypted)
        if refusal is None and not self._is_extended:
            return replies.HELLO_FIRST
        if refusal is None and (self._is_authenticated or self._in_transaction):
            return replies.AUTH_NOT_NOW
        return refusal

    async def _log_in(self, arg: str | None) -> Reply:
        """AUTH, where it may be tried. Why it fails is for the log only."""
        name, verdict = None, Verdict(None)
        try:
            credentials = await self._converse(auth.begin(arg))
            name = credentials.shown_name
            with self._timer_stopped():
                verdict = await self._shared.logins.check(credentials, self.peer)
            reply = replies.AUTHENTICATED if verdict.account else replies.AUTH_FAILED
        except auth.Refused as refused:
            reply = refused.reply
        except Unavailable:
            reply = replies.CANNOT_AUTHENTICATE_NOW
        self._account = verdict.account
        event = "auth_accepted" if verdict.account else "auth_refused"
        self._log(event, reply, account=name, reason=verdict.reason or None, tls=self._tls)
        return reply

    async def _converse(self, exchange: auth.Exchange) -> auth.Credentials:
        """Pass challenges and responses between a mechanism and the client."""
        try:
            challenge = next(exchange)
            while True:
                await self.push(auth.challenge_line(challenge))
                challenge = exchange.send(auth.decoded(await self._response()))
        except StopIteration as end:
            credentials: auth.Credentials = end.value
            return credentials

    async def _response(self) -> bytes:
        """A line of the client that is no command, without its end. One that is too long is skipped as a whole."""
        is_too_long = False
        self._reset_timeout()
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
                break
            except asyncio.LimitOverrunError as error:
                is_too_long = True
                await self._reader.read(error.consumed)
        if is_too_long:
            raise auth.Refused(replies.AUTH_LINE_TOO_LONG)
        return line.rstrip(b"\r\n")
