# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules write, the daemon must read and act on as `decide` says: the two share a file, no code."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import Account
from ansible_collections.mailops.relay.plugins.module_utils._accounts.scram import make_hash
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.accounts import AccountsFile
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.store import write_store
from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import (
    Binding,
    format_address,
    parse_range,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector, State
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHORITATIVE_SENDER,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.compile import Policy, compile_policy
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import (
    NO_CONNECTOR,
    Peer,
    Session,
    decide,
    select,
)
from smtp_relayd import files, policy
from support.certificates import client_context, issue
from support.daemon import running
from support.decisions import DOMAINS, RECIPIENT_OK, RECIPIENTS, RULES, SENDER_OK, SENDERS
from support.modules import write_settings
from support.net import free_port
from support.sink import running_sink
from support.smtp_client import ClientReply, SmtpClient
from support.strategies import ACCOUNTS, BASE, SPAN, random_session, sessions, states

PASSWORD = "correct horse"
LIVE_POLICIES = 12
LIVE_SESSIONS = 100
CODES = "250 2.1.5, 501 5.1.3, 504 5.7.4, 530 5.7.0, 530 5.7.1, 538 5.7.1, 550 5.1.7, 550 5.7.5, 550 5.7.6, 554 5.7.1"
VERDICTS = set(CODES.split(", "))


def ask_loaded(loaded: policy.Policy, session: Session) -> str:
    """The reply of the daemon's decision code, without sockets."""
    local = session.local
    peer = format_address(session.peer.version, session.peer.number)
    rule = loaded.rule_for(local.host, local.port, peer)
    if rule is None:
        return NO_CONNECTOR
    refusal = policy.refuse_before_tls(rule, is_encrypted=session.tls)
    if session.account is not None:
        refusal = refusal or policy.refuse_auth(rule, is_encrypted=session.tls)
    refusal = refusal or policy.refuse_sender(loaded, rule, session.sender, session.account)
    refusal = refusal or policy.refuse_recipient(loaded, rule, session.recipient, session.account)
    return str(refusal or "250 2.1.5 Recipient OK")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(states(), sessions(40))
def test_the_daemon_reads_what_the_modules_write_and_decides_alike(
    tmp_path: Path, state: State, asked: list[Session]
) -> None:
    write_store(str(tmp_path), state)
    loaded, compiled = files.load_policy(tmp_path), compile_policy(state)
    for session in asked:
        assert ask_loaded(loaded, session) == decide(compiled, session).reply


# how a connector says the rights of a rule of the table
MISSING = {
    "anonymous_submit": SUBMIT,
    "anonymous_any_sender": ANY_SENDER,
    "anonymous_authoritative_domain_sender": AUTHORITATIVE_SENDER,
}


def table_policy(connector: str) -> Policy:
    """The same rights as those of the rule, on port 25 for everybody."""
    rights = [ExtendedRight(ANONYMOUS, right, deny=True) for name, right in MISSING.items() if name in RULES[connector]]
    if "anonymous_any_recipient" in RULES[connector]:
        rights.append(ExtendedRight(ANONYMOUS, ANY_RECIPIENT))
    made = Connector(
        connector,
        bindings=(Binding(4, 0, 25),),
        remote_ip_ranges=(parse_range("0.0.0.0/0", "x"),),
        permission_groups=("AnonymousUsers",),
        extended_rights=tuple(rights),
    )
    return compile_policy(State((made,), tuple(AcceptedDomain(name, kind) for name, kind in DOMAINS)))


@pytest.mark.parametrize("connector", RULES)
def test_decide_knows_the_table(connector: str) -> None:
    asked = [("<>", recipient, reply) for name, recipient, reply in RECIPIENTS if name == connector]
    for name, sender, reply in SENDERS:
        if name == connector:
            asked.append((sender, "<v@corp.test>", RECIPIENT_OK if reply == SENDER_OK else reply))
    assert asked
    policy = table_policy(connector)
    for sender, recipient, reply in asked:
        session = Session(Binding(4, 1, 25), Peer(4, 1), sender, recipient)
        assert decide(policy, session).reply == reply, session


def live_connector(connector: Connector, ports: dict[int, int], pem: str) -> Connector:
    """The same on free ports and on specific IPv4 loopback addresses only, with a certificate that is there."""
    bindings = tuple(
        item._replace(port=ports[item.port]) for item in connector.bindings if item.version == 4 and item.address
    )
    return replace(connector, bindings=bindings, tls_certificate_file=pem, tls_key_file=pem)


def live_state(state: State, ports: dict[int, int], next_hop: str, pem: str) -> State:
    connectors = tuple(live_connector(item, ports, pem) for item in state.connectors)
    return State(
        tuple(item for item in connectors if item.bindings),
        tuple(replace(item, next_hop=next_hop) for item in state.domains),
    )


def live_session(rng: random.Random, ports: dict[int, int], compiled: Policy) -> Session:
    """TLS only where the connector that takes the session offers it."""
    session = random_session(rng)
    local = Binding(4, BASE[4] + rng.choice((1, 2)), ports[session.local.port])
    session = replace(session, local=local, peer=Peer(4, BASE[4] + rng.randint(1, SPAN)))
    rule = select(compiled, session.local, session.peer)
    return replace(session, tls=session.tls and rule is not None and rule.starttls)


def ask_live(session: Session) -> str:
    """The reply that ends the dialogue with the running daemon."""
    source = format_address(4, session.peer.number)
    with SmtpClient(session.local.host, session.local.port, source=source) as client:
        greeting = client.reply()
        if greeting.code != 220:
            assert client.at_end()
            return str(greeting)
        client.command("EHLO client.test")
        if session.tls:
            assert client.start_tls(client_context()).code == 250
        return str(converse(client, session))


def converse(client: SmtpClient, session: Session) -> ClientReply:
    if session.account is not None:
        login = client.plain(login_name(session.account), PASSWORD)
        if login.code != 235:
            return login
    sender = client.command(f"MAIL FROM:{session.sender}")
    return sender if sender.code != 250 else client.command(f"RCPT TO:{session.recipient}")


def login_name(addresses: frozenset[str]) -> str:
    return "-".join(sorted(addresses))


def write_accounts(directory: Path) -> None:
    hashed = make_hash(PASSWORD, iterations=4096)
    known = [addresses for addresses in ACCOUNTS if addresses is not None]
    accounts = [Account(login_name(addresses), hashed, tuple(sorted(addresses))) for addresses in known]
    AccountsFile(str(directory)).write(accounts)


def test_the_running_daemon_agrees_with_decide(tmp_path: Path) -> None:
    ports = {port: free_port("127.0.0.1") for port in (25, 587)}
    pem = tmp_path / "relay.pem"
    issue(pem)
    rng = random.Random(25)
    replies: list[tuple[Session, str]] = []

    @settings(max_examples=LIVE_POLICIES, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    @given(states().filter(lambda state: len(state.connectors) > 1))
    def compare(state: State) -> None:
        with running_sink() as sink:
            live = live_state(state, ports, sink.route, str(pem))
            compiled = compile_policy(live)
            directory = tmp_path / str(len(replies))
            directory.mkdir(exist_ok=True)
            write_settings(directory, smarthost=sink.route)
            write_store(str(directory), live)
            write_accounts(directory)
            asked = [live_session(rng, ports, compiled) for _number in range(LIVE_SESSIONS)]
            with running(directory):
                for session in asked:
                    if session.local in dict(compiled.bindings):
                        replies.append((session, ask_live(session)))
                        assert replies[-1][1] == decide(compiled, session).reply, session

    while len(replies) < 500:
        before = len(replies)
        compare()
        assert len(replies) > before, "the strategies make no sessions that anybody hears"
    assert {reply[:9] for _session, reply in replies} >= VERDICTS
    relayed = [session for session, reply in replies if reply.startswith("250")]
    assert {(session.tls, session.account is not None) for session in relayed} == {
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    }
