# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many connections, errors and recipients a connector takes, and for how long. Only the tarpit test waits."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from smtp_relayd.shared import Limits
from support import certificates, relay_files
from support.certificates import client_context
from support.local_relay import LocalRelayAt
from support.net import free_port
from support.place import Place
from support.sink import Hold, Sink
from support.smtp_client import SmtpClient

TOO_MANY = "421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel"
TOO_MANY_OF_SOURCE = TOO_MANY.replace("a limit", "a per-source limit")
TIMED_OUT = "421 4.4.1 Connection timed out"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors on this connection, closing transmission channel"


@contextlib.contextmanager
def sessions(place: Place, *sources: str) -> Iterator[list[SmtpClient]]:
    """Clients that were greeted."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(place.client(source=source)) for source in sources]
        for client in clients:
            assert client.reply().code == 220
        yield clients


def refusal(place: Place, source: str) -> str:
    with place.client(source=source) as client:
        reply = client.reply()
        assert client.at_end()
        return str(reply)


# -- connections -------------------------------------------------------------------------------------------------------


def test_connections_of_a_connector(place: Place, local: LocalRelayAt, capsys: pytest.CaptureFixture[str]) -> None:
    place.write(max_connections=2)
    local()
    with sessions(place, "127.0.0.1", "127.0.0.2") as (first, _second):
        assert refusal(place, "127.0.0.3") == TOO_MANY
        assert '"event": "connect_refused"' in capsys.readouterr().err
        assert first.command("QUIT").code == 221
        assert first.at_end()
        with sessions(place, "127.0.0.3"):
            assert refusal(place, "127.0.0.1") == TOO_MANY


def test_connections_of_a_source(place: Place, local: LocalRelayAt) -> None:
    place.write(max_connections=3, max_connections_per_source=2)
    local()
    with sessions(place, "127.0.0.1", "127.0.0.1") as (first, _second):
        assert refusal(place, "127.0.0.1") == TOO_MANY_OF_SOURCE
        with sessions(place, "127.0.0.2"):
            assert refusal(place, "127.0.0.1") == TOO_MANY
        first.reset()
        with sessions(place, "127.0.0.1"):
            pass


def test_connections_of_one_connector_do_not_count_for_another(place: Place, local: LocalRelayAt, sink: Sink) -> None:
    other = free_port(place.address)
    rules = [relay_files.rule("a", max_connections=1), relay_files.rule("b", max_connections=1)]
    anyone = relay_files.ANYONE_V4
    bindings = [relay_files.binding(place.address, place.port), relay_files.binding(place.address, other, (*anyone, 1))]
    relay_files.write(place.directory, relay_files.policy(bindings, rules))
    local()
    with sessions(place, "127.0.0.1"):
        assert refusal(place, "127.0.0.2") == TOO_MANY
        with SmtpClient(place.address, other) as client:
            assert client.reply().code == 220


def test_unlimited_connections(place: Place, local: LocalRelayAt) -> None:
    place.write(max_connections=-1, max_connections_per_source=-1)
    local()
    with sessions(place, *["127.0.0.1"] * 40):
        pass


def test_cap_of_the_whole_relay(place: Place, local: LocalRelayAt) -> None:
    local(Limits(sessions=2))
    with sessions(place, "127.0.0.1", "127.0.0.2"):
        assert refusal(place, "127.0.0.3").startswith("421 4.3.2 ")


def test_refused_over_implicit_tls_after_the_handshake(place: Place, local: LocalRelayAt) -> None:
    """Handshakes count from their beginning; a refused one takes no place."""
    pem = place.directory / "relay.pem"
    certificates.issue(pem)
    place.write(implicit_tls=True, certificate_file=str(pem), max_connections=1)
    local()
    with place.client() as first:
        for _time in range(3):
            with place.client() as refused:
                refused.secure(client_context())
                assert str(refused.reply()) == TOO_MANY
                assert refused.at_end()
        first.secure(client_context())
        assert first.hello().code == 250


# -- errors ------------------------------------------------------------------------------------------------------------

ERRORS = [
    ("x", 500),
    ("EHLO", 501),
    ("MAIL TO:<>", 501),
    ("HELP", 502),
    ("DATA", 503),
    ("AUTH PLAIN", 504),
    ("\u00e4", 500),
    ("NOOP " + "x" * 600, 500),
    ("", 500),
]


def test_errors_of_a_session(place: Place, local: LocalRelayAt) -> None:
    """As many as are allowed are answered as such, the next one with the end."""
    place.write(max_protocol_errors=len(ERRORS))
    local()
    with place.client() as client:
        client.hello()
        for line, code in ERRORS:
            assert client.command("NOOP").code == 250
            assert client.command(line).code == code
        client.send(b"x\r\nMAIL FROM:<>\r\n")
        assert str(client.reply()) == TOO_MANY_ERRORS
        assert client.at_end()


@pytest.mark.parametrize("line", [line for line, _code in ERRORS])
def test_no_error_is_allowed(place: Place, local: LocalRelayAt, line: str) -> None:
    place.write(max_protocol_errors=0)
    local()
    with place.client() as client:
        client.hello()
        assert str(client.command(line)) == TOO_MANY_ERRORS
        assert client.at_end()


def test_refusals_are_no_errors(place: Place, local: LocalRelayAt, sink: Sink) -> None:
    place.write(max_protocol_errors=0, anonymous_any_sender=False)
    local()
    with place.client() as client:
        client.hello()
        for line, code in [
            ("MAIL FROM:<a>", 550),
            ("MAIL FROM:<a@x.test>", 550),
            ("MAIL FROM:<>", 250),
            ("RCPT TO:<b@stranger.test>", 550),
            ("RCPT TO:<b>", 501),
            ("VRFY b", 252),
        ]:
            assert client.command(line).code == code
        assert client.command("RCPT TO:<b@corp.test>").code == 250
        assert client.data(b"x\r\n").code == 250


def test_unlimited_errors(place: Place, local: LocalRelayAt) -> None:
    """aiosmtpd's own limit of five does not hold."""
    local()
    with place.client() as client:
        client.hello()
        assert {client.command("GET / HTTP/1.1").code for _time in range(50)} == {500}
        assert client.command("NOOP").code == 250


# -- recipients --------------------------------------------------------------------------------------------------------


def test_recipients_of_a_message(place: Place, local: LocalRelayAt, sink: Sink) -> None:
    place.write(max_recipients=2)
    local()
    with place.client() as client:
        client.hello()
        for _message in range(2):
            client.command("MAIL FROM:<>")
            replies = [str(client.command(f"RCPT TO:<b{number}@corp.test>")) for number in range(4)]
            assert replies == ["250 2.1.5 Recipient OK"] * 2 + ["452 4.5.3 Too many recipients"] * 2
            assert client.data(b"x\r\n").code == 250
            assert len(sink.message().recipients) == 2


# -- time --------------------------------------------------------------------------------------------------------------


def test_the_seconds_of_the_rule_hold_where_tests_make_none_shorter() -> None:
    assert Limits().idle == Limits().connection == float("inf")


def test_inactivity_as_the_rule_says(place: Place, local: LocalRelayAt) -> None:
    place.write(inactivity_timeout=1)
    local()
    with place.client() as client:
        client.hello()
        assert str(client.reply()) == TIMED_OUT
        assert client.at_end()


def test_connection_as_the_rule_says(place: Place, local: LocalRelayAt) -> None:
    place.write(connection_timeout=1)
    local()
    with place.client() as client:
        client.hello()
        assert busy_until_the_end(client, b"NOOP\r\n", b"250 ") == TIMED_OUT


def busy_until_the_end(client: SmtpClient, line: bytes, expected: bytes) -> str:
    while True:
        client.send(line)
        reply = str(client.reply())
        if not reply.startswith(expected.decode()):
            return reply


def test_connection_timeout_while_content_comes_in(place: Place, local: LocalRelayAt, sink: Sink) -> None:
    local(Limits(connection=0.3, progress=0.01))
    with place.client() as client:
        client.hello()
        client.command("MAIL FROM:<>")
        client.command("RCPT TO:<b@corp.test>")
        client.command("DATA")
        client.socket.settimeout(0.02)
        answer = b""
        while not answer:
            client.send(b"slow\r\n")
            with contextlib.suppress(TimeoutError):
                answer = client.socket.recv(1000)
        assert answer.decode().strip() == TIMED_OUT
    assert sink.nothing_arrived()


@pytest.mark.parametrize("verdict", ["250 2.0.0 sink has it", "550 5.7.1 no"])
def test_complete_message_is_finished_before_the_connection_timeout(
    place: Place, local: LocalRelayAt, sink: Sink, verdict: str
) -> None:
    hold = Hold(verdict)
    sink.answers["DOT"] = [hold]
    local(Limits(connection=0.5, idle=0.5))
    with place.client() as client, place.client() as clock:
        client.hello()
        client.command("MAIL FROM:<>")
        client.command("RCPT TO:<b@corp.test>")
        client.command("DATA")
        client.send(b"x\r\n.\r\nNOOP\r\n")
        assert hold.reached.wait(10)
        clock.hello()
        assert str(clock.reply()) == TIMED_OUT
        hold.go.set()
        assert client.reply().code == int(verdict[:3])
        assert str(client.reply()) == TIMED_OUT
        assert client.at_end()


def test_connection_timeout_during_starttls_and_auth(place: Place, local: LocalRelayAt) -> None:
    pem = place.directory / "relay.pem"
    certificates.issue(pem)
    place.write(starttls=True, certificate_file=str(pem), auth="always")
    local(Limits(connection=0.3))
    with place.client() as handshake, place.client() as login:
        handshake.hello()
        assert handshake.command("STARTTLS").code == 220
        login.hello()
        assert login.command("AUTH LOGIN").code == 334
        assert handshake.at_end()
        assert str(login.reply()) == TIMED_OUT
        assert login.at_end()


def test_inactivity_within_auth(place: Place, local: LocalRelayAt) -> None:
    place.write(auth="always")
    local(Limits(idle=0.3))
    with place.client() as client:
        client.hello()
        assert client.command("AUTH LOGIN").code == 334
        assert str(client.reply()) == TIMED_OUT


# -- tarpit ------------------------------------------------------------------------------------------------------------


def test_tarpit(place: Place, local: LocalRelayAt, sink: Sink) -> None:
    """Before each 5xx of a session without AUTH, and nobody else waits."""
    place.write(tarpit_interval=1, auth="always")
    relay_files.write_accounts(place.directory, relay_files.account())
    local(Limits(idle=0.5))
    with place.client() as slow, place.client() as other:
        slow.hello()
        other.hello()
        began = time.monotonic()
        slow.send(b"RCPT TO:<b@corp.test>\r\n")
        assert other.message("a@x.test", ["b@corp.test"]).code == 250
        assert other.plain("alice", "s3cret").code == 235
        assert other.command("RCPT TO:<b@corp.test>").code == 503
        assert other.command("x").code == 500
        assert time.monotonic() - began < 1
        assert slow.reply().code == 503
        assert time.monotonic() - began >= 1
    assert sink.message().recipients == ["<b@corp.test>"]


def test_tarpit_also_before_what_aiosmtpd_says(place: Place, local: LocalRelayAt) -> None:
    place.write(tarpit_interval=1)
    local()
    for line in ("\u00e4", "x" * 20_000):
        with place.client() as client:
            client.hello()
            began = time.monotonic()
            assert client.command(line).code == 500
            assert time.monotonic() - began >= 1
