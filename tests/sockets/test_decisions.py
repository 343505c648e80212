# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of the table "Decisions of a session", and every way to write an address that fooled a relay once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from support import relay_files
from support.daemon import running
from support.decisions import (
    BAD_SENDER,
    CANNOT_RELAY,
    DEVICE,
    DOMAINS,
    POSTMASTER,
    RECIPIENTS,
    RULES,
    SENDER_OK,
    SENDERS,
)
from support.net import free_port, loopback
from support.sink import Sink, running_sink
from support.smtp_client import SmtpClient

SCANNER_PEERS = ("127.0.0.2", "127.0.0.5")


class Relay(NamedTuple):
    address: str
    ports: dict[str, int]
    corp: Sink
    smarthost: Sink

    def client(self, connector: str, source: str = "") -> SmtpClient:
        return SmtpClient(self.address, self.ports[connector], source=source)

    def session(self, connector: str) -> SmtpClient:
        client = self.client(connector)
        client.hello()
        return client


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A daemon with one binding for each connector, and one on which only scanners are served."""
    directory, address = tmp_path_factory.mktemp("decisions"), loopback()
    ports = {name: free_port(address) for name in [*RULES, "only scanners", "nobody"]}
    ports["specific"] = free_port("0.0.0.0")  # it must be free on every address
    names = list(RULES)
    bindings = [
        relay_files.binding(address, ports[name], (*relay_files.ANYONE_V4, number)) for number, name in enumerate(names)
    ]
    bindings += [
        relay_files.binding(address, ports["only scanners"], (*SCANNER_PEERS, names.index("scanner"))),
        {"address": address, "port": ports["nobody"], "intervals": []},
        relay_files.binding(address, ports["specific"], (*relay_files.ANYONE_V4, names.index("scanner"))),
        relay_files.binding("0.0.0.0", ports["specific"], (*relay_files.ANYONE_V4, names.index("inbound"))),
    ]
    with running_sink() as corp, running_sink() as smarthost:
        domains = [relay_files.domain(name, corp.route, kind) for name, kind in DOMAINS]
        rules = [relay_files.rule(name, **rights) for name, rights in RULES.items()]
        policy = relay_files.policy(bindings, rules, domains, POSTMASTER)
        relay_files.write(directory, policy, smarthost=smarthost.route)
        with running(directory):
            yield Relay(address, ports, corp, smarthost)


# -- connect -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.6", "127.255.255.254"])
def test_peer_without_a_rule_is_greeted_with_554(relay: Relay, source: str) -> None:
    with relay.client("only scanners", source) as client:
        reply = client.reply()
        assert reply.code == 554
        assert reply.text.startswith("5.7.1 ")
        assert client.at_end()


@pytest.mark.parametrize("source", [*SCANNER_PEERS, "127.0.0.3"])
def test_peer_with_a_rule_is_greeted(relay: Relay, source: str) -> None:
    with relay.client("only scanners", source) as client:
        assert str(client.reply()) == "220 relay.corp.test ESMTP"


def test_no_intervals_means_nobody(relay: Relay) -> None:
    with relay.client("nobody") as client:
        assert client.reply().code == 554
        assert client.at_end()


def test_local_address_before_wildcard(relay: Relay) -> None:
    """One socket serves both: the local address of the session decides."""
    with relay.client("specific") as specific, SmtpClient("127.0.0.1", relay.ports["specific"]) as wildcard:
        for client, code in ((specific, 250), (wildcard, 550)):
            client.hello()
            client.command("MAIL FROM:<a@external.test>")
            assert client.command("RCPT TO:<b@external.test>").code == code


# -- MAIL --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("connector", "sender", "expected"), [*SENDERS, ("inbound", " <a@corp.test>", SENDER_OK)])
def test_mail(relay: Relay, connector: str, sender: str, expected: str) -> None:
    with relay.session(connector) as client:
        assert str(client.command(f"MAIL FROM:{sender}")) == expected


@pytest.mark.parametrize(
    "sender",
    [
        "<s@[IPv6:::1]>",
        "<s@127.0.0.1>",
        "s",
        "<s@external.test",
        "s@external.test>",
        "< s@external.test>",
        "<s@external.test >",
        "<>x",
        "<><>",
        '<"s"@external.test>',
        "<s(comment)@external.test>",
        "<s%external.test@corp.test>",
        "<external.test!s@corp.test>",
        "<s@external.test@corp.test>",
        "<s@external.test.>",
        "<.s@external.test>",
        "<s..s@external.test>",
        "<s@-external.test>",
        "<s@external_x.test>",
        "<s\\@external.test>",
        "<s@external.test>\0",
        "<s\0@external.test>",
        "<s@external.test\r>",
        "<s\u00e9@external.test>",
        "<s@ext\u00e9rnal.test>",
        "<" + "s" * 65 + "@external.test>",
    ],
)
def test_sender_that_is_no_address(relay: Relay, sender: str) -> None:
    with relay.session("scanner") as client:
        assert str(client.command(f"MAIL FROM:{sender}")) == BAD_SENDER


def test_sender_that_is_not_even_utf8(relay: Relay) -> None:
    with relay.session("scanner") as client:
        assert str(client.command(b"MAIL FROM:<s\xff@external.test>")) == BAD_SENDER


# -- RCPT --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("connector", "recipient", "expected"), RECIPIENTS)
def test_rcpt(relay: Relay, connector: str, recipient: str, expected: str) -> None:
    with relay.session(connector) as client:
        client.command("MAIL FROM:<>")
        assert str(client.command(f"RCPT TO:{recipient}")) == expected


@pytest.mark.parametrize(("sender", "recipient", "expected"), DEVICE)
def test_senders_of_a_device_are_judged_where_it_goes_beyond_accepted_domains(
    relay: Relay, sender: str, recipient: str, expected: str
) -> None:
    with relay.session("device") as client:
        assert str(client.command(f"MAIL FROM:{sender}")) == SENDER_OK
        assert str(client.command(f"RCPT TO:{recipient}")) == expected


def test_each_recipient_of_a_device_is_judged_with_the_sender(relay: Relay) -> None:
    with relay.session("device") as client:
        client.command("MAIL FROM:<s@foreign.test>")
        assert client.command("RCPT TO:<v@external.test>").code == 550
        assert client.command("RCPT TO:<v@corp.test>").code == 250
        assert client.data(b"one\r\n").code == 250
        message = relay.corp.message()
        assert (message.sender, message.recipients) == ("<s@foreign.test>", ["<v@corp.test>"])


def test_postmaster_goes_where_the_policy_says(relay: Relay) -> None:
    with relay.session("inbound") as client:
        assert client.message("", ["postmaster"]).code == 250
        message = relay.corp.message()
        assert (message.sender, message.recipients) == ("<>", [f"<{POSTMASTER}>"])


def test_every_recipient_is_judged_alone(relay: Relay) -> None:
    """P36"""
    with relay.session("inbound") as client:
        client.command("MAIL FROM:<s@external.test>")
        assert client.command("RCPT TO:<v@corp.test>").code == 250
        assert client.command("RCPT TO:<v@external.test>").code == 550
        assert client.data(b"one\r\n").code == 250
        assert relay.corp.message().recipients == ["<v@corp.test>"]


# X external, A accepted, H and I the relay's own name and address: relay.md 2.1, P05 to P35
PROBES = [
    "<v%X@[I]>",
    "<v%X@H>",
    '<"v@X">',
    '<"v%X">',
    "<v@X@[I]>",
    '<"v@X"@[I]>',
    "<v@X@H>",
    "<@[I]:v@X>",
    "<@H:v@X>",
    "<X!v>",
    "<X!v@[I]>",
    "<X!v@H>",
    "<v@[I]>",
    "<v@X>",
    "<v%X@A>",
    "<X!v@A>",
    "<v@X@A>",
    '<"v@X"@A>',
    '<"v%X"@A>',
    '<"X!v"@A>',
    "<@A:v@X>",
    "<@A,@H:v@X>",
    "<v%X>",
    "<v%X@localhost>",
    "<v@X@>",
    "<v@X.>",
    "<v@EXTERNAL.TEST>",
    "<v@A.X>",
    "<v@X.A>",
    "<v@[203.0.113.9]>",
    "<v@[IPv6:2001:db8::1]>",
    "<v@203.0.113.9>",
    "<@X>",
    '<""@X>',
    "<v@>",
    "<v\\@X@A>",
    "<v@X\\@A>",
    "<v@A><v@X>",
    "<v@A,v@X>",
    "<v@A X>",
    "<v@A>,<v@X>",
    "<v@A\0>",
    "<v@A\0@X>",
    "<v\0@A>",
    "<v@A\r>",
    "<v@A\rRCPT TO:<v@X>>",
    '<"v@X> ORCPT=x"@A>',
    "<v@A> NOTIFY=NEVER",
    "<v@A> ORCPT=rfc822;v@X",
    "v@X",
    "v@A",
    "<v@A",
    "v@A>",
    "<<v@A>>",
    "<v @A>",
    "<v(c)@A>",
    "<v@\u0391>",
    "<postmaster@X>",
    "<postmaster@>",
    "<postmaster%X>",
]
SENDERS = ["<>", "<s@X>", "<s@H>", "<s@A>", "<s@localhost>", "<v@X>"]


def filled(text: str, relay: Relay) -> str:
    values = {"X": "external.test", "A": "corp.test", "H": "relay.corp.test", "I": relay.address}
    return re.sub("(?<![A-Z])[XAHI](?![A-Z])", lambda letter: values[letter[0]], text)


@pytest.mark.parametrize("hello", ["EHLO corp.test", "HELO relay.corp.test", "EHLO [127.0.0.2]"])
@pytest.mark.parametrize("sender", SENDERS)
def test_open_relay_probes(relay: Relay, sender: str, hello: str) -> None:
    """From where only accepted domains may be sent to: every probe is refused for good, and nothing gets through."""
    before = relay.corp.connections, relay.smarthost.connections
    with relay.client("inbound") as client:
        client.reply()
        assert client.command(hello).code == 250
        for probe in PROBES:
            assert client.command(f"MAIL FROM:{filled(sender, relay)}").code == 250
            reply = client.command(f"RCPT TO:{filled(probe, relay)}")
            assert 500 <= reply.code < 600, (probe, reply)
            assert client.command("DATA").code == 503, probe
            assert client.command("RSET").code == 250
    assert (relay.corp.connections, relay.smarthost.connections) == before


def test_probes_that_are_no_address_get_501(relay: Relay) -> None:
    """Also where any recipient is allowed: an address is refused for what it is, not for where it leads."""
    plain = {"<v@X>", "<v@EXTERNAL.TEST>", "<v%X@localhost>", "<v@A.X>", "<v@X.A>", "<postmaster@X>"}
    with relay.session("scanner") as client:
        client.command("MAIL FROM:<s@external.test>")
        for probe in (probe for probe in PROBES if probe not in plain and not probe.startswith("<v@A> ")):
            assert str(client.command(f"RCPT TO:{filled(probe, relay)}")) == "501 5.1.3 Invalid address", probe


@pytest.mark.parametrize(
    "word", ["XCLIENT ADDR=127.0.0.2", "XFORWARD ADDR=127.0.0.2", "PROXY TCP4 127.0.0.2 1.2.3.4 1 25"]
)
def test_nobody_can_claim_another_address(relay: Relay, word: str) -> None:
    with relay.session("inbound") as client:
        assert client.command(word).code == 500
        client.command("MAIL FROM:<s@external.test>")
        assert client.command("RCPT TO:<v@external.test>").code == 550


def test_failed_auth_and_auth_parameter_grant_nothing(relay: Relay) -> None:
    with relay.session("inbound") as client:
        assert client.command("AUTH PLAIN AHUAcA==").code == 504
        assert client.command("MAIL FROM:<s@external.test> AUTH=admin@corp.test").code == 250
        assert str(client.command("RCPT TO:<v@external.test>")) == CANNOT_RELAY
