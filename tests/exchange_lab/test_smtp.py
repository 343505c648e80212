# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's servers answer over SMTP."""

from __future__ import annotations

import base64
import smtplib
import ssl
from pathlib import Path

import pytest
import trustme

from exchange_lab import smtp
from exchange_lab import state as lab
from exchange_lab.smtp_client import Client


@pytest.fixture
def whole() -> lab.Data:
    found = lab.mailbox()
    relay: lab.Data = {"Bindings": ["0.0.0.0:25"], "TransportRole": "FrontendTransport"}
    found["connectors"] += [
        lab.connector(found, "Scanner", ["AnonymousUsers"], [lab.relay_ace()], RemoteIPRanges=["10.1.0.0/30"], **relay),
        lab.connector(
            found,
            "Trusted",
            ["ExchangeServers"],
            AuthMechanism=["Tls", "ExternalAuthoritative"],
            RemoteIPRanges=["10.2.0.1-10.2.0.9"],
            **relay,
        ),
        lab.connector(
            found,
            "Encrypted",
            ["AnonymousUsers"],
            [lab.relay_ace(), lab.ace("ANONYMOUS", "ms-Exch-SMTP-Submit", deny=True, inherited=True)],
            RequireTLS=True,
            RemoteIPRanges=["10.3.0.1"],
            **relay,
        ),
    ]
    return lab.state(found, accepted_domains=[lab.accepted_domain("corp.test", default=True, sub_domains=True)])


def test_the_connector_of_the_smallest_range_decides(whole: lab.Data, tmp_path: Path) -> None:
    lab.write(tmp_path / "state.json", whole)
    expected = {
        "10.1.0.3": "250 2.1.5",
        "10.1.0.4": "550 5.7.54",
        "10.2.0.9": "250 2.1.5",
        "203.0.113.1": "550 5.7.54",
        "2001:db8::1": "550 5.7.54",
    }
    with smtp.serving(tmp_path / "state.json") as port:
        for peer, reply in expected.items():
            with Client(port, peer, "fd00::1" if ":" in peer else "192.0.2.1") as client:
                assert client.send() == reply, peer
                assert client.send(recipient="v@sub.corp.test") == "250 2.1.5"
        with Client(port, "203.0.113.1", local_port=26) as client:
            assert client.greeting == smtp.NO_CONNECTOR
        with Client(port, "203.0.113.1", local_port=587) as client:
            assert client.send() == "530 5.7.1"


def test_tls_first(whole: lab.Data, tmp_path: Path) -> None:
    lab.write(tmp_path / "state.json", whole)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("lab.test").configure_cert(context)
    with smtp.serving(tmp_path / "state.json", context) as port, Client(port, "10.3.0.1") as client:
        assert client.send() == "530 5.7.0"
        client.start_tls(authority)
        assert client.send() == "250 2.1.5"


def test_a_change_bites_when_its_service_restarts(whole: lab.Data, tmp_path: Path) -> None:
    lab.write(tmp_path / "state.json", whole)
    with smtp.serving(tmp_path / "state.json") as port:
        whole["servers"][0]["connectors"][5]["properties"]["RemoteIPRanges"] = ["10.9.0.1"]
        for service, reply in (("", "550 5.7.54"), (lab.TRANSPORT, "550 5.7.54"), (lab.FRONTEND, "250 2.1.5")):
            if service:
                lab.restart(whole, service)
            lab.write(tmp_path / "state.json", whole)
            with Client(port, "10.9.0.1") as client:
                assert client.send() == reply, service
        whole["servers"][0]["services"][lab.FRONTEND]["state"] = "Stopped"
        lab.write(tmp_path / "state.json", whole)
        with Client(port, "10.9.0.1") as client:
            assert client.greeting == smtp.NO_CONNECTOR


def test_accounts_log_in_as_the_connector_lets_them(tmp_path: Path) -> None:
    """smtplib as the client, which knows nothing of PROXY: every session comes from the one peer."""
    accounts = {"alice": {"password": "s3cret", "addresses": ["alice@corp.test"]}}
    lab.write(tmp_path / "state.json", lab.state(lab.mailbox() | {"ipv6": False}, accounts=accounts))
    authority = trustme.CA()
    context, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(trust)
    for port, codes in {"587": (235, 250), "25": (504, 504)}.items():
        line = f"PROXY TCP4 203.0.113.1 192.0.2.1 40000 {port}"
        with smtp.serving(tmp_path / "state.json", context, line) as local, smtplib.SMTP("127.0.0.1", local) as client:
            client.ehlo()
            assert not client.has_extn("auth")
            client.starttls(context=trust)
            client.ehlo()
            assert client.has_extn("auth") == (port == "587")
            assert client.docmd("AUTH", "PLAIN nonsense")[0] == (501 if port == "587" else 504)
            wrong = client.docmd("AUTH", "PLAIN " + base64.b64encode(b"\0alice\0wrong").decode())
            assert wrong[0] == (535 if port == "587" else 504)
            right = client.docmd("AUTH", "PLAIN " + base64.b64encode(b"\0alice\0s3cret").decode())
            assert right[0] == codes[0]
            if codes[0] == 235:
                assert client.mail("alice@corp.test")[0] == client.rcpt("v@outside.test")[0] == 250
                client.rset()
                assert client.mail("bob@corp.test")[0] == 550
    with smtp.serving(tmp_path / "state.json") as local, Client(local, "2001:db8::1", "fd00::1") as six:
        assert six.greeting == smtp.NO_CONNECTOR
