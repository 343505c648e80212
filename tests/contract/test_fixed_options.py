# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the aiosmtpd backend says it always does is what the daemon does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.options import FIXED
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.store import write_store
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.certificates import client_context, issue
from support.daemon import running
from support.modules import write_settings
from support.net import free_port
from support.sink import Sink, running_sink
from support.smtp_client import SmtpClient

KEYWORDS = {
    "PIPELINING": "pipelining_enabled",
    "8BITMIME": "eight_bit_mime_enabled",
    "ENHANCEDSTATUSCODES": "enhanced_status_codes_enabled",
    "CHUNKING": "chunking_enabled",
    "BINARYMIME": "binary_mime_enabled",
    "DSN": "delivery_status_notification_enabled",
    "XLONGADDR": "long_addresses_enabled",
    "XORAR": "orar_enabled",
    "SMTPUTF8": "smtp_utf8_enabled",
}


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[int]:
    """Of a daemon with TLS, AUTH and a next hop."""
    directory = tmp_path_factory.mktemp("relay")
    pem = str(directory / "relay.pem")
    issue(Path(pem))
    port = free_port("127.0.0.1")
    connector = {
        "name": "A",
        "bindings": [f"127.0.0.1:{port}"],
        "remote_ip_ranges": ["127.0.0.0/8"],
        "permission_groups": ["AnonymousUsers", "ExchangeUsers"],
        "auth_mechanism": ["Tls", "BasicAuth"],
        "tls_certificate_file": pem,
        "tls_key_file": pem,
        "max_protocol_errors": "Unlimited",
    }
    domains = [{"name": name, "next_hop": sink.route} for name in ("corp.test", "single")]
    write_settings(directory, smarthost=sink.route)
    write_store(str(directory), merge(State(), Options(connectors=[connector], accepted_domains=domains)))
    with running(directory):
        yield port


@pytest.fixture
def client(port: int) -> Iterator[SmtpClient]:
    with SmtpClient("127.0.0.1", port) as client:
        assert client.reply().code == 220
        yield client


def test_ehlo_before_and_after_tls(client: SmtpClient) -> None:
    lines = client.command("EHLO client.test").lines[1:]
    assert client.start_tls(client_context()).code == 250
    for announced in (lines, client.command("EHLO client.test").lines[1:]):
        words = [line.split()[0] for line in announced]
        assert {word: word in words for word in KEYWORDS} == {word: FIXED[option] for word, option in KEYWORDS.items()}
        assert ("X-ANONYMOUSTLS" not in words) is FIXED["suppress_x_anonymous_tls"]
        (size,) = [line for line in announced if line.startswith("SIZE")]
        assert (FIXED["size_enabled"], len(size.split())) == ("Enabled", 2)
        mechanisms = next(line for line in announced if line.startswith("AUTH")).split()[1:]
        assert ("GSSAPI" in mechanisms) is FIXED["enable_auth_gssapi"]


def test_no_mail_without_a_name_at_hello(client: SmtpClient) -> None:
    assert FIXED["require_ehlo_domain"]
    assert client.command("EHLO").code == 501
    assert client.command("MAIL FROM:<a@x.test>").code == 503


def test_failed_logins(client: SmtpClient) -> None:
    client.command("EHLO client.test")
    codes = [client.plain("nobody", "wrong").code for _number in range(FIXED["max_logon_failures"])]
    assert set(codes) == {535}
    assert client.reply().code == 421
    assert client.at_end()


@pytest.mark.parametrize("more", [0, 1])
def test_hops(client: SmtpClient, more: int) -> None:
    client.command("EHLO client.test")
    trace = b"Received: from a by b\r\n" * (FIXED["max_hop_count"] + more)
    reply = client.message("a@x.test", ["v@corp.test"], trace + b"\r\ntext\r\n")
    assert reply.code == (554 if more else 250)


def test_our_own_hops_are_no_others(client: SmtpClient) -> None:
    assert FIXED["max_local_hop_count"] == 0
    client.command("EHLO client.test")
    trace = b"Received: from a by relay.corp.test\r\n" * 20
    assert client.message("a@x.test", ["v@corp.test"], trace + b"\r\ntext\r\n").code == 250


def test_bare_line_feeds_are_taken(client: SmtpClient) -> None:
    assert not FIXED["bare_linefeed_rejection_enabled"]
    client.command("EHLO client.test")
    assert client.message("a@x.test", ["v@corp.test"], b"Subject: x\n\ntext\r\n").code == 250


@pytest.mark.parametrize(
    ("option", "recipient"),
    [
        ("reject_reserved_top_level_recipient_domains", "v@corp.test"),
        ("reject_single_label_recipient_domains", "v@single"),
    ],
)
def test_recipients_that_exchange_could_refuse(client: SmtpClient, option: str, recipient: str) -> None:
    assert not FIXED[option]
    client.command("EHLO client.test")
    client.command("MAIL FROM:<a@x.test>")
    assert client.command(f"RCPT TO:<{recipient}>").code == 250


def test_no_domain_is_added(client: SmtpClient) -> None:
    assert FIXED["default_domain"] == ""
    client.command("EHLO client.test")
    assert client.command("MAIL FROM:<a>").code == 550
