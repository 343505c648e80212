# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the relay waits for a next hop, and for a client. Tests make the times short; none sleeps."""

from __future__ import annotations

import socket

import pytest

from smtp_relayd.hop import HopTimeouts
from smtp_relayd.shared import Limits
from support.local_relay import LocalRelayAt
from support.net import loopback
from support.place import Place
from support.sink import Hold, Silence, Sink
from support.smtp_client import SmtpClient

BROKEN = "451 4.4.2 The connection to the next hop broke"
NO_ANSWER = "451 4.4.1 The next hop does not answer"
BIG = (b"x" * 900 + b"\r\n") * 10_000


def recipient(client: SmtpClient, mailbox: str = "b@corp.test") -> str:
    client.command("MAIL FROM:<a@x.test>")
    return str(client.command(f"RCPT TO:<{mailbox}>"))


SHORT = HopTimeouts(connect=0.3, command=0.3, content=0.3)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("CONNECT", NO_ANSWER), ("EHLO", NO_ANSWER), ("MAIL", NO_ANSWER), ("RCPT", BROKEN)],
)
def test_next_hop_that_is_silent_before_the_content(
    place: Place, sink: Sink, local: LocalRelayAt, stage: str, expected: str
) -> None:
    sink.answers[stage] = [Silence]
    local(Limits(hop=SHORT))
    with place.client() as client:
        client.hello()
        assert recipient(client) == expected


@pytest.mark.parametrize("stage", ["DATA", "DOT"])
def test_next_hop_that_is_silent_at_the_content(place: Place, sink: Sink, local: LocalRelayAt, stage: str) -> None:
    sink.answers[stage] = [Silence]
    local(Limits(hop=SHORT))
    with place.client() as client:
        client.hello()
        assert recipient(client) == "250 2.1.5 Recipient OK"
        assert str(client.data(b"x\r\n")) == BROKEN
        assert sink.nothing_arrived()


def test_next_hop_that_does_not_accept(place: Place, local: LocalRelayAt) -> None:
    """A full backlog: the connection is never made."""
    with socket.create_server((loopback(), 0), backlog=0) as listener:
        address, port = listener.getsockname()
        with socket.create_connection((address, port), 5):
            place.write(smarthost=f"{address}:{port}")
            local(Limits(hop=SHORT))
            with place.client() as client:
                client.hello()
                assert recipient(client, "b@smart.test") == NO_ANSWER


def test_next_hop_that_stops_reading(place: Place, sink: Sink, local: LocalRelayAt) -> None:
    hold = Hold("")
    sink.answers["MIDDLE"] = [hold]
    local(Limits(hop=SHORT))
    with place.client() as client:
        client.hello()
        assert recipient(client) == "250 2.1.5 Recipient OK"
        assert str(client.data(BIG)) == BROKEN
        hold.go.set()
        # no QUIT in the midst of the content
        assert b"QUIT" not in sink.unfinished.get(timeout=10)
    assert sink.nothing_arrived()


def test_the_clients_timer_does_not_run_while_the_next_hop_thinks(
    place: Place, sink: Sink, local: LocalRelayAt
) -> None:
    """The next hop takes longer than the client may be idle."""
    local(Limits(idle=0.3))
    holds = {stage: Hold("250 2.0.0 at last") for stage in ("RCPT", "DOT")}
    sink.answers.update({stage: [hold] for stage, hold in holds.items()})
    with place.client() as client:
        client.hello()
        client.command("MAIL FROM:<a@x.test>")
        client.send(b"RCPT TO:<b@corp.test>\r\n")
        idle_client_is_cut(place)
        holds["RCPT"].go.set()
        assert client.reply().code == 250
        client.command("DATA")
        client.send(b"x\r\n.\r\n")
        assert holds["DOT"].reached.wait(10)
        idle_client_is_cut(place)
        holds["DOT"].go.set()
        assert client.reply().code == 250
        assert sink.message().body == b"x\r\n"


def idle_client_is_cut(place: Place) -> None:
    """As long as a client may be idle; by then it is told so."""
    with place.client() as idle:
        idle.hello()
        assert str(idle.reply()) == "421 4.4.1 Connection timed out"
        assert idle.at_end()


def test_progress_of_the_content_is_not_idle(place: Place, sink: Sink, local: LocalRelayAt) -> None:
    """A slow client sends for longer than it may be idle, and the next hop is kept awake meanwhile."""
    local(Limits(idle=0.4, progress=0.01, keep_alive=0.01))
    with place.client() as client:
        client.hello()
        recipient(client)
        client.command("DATA")
        lines = 0
        for _idle_time in range(2):
            with place.client() as clock:
                clock.hello()
                clock.socket.settimeout(0.05)
                while not was_cut(clock):
                    client.send(b"slow\r\n")
                    lines += 1
        client.send(b".\r\n")
        assert client.reply().code == 250
        assert sink.message().body == b"slow\r\n" * lines
    assert "NOOP" in sink.commands


def was_cut(client: SmtpClient) -> bool:
    """Looks for as long as the socket's timeout."""
    try:
        return client.socket.recv(1000) == b""
    except TimeoutError:
        return False


def test_stalled_content_is_idle(place: Place, sink: Sink, local: LocalRelayAt) -> None:
    local(Limits(idle=0.3))
    with place.client() as client:
        client.hello()
        recipient(client)
        client.command("DATA")
        client.send(b"and then nothing\r\n")
        assert client.reply().code == 421
        assert client.at_end()
    assert sink.nothing_arrived()
