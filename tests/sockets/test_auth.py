# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""AUTH: where it is offered, how it is spoken, what an account may do, and what nobody may learn from it."""

from __future__ import annotations

import itertools
import smtplib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from support import certificates, relay_files
from support.certificates import client_context
from support.daemon import running
from support.net import free_port, loopback
from support.sink import Sink, running_sink
from support.smtp_client import SmtpClient, b64

OFFER = "AUTH PLAIN LOGIN"
ACCEPTED = "235 2.7.0 Authentication successful"
FAILED = "535 5.7.3 Authentication unsuccessful"
NOT_OFFERED = "504 5.7.4 Unrecognized authentication type"
NEEDS_TLS = "538 5.7.11 Encryption required for requested authentication mechanism"
NOT_NOW = "503 5.5.1 Authentication is not possible now"
MALFORMED = "501 5.5.2 Cannot decode response"
CANCELLED = "501 5.7.0 Authentication cancelled"
CANNOT_SEND_AS = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
CANNOT_RELAY = "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"
SENDER_OK = "250 2.1.0 Sender OK"
RECIPIENT_OK = "250 2.1.5 Recipient OK"

SUBMISSION = {"auth": "after_tls", "anonymous_submit": False, "account_any_recipient": True}
RULES: dict[str, dict[str, Any]] = {
    "submission": {**SUBMISSION, "starttls": True},
    "smtps": {**SUBMISSION, "implicit_tls": True},
    "strict": {**SUBMISSION, "starttls": True, "require_tls": True},
    "inside": {**SUBMISSION, "starttls": True, "account_any_recipient": False},
    "clear": {**SUBMISSION, "auth": "always"},
    "mixed": {"auth": "always", "starttls": True, "anonymous_any_sender": False},
    "device": {
        "anonymous_any_recipient": True,
        "starttls": True,
        "allowed_senders": ["corp.test", "*.branch.test", "s@partner.test"],
        "allowed_recipients": ["outside.test", "v@friend.test"],
    },
}


# whose failures make nobody else wait
USERS = [f"user{number}" for number in range(60)]
_unused = itertools.cycle(USERS)


class Relay(NamedTuple):
    address: str
    ports: dict[str, int]
    corp: Sink
    smarthost: Sink

    def client(self, connector: str, source: str = "") -> SmtpClient:
        return SmtpClient(self.address, self.ports[connector], source=source)

    def session(self, connector: str, *, tls: bool = False, source: str = "") -> SmtpClient:
        """After EHLO, in the clear or encrypted; from an address that has not failed."""
        client = self.client(connector, source or loopback())
        if RULES[connector].get("implicit_tls"):
            client.secure(client_context())
            client.hello()
        else:
            client.hello()
            if tls:
                client.start_tls(client_context())
        return client


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A daemon with one binding for each connector."""
    directory, address = tmp_path_factory.mktemp("auth"), loopback()
    pem = directory / "relay.pem"
    certificates.issue(pem)
    ports = {name: free_port(address) for name in RULES}
    bindings = [
        relay_files.binding(address, ports[name], (*relay_files.ANYONE_V4, number)) for number, name in enumerate(RULES)
    ]
    with running_sink() as corp, running_sink() as smarthost:
        domains = [relay_files.domain(name, corp.route) for name in ("corp.test", "partner.test")]
        rules = [relay_files.rule(name, certificate_file=str(pem), **rule) for name, rule in RULES.items()]
        policy = relay_files.policy(bindings, rules, domains, "pm@corp.test")
        relay_files.write(directory, policy, smarthost=smarthost.route)
        relay_files.write_accounts(
            directory,
            relay_files.account(addresses=["alice@corp.test", "info@elsewhere.test"]),
            relay_files.account("bob", allow_nets=["127.1.0.0/16"]),
            relay_files.account("nobody", addresses=[]),
            relay_files.account("app", addresses=["*@corp.test"]),
            *(relay_files.account(name) for name in USERS),
        )
        with running(directory) as daemon:
            yield Relay(address, ports, corp, smarthost)
        assert daemon.complaints() == []


# -- offered, accepted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "tls", "offered", "expected"),
    [
        ("submission", False, False, NEEDS_TLS),
        ("submission", True, True, ACCEPTED),
        ("smtps", True, True, ACCEPTED),
        ("strict", False, False, "530 5.7.0 Must issue a STARTTLS command first"),
        ("strict", True, True, ACCEPTED),
        ("clear", False, True, ACCEPTED),
        ("mixed", False, True, ACCEPTED),
        ("mixed", True, True, ACCEPTED),
        ("device", False, False, NOT_OFFERED),
        ("device", True, False, NOT_OFFERED),
    ],
)
def test_offered_where_it_is_accepted(relay: Relay, connector: str, tls: bool, offered: bool, expected: str) -> None:
    with relay.session(connector, tls=tls) as client:
        assert (OFFER in client.command("EHLO a").lines) is offered
        assert not any(line.startswith("AUTH") for line in client.command("HELO a").lines)
        client.command("EHLO a")
        assert str(client.plain("alice", "s3cret")) == expected
        again = OFFER in client.command("EHLO a").lines
        assert again is (offered and expected != ACCEPTED)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["HELO a", "AUTH PLAIN"], "503 5.5.2 Send hello first"),
        (["EHLO a", "AUTH"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "AUTH PLAIN a b"], "501 5.5.4 Invalid arguments"),
        (["EHLO a", "AUTH CRAM-MD5"], NOT_OFFERED),
        (["EHLO a", "AUTH \u00c4"], NOT_OFFERED),
        (["EHLO a", "AUTH PLAIN !"], MALFORMED),
        (["EHLO a", "AUTH PLAIN", ""], MALFORMED),
        (["EHLO a", "AUTH PLAIN", "*"], CANCELLED),
        (["EHLO a", "AUTH LOGIN", "*"], CANCELLED),
        (["EHLO a", "AUTH LOGIN", b64("alice"), "*"], CANCELLED),
        (["EHLO a", "AUTH LOGIN", "QUIT"], FAILED),
        (["EHLO a", "AUTH PLAIN", "x" * 12_288], MALFORMED),
        (["EHLO a", "AUTH PLAIN", "x" * 12_289], "500 5.5.6 Authentication exchange line is too long"),
        (["EHLO a", "AUTH LOGIN", "x" * 100_000], "500 5.5.6 Authentication exchange line is too long"),
        (["EHLO a", "AUTH PLAIN " + "x" * 13_000], "500 5.5.2 Line too long"),
        (["EHLO a", "MAIL FROM:<>", "AUTH PLAIN"], NOT_NOW),
        (["EHLO a", "AUTH PLAIN " + b64("\0alice\0s3cret"), "AUTH PLAIN"], NOT_NOW),
        (["EHLO a", "AUTH PLAIN " + b64("\0alice\0s3cret"), "EHLO b", "AUTH PLAIN"], NOT_NOW),
    ],
)
def test_dialogues(relay: Relay, lines: list[str], expected: str) -> None:
    """After each the session is where it was."""
    with relay.client("mixed", loopback()) as client:
        client.reply()
        replies = [client.command(line) for line in lines]
        if lines[-1] == "QUIT":
            assert str(replies[-1]) == "334 UGFzc3dvcmQ6"
            replies.append(client.command(b64("x")))
        assert str(replies[-1]) == expected
        assert client.command("NOOP").code == 250


@pytest.mark.parametrize(
    ("lines", "challenges"),
    [
        (["AUTH PLAIN " + b64("\0alice\0s3cret")], []),
        (["auth plain " + b64("\0alice\0s3cret")], []),
        (["AUTH PLAIN", b64("\0alice\0s3cret")], ["334"]),
        (["AUTH Plain", b64("Alice\0ALICE\0s3cret")], ["334"]),
        (["AUTH LOGIN", b64("alice"), b64("s3cret")], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]),
        (["Auth Login " + b64("ALICE"), b64("s3cret")], ["334 UGFzc3dvcmQ6"]),
    ],
)
def test_ways_to_log_in(relay: Relay, lines: list[str], challenges: list[str]) -> None:
    with relay.session("clear") as client:
        replies = [str(client.command(line)).strip() for line in lines]
        assert replies == [*challenges, ACCEPTED]
        assert str(client.command("MAIL FROM:<alice@corp.test>")) == SENDER_OK


@pytest.mark.parametrize(
    ("name", "password", "act_as"),
    [
        ("USER", b"S3cret", ""),
        ("USER", b"", ""),
        ("USER", b"s3cret ", ""),
        ("USER", b"s3cret\xff", ""),
        ("USER", b"s3cret\r\n", ""),
        ("\xffUSER", b"s3cret", ""),
        ("USER ", b"s3cret", ""),
        ("USER@corp.test", b"s3cret", ""),
        ("carol", b"s3cret", ""),
        ("\u212a" * 100, b"s3cret", ""),
        ("bob", b"s3cret", ""),
        ("USER", b"s3cret", "bob"),
        ("USER", b"s3cret", "USER@corp.test"),
    ],
)
def test_one_reply_for_everything_that_is_wrong(relay: Relay, name: str, password: bytes, act_as: str) -> None:
    """bob may log in from 127.1.0.0/16 only."""
    user = next(_unused)
    name, act_as = name.replace("USER", user), act_as.replace("USER", user)
    with relay.session("submission", tls=True, source="127.2.0.1" if name == "bob" else "") as client:
        assert str(client.plain(name, password, act_as)) == FAILED
        assert OFFER in client.command("EHLO a").lines
        assert str(client.command(f"MAIL FROM:<{user}@corp.test>")) == "530 5.7.1 Client was not authenticated"


def test_network_of_an_account(relay: Relay) -> None:
    with relay.session("submission", tls=True, source="127.1.2.3") as client:
        assert str(client.plain("bob", "s3cret")) == ACCEPTED


def test_after_three_failures_the_session_ends(relay: Relay) -> None:
    """A cancelled or garbled exchange is none."""
    with relay.session("clear") as client:
        for _time in range(3):
            client.command("AUTH PLAIN")
            assert str(client.command("*")) == CANCELLED
            assert str(client.command("AUTH PLAIN !")) == MALFORMED
        for name in ("carol", "dave"):
            assert str(client.plain(name, "wrong")) == FAILED
        client.send(b"AUTH PLAIN " + b64("\0eve\0wrong").encode() + b"\r\nMAIL FROM:<a@x.test>\r\n")
        assert str(client.reply()) == FAILED
        assert str(client.reply()) == "421 4.7.0 Too many failed authentications"
        assert client.at_end()


def test_failed_and_cancelled_auth_grant_nothing(relay: Relay) -> None:
    """S02"""
    with relay.session("mixed") as client:
        client.plain(next(_unused), "wrong")
        client.command("AUTH PLAIN")
        client.command("*")
        assert str(client.command("MAIL FROM:<alice@corp.test> AUTH=alice@corp.test")) == CANNOT_SEND_AS
        client.command("MAIL FROM:<>")
        assert str(client.command("RCPT TO:<v@outside.test>")) == CANNOT_RELAY


def test_authentication_ends_where_tls_begins(relay: Relay) -> None:
    with relay.session("mixed") as client:
        assert client.plain("alice", "s3cret").code == 235
        assert OFFER in client.start_tls(client_context()).lines
        assert str(client.command("MAIL FROM:<alice@corp.test>")) == CANNOT_SEND_AS
        assert client.plain("alice", "s3cret").code == 235
        assert str(client.command("MAIL FROM:<alice@corp.test>")) == SENDER_OK


def test_auth_behind_starttls_in_one_write_is_not_executed(relay: Relay) -> None:
    with relay.session("submission") as client:
        client.send(b"STARTTLS\r\nEHLO a\r\nAUTH PLAIN " + b64("\0alice\0s3cret").encode() + b"\r\n")
        assert client.reply().code == 220
        client.secure(client_context())
        assert OFFER in client.command("EHLO a").lines
        assert str(client.command("MAIL FROM:<alice@corp.test>")) == "530 5.7.1 Client was not authenticated"


# -- what an account may do --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connector", ["submission", "smtps", "clear", "mixed"])
@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("<alice@corp.test>", SENDER_OK),
        ("<Alice@CORP.test>", SENDER_OK),
        ("<info@elsewhere.test>", SENDER_OK),
        ("<bob@corp.test>", CANNOT_SEND_AS),
        ("<alice@x.corp.test>", CANNOT_SEND_AS),
        ("<a@outside.test>", CANNOT_SEND_AS),
        ("<>", CANNOT_SEND_AS),
        ("<alice>", "550 5.1.7 Invalid address"),
        ("alice@corp.test", "550 5.1.7 Invalid address"),
    ],
)
def test_senders_of_an_account(relay: Relay, connector: str, sender: str, expected: str) -> None:
    with relay.session(connector, tls=connector == "submission") as client:
        client.plain("alice", "s3cret")
        assert str(client.command(f"MAIL FROM:{sender}")) == expected


@pytest.mark.parametrize(
    ("sender", "expected"),
    [("<Any.Body@corp.TEST>", SENDER_OK), ("<a@x.corp.test>", CANNOT_SEND_AS), ("<>", CANNOT_SEND_AS)],
)
def test_account_of_a_whole_domain(relay: Relay, sender: str, expected: str) -> None:
    with relay.session("clear") as client:
        assert str(client.plain("app", "s3cret")) == ACCEPTED
        assert str(client.command(f"MAIL FROM:{sender}")) == expected


def test_account_without_addresses_sends_nothing(relay: Relay) -> None:
    with relay.session("clear") as client:
        assert str(client.plain("nobody", "s3cret")) == ACCEPTED
        assert str(client.command("MAIL FROM:<nobody@corp.test>")) == CANNOT_SEND_AS


@pytest.mark.parametrize(
    ("connector", "recipient", "expected"),
    [
        ("submission", "<v@outside.test>", RECIPIENT_OK),
        ("submission", "<v@corp.test>", RECIPIENT_OK),
        ("submission", "<postmaster>", RECIPIENT_OK),
        ("submission", "<v%outside.test@corp.test>", "501 5.1.3 Invalid address"),
        ("inside", "<v@outside.test>", CANNOT_RELAY),
        ("inside", "<v@partner.test>", RECIPIENT_OK),
        ("mixed", "<v@outside.test>", CANNOT_RELAY),
    ],
)
def test_recipients_of_an_account(relay: Relay, connector: str, recipient: str, expected: str) -> None:
    with relay.session(connector, tls=True) as client:
        client.plain("alice", "s3cret")
        client.command("MAIL FROM:<alice@corp.test>")
        assert str(client.command(f"RCPT TO:{recipient}")) == expected


# -- devices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("<a@corp.test>", RECIPIENT_OK),
        ("<A@Corp.Test>", RECIPIENT_OK),
        ("<a@x.branch.test>", RECIPIENT_OK),
        ("<s@partner.test>", RECIPIENT_OK),
        ("<>", RECIPIENT_OK),
        ("<a@x.corp.test>", CANNOT_SEND_AS),
        ("<a@branch.test>", CANNOT_SEND_AS),
        ("<t@partner.test>", CANNOT_SEND_AS),
        ("<a@stranger.test>", CANNOT_SEND_AS),
    ],
)
@pytest.mark.parametrize("tls", [False, True])
def test_senders_of_a_device(relay: Relay, tls: bool, sender: str, expected: str) -> None:
    with relay.session("device", tls=tls) as client:
        assert str(client.command(f"MAIL FROM:{sender}")) == SENDER_OK
        assert str(client.command("RCPT TO:<v@corp.test>")) == RECIPIENT_OK
        assert str(client.command("RSET")).startswith("250 ")
        assert str(client.command(f"MAIL FROM:{sender}")) == SENDER_OK
        assert str(client.command("RCPT TO:<v@outside.test>")) == expected


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("<v@outside.test>", RECIPIENT_OK),
        ("<v@friend.test>", RECIPIENT_OK),
        ("<v@partner.test>", RECIPIENT_OK),
        ("<postmaster>", RECIPIENT_OK),
        ("<w@friend.test>", CANNOT_RELAY),
        ("<v@x.outside.test>", CANNOT_RELAY),
        ("<v@stranger.test>", CANNOT_RELAY),
    ],
)
def test_recipients_of_a_device(relay: Relay, recipient: str, expected: str) -> None:
    with relay.session("device") as client:
        client.command("MAIL FROM:<a@corp.test>")
        assert str(client.command(f"RCPT TO:{recipient}")) == expected


# -- real clients ------------------------------------------------------------------------------------------------------


def send(server: smtplib.SMTP, relay: Relay) -> bytes:
    """Log in, send, hang up; what arrived."""
    server.login("alice", "s3cret")
    server.sendmail("alice@corp.test", ["v@outside.test"], b"Subject: x\r\n\r\nhello\r\n")
    server.quit()
    message = relay.smarthost.message()
    assert (message.sender, message.recipients) == ("<alice@corp.test>", ["<v@outside.test>"])
    assert message.body == b"Subject: x\r\n\r\nhello\r\n"
    received = message.content.removesuffix(message.body)
    assert b"alice" not in received
    return received


def test_smtplib_with_starttls(relay: Relay) -> None:
    server = smtplib.SMTP(relay.address, relay.ports["submission"], timeout=15, source_address=(loopback(), 0))
    server.starttls(context=client_context(check_hostname=False))
    assert b" with ESMTPSA id " in send(server, relay)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_smtplib_with_implicit_tls(relay: Relay, mechanism: str) -> None:
    context, source = client_context(check_hostname=False), (loopback(), 0)
    server = smtplib.SMTP_SSL(relay.address, relay.ports["smtps"], timeout=15, context=context, source_address=source)
    server.ehlo()
    assert server.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
    server.esmtp_features["auth"] = mechanism
    assert b" with ESMTPSA id " in send(server, relay)


def test_smtplib_in_the_clear(relay: Relay) -> None:
    server = smtplib.SMTP(relay.address, relay.ports["clear"], timeout=15, source_address=(loopback(), 0))
    assert b" with ESMTPA id " in send(server, relay)


def test_smtplib_without_tls_is_refused(relay: Relay) -> None:
    with smtplib.SMTP(relay.address, relay.ports["submission"], timeout=15) as server:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            server.login("alice", "s3cret")
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            server.sendmail("alice@corp.test", ["v@outside.test"], b"x")
        assert caught.value.smtp_code == 530
