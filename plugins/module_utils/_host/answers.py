# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody answers on a binding of this host: a socket that listens may belong to a process that hangs."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Callable, TypeVar

from .._connector.addresses import Binding

T = TypeVar("T")
_AT_ONCE = 16
_GREETINGS = (b"220", b"421", b"554")  # welcome, too busy, not for you: each is an answer
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


def silent_bindings(bindings: Sequence[Binding], *, patience: float, tls: Collection[Binding] = ()) -> list[Binding]:
    """Those of ``bindings`` where no SMTP server answers within ``patience`` seconds, asked all at a time.

    :param tls: those where the TLS handshake probably comes first; a wrong guess costs half of the time
    """
    if not bindings:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(bindings))) as pool:
        found = list(pool.map(lambda binding: _answers(binding, binding in tls, patience), bindings))
    return [binding for binding, answered in zip(bindings, found) if not answered]


def _answers(binding: Binding, tls_first: bool, patience: float) -> bool:
    """A server that waits for the handshake says nothing before it, one that does not greets at once."""
    deadline = time.monotonic() + patience
    host = binding.host if binding.address else _LOOPBACK[binding.version]
    try:
        with socket.create_connection((host, binding.port), timeout=patience) as stream:
            heard = b"" if tls_first else _hear(stream, time.monotonic() + patience / 2)
            if heard is None:
                return False
            return heard.startswith(_GREETINGS) if heard else _TlsClient(stream, deadline).greeting()
    except OSError:  # refused, reset, timed out, no TLS
        return False


def _hear(stream: socket.socket, deadline: float) -> bytes | None:
    """The first bytes that come; none until then: empty, the end: ``None``."""
    heard = b""
    while len(heard) < 3:
        stream.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            chunk = stream.recv(1024)
        except socket.timeout:
            return heard
        if not chunk:
            return None
        heard += chunk
    return heard


class _TlsClient:
    """One that trusts everybody: it only wants to hear the greeting."""

    def __init__(self, stream: socket.socket, deadline: float) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing)
        self._stream, self._deadline = stream, deadline
        self._in_clear = b""

    def greeting(self) -> bool:
        """Whether one comes, after the handshake or instead of it.

        :raises OSError: it does not
        """
        try:
            self._until_done(self._session.do_handshake)
            return self._until_done(lambda: self._session.read(3)) in _GREETINGS
        except ssl.SSLError:
            return self._in_clear in _GREETINGS

    def _until_done(self, step: Callable[[], T]) -> T:
        while True:
            with suppress(ssl.SSLWantReadError):
                result = step()
                self._stream.sendall(self._outgoing.read())
                return result
            self._stream.sendall(self._outgoing.read())
            self._receive()

    def _receive(self) -> None:
        self._stream.settimeout(max(0.001, self._deadline - time.monotonic()))
        chunk = self._stream.recv(4096)
        self._in_clear = self._in_clear or chunk[:3]
        if chunk:
            self._incoming.write(chunk)
        else:
            self._incoming.write_eof()
