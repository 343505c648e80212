# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was written, once the services have started again: `decide` on what reads back and the lab's SMTP, which the
naive oracle decides, give the same answers."""

from __future__ import annotations

import base64
import ipaddress
import random
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import RIGHTS, group_entries
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session, decide
from exchange_lab import smtp
from exchange_lab import state as lab
from exchange_lab.direct import Direct, direct
from exchange_lab.smtp_client import Client
from exchange_lab.test_changes import surface
from exchange_lab.varied import MECHANISMS, NAMES
from support.scale import scaled
from support.strategies import ACCOUNTS, RECIPIENTS, SENDERS, pick

pytestmark = pytest.mark.timeout(1800)
ANONYMOUS, AUTHENTICATED = "NT AUTHORITY\\ANONYMOUS LOGON", "NT AUTHORITY\\Authenticated Users"
PLACES = (("192.0.2.10", 25), ("192.0.2.11", 25), ("fd00::10", 25), ("192.0.2.10", 587), ("192.0.2.10", 2525))
ROUNDS = scaled(2)
SESSIONS = 100
CONNECTORS = 6


def entry(rng: random.Random, number: int) -> dict[str, Any]:
    """A connector of a task; ranges of one may lie inside those of another."""
    mechanisms = list(rng.choice(MECHANISMS))
    groups = [group for group in ("AnonymousUsers", "ExchangeUsers", "Partners") if rng.random() < 0.6]
    groups += ["ExchangeServers"] if "ExternalAuthoritative" in mechanisms else []
    granted = sorted(item for item in group_entries(groups) if item.principal in (ANONYMOUS, AUTHENTICATED))
    removed = rng.sample(granted, min(len(granted), rng.choice((0, 0, 1, 2))))
    rights = [(rng.choice((ANONYMOUS, AUTHENTICATED)), rng.choice(RIGHTS[:4])) for _number in range(rng.randint(0, 2))]
    extended = {
        (principal, right): {"principal": principal, "right": right, "deny": rng.random() < 0.2}
        for principal, right in rights
        if (principal, right) not in {(item.principal, item.right) for item in granted}
    }
    inside = [f"10.{number - 1}.0.{16 + number}"] if number else []
    return {
        "name": NAMES[number],
        "bindings": rng.choice((["0.0.0.0:25"], ["192.0.2.10:25"], ["0.0.0.0:25", "[fd00::10]:25"])),
        "remote_ip_ranges": [f"10.{number}.0.0/24", f"10.{number}.3.7-10.{number}.3.9", f"fd00:{number}::/64", *inside],
        "permission_groups": groups,
        "extended_rights": list(extended.values()),
        "removed_rights": [item._asdict() for item in removed],
        "auth_mechanism": mechanisms,
        "require_tls": "Tls" in mechanisms and rng.random() < 0.2,
        "enabled": rng.random() < 0.9,
    }


def session(rng: random.Random) -> Session:
    host, port = rng.choice(PLACES)
    number = rng.randrange(CONNECTORS)
    peers = ["10.{}.0.{}", "10.{}.3.{}", "203.0.{}.{}"] if ":" not in host else ["fd00:{}::{}", "2001:db8:{}::{}"]
    peer = ipaddress.ip_address(rng.choice(peers).format(number, rng.choice((0, 6, 7, 9, 10, *range(16, 23)))))
    local = ipaddress.ip_address(host)
    return Session(
        Binding(local.version, int(local), port),
        Peer(peer.version, int(peer)),
        pick(rng, SENDERS),
        pick(rng, RECIPIENTS),
        tls=rng.random() < 0.3,
        account=rng.choice(ACCOUNTS),
    )


def login(session: Session) -> str:
    return f"user{ACCOUNTS.index(session.account)}"


def answer(port: int, session: Session, authority: trustme.CA) -> str:
    """The reply that ends the session."""
    peer, local = (
        str(ipaddress.ip_address(item.to_bytes(4 if version == 4 else 16, "big")))
        for version, item in (
            (session.peer.version, session.peer.number),
            (session.local.version, session.local.address),
        )
    )
    with Client(port, peer, local, session.local.port) as client:
        if not client.greeting.startswith("220"):
            return client.greeting
        if session.tls:
            client.start_tls(authority)
        if session.account is not None:
            words = base64.b64encode(f"\0{login(session)}\0secret".encode()).decode()
            reply = client.command(f"AUTH PLAIN {words}")
            if not reply.startswith("235"):
                return reply
        reply = client.command(f"MAIL FROM:{session.sender}")
        return client.command(f"RCPT TO:{session.recipient}") if reply.startswith("250") else reply


@pytest.fixture(scope="module")
def engine(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with direct(pwsh, tmp_path_factory.mktemp("agreement"), lab.state(lab.mailbox())) as running:
        yield running


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_decide_and_smtp_agree_on_what_was_written(engine: Direct, seed: int) -> None:
    rng = random.Random(seed)
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("lab.test").configure_cert(tls)
    accounts = {
        f"user{number}": {"password": "secret", "addresses": sorted(addresses)}
        for number, addresses in enumerate(ACCOUNTS)
        if addresses is not None
    }
    domains = [lab.accepted_domain("corp.test", default=True, sub_domains=True)]
    domains += [lab.accepted_domain("partner.test", "ExternalRelay")]
    engine.use(lab.state(lab.mailbox(), domains=domains, accounts=accounts, **rng.choice(lab.VARIANTS)))
    for _change in range(2):  # to the first from nothing, to the second from the first
        wanted = [entry(rng, number) for number in range(CONNECTORS)]
        engine.connectors(*wanted, allow_open_relay=True, allow_inbound_loss=True)
    check_last = surface(lab.read(engine.state))
    assert not engine.connectors(*wanted, allow_open_relay=True, allow_inbound_loss=True)["changed"]
    engine.task("service")
    state = engine.backend().read().state
    assert state.policy.surface == check_last
    whole = {**lab.read(engine.state), "history": []}
    lab.write(engine.state, whole)
    replies = set()
    with smtp.serving(engine.state, tls) as port:
        for number in range(SESSIONS):
            asked = session(rng)
            decision = decide(state.policy, asked)
            said = answer(port, asked, authority)
            assert decision.reply.startswith(f"{said} "), (number, asked, decision)
            replies.add(said)
    assert len(replies) > 3
