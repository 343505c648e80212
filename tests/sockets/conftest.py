# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the tests that talk to the daemon over real sockets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_relayd import log
from smtp_relayd.shared import Limits, Memory
from support import certificates
from support.daemon import Daemon, running
from support.local_relay import LocalRelay, LocalRelayAt, local_relay
from support.place import Place
from support.sink import Sink, running_sink
from support.smtp_client import SmtpClient


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The next hop of corp.test."""
    with running_sink() as running_one:
        yield running_one


@pytest.fixture
def other_sink() -> Iterator[Sink]:
    """The next hop of other.test, or the smarthost."""
    with running_sink() as running_one:
        yield running_one


@pytest.fixture
def place(tmp_path: Path, sink: Sink, other_sink: Sink) -> Place:
    return Place(tmp_path / "relay", sink, other_sink)


@pytest.fixture
def certificate(place: Place) -> Path:
    """Where the certificate of the relay at `place` is."""
    file = place.directory / "relay.pem"
    certificates.issue(file)
    return file


@pytest.fixture
def daemon(place: Place) -> Iterator[Daemon]:
    """The daemon at `place`, as a process."""
    with running(place.directory) as daemon:
        yield daemon


@pytest.fixture
def daemon_client(place: Place, daemon: Daemon) -> Iterator[SmtpClient]:
    """A client of that daemon, after EHLO."""
    with place.client() as connected:
        connected.hello()
        yield connected


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running daemon that tests share which only talk to it; starting one takes longer than most of them."""
    with running_sink() as sink, running_sink() as other_sink:
        place = Place(tmp_path_factory.mktemp("shared"), sink, other_sink)
        with running(place.directory):
            yield place


@pytest.fixture
def shared_client(shared_place: Place) -> Iterator[SmtpClient]:
    with shared_place.client() as connected:
        connected.hello()
        yield connected


@pytest.fixture
def unexpected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """The errors that nobody foresaw; a test that provokes some clears the list."""
    errors: list[BaseException] = []
    original = log.unexpected

    def record(error: BaseException, **fields: object) -> None:
        errors.append(error)
        original(error, **fields)

    monkeypatch.setattr(log, "unexpected", record)
    yield errors
    assert errors == []


@pytest.fixture
def local(place: Place, unexpected: list[BaseException]) -> Iterator[LocalRelayAt]:
    """Starts the relay at `place` in this process, with limits of its own."""
    with contextlib.ExitStack() as stack:

        def start(limits: Limits | None = None, memory: Memory | None = None) -> LocalRelay:
            return stack.enter_context(local_relay(place.directory, limits or Limits(), memory))

        yield start


@pytest.fixture
def client(place: Place, local: LocalRelayAt) -> Iterator[SmtpClient]:
    """A client, after EHLO, of the relay in this process: most tests need no more, and it starts in no time."""
    local()
    with place.client() as connected:
        connected.hello()
        yield connected
