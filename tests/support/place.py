# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory with the files of a relay, and where it listens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support import relay_files
from support.net import free_port, loopback
from support.sink import Sink
from support.smtp_client import SmtpClient


class Place:
    """A relay of one connector. Everybody may send to corp.test, other.test and, through the smarthost, smart.test."""

    def __init__(self, directory: Path, sink: Sink, other: Sink) -> None:
        self.directory = directory
        self.address = loopback()
        self.port = free_port(self.address)
        self._sink, self._other = sink, other
        self.write()

    def write(self, *, smarthost: str | None = None, postmaster: str | None = None, **rule: Any) -> Place:
        domains = [
            relay_files.domain("corp.test", self._sink.route),
            relay_files.domain("other.test", self._other.route),
            relay_files.domain("smart.test"),
        ]
        bindings = [relay_files.binding(self.address, self.port)]
        policy = relay_files.policy(bindings, [relay_files.rule(**rule)], domains, postmaster)
        relay_files.write(self.directory, policy, smarthost=smarthost)
        return self

    def client(self, **options: Any) -> SmtpClient:
        return SmtpClient(self.address, self.port, **options)
