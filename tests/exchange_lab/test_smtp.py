# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's servers answer over SMTP."""

from __future__ import annotations

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
