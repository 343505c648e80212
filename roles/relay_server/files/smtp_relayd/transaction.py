# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One message on its way through, from MAIL to the reply after DATA, with the next hop that all recipients share."""

from __future__ import annotations

import secrets

from smtp_relayd import content, replies
from smtp_relayd.esmtp import MailParameters
from smtp_relayd.hop import NextHop
from smtp_relayd.policy import Route
from smtp_relayd.replies import Reply
from smtp_relayd.shared import Shared


class Transaction:
    """Nothing is kept: a recipient counts when the next hop took it, the message when the next hop took it."""

    def __init__(self, shared: Shared, sender: str, parameters: MailParameters, max_recipients: int) -> None:
        self.queue_id = secrets.token_hex(6)
        self.sender = sender
        self.recipients: list[str] = []
        # what the next hop said to the content
        self.upstream: str | None = None
        self._shared = shared
        self._parameters = parameters
        self._max_recipients = max_recipients
        self._hop: NextHop | None = None

    @property
    def next_hop(self) -> str | None:
        return str(self._hop.route) if self._hop else None

    async def add(self, mailbox: str) -> Reply:
        """Offer a recipient to the next hop on its route; the first one that is taken fixes the route."""
        route = self._shared.route(mailbox)
        if route is None:
            return replies.NO_ROUTE
        if len(self.recipients) >= self._max_recipients:
            return replies.TOO_MANY_RECIPIENTS
        if self._hop and self._hop.route != route and self.recipients:
            return replies.OTHER_ROUTE
        reply = await self._hop_at(route).recipient(mailbox)
        if not reply.is_positive:
            return reply
        self.recipients.append(mailbox)
        return replies.RECIPIENT_OK

    async def keep_alive(self) -> None:
        if self._hop:
            await self._hop.keep_alive()

    async def deliver(self, header: bytes, message: bytes) -> Reply:
        """The reply for the client: positive only if the next hop said so."""
        if self._hop is None:
            raise RuntimeError("content without a recipient")
        if content.hops(message) > content.MAX_HOPS:
            return replies.LOOP
        if content.has_long_line(message):
            return replies.LONG_CONTENT_LINE
        if not message.isascii() and not self._hop.takes_8bit:
            return replies.NEEDS_8BITMIME
        reply = await self._hop.deliver(header, message)
        self.upstream = str(reply)
        return Reply(250, "2.6.0", f"{self.queue_id} Delivered to next hop") if reply.is_positive else reply

    def close(self) -> None:
        if self._hop:
            self._hop.close()

    def _hop_at(self, route: Route) -> NextHop:
        if self._hop is None or self._hop.route != route:
            self.close()
            shared = self._shared
            self._hop = NextHop(route, shared.settings.fqdn, self.sender, self._parameters, shared.limits.hop)
        return self._hop
