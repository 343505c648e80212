# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the lab's SMTP: a session from any peer to any local address."""

from __future__ import annotations

import socket
import ssl

import trustme

EVERYWHERE = "v@outside.test"


class Client:
    def __init__(self, port: int, peer: str, local: str = "192.0.2.1", local_port: int = 25) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.stream = self.socket.makefile("rb")
        family = "TCP6" if ":" in peer else "TCP4"
        self.greeting = self.command(f"PROXY {family} {peer} {local} 40000 {local_port}")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stream.close()
        self.socket.close()

    def command(self, line: str) -> str:
        self.socket.sendall(f"{line}\r\n".encode())
        return self.stream.readline().decode().strip()

    def start_tls(self, authority: trustme.CA) -> None:
        assert self.command("STARTTLS").startswith("220")
        context = ssl.create_default_context()
        authority.configure_trust(context)
        self.stream.close()
        self.socket = context.wrap_socket(self.socket, server_hostname="lab.test")
        self.stream = self.socket.makefile("rb")

    def send(self, sender: str = "s@stranger.test", recipient: str = EVERYWHERE) -> str:
        reply = self.command(f"MAIL FROM:<{sender}>")
        return self.command(f"RCPT TO:<{recipient}>") if reply.startswith("250") else reply
