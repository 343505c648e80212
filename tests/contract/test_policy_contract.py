# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules write, the daemon must read and act on as `decide` says: the two share a file, no code."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings

from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import Account
from ansible_collections.mailops.relay.plugins.module_utils._accounts.scram import make_hash
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.accounts import AccountsFile
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.store import write_store
from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import (
    Binding,
    format_address,
    parse_range,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHORITATIVE_SENDER,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.compile import Policy
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import (
    NO_CONNECTOR,
    Peer,
    Session,
    decide,
    rule_for,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.document import (
    parse_policy_document,
    policy_document,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from smtp_relayd import files, policy
from support import relay_files
from support.certificates import client_context, issue
from support.daemon import running
from support.decisions import DEVICE, DOMAINS, RECIPIENT_OK, RECIPIENTS, RULES, SENDER_OK, SENDERS
from support.modules import write_settings
from support.net import free_port
from support.scale import scaled
from support.sink import running_sink
from support.smtp_client import ClientReply, SmtpClient
from support.strategies import ACCOUNTS, BASE, SPAN, bundled, random_session, random_state, sessions, states

PASSWORD = "correct horse"
LIVE_POLICIES = 1000
LIVE_SESSIONS = 500
SESSIONS_OF_A_POLICY = 100
ENDINGS = {
    *("501 5.1.3", "504 5.7.4", "530 5.7.0", "530 5.7.1", "538 5.7.1"),
    *("550 5.1.7", "550 5.7.5", "550 5.7.6", "554 5.7.1"),
    *(f"250 2.1.5, tls {tls}, account {account}" for tls in (True, False) for account in (True, False)),
}


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
    refusal = refusal or policy.refuse_recipient(loaded, rule, session.recipient, session.sender[1:-1], session.account)
    return str(refusal or "250 2.1.5 Recipient OK")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(states(), sessions(40))
def test_the_daemon_reads_what_the_modules_write_and_decides_alike(
    tmp_path: Path, state: State, asked: list[Session]
) -> None:
    state = bundled(state)
    write_store(str(tmp_path), state)
    loaded, compiled = files.load_policy(tmp_path), state.policy
    for session in asked:
        assert ask_loaded(loaded, session) == decide(compiled, session).reply


ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, -2, 25, 65536, 1 << 31, 1 << 80, 1.0, "", [], {}, [None], ["x"]),
    *("*", "*.test", "Test", "corp.test.", "a" * 64 + ".test", "x" * 256, "1.2", "10", "s@corp.test", "S@corp.test"),
    *(
        "s" * 65 + "@corp.test",
        "s..s@corp.test",
        "@",
        "/",
        "/a",
        "a",
        "/\0",
        "220 x",
        "220 ",
        "250 x",
        "\udc80",
        "\xe9",
    ),
    *("10.0.0.1", "::1", "::ffff:1.2.3.4", "fe80::1%1", "010.0.0.1", " 10.0.0.1", "0:0::1", "never", "always"),
    *("10.0.0.1:25", "[::1]:25", "[10.0.0.1]:25", "h_t:25", "host:0", "host:65535", "host:65536", "[::1%1]:25", ":25"),
    *("Authoritative", "authoritative", ["10.0.0.1", "10.0.0.1", 0], ["corp.test"], ["*.corp.test", "v@x.test"]),
)


def edited(rng: random.Random, value: Any) -> Any:
    """With one value somewhere in it put, taken or doubled."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    if not keys or rng.random() < 0.1:
        return rng.choice(ODD_VALUES)
    key, copied = rng.choice(keys), copy.copy(value)
    how = rng.random()
    if how < 0.1:
        del copied[key]
    elif how < 0.2 and isinstance(copied, list):
        copied.insert(key, copied[key])
    elif how < 0.3 and isinstance(copied, list):
        copied.reverse()
    else:
        copied[key] = edited(rng, value[key])
    return copied


def test_the_modules_read_the_policies_that_the_daemon_takes_and_decide_alike(tmp_path: Path) -> None:
    taken = []
    for seed in range(scaled(1500)):
        rng = random.Random(seed)
        document = policy_document(bundled(random_state(rng)).policy)
        for _number in range(rng.choice((1, 1, 1, 2))):
            document = edited(rng, document)
        (tmp_path / "store.json").write_text(json.dumps(relay_files.store(document)))
        try:
            loaded = files.load_policy(tmp_path)
        except files.ConfigError:
            with pytest.raises(StoreError, match=r"^policy"):
                parse_policy_document(document, "policy")
            continue
        compiled = parse_policy_document(document, "policy")
        for session in (random_session(rng) for _number in range(20)):
            assert ask_loaded(loaded, session) == decide(compiled, session).reply, (seed, session)
        taken.append(seed)
    assert scaled(150) < len(taken) < scaled(1350)


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
    limits = {
        option: tuple(RULES[connector].get(option, ("*",))) for option in ("allowed_senders", "allowed_recipients")
    }
    made = Connector(
        connector,
        bindings=(Binding(4, 0, 25),),
        remote_ip_ranges=(parse_range("0.0.0.0/0", "x"),),
        permission_groups=("AnonymousUsers",),
        extended_rights=tuple(rights),
        **limits,
    )
    return State((made,), tuple(AcceptedDomain(name, kind) for name, kind in DOMAINS)).policy


@pytest.mark.parametrize("connector", RULES)
def test_decide_knows_the_table(connector: str) -> None:
    asked = [("<>", recipient, reply) for name, recipient, reply in RECIPIENTS if name == connector]
    for name, sender, reply in SENDERS:
        if name == connector:
            asked.append((sender, "<v@corp.test>", RECIPIENT_OK if reply == SENDER_OK else reply))
    asked += DEVICE if connector == "device" else []
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
        tuple(replace(item, next_hop=next_hop) for item in state.accepted_domains),
    )


def live_session(rng: random.Random, ports: dict[int, int], compiled: Policy) -> Session:
    """TLS only where the connector that takes the session offers it."""
    session = random_session(rng)
    local = Binding(4, BASE[4] + rng.choice((1, 2)), ports[session.local.port])
    session = replace(session, local=local, peer=Peer(4, BASE[4] + rng.randint(1, SPAN)))
    rule = rule_for(compiled, session.local, session.peer)
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


class Case(NamedTuple):
    """A policy for a daemon on this machine, and sessions with it."""

    state: State
    asked: list[Session]

    @property
    def endings(self) -> set[str]:
        return {ending(session, decide(self.state.policy, session).reply) for session in self.asked}


def ending(session: Session, reply: str) -> str:
    """The verdict, and of mail that is taken how it came."""
    how = f", tls {session.tls}, account {session.account is not None}" if reply.startswith("250") else ""
    return reply[:9] + how


def random_case(seed: int, ports: dict[int, int], next_hop: str, pem: str) -> Case:
    rng = random.Random(seed)
    state = live_state(bundled(random_state(rng)), ports, next_hop, pem)
    asked = [live_session(rng, ports, state.policy) for _number in range(SESSIONS_OF_A_POLICY)]
    return Case(state, [session for session in asked if session.local in dict(state.policy.bindings)])


def chosen(cases: Iterable[Case]) -> list[Case]:
    """Enough sessions, and every ending: after that only policies with one that is new."""
    found: list[Case] = []
    heard: set[str] = set()
    for case in cases:
        if case.asked and (case.endings - heard or sum(len(item.asked) for item in found) < LIVE_SESSIONS):
            found.append(case)
            heard |= case.endings
        if heard >= ENDINGS and sum(len(item.asked) for item in found) >= LIVE_SESSIONS:
            return found
    raise AssertionError(f"no session ends with {ENDINGS - heard}")


def test_the_running_daemon_agrees_with_decide(tmp_path: Path) -> None:
    ports = {port: free_port("127.0.0.1") for port in (25, 587)}
    pem = tmp_path / "relay.pem"
    issue(pem)
    heard = set()
    with running_sink() as sink:
        cases = chosen(random_case(seed, ports, sink.route, str(pem)) for seed in range(LIVE_POLICIES))
        for number, (state, asked) in enumerate(cases):
            directory = tmp_path / str(number)
            directory.mkdir()
            write_settings(directory, smarthost=sink.route)
            write_store(str(directory), state)
            write_accounts(directory)
            with running(directory):
                for session in asked:
                    reply = ask_live(session)
                    assert reply == decide(state.policy, session).reply, session
                    heard.add(ending(session, reply))
    assert heard >= ENDINGS
