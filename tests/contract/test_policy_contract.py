# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules write, the daemon must read and act on as `decide` says: the two share a file, no code."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.store import write_store
from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding, format_address
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector, State
from ansible_collections.mailops.relay.plugins.module_utils._policy.compile import compile_policy
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import NO_CONNECTOR, Peer, Session, decide
from smtp_relayd import files, policy
from support.daemon import running
from support.modules import write_settings
from support.net import free_port
from support.sink import running_sink
from support.smtp_client import SmtpClient
from support.strategies import BASE, SPAN, random_session, sessions, states

LIVE_POLICIES = 12
LIVE_SESSIONS = 100
VERDICTS = {"250 2.1.5", "501 5.1.3", "530 5.7.1", "550 5.1.7", "550 5.7.5", "550 5.7.6", "554 5.7.1"}


def ask_loaded(loaded: policy.Policy, session: Session) -> str:
    """The reply of the daemon's decision code, without sockets."""
    local = session.local
    peer = format_address(session.peer.version, session.peer.number)
    rule = loaded.rule_for(local.host, local.port, peer)
    if rule is None:
        return NO_CONNECTOR
    refusal = policy.refuse_sender(loaded, rule, session.sender) or policy.refuse_recipient(
        loaded, rule, session.recipient
    )
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


def live_connector(connector: Connector, ports: dict[int, int]) -> Connector:
    """The same on free ports and on specific IPv4 loopback addresses only."""
    bindings = tuple(
        item._replace(port=ports[item.port]) for item in connector.bindings if item.version == 4 and item.address
    )
    return replace(connector, bindings=bindings)


def live_state(state: State, ports: dict[int, int], next_hop: str) -> State:
    connectors = tuple(live_connector(item, ports) for item in state.connectors)
    return State(
        tuple(item for item in connectors if item.bindings),
        tuple(replace(item, next_hop=next_hop) for item in state.domains),
    )


def ask_live(session: Session) -> str:
    """The reply that ends the dialogue with the running daemon."""
    source = format_address(4, session.peer.number)
    with SmtpClient(session.local.host, session.local.port, source=source) as client:
        greeting = client.reply()
        if greeting.code != 220:
            assert client.at_end()
            return str(greeting)
        client.command("EHLO client.test")
        sender = client.command(f"MAIL FROM:{session.sender}")
        return str(sender if sender.code != 250 else client.command(f"RCPT TO:{session.recipient}"))


def live_session(rng: random.Random, ports: dict[int, int]) -> Session:
    session = random_session(rng)
    local = Binding(4, BASE[4] + rng.choice((1, 2)), ports[session.local.port])
    return replace(session, local=local, peer=Peer(4, BASE[4] + rng.randint(1, SPAN)))


def test_the_running_daemon_agrees_with_decide(tmp_path: Path) -> None:
    ports = {port: free_port("127.0.0.1") for port in (25, 587)}
    rng = random.Random(25)
    replies: list[str] = []

    @settings(max_examples=LIVE_POLICIES, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    @given(states().filter(lambda state: len(state.connectors) > 1))
    def compare(state: State) -> None:
        with running_sink() as sink:
            live = live_state(state, ports, sink.route)
            compiled = compile_policy(live)
            directory = tmp_path / str(len(replies))
            directory.mkdir(exist_ok=True)
            write_settings(directory, smarthost=sink.route)
            write_store(str(directory), live)
            asked = [live_session(rng, ports) for _number in range(LIVE_SESSIONS)]
            with running(directory):
                for session in asked:
                    if session.local in dict(compiled.bindings):
                        replies.append(ask_live(session))
                        assert replies[-1] == decide(compiled, session).reply, session

    while len(replies) < 500:
        before = len(replies)
        compare()
        assert len(replies) > before, "the strategies make no sessions that anybody hears"
    assert {reply[:9] for reply in replies} >= VERDICTS
