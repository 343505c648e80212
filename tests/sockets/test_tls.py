# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""STARTTLS and TLS from the first octet on: what comes before it is void, and certificates are read again."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_relayd.shared import Limits
from support.certificates import client_context
from support.daemon import running
from support.local_relay import LocalRelayAt
from support.place import Place
from support.sink import Sink
from support.smtp_client import SmtpClient

TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"


@pytest.fixture
def starttls(place: Place, certificate: Path, local: LocalRelayAt) -> Place:
    place.write(starttls=True, certificate_file=str(certificate))
    local()
    return place


@pytest.fixture
def implicit(place: Place, certificate: Path, local: LocalRelayAt) -> Place:
    place.write(implicit_tls=True, certificate_file=str(certificate))
    local()
    return place


@pytest.fixture
def client(starttls: Place) -> Iterator[SmtpClient]:
    with starttls.client() as connected:
        connected.hello()
        yield connected


def secure_client(place: Place) -> SmtpClient:
    """After a handshake that comes first."""
    client = place.client()
    client.secure(client_context())
    return client


# -- STARTTLS ----------------------------------------------------------------------------------------------------------


def test_announced_until_it_is_in_use(client: SmtpClient) -> None:
    assert "STARTTLS" in client.command("EHLO a").lines
    assert client.command("HELO a").lines == ["relay.corp.test Hello [127.0.0.1]"]
    assert "STARTTLS" not in client.start_tls(client_context()).lines


def test_message_over_starttls(client: SmtpClient, sink: Sink) -> None:
    client.start_tls(client_context())
    assert client.message("a@x.test", ["b@corp.test"], b"x" * 900 + b"\r\n..\r\n").code == 250
    message = sink.message()
    assert message.body == b"x" * 900 + b"\r\n.\r\n"
    assert b" with ESMTPS id " in message.content
    assert client.command("HELO a").code == 250
    assert client.message("a@x.test", ["b@corp.test"]).code == 250
    assert b" with SMTP id " in sink.message().content
    assert client.command("QUIT").code == 221
    assert client.at_end()


def test_big_message_over_starttls(client: SmtpClient, sink: Sink) -> None:
    client.start_tls(client_context())
    content = (b"y" * 900 + b"\r\n") * 2_000
    assert client.message("a@x.test", ["b@corp.test"], content).code == 250
    assert sink.message().body == content


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["STARTTLS now"], "501 5.5.4 Invalid arguments"),
        (["starttls"], "220 2.0.0 Ready to start TLS"),
        (["MAIL FROM:<>", "STARTTLS"], "220 2.0.0 Ready to start TLS"),
    ],
)
def test_starttls_replies(client: SmtpClient, lines: list[str], expected: str) -> None:
    assert str([client.command(line) for line in lines][-1]) == expected


def test_starttls_before_ehlo(starttls: Place) -> None:
    with starttls.client() as client:
        client.reply()
        assert client.start_tls(client_context()).code == 250


def test_starttls_twice(client: SmtpClient) -> None:
    client.start_tls(client_context())
    assert str(client.command("STARTTLS")) == "503 5.5.2 TLS is in use already"
    assert client.command("NOOP").code == 250


def test_starttls_where_it_is_not_offered(place: Place, local: LocalRelayAt) -> None:
    local()
    with place.client() as client:
        assert "STARTTLS" not in client.hello().lines
        assert str(client.command("STARTTLS")) == "502 5.5.1 Command not implemented"


def test_what_was_said_before_is_void(client: SmtpClient) -> None:
    """RFC 3207, 4.2: hello and transaction."""
    client.command("MAIL FROM:<a@x.test>")
    client.command("RCPT TO:<b@corp.test>")
    assert client.command("STARTTLS").code == 220
    client.secure(client_context())
    for line in ("DATA", "RCPT TO:<b@corp.test>", "MAIL FROM:<a@x.test>"):
        assert str(client.command(line)) == "503 5.5.2 Send hello first"
    client.command("EHLO a")
    assert str(client.command("RCPT TO:<b@corp.test>")) == "503 5.5.2 Need mail command"


@pytest.mark.parametrize(
    "injected",
    [
        b"RSET\r\n",
        b"EHLO forged\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@corp.test>\r\nDATA\r\nforged\r\n.\r\n",
        b"NOOP",
        b"NOOP\r\n" * 10_000,
        b"x" * 50_000,
    ],
)
def test_nothing_sent_in_the_clear_behind_starttls_is_executed(client: SmtpClient, sink: Sink, injected: bytes) -> None:
    """CVE-2011-0411: one write, so that it is read in one piece. The handshake then works as if it had not been."""
    client.send(b"STARTTLS\r\n" + injected[:900])
    assert client.reply().code == 220
    client.secure(client_context())
    client.send(b"VRFY x\r\n")
    assert str(client.reply()).startswith("252 ")
    assert client.command("DATA").code == 503
    assert sink.connections == 0


def test_junk_behind_starttls_that_arrives_late_ends_the_session(client: SmtpClient, sink: Sink) -> None:
    client.send(b"STARTTLS\r\n")
    assert client.reply().code == 220
    client.send(b"EHLO forged\r\nMAIL FROM:<a@x.test>\r\n")
    assert client.at_end()
    assert sink.connections == 0


def test_handshake_and_hello_in_one_piece(starttls: Place) -> None:
    """What comes right behind the handshake is not thrown away with what came before it."""
    for _time in range(20):
        with starttls.client() as client:
            client.reply()
            assert client.start_tls(client_context(maximum_version=ssl.TLSVersion.TLSv1_3)).code == 250


def test_handshake_that_fails_ends_the_session_only(place: Place, certificate: Path) -> None:
    place.write(starttls=True, certificate_file=str(certificate))
    with running(place.directory) as daemon, place.client() as distrustful, place.client() as other:
        distrustful.hello()
        other.hello()
        assert distrustful.command("STARTTLS").code == 220
        with pytest.raises(ssl.SSLCertVerificationError):
            distrustful.secure(ssl.create_default_context())
        assert "UNKNOWN_CA" in daemon.event("tls_failed")["error"]
        assert other.message("a@x.test", ["b@corp.test"]).code == 250
        assert daemon.complaints() == []


def test_tls_1_2(starttls: Place) -> None:
    with starttls.client() as client:
        client.hello()
        context = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
        assert client.start_tls(context).code == 250
        assert isinstance(client.socket, ssl.SSLSocket)
        assert client.socket.version() == "TLSv1.2"


@pytest.mark.parametrize("gone", ["close", "reset"])
def test_client_that_goes_instead_of_the_handshake(starttls: Place, gone: str) -> None:
    for _time in range(3):
        client = starttls.client()
        client.hello()
        assert client.command("STARTTLS").code == 220
        getattr(client, gone)()
    with starttls.client() as other:
        assert other.hello().code == 250


def test_handshake_takes_30_seconds_at_most(place: Place, certificate: Path, local: LocalRelayAt) -> None:
    assert Limits().handshake == 30
    place.write(starttls=True, certificate_file=str(certificate), max_connections=1)
    local(Limits(handshake=0.2))
    with place.client() as client:
        client.hello()
        assert client.command("STARTTLS").code == 220
        assert client.at_end()
    with place.client() as next_one:
        assert next_one.hello().code == 250


# -- downgrade ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(place: Place, certificate: Path, local: LocalRelayAt) -> Place:
    place.write(starttls=True, require_tls=True, certificate_file=str(certificate), auth="after_tls")
    local()
    return place


@pytest.mark.parametrize(
    "line",
    ["MAIL FROM:<a@x.test>", "MAIL", "RCPT TO:<b@corp.test>", "DATA", "VRFY root", "AUTH PLAIN AGEAYg==", "AUTH"],
)
@pytest.mark.parametrize("hello", [[], ["HELO a"], ["EHLO a"]])
def test_require_tls_comes_before_everything_else(strict: Place, hello: list[str], line: str) -> None:
    with strict.client() as client:
        client.reply()
        for word in hello:
            assert client.command(word).code == 250
        assert str(client.command(line)) == TLS_FIRST
        assert str(client.command(line.lower())) == TLS_FIRST


@pytest.mark.parametrize(
    ("line", "code"), [("EHLO a", 250), ("HELO a", 250), ("NOOP", 250), ("RSET", 250), ("QUIT", 221), ("STARTTLS", 220)]
)
def test_require_tls_allows_what_harms_nobody(strict: Place, line: str, code: int) -> None:
    with strict.client() as client:
        client.reply()
        assert client.command(line).code == code


def test_require_tls_is_met_by_starttls(strict: Place, sink: Sink) -> None:
    with strict.client() as client:
        assert "AUTH PLAIN LOGIN" not in client.hello().lines
        assert str(client.command("MAIL FROM:<a@x.test>")) == TLS_FIRST
        assert "AUTH PLAIN LOGIN" in client.start_tls(client_context()).lines
        assert client.message("a@x.test", ["b@corp.test"]).code == 250
    assert b" with ESMTPS id " in sink.message().content


def test_require_tls_is_met_by_implicit_tls(place: Place, certificate: Path, local: LocalRelayAt) -> None:
    place.write(implicit_tls=True, require_tls=True, certificate_file=str(certificate))
    local()
    with secure_client(place) as client:
        client.hello()
        assert client.message("a@x.test", ["b@corp.test"]).code == 250


# -- TLS from the first octet on ---------------------------------------------------------------------------------------


def test_message_over_implicit_tls(implicit: Place, sink: Sink) -> None:
    with secure_client(implicit) as client:
        assert str(client.reply()) == "220 relay.corp.test ESMTP"
        assert "STARTTLS" not in client.command("EHLO a").lines
        assert client.message("a@x.test", ["b@corp.test"]).code == 250
        assert str(client.command("STARTTLS")) == "502 5.5.1 Command not implemented"
        assert client.command("QUIT").code == 221
        assert client.at_end()
    assert b" with ESMTPS id " in sink.message().content


def test_whole_dialogue_right_behind_the_handshake(implicit: Place, sink: Sink) -> None:
    with secure_client(implicit) as client:
        client.send(
            b"EHLO a\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@corp.test>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n",
        )
        assert [client.reply().code for _reply in range(7)] == [220, 250, 250, 250, 354, 250, 221]
        assert client.at_end()
    assert sink.message().body == b"hello\r\n"


def test_no_greeting_in_the_clear(place: Place, certificate: Path) -> None:
    """A client without TLS is answered by TLS, if at all."""
    place.write(implicit_tls=True, certificate_file=str(certificate))
    with running(place.directory) as daemon, place.client() as client:
        client.send(b"EHLO a\r\nMAIL FROM:<a@x.test>\r\n")
        assert client.at_end()
        assert daemon.event("tls_failed")["connector"] == "Default relay"
        assert daemon.complaints() == []


@pytest.mark.parametrize("gone", ["close", "reset"])
def test_client_that_goes_before_or_after_the_handshake(implicit: Place, gone: str) -> None:
    for _time in range(3):
        getattr(implicit.client(), gone)()
        getattr(secure_client(implicit), gone)()
        client = secure_client(implicit)
        client.hello()
        client.send(b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@corp.test>\r\n")
        getattr(client, gone)()
    with secure_client(implicit) as other:
        assert other.hello().code == 250


def test_silent_client_of_implicit_tls_is_cut_and_gives_its_place_free(
    place: Place, certificate: Path, local: LocalRelayAt
) -> None:
    place.write(implicit_tls=True, certificate_file=str(certificate), max_connections=1)
    relay = local(Limits(handshake=0.2))
    with place.client() as silent:
        assert silent.at_end()
    with secure_client(place) as client:
        assert client.hello().code == 250
    assert relay.complaints == []


def test_stop_during_the_handshake(place: Place, certificate: Path, local: LocalRelayAt) -> None:
    place.write(implicit_tls=True, certificate_file=str(certificate))
    relay = local()
    with place.client() as silent, secure_client(place) as client:
        client.hello()
        relay.begin_to_stop()
        assert str(client.reply()) == "421 4.3.2 Service shutting down"
        assert client.at_end()
        assert silent.at_end()
        assert relay.stopped()


def test_stop_during_starttls(starttls: Place, client: SmtpClient, local: LocalRelayAt) -> None:
    assert client.command("STARTTLS").code == 220
    # the fixture stops the relay, and complains if it does not
