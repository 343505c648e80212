# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listening: which sockets, which session for which peer, and the end of all of them."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Any, cast

from smtp_relayd import log, replies
from smtp_relayd.policy import WILDCARDS, IPAddress, Policy, Rule, ip
from smtp_relayd.replies import Reply
from smtp_relayd.session import RelaySession
from smtp_relayd.shared import Shared

# of a socket: address, port and, for IPv6, more
Endpoint = tuple[Any, ...]


class ListenError(Exception):
    """The system refuses a listener."""


def sockets(policy: Policy) -> list[tuple[IPAddress, int]]:
    """The addresses to listen on: where a wildcard has the port, its socket serves the single addresses too."""
    wildcards = {(address.version, port) for address, port in policy.bindings if address in WILDCARDS.values()}
    return [
        (address, port)
        for address, port in policy.bindings
        if address in WILDCARDS.values() or (address.version, port) not in wildcards
    ]


class Gate(asyncio.Protocol):
    """Looks at a new connection and hands it to a session, or says why not and closes it."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)
        try:
            self._admit(stream)
        except Exception as error:  # noqa: BLE001 - asyncio would keep the connection, and nobody would serve it
            log.unexpected(error)
            stream.abort()

    def _admit(self, stream: asyncio.Transport) -> None:
        local, peer = stream.get_extra_info("sockname"), stream.get_extra_info("peername")
        refusal = self._relay.full() if peer else replies.PEER_REFUSED  # no peer: gone already
        rule = None if refusal else self._relay.shared.policy.rule_for(local[0], local[1], peer[0])
        if rule is None:
            self._log(refusal or replies.PEER_REFUSED, local, peer)
            stream.write(f"{refusal or replies.PEER_REFUSED}\r\n".encode("ascii"))
            stream.close()
            return
        self._begin(stream, rule, local, peer)

    def _begin(self, stream: asyncio.Transport, rule: Rule, local: Endpoint, peer: Endpoint) -> None:
        source = str(ip(peer[0]))
        refusal = self._relay.too_many(rule, source)
        session = RelaySession(self._relay.shared, rule, source, self._relay.ended, asyncio.get_running_loop())
        session.is_refused = refusal is not None
        if refusal:
            self._log(refusal, local, peer)
        self._relay.sessions.add(session)
        session.begin(stream, refusal)

    def _log(self, reply: Reply, local: Endpoint, peer: Endpoint | None) -> None:
        log.emit("connect_refused", local=f"{local[0]}:{local[1]}", peer=peer[0] if peer else None, reply=str(reply))


class Relay:
    """All listeners and sessions. Must be made inside of the event loop."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.sessions: set[RelaySession] = set()
        self._servers: list[asyncio.AbstractServer] = []
        self._stopping = False
        self._empty = asyncio.Event()

    async def open(self) -> list[dict[str, object]]:
        """Open every listener or none; returns their addresses as status.json names them."""
        listeners: list[dict[str, object]] = []
        for address, port in sockets(self.shared.policy):
            try:
                await self._listen(str(address), port)
            except OSError as error:
                self._close_servers()
                # asyncio says nothing more than that from Python 3.13 on
                number = error.errno or errno.EADDRNOTAVAIL
                raise ListenError(
                    f"cannot listen on {address} port {port}: {os.strerror(number)}; "
                    "free the address or change the bindings of the connectors"
                ) from None
            listeners.append({"address": str(address), "port": port})
        return listeners

    async def _listen(self, address: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(lambda: Gate(self), host=address, port=port, backlog=128))

    def full(self) -> Reply | None:
        """Why no session can begin now."""
        if self._stopping:
            return replies.SHUTTING_DOWN
        return replies.TOO_MANY_SESSIONS if len(self.sessions) >= self.shared.limits.sessions else None

    def too_many(self, rule: Rule, peer: str) -> Reply | None:
        """Why no session of this connector can begin now."""
        ours = [other for other in self.sessions if other.rule.connector == rule.connector and not other.is_refused]
        if 0 <= rule.max_connections <= len(ours):
            return replies.TOO_MANY_CONNECTIONS
        if 0 <= rule.max_connections_per_source <= sum(other.peer == peer for other in ours):
            return replies.TOO_MANY_OF_SOURCE
        return None

    def ended(self, session: RelaySession) -> None:
        self.sessions.discard(session)
        if self._stopping and not self.sessions:
            self._empty.set()

    async def stop(self) -> None:
        """Stop listening; messages in hand get their reply, everyone else the farewell."""
        self._stopping = True
        self._close_servers()
        if not await self._all_ended(now=False, patience=self.shared.limits.stop):
            await self._all_ended(now=True, patience=1)
        self.shared.logins.close()

    async def _all_ended(self, *, now: bool, patience: float) -> bool:
        for session in list(self.sessions):
            session.stop(now=now)
        if not self.sessions:
            return True
        try:
            await asyncio.wait_for(self._empty.wait(), patience)
        except asyncio.TimeoutError:
            return False
        return True

    def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
