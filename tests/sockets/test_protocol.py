# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands, their order, what is announced, and what is logged."""

from __future__ import annotations

import pytest
from aiosmtpd.smtp import SMTP

from support.daemon import Daemon
from support.local_relay import LocalRelayAt
from support.place import Place
from support.sink import Sink
from support.smtp_client import SmtpClient


def test_ehlo_announces_what_is_done(shared_client: SmtpClient) -> None:
    assert shared_client.command("EHLO client.test").lines == [
        "relay.corp.test Hello [127.0.0.1]",
        "PIPELINING",
        "SIZE 37748736",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
    ]


def test_helo(shared_client: SmtpClient) -> None:
    assert str(shared_client.command("HELO client.test")) == "250 relay.corp.test Hello [127.0.0.1]"


@pytest.mark.parametrize(
    ("rule", "greeting", "name"),
    [
        ({}, "220 relay.corp.test ESMTP", "relay.corp.test"),
        ({"fqdn": "mx.corp.test"}, "220 mx.corp.test ESMTP", "mx.corp.test"),
        ({"banner": "220 hello  there"}, "220 hello  there", "relay.corp.test"),
        ({"banner": "220 quiet", "fqdn": "mx.corp.test"}, "220 quiet", "mx.corp.test"),
    ],
)
def test_greeting_and_names(
    place: Place, sink: Sink, local: LocalRelayAt, rule: dict[str, str], greeting: str, name: str
) -> None:
    place.write(**rule)
    local()
    with place.client() as client:
        assert str(client.reply()) == greeting
        assert client.command("EHLO client.test").lines[0] == f"{name} Hello [127.0.0.1]"
        assert client.message("a@x.test", ["b@corp.test"]).code == 250
    assert f"\r\n\tby {name} with ESMTP id ".encode() in sink.message().content
    assert sink.commands[0] == "EHLO relay.corp.test"


@pytest.mark.parametrize("argument", ["", " ", "a b", "a\0b", "a\rb", "\x1b[31m", "b\u00e4d", "a" * 256, "<script>"])
@pytest.mark.parametrize("verb", ["EHLO", "HELO"])
def test_junk_hello(shared_client: SmtpClient, verb: str, argument: str) -> None:
    assert str(shared_client.command(f"{verb} {argument}")) == "501 5.5.4 Invalid domain name"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["MAIL FROM:<a@x.test>"], "503 5.5.2 Send hello first"),
        (["RCPT TO:<a@x.test>"], "503 5.5.2 Send hello first"),
        (["DATA"], "503 5.5.2 Send hello first"),
        (["EHLO a b", "MAIL FROM:<a@x.test>"], "503 5.5.2 Send hello first"),
        (["EHLO a", "RCPT TO:<b@corp.test>"], "503 5.5.2 Need mail command"),
        (["EHLO a", "DATA"], "503 5.5.2 Need mail command"),
        (["EHLO a", "MAIL FROM:<>", "DATA"], "503 5.5.2 Need rcpt command"),
        (["EHLO a", "MAIL FROM:<>", "RCPT TO:<b@external.test>", "DATA"], "503 5.5.2 Need rcpt command"),
        (["EHLO a", "MAIL FROM:<>", "MAIL FROM:<>"], "503 5.5.2 Sender already specified"),
        (["EHLO a", "MAIL FROM:<>", "RSET", "RCPT TO:<b@corp.test>"], "503 5.5.2 Need mail command"),
        (["EHLO a", "MAIL FROM:<>", "EHLO a", "RCPT TO:<b@corp.test>"], "503 5.5.2 Need mail command"),
        (["EHLO a", "MAIL FROM:<>", "HELO a", "RCPT TO:<b@corp.test>"], "503 5.5.2 Need mail command"),
        (["EHLO a", "MAIL FROM:<>", "RSET", "MAIL FROM:<>"], "250 2.1.0 Sender OK"),
        (["EHLO a", "MAIL"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "MAIL TO:<a@x.test>"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "MAIL FROM:<>", "RCPT"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "MAIL FROM:<>", "RCPT FROM:<b@corp.test>"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "MAIL FROM:<>", "RCPT TO:<b@corp.test>", "DATA now"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "MAIL FROM:<> SIZE=37748736"], "250 2.1.0 Sender OK"),
        (["EHLO a", "MAIL FROM:<> SIZE=37748737"], "552 5.3.4 Message size exceeds fixed maximum message size"),
        (["EHLO a", "MAIL FROM:<> AUTH=<> BODY=8BITMIME SIZE=1"], "250 2.1.0 Sender OK"),
        (["HELO a", "mail from:<a@x.test>"], "250 2.1.0 Sender OK"),
        (["EHLO a", "MAIL FROM:<> SMTPUTF8"], "555 5.5.4 Unsupported parameter"),
        (["EHLO a", "MAIL FROM:<> RET=FULL"], "555 5.5.4 Unsupported parameter"),
        (["EHLO a", "MAIL FROM:<> SIZE=x"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "MAIL FROM:<>", "RCPT TO:<b@corp.test> NOTIFY=NEVER"], "555 5.5.4 Unsupported parameter"),
        (["EHLO a", "RSET"], "250 2.0.0 Resetting"),
        (["NOOP"], "250 2.0.0 OK"),
        (["NOOP ignored"], "250 2.0.0 OK"),
        (["VRFY root"], "252 2.1.5 Cannot VRFY user"),
        (["VRFY"], "252 2.1.5 Cannot VRFY user"),
        (["EXPN list"], "502 5.5.1 Command not implemented"),
        (["HELP"], "502 5.5.1 Command not implemented"),
        (["EHLO a", "STARTTLS"], "502 5.5.1 Command not implemented"),
        (["EHLO a", "AUTH LOGIN"], "504 5.7.4 Unrecognized authentication type"),
        (["BDAT 5 LAST"], "500 5.3.3 Unrecognized command"),
        (["b\0d"], "500 5.3.3 Unrecognized command"),
        ([""], "500 5.5.2 Syntax error"),
        (["B\u00c4D"], "500 5.5.2 Syntax error"),
        (["NOOP " + "x" * 508], "500 5.5.2 Line too long"),
        (["NOOP " + "x" * 5000], "500 5.5.2 Line too long"),
        (["QUIT"], "221 2.0.0 Service closing transmission channel"),
    ],
)
def test_dialogues(shared_place: Place, lines: list[str], expected: str) -> None:
    with shared_place.client() as client:
        client.reply()
        replies = [client.command(line) for line in lines]
        assert str(replies[-1]) == expected


def test_command_sizes_do_not_leak_from_one_session_to_another(place: Place, client: SmtpClient) -> None:
    """aiosmtpd keeps one table for all: cleared by every connection, grown by every EHLO."""
    auth = f"MAIL FROM:<a@x.test> AUTH={'x' * 480}"
    for _time in range(30):
        client.command("EHLO client.test")
    with place.client() as other:
        other.hello()
        assert other.command("MAIL FROM:<a@x.test> AUTH=" + "x" * 1090).code == 500
    assert client.command("NOOP " + "x" * 600).code == 500
    assert client.command(auth).code == 250
    assert dict(SMTP.command_size_limits) == {}


def test_quit_ends_the_session_and_what_follows_is_not_executed(client: SmtpClient, sink: Sink) -> None:
    client.send(b"QUIT\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@corp.test>\r\n")
    assert client.reply().code == 221
    assert client.at_end()
    assert sink.commands == []


def test_pipelining(client: SmtpClient, sink: Sink) -> None:
    """Two messages and QUIT; the replies come in order, and the command behind a message is not lost."""
    envelope = b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@corp.test>\r\nRCPT TO:<c@external.test>\r\nDATA\r\n"
    client.send(envelope)
    assert [client.reply().code for _command in range(4)] == [250, 250, 550, 354]
    client.send(b"one\r\n.\r\n" + envelope)
    assert [client.reply().code for _command in range(5)] == [250, 250, 250, 550, 354]
    client.send(b"two\r\n.\r\nQUIT\r\n")
    assert [client.reply().code for _command in range(2)] == [250, 221]
    assert [sink.message().body for _message in range(2)] == [b"one\r\n", b"two\r\n"]


def test_whole_dialogue_in_one_write(shared_place: Place) -> None:
    with shared_place.client() as client:
        client.send(
            b"EHLO a\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@corp.test>\r\nDATA\r\nhello\r\n.\r\nNOOP\r\nQUIT\r\n"
        )
        codes = [client.reply().code for _reply in range(8)]
        assert codes == [220, 250, 250, 250, 354, 250, 250, 221]
        assert client.at_end()


def test_at_most_200_recipients(client: SmtpClient, sink: Sink) -> None:
    client.command("MAIL FROM:<a@x.test>")
    client.send(b"".join(b"RCPT TO:<b%d@corp.test>\r\n" % number for number in range(201)))
    replies = [client.reply() for _recipient in range(201)]
    assert {reply.code for reply in replies[:200]} == {250}
    assert str(replies[200]) == "452 4.5.3 Too many recipients"
    assert client.data(b"x\r\n").code == 250
    assert len(sink.message().recipients) == 200


# -- the log -----------------------------------------------------------------------------------------------------------


def test_what_is_logged_about_a_message(daemon_client: SmtpClient, daemon: Daemon, sink: Sink) -> None:
    sink.answers["DOT"] = ["250 2.0.0 queued as 42"]
    reply = daemon_client.message("a@x.test", ["b@corp.test"], b"12345678\r\n")
    accepted, message = daemon.event("recipient_accepted"), daemon.event("message")
    assert accepted["id"] == message["id"]
    assert message["id"] in reply.text
    assert {
        "connector": "Default relay",
        "peer": "127.0.0.1",
        "sender": "a@x.test",
        "recipients": ["b@corp.test"],
        "size": 10,
        "next_hop": sink.route,
        "upstream": "250 2.0.0 queued as 42",
    }.items() <= message.items()


def test_refusals_are_logged(daemon_client: SmtpClient, daemon: Daemon) -> None:
    daemon_client.command("MAIL FROM:<a@[1.2.3.4]>")
    assert daemon.event("sender_refused")["sender"] == "<a@[1.2.3.4]>"
    daemon_client.command("MAIL FROM:<>")
    daemon_client.command("RCPT TO:<b@external.test>")
    assert daemon.event("recipient_refused")["recipient"] == "<b@external.test>"


def test_client_cannot_forge_a_log_line(daemon_client: SmtpClient, daemon: Daemon) -> None:
    """Every line of the log must parse (support.daemon does), and none is what the client wanted."""
    forged = 'x\r{"event": "forged"}\u2028{"event": "forged"}'
    daemon_client.command(f"MAIL FROM:<{forged}")
    daemon_client.command(b"MAIL FROM:<\xff\x1b[31m\0")
    daemon_client.command("MAIL FROM:<>")
    daemon_client.command(f"RCPT TO:{forged}")
    daemon_client.command(f"EHLO {forged}")
    daemon_client.command(f"{forged} {forged}")
    assert daemon.terminate() == 0
    assert daemon.everybody_gone()
    events = [line["event"] for line in daemon.log]
    assert events == ["start", "sender_refused", "sender_refused", "recipient_refused", "stopping", "stop"]
    assert daemon.log[1]["sender"] == f"<{forged}"


def test_next_hop_cannot_forge_a_log_line(daemon_client: SmtpClient, daemon: Daemon, sink: Sink) -> None:
    sink.answers["RCPT"] = ['550 no\r{"event": "forged"}\x1b[31m']
    daemon_client.command("MAIL FROM:<>")
    assert daemon_client.command("RCPT TO:<b@corp.test>").text == '5.0.0 no?{"event": "forged"}?[31m'
    assert daemon.event("recipient_refused")["reply"] == '550 5.0.0 no?{"event": "forged"}?[31m'
