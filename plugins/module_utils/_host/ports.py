# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sockets listen on this host, and whether a relay could listen on a binding."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection, Iterable

from .._connector.addresses import Binding
from .._connector.errors import ServiceError

_LISTEN = "0A"


def refuse_unavailable(bindings: Iterable[Binding], ours: Collection[Binding] | None) -> None:
    """:param ours: what our own running relay holds and would give up for these; ``None``: nobody knows

    :raises ServiceError: an address that this host does not have, or a port that another program holds
    """
    for binding in bindings:
        _bind(binding, port=0)
        if ours is None:
            continue
        related = [other for other in ours if other.wildcard == binding.wildcard]
        if binding in related or (related and binding.address and binding.wildcard in related):
            continue
        if related and not binding.address:
            _refuse_foreign(binding, ours)
        else:
            _bind(binding, port=binding.port)


def _bind(binding: Binding, port: int) -> None:
    family = socket.AF_INET if binding.version == 4 else socket.AF_INET6
    where = f"binding {binding}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if binding.version == 6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((binding.host, port))
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _busy(binding) from error
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            way_out = "Bindings are addresses of the relay itself, not of its clients: use one that this host has."
            raise ServiceError("this host does not have that address", where=where, way_out=way_out) from error
        way_out = "Ports below 1024 need root or a service manager that opens them."
        raise ServiceError(f"cannot listen: {error.strerror}", where=where, way_out=way_out) from error


def _busy(binding: Binding) -> ServiceError:
    way_out = "Stop it, or choose another port."
    return ServiceError("the port is in use by another program", where=f"binding {binding}", way_out=way_out)


def _refuse_foreign(binding: Binding, ours: Collection[Binding]) -> None:
    """Where we hold a specific address, trying the wildcard would fail on our own socket: ask the kernel instead."""
    held = [other for other in listening(binding.version) or () if other.port == binding.port]
    if any(other not in ours for other in held):
        raise _busy(binding)


def listening(version: int) -> frozenset[Binding] | None:
    """Every TCP socket of this host that listens (Linux, /proc/net/tcp: words of four bytes in host order), ``None``
    where the kernel does not say."""
    try:
        with open("/proc/net/tcp" if version == 4 else "/proc/net/tcp6") as table:
            sockets = [line.split()[1] for line in table if line.split()[3] == _LISTEN]
    except OSError:
        return None
    return frozenset(_socket(version, *text.split(":")) for text in sockets)


def _socket(version: int, address: str, port: str) -> Binding:
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    return Binding(version, int.from_bytes(b"".join(words), "big"), int(port, 16))
