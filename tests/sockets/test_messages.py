# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to the content of a message."""

from __future__ import annotations

import random
import re

import pytest

from smtp_relayd.shared import Limits, Memory
from support.daemon import Daemon
from support.local_relay import LocalRelayAt
from support.place import Place
from support.sink import Sink
from support.smtp_client import SmtpClient


def binaryish(size: int) -> bytes:
    """Octets of every value, in lines of legal length that end with CRLF; many begin with dots."""
    generator = random.Random(size)
    octets = bytes(octet for octet in range(256) if octet not in b"\r\n")
    lines = []
    while size > 0:
        length = min(size, generator.randint(0, 900))
        lines.append(b"." * generator.choice([0, 0, 1, 2, 3]) + bytes(generator.choices(octets, k=length)))
        size -= length + 2
    return b"\r\n".join(lines) + b"\r\n"


def stuffed(content: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", content)


def send(client: SmtpClient, content: bytes, recipient: str = "b@corp.test") -> int:
    return client.message("a@x.test", [recipient], content).code


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\r\n\r\nplain\r\n",
        b"",
        b"\r\n",
        b".\r\n..\r\n...\r\n.a\r\na.\r\n\r\n.\r\n",
        b"Subject: nul\r\n\r\n\x00\x01\xff\x80\r\n",
        b"\r\n" * 100,
        b"x" * 998 + b"\r\n",
        b"." * 998 + b"\r\n",
        binaryish(1000),
        binaryish(300_000),
        binaryish(3_000_000),
    ],
    ids=["plain", "empty", "empty line", "dots", "nul", "lines", "longest line", "longest dots", "1k", "300k", "3M"],
)
def test_content_arrives_octet_by_octet(client: SmtpClient, sink: Sink, content: bytes) -> None:
    assert send(client, stuffed(content)) == 250
    assert sink.message().body == content


def test_content_in_single_octets(client: SmtpClient, sink: Sink) -> None:
    client.command("MAIL FROM:<a@x.test>")
    client.command("RCPT TO:<b@corp.test>")
    client.command("DATA")
    for octet in b"a\r\n..b\r\n\r\n.\r\nNOOP\r\n":
        client.send(bytes([octet]))
    assert [client.reply().code for _reply in range(2)] == [250, 250]
    assert sink.message().body == b"a\r\n.b\r\n\r\n"


def test_received_field_is_the_first(client: SmtpClient, sink: Sink) -> None:
    client.command("EHLO scanner_2")
    assert send(client, b"Received: older\r\n\r\n") == 250
    content = sink.message().content
    assert re.match(
        rb"Received: from scanner_2 \(\[127\.0\.0\.1\]\)\r\n"
        rb"\tby relay\.corp\.test with ESMTP id [0-9a-f]{12};\r\n"
        rb"\t[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000\r\n"
        rb"Received: older\r\n\r\n",
        content,
    ), content


def test_received_field_after_helo(client: SmtpClient, sink: Sink) -> None:
    client.command("HELO [IPv6:fe80::1%eth0]")
    assert send(client, b"x\r\n") == 250
    content = sink.message().content
    assert content.startswith(b"Received: from [IPv6:fe80::1%eth0] ([127.0.0.1])\r\n\tby relay.corp.test with SMTP id ")


# -- smuggling ---------------------------------------------------------------------------------------------------------

SMUGGLED = b"MAIL FROM:<admin@corp.test>\r\nRCPT TO:<victim@corp.test>\r\nDATA\r\nforged\r\n.\r\n"


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\n.\r",
        b"\r\r\n.\r\r\n",
        b"\n\n.\n\n",
        b"\r\n\0.\r\n",
    ],
    ids=repr,
)
def test_only_crlf_dot_crlf_ends_a_message(client: SmtpClient, sink: Sink, end: bytes) -> None:
    """Neither we nor a next hop that takes bare CR or LF for the end of a line sees a second message."""
    assert send(client, b"one" + end + SMUGGLED[: -len(b".\r\n")]) == 250
    message = sink.message()
    assert message.recipients == ["<b@corp.test>"]
    assert b"forged" in message.content
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", message.content)
    assert client.command("NOOP").code == 250
    assert sink.nothing_arrived()


def test_bare_line_feeds_become_line_ends(client: SmtpClient, sink: Sink) -> None:
    assert send(client, b"Subject: x\n\none\ntwo\rthree\r\n") == 250
    assert sink.message().body == b"Subject: x\r\n\r\none\r\ntwo\r\nthree\r\n"


def test_line_length_is_judged_after_that(client: SmtpClient, sink: Sink) -> None:
    """A device with Unix line ends sends one long line, as SMTP counts."""
    assert send(client, b"x" * 700 + b"\n" + b"y" * 700 + b"\r\n") == 250
    assert sink.message().body == b"x" * 700 + b"\r\n" + b"y" * 700 + b"\r\n"


# -- limits ------------------------------------------------------------------------------------------------------------


def refused(client: SmtpClient, content: bytes) -> str:
    """The refusal of a message; the session goes on after it."""
    reply = client.message("a@x.test", ["b@corp.test"], content)
    assert client.command("NOOP").code == 250
    return str(reply)


def test_line_that_is_too_long(client: SmtpClient, sink: Sink) -> None:
    assert refused(client, b"x" * 999 + b"\r\n") == "550 5.6.0 A line of the message is longer than 998 characters"
    assert refused(client, b"y\r\n" + b"x" * 100_000 + b"\r\n").startswith("550 5.6.0")
    assert sink.nothing_arrived()


@pytest.mark.parametrize(("hops", "code"), [(50, 250), (51, 554)])
def test_mail_loop(client: SmtpClient, sink: Sink, hops: int, code: int) -> None:
    header = b"".join(b"Received: from here by there; id %d\r\n" % number for number in range(hops))
    reply = client.message("a@x.test", ["b@corp.test"], header + b"\r\nReceived: in the body\r\n")
    assert reply.code == code
    if code == 554:
        assert str(reply) == "554 5.4.6 Hop count exceeded - possible mail loop"
        assert sink.nothing_arrived()


def test_size_limit(place: Place, sink: Sink, local: LocalRelayAt) -> None:
    place.write(max_message_size=1000)
    fits = b"." * 898 + b"\r\n" + b"x" * 98 + b"\r\n"
    local()
    with place.client() as client:
        assert "SIZE 1000" in client.hello().lines
        assert client.command("MAIL FROM:<> SIZE=1001").code == 552
        assert send(client, stuffed(fits)) == 250
        assert sink.message().body == fits
        assert refused(client, b"x" + fits) == "552 5.3.4 Message size exceeds fixed maximum message size"
        assert refused(client, (b"y" * 900 + b"\r\n") * 3000).startswith("552 5.3.4")
        assert sink.nothing_arrived()


def test_what_is_drained_after_the_limit_is_bounded(place: Place, sink: Sink, local: LocalRelayAt) -> None:
    place.write(max_message_size=1000)
    local(Limits(drain=50_000))
    with place.client() as client:
        client.hello()
        assert refused(client, b"x" * 40_000 + b"\r\n").startswith("552 5.3.4")
        client.command("MAIL FROM:<a@x.test>")
        client.command("RCPT TO:<b@corp.test>")
        client.command("DATA")
        client.send(b"x" * 60_000)
        assert client.reply().code == 421
        assert client.at_end()
    assert sink.nothing_arrived()


def test_memory_of_all_sessions_is_bounded(place: Place, sink: Sink, local: LocalRelayAt) -> None:
    relay = local(memory=Memory(limit=100_000))
    with place.client() as first, place.client() as second:
        for client in (first, second):
            client.hello()
            client.command("MAIL FROM:<a@x.test>")
            client.command("RCPT TO:<b@corp.test>")
            client.command("DATA")
        first.send(b"x" * 500 + b"\r\n")
        second.send((b"y" * 500 + b"\r\n") * 300 + b".\r\n")
        assert second.reply().code == 452
        first.send(b".\r\n")
        assert first.reply().code == 250
        assert relay.shared.memory.used == 0
        assert send(second, b"small again\r\n") == 250
    assert [sink.message().body for _message in range(2)] == [b"x" * 500 + b"\r\n", b"small again\r\n"]


# -- clients that vanish -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("content", [b"", b"half a message\r\n", b"half\r\n.", b"half\r\n.\r", b"x" * 100_000])
def test_client_that_vanishes_in_content_has_sent_nothing(
    place: Place, daemon: Daemon, sink: Sink, content: bytes, how: str
) -> None:
    client = place.client()
    client.hello()
    client.command("MAIL FROM:<a@x.test>")
    client.command("RCPT TO:<b@corp.test>")
    client.command("DATA")
    client.send(content)
    getattr(client, how)()
    logged = daemon.event("message")
    assert logged["reply"] is None
    assert logged["id"] == daemon.log[-2]["id"]
    assert daemon.terminate() == 0
    assert "DATA" not in sink.commands
    assert sink.nothing_arrived()
