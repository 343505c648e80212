# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guessing passwords gets slower and slower, and costs nobody else a thing. Order and events prove it, not clocks."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from smtp_relayd.accounts import Hash
from support import relay_files
from support.daemon import Daemon, running
from support.local_relay import LocalRelayAt
from support.net import free_port, loopback
from support.place import Place
from support.sink import Sink
from support.smtp_client import SmtpClient, plain_message

ATTACKERS = 50
FAILED = "535 5.7.3 Authentication unsuccessful"


@pytest.fixture
def device_port(place: Place, sink: Sink, other_sink: Sink) -> int:
    """Where devices send; at the place itself accounts log in."""
    port = free_port(place.address)
    rules = [
        relay_files.rule("client relay", auth="always", anonymous_submit=False, account_any_recipient=True),
        relay_files.rule("scanner relay", anonymous_any_recipient=True, allowed_senders=["corp.test"]),
    ]
    bindings = [
        relay_files.binding(place.address, place.port),
        relay_files.binding(place.address, port, (*relay_files.ANYONE_V4, 1)),
    ]
    domains = [relay_files.domain("corp.test", sink.route)]
    relay_files.write(place.directory, relay_files.policy(bindings, rules, domains), smarthost=other_sink.route)
    relay_files.write_accounts(place.directory, relay_files.account(), relay_files.account("bob"))
    return port


@contextlib.contextmanager
def attackers(place: Place) -> Iterator[list[SmtpClient]]:
    """Clients from addresses of their own that asked whether a wrong password is right."""
    with contextlib.ExitStack() as stack:
        clients = []
        for number in range(ATTACKERS):
            client = stack.enter_context(place.client(source=f"127.9.{number}.1"))
            client.hello()
            clients.append(client)
        for client in clients:
            send_auth(client, "alice")
        yield clients


def send_auth(client: SmtpClient, name: str) -> None:
    client.send(b"AUTH PLAIN " + base64.b64encode(plain_message(name, "wrong")) + b"\r\n")


def has_reply(client: SmtpClient) -> bool:
    client.socket.setblocking(False)
    try:
        return bool(client.socket.recv(1, 2))  # MSG_PEEK
    except BlockingIOError:
        return False
    finally:
        client.socket.settimeout(15)


def device_sends(place: Place, port: int, sink: Sink) -> None:
    with SmtpClient(place.address, port, source="127.8.0.1") as device:
        device.hello()
        assert device.message("scanner@corp.test", ["v@outside.test"]).code == 250
        assert sink.message().sender == "<scanner@corp.test>"


def test_passwords_being_checked_do_not_stop_mail_from_devices(
    place: Place, device_port: int, local: LocalRelayAt, other_sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """50 wrong ones from 50 addresses at once: two are checked, none is answered, the device sends."""
    begun, go = threading.Semaphore(0), threading.Event()

    def held(_hash: Hash, _password: bytes) -> bool:
        begun.release()
        assert go.wait(20)
        return False

    monkeypatch.setattr(Hash, "fits", held)
    local()
    with attackers(place) as clients:
        assert begun.acquire(timeout=10)
        assert begun.acquire(timeout=10)
        device_sends(place, device_port, other_sink)
        assert not any(has_reply(client) for client in clients)
        assert not begun.acquire(blocking=False), "more than two at a time"
        go.set()
        assert {str(client.reply()) for client in clients} == {FAILED}


def test_delayed_attempts_do_not_stop_mail_from_devices(place: Place, device_port: int, other_sink: Sink) -> None:
    """The same with a real daemon, whose account was attacked before: all wait for their delay."""
    with running(place.directory) as daemon:
        fail(place, 4)
        with attackers(place) as clients:
            device_sends(place, device_port, other_sink)
            assert not any(has_reply(client) for client in clients)
            assert {str(client.reply()) for client in clients} == {FAILED}
        assert_quiet(daemon)


def fail(place: Place, times: int, name: str = "alice") -> None:
    """Each from another address, so that only the account is slow from then on."""
    for _time in range(times):
        with place.client(source=loopback()) as client:
            client.hello()
            assert str(client.plain(name, "wrong")) == FAILED


def assert_quiet(daemon: Daemon) -> None:
    assert daemon.terminate() == 0
    assert daemon.everybody_gone()
    assert daemon.complaints() == []


def test_who_failed_waits_and_others_do_not(place: Place, device_port: int) -> None:
    """Across connections: the reply to an earlier attempt comes after that to a later one from elsewhere."""
    with running(place.directory):
        source = loopback()
        for name in ("carol", "dave", "eve"):
            with place.client(source=source) as client:
                client.hello()
                client.plain(name, "wrong")
        with place.client(source=source) as slow, place.client(source=loopback()) as quick:
            slow.hello()
            quick.hello()
            send_auth(slow, "frank")
            assert quick.plain("alice", "s3cret").code == 235
            assert not has_reply(slow)
            assert str(slow.reply()) == FAILED


def test_owner_of_an_attacked_account_gets_in(place: Place, device_port: int) -> None:
    """After a delay; another account is not slower for it."""
    with running(place.directory):
        fail(place, 3)
        with place.client(source=loopback()) as owner, place.client(source=loopback()) as other:
            owner.hello()
            other.hello()
            began = time.monotonic()
            owner.send(b"AUTH LOGIN\r\n")
            owner.reply()
            owner.send(b"YWxpY2U=\r\n")
            owner.reply()
            owner.send(b"czNjcmV0\r\n")
            assert other.plain("bob", "s3cret").code == 235
            assert not has_reply(owner)
            assert owner.reply().code == 235
            assert 1 <= time.monotonic() - began <= 7


def test_stop_while_attempts_wait(place: Place, device_port: int) -> None:
    with running(place.directory) as daemon:
        fail(place, 5)
        with attackers(place) as clients:
            assert daemon.terminate() == 0
            assert {str(client.reply()) for client in clients} == {"421 4.3.2 Service shutting down"}
        assert daemon.everybody_gone()
        assert daemon.complaints() == []
