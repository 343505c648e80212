# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The other leg: what the next hop is told, and that its answers are the client's."""

from __future__ import annotations

import ssl

import pytest
import trustme

from support.local_relay import LocalRelayAt
from support.net import free_port, loopback
from support.place import Place
from support.sink import Answer, Drop, Hold, Sink
from support.smtp_client import SmtpClient

BROKEN = "451 4.4.2 The connection to the next hop broke"
NO_ANSWER = "451 4.4.1 The next hop does not answer"


def recipient(client: SmtpClient, mailbox: str = "b@corp.test") -> str:
    client.command("MAIL FROM:<a@x.test>")
    return str(client.command(f"RCPT TO:<{mailbox}>"))


def data(client: SmtpClient) -> str:
    return str(client.data(b"Subject: x\r\n\r\nhello\r\n"))


def test_the_dialogue(client: SmtpClient, sink: Sink) -> None:
    client.command("MAIL FROM:<a@x.test> SIZE=1234 BODY=8BITMIME AUTH=<>")
    assert sink.commands == []
    client.command("RCPT TO:<b@corp.test>")
    client.command("RCPT TO:<C@Corp.test>")
    client.data(b"x\r\n")
    assert sink.message().recipients == ["<b@corp.test>", "<C@Corp.test>"]
    assert sink.commands[:5] == [
        "EHLO relay.corp.test",
        "MAIL FROM:<a@x.test> SIZE=1234 BODY=8BITMIME",
        "RCPT TO:<b@corp.test>",
        "RCPT TO:<C@Corp.test>",
        "DATA",
    ]


def test_null_sender(client: SmtpClient, sink: Sink) -> None:
    assert client.message("", ["b@corp.test"]).code == 250
    assert sink.message().sender == "<>"


def test_extensions_that_are_not_offered_are_not_used(client: SmtpClient, sink: Sink) -> None:
    sink.extensions = []
    client.command("MAIL FROM:<a@x.test> SIZE=1234 BODY=8BITMIME")
    client.command("RCPT TO:<b@corp.test>")
    assert sink.commands[1] == "MAIL FROM:<a@x.test>"
    assert str(client.data(b"8-bit \xff\r\n")) == "554 5.6.3 The next hop takes no 8-bit content"
    assert client.message("a@x.test", ["b@corp.test"], b"7-bit\r\n").code == 250
    assert sink.message().body == b"7-bit\r\n"
    assert sink.nothing_arrived()


def test_next_hop_without_ehlo(client: SmtpClient, sink: Sink) -> None:
    sink.answers["EHLO"] = ["500 what?"]
    assert client.message("a@x.test", ["b@corp.test"], b"7-bit\r\n").code == 250
    assert sink.commands[:3] == ["EHLO relay.corp.test", "HELO relay.corp.test", "MAIL FROM:<a@x.test>"]


# -- answers -----------------------------------------------------------------------------------------------------------

PASSED_ON = [
    ("550 5.1.1 No such user here", "550 5.1.1 No such user here"),
    ("550 No such user here", "550 5.0.0 No such user here"),
    ("550-5.7.1 two\r\n550 5.7.1 lines", "550 5.7.1 two\n5.7.1 lines"),
    ("450 4.2.0 Greylisted", "450 4.2.0 Greylisted"),
    ("452 4.2.2 Mailbox full", "452 4.2.2 Mailbox full"),
    ("550 5.1.1 \xfcml\x1b[31m", "550 5.1.1 ?ml?[31m"),
    ("421 4.3.2 going down", BROKEN),
    ("354 what", BROKEN),
    ("999 what", BROKEN),
    ("what?", BROKEN),
    (Drop, BROKEN),
]


@pytest.mark.parametrize(("answer", "expected"), PASSED_ON)
def test_answer_to_the_recipient(client: SmtpClient, sink: Sink, answer: Answer, expected: str) -> None:
    sink.answers["RCPT"] = [answer]
    assert recipient(client) == expected
    assert str(client.command("DATA")) == "503 5.5.2 Need rcpt command"
    client.command("RSET")
    assert client.message("a@x.test", ["b@corp.test"]).code == 250
    assert len(sink.message().recipients) == 1
    assert sink.nothing_arrived()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answer, expected.replace(BROKEN, NO_ANSWER))
        for answer, expected in [*PASSED_ON, ("530 5.7.1 who are you", "530 5.7.1 who are you")]
    ],
)
def test_answer_to_the_sender_is_given_to_every_recipient(
    client: SmtpClient, sink: Sink, answer: Answer, expected: str
) -> None:
    sink.answers["MAIL"] = [answer]
    assert recipient(client) == expected
    assert str(client.command("RCPT TO:<c@corp.test>")) == expected
    assert sink.connections == 1
    assert client.command("DATA").code == 503


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO"])
@pytest.mark.parametrize("answer", ["421 4.3.2 busy", "554 5.7.1 go away", "what?", Drop])
def test_next_hop_that_does_not_talk_to_us(client: SmtpClient, sink: Sink, stage: str, answer: Answer) -> None:
    sink.answers[stage] = [answer]
    sink.answers["HELO"] = ["554 5.7.1 go away"]
    assert recipient(client) == NO_ANSWER
    assert client.command("DATA").code == 503


def test_nobody_listens(place: Place, local: LocalRelayAt) -> None:
    place.write(smarthost=f"{loopback()}:{free_port('127.0.0.1')}")
    local()
    with place.client() as client:
        client.hello()
        assert recipient(client, "b@smart.test") == NO_ANSWER


DATA_ANSWERS = [
    ("554 5.6.0 content refused", "554 5.6.0 content refused"),
    ("552-5.3.4 too\r\n552 5.3.4 big", "552 5.3.4 too\n5.3.4 big"),
    ("452 4.3.1 disk full", "451 4.3.1 disk full"),
    ("450 later", "451 4.0.0 later"),
    ("421 4.3.2 going down", BROKEN),
    ("what?", BROKEN),
    (Drop, BROKEN),
]


@pytest.mark.parametrize(
    ("stage", "answer", "expected"),
    [
        *(("DATA", *case) for case in DATA_ANSWERS),
        ("DATA", "250 what?", BROKEN),
        *(("DOT", *case) for case in DATA_ANSWERS),
        ("DOT", "354 again?", BROKEN),
        ("MIDDLE", Drop, BROKEN),
    ],
)
def test_answer_to_the_content(client: SmtpClient, sink: Sink, stage: str, answer: Answer, expected: str) -> None:
    sink.answers[stage] = [answer]
    assert recipient(client) == "250 2.1.5 Recipient OK"
    assert data(client) == expected
    assert client.command("NOOP").code == 250
    assert sink.nothing_arrived()


@pytest.mark.parametrize("answer", ["250 2.0.0 yes", "250-two\r\n250 lines", "251 2.0.0 also", "200 odd"])
def test_every_2xx_to_the_content_is_yes(client: SmtpClient, sink: Sink, answer: str) -> None:
    sink.answers["DOT"] = [answer]
    assert recipient(client) == "250 2.1.5 Recipient OK"
    reply = client.data(b"x\r\n")
    assert reply.code == 250
    assert reply.text.startswith("2.6.0 ")


BIG = (b"x" * 900 + b"\r\n") * 10_000


def test_next_hop_that_refuses_and_hangs_up_in_the_middle(client: SmtpClient, sink: Sink) -> None:
    """Whether its words survive its hanging up is up to TCP; a yes must not come out of it."""
    sink.answers["MIDDLE"] = ["552 5.3.4 too big"]
    assert recipient(client) == "250 2.1.5 Recipient OK"
    assert str(client.data(BIG)) in ("552 5.3.4 too big", BROKEN)


def test_a_yes_in_the_middle_of_the_content_is_none(client: SmtpClient, sink: Sink) -> None:
    sink.answers["MIDDLE"] = ["250 2.0.0 yes yes"]
    assert recipient(client) == "250 2.1.5 Recipient OK"
    assert str(client.data(BIG)) == BROKEN


def test_only_recipients_that_the_next_hop_took_count(client: SmtpClient, sink: Sink) -> None:
    sink.answers["RCPT <b@corp.test>"] = ["550 5.1.1 No such user"]
    assert recipient(client) == "550 5.1.1 No such user"
    assert client.command("RCPT TO:<c@corp.test>").code == 250
    assert client.data(b"x\r\n").code == 250
    assert sink.message().recipients == ["<c@corp.test>"]


def test_connection_that_breaks_between_two_recipients(client: SmtpClient, sink: Sink) -> None:
    sink.answers["RCPT <c@corp.test>"] = [Drop]
    assert recipient(client) == "250 2.1.5 Recipient OK"
    assert str(client.command("RCPT TO:<c@corp.test>")) == BROKEN
    assert str(client.command("RCPT TO:<d@corp.test>")) == BROKEN
    assert str(client.data(b"8-bit \xff\r\n")) == BROKEN
    assert sink.connections == 1
    assert sink.nothing_arrived()


# -- routes ------------------------------------------------------------------------------------------------------------


def test_recipient_of_another_route_must_wait(client: SmtpClient, sink: Sink, other_sink: Sink) -> None:
    assert recipient(client) == "250 2.1.5 Recipient OK"
    assert client.command("RCPT TO:<c@other.test>").code == 452
    assert client.command("RCPT TO:<d@smart.test>").code == 451
    assert client.command("RCPT TO:<e@corp.test>").code == 250
    assert client.data(b"x\r\n").code == 250
    assert sink.message().recipients == ["<b@corp.test>", "<e@corp.test>"]
    assert client.message("a@x.test", ["c@other.test"]).code == 250
    assert other_sink.message().recipients == ["<c@other.test>"]


def test_route_is_open_until_a_recipient_was_taken(client: SmtpClient, sink: Sink, other_sink: Sink) -> None:
    sink.answers["RCPT"] = ["550 5.1.1 No such user"]
    assert recipient(client) == "550 5.1.1 No such user"
    assert client.command("RCPT TO:<c@other.test>").code == 250
    assert client.data(b"x\r\n").code == 250
    assert other_sink.message().recipients == ["<c@other.test>"]


def test_smarthost(place: Place, other_sink: Sink, local: LocalRelayAt) -> None:
    place.write(smarthost=other_sink.route, anonymous_any_recipient=True)
    local()
    with place.client() as client:
        client.hello()
        assert client.message("a@x.test", ["b@smart.test", "c@external.test", "d@other.test"]).code == 250
        assert len(other_sink.message().recipients) == 3


def test_without_smarthost(client: SmtpClient) -> None:
    assert recipient(client, "b@smart.test") == "451 4.4.4 No next hop and no smarthost for this recipient"


@pytest.mark.parametrize("command", ["RSET", "EHLO client.test", "HELO client.test", "QUIT", None])
def test_end_of_a_transaction_lets_go_of_the_next_hop(client: SmtpClient, sink: Sink, command: str | None) -> None:
    recipient(client)
    if command is None:
        client.close()
    else:
        client.command(command)
    assert sink.ended.acquire(timeout=10)
    assert sink.commands[-1] == "QUIT"
    assert sink.nothing_arrived()


def test_client_that_vanishes_while_the_next_hop_thinks(client: SmtpClient, sink: Sink) -> None:
    hold = Hold("250 2.1.5 yes")
    sink.answers["RCPT"] = [hold]
    client.command("MAIL FROM:<a@x.test>")
    client.send(b"RCPT TO:<b@corp.test>\r\n")
    assert hold.reached.wait(10)
    client.close()
    hold.go.set()
    assert sink.ended.acquire(timeout=10)
    assert sink.nothing_arrived()


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls(sink: Sink) -> None:
    """The sink offers STARTTLS with a certificate that nobody trusts, for another name."""
    sink.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("unknown.test").configure_cert(sink.tls)


@pytest.mark.usefixtures("tls")
def test_starttls_where_it_is_offered(client: SmtpClient, sink: Sink) -> None:
    assert client.message("a@x.test", ["b@corp.test"], b"8-bit \xff\r\n").code == 250
    message = sink.message()
    assert message.tls
    assert message.body == b"8-bit \xff\r\n"
    assert sink.commands[:4] == ["EHLO relay.corp.test", "STARTTLS", "EHLO relay.corp.test", "MAIL FROM:<a@x.test>"]


@pytest.mark.usefixtures("tls")
@pytest.mark.parametrize("answer", ["454 4.7.0 no TLS today", "500 what?", "220 go\r\nthis is no TLS", Drop])
def test_starttls_that_fails_is_done_without(client: SmtpClient, sink: Sink, answer: Answer) -> None:
    sink.answers["STARTTLS"] = [answer]
    assert client.message("a@x.test", ["b@corp.test"]).code == 250
    assert not sink.message().tls
    assert sink.connections == 2
