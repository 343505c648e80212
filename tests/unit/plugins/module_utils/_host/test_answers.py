# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding, parse_binding
from ansible_collections.mailops.relay.plugins.module_utils._host.answers import silent_bindings
from support import certificates
from support.net import free_port, has_ipv6, loopback

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(serve: Serve | None, address: str = "") -> Iterator[Binding]:
    """One connection is served; ``None``: never, as by a process that is halted."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address or loopback(), 0), family=family) as listener, contextlib.ExitStack() as stack:

        def run() -> None:
            with contextlib.suppress(OSError):
                connection = stack.enter_context(listener.accept()[0])
                assert serve is not None
                serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        if serve is not None:
            thread.start()
        host, port = listener.getsockname()[:2]
        yield parse_binding(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "test")
        if serve is not None:
            thread.join(10)
        assert not thread.is_alive()


def says(*parts: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.01)
        connection.shutdown(socket.SHUT_WR)

    return serve


def secure(file: Path, greeting: bytes) -> Serve:
    certificates.issue(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(greeting)
            secured.recv(1)

    return serve


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("parts", "answers"),
    [
        ((b"220 hello\r\n",), True),
        ((b"421 4.3.2 too many\r\n",), True),
        ((b"554 5.7.1 not for you\r\n",), True),
        ((b"250 hello\r\n",), False),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), False),
        ((), False),
    ],
)
def test_what_an_answer_is(parts: tuple[bytes, ...], answers: bool, tls: bool) -> None:
    """Also where the handshake was expected first: the guess may be wrong."""
    with server(says(*parts)) as binding:
        silent = silent_bindings([binding], patience=5, tls=[binding] if tls else [])
        assert silent == ([] if answers else [binding])


def test_a_greeting_that_comes_in_pieces() -> None:
    with server(says(b"2", b"2", b"0 hello\r\n")) as binding:
        assert silent_bindings([binding], patience=5) == []


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(("greeting", "answers"), [(b"220 hello\r\n", True), (b"hello\r\n", False)])
def test_a_greeting_after_the_handshake(tmp_path: Path, greeting: bytes, answers: bool, tls: bool) -> None:
    with server(secure(tmp_path / "pem", greeting)) as binding:
        silent = silent_bindings([binding], patience=1, tls=[binding] if tls else [])
        assert silent == ([] if answers else [binding])


@pytest.mark.parametrize("tls", [False, True])
def test_many_that_say_nothing_take_as_long_as_one(tls: bool) -> None:
    with contextlib.ExitStack() as stack:
        bindings = [stack.enter_context(server(None)) for _number in range(8)]
        begun = time.monotonic()
        assert silent_bindings(bindings, patience=0.4, tls=bindings if tls else []) == bindings
        assert time.monotonic() - begun < 2


def test_nobody_is_there() -> None:
    address = loopback()
    binding = parse_binding(f"{address}:{free_port(address)}", "test")
    assert silent_bindings([binding], patience=5) == [binding]
    assert silent_bindings([], patience=5) == []


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", pytest.param("::", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this host"))],
)
def test_a_wildcard_is_asked_on_loopback(address: str) -> None:
    with server(says(b"220 hello\r\n"), address) as binding:
        assert binding.address == 0
        assert silent_bindings([binding], patience=5) == []
