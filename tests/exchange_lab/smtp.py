# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP as a server of the lab answers it: by what its services loaded when they started, decided by the naive oracle.

Nothing of the collection that the lab checks is asked: not its reader, not its table of rights, not its compile. A
session begins with a line of the PROXY protocol, version 1, so that any peer and any local address can be played.
EHLO, STARTTLS (with a context), MAIL, RCPT, RSET, QUIT; no AUTH and no messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import AddressRange, Binding
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from exchange_lab import state as lab
from support import oracle

NO_CONNECTOR = "554 5.7.1"
BAD_RECIPIENT = "501 5.1.3"
USERS = {"ANONYMOUS": oracle.ANYBODY, "AUTHENTICATED": oracle.ACCOUNTS, "EXTERNALLY_SECURED": oracle.TRUSTED}


# -- the state as the oracle takes it ---------------------------------------------------------------------------------


def _address(text: str) -> tuple[int, int]:
    address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    return address.version, int(address)


def to_range(text: str) -> AddressRange:
    if "/" in text:
        network = ipaddress.ip_network(text, strict=False)
        return AddressRange(network.version, int(network[0]), int(network[-1]))
    first, _dash, last = text.partition("-")
    (version, low), (_version, high) = _address(first), _address(last or first)
    return AddressRange(version, low, high)


def to_binding(text: str) -> Binding:
    host, _colon, port = text.rpartition(":")
    return Binding(*_address(host), int(port))


def to_connector(item: lab.Data) -> Connector:
    """Its entries decide, whatever groups were named. Exchange restricts no senders of devices: all are allowed."""
    entries = [
        (ExtendedRight(USERS.get(user, user), right, deny), inherited)
        for user, right, deny, inherited in lab.effective(item)
    ]
    values = item["properties"]
    return Connector(
        name=item["name"],
        enabled=values["Enabled"],
        bindings=tuple(map(to_binding, values["Bindings"])),
        remote_ip_ranges=tuple(map(to_range, values["RemoteIPRanges"])),
        extended_rights=tuple(entry for entry, inherited in entries if not inherited),
        inherited_rights=tuple(entry for entry, inherited in entries if inherited),
        auth_mechanism=tuple(values["AuthMechanism"]),
        require_tls=values["RequireTLS"],
        allowed_senders=("*",),
    )


def to_domains(items: list[lab.Data]) -> Iterator[AcceptedDomain]:
    for item in items:
        yield AcceptedDomain(item["domain_name"], item["type"])
        if item["match_sub_domains"]:
            yield AcceptedDomain(f"*.{item['domain_name']}", item["type"])


def policy_state(whole: lab.Data) -> State:
    """What the connectors of the first server come to, of a state or of one of its steps: what its services act on as
    soon as they start again."""
    connectors = map(to_connector, whole["servers"][0]["connectors"])
    return State(tuple(connectors), tuple(to_domains(whole["accepted_domains"])))


def running_state(server: lab.Data) -> State:
    """What the running services of a server act on: each has the connectors of its transport role."""
    connectors: list[Connector] = []
    domains: list[AcceptedDomain] = []
    for service, facts in server["services"].items():
        if lab.service_state(facts) != "Running" or service not in server["loaded"]:
            continue
        known = lab.loaded(server, service)
        domains = domains or list(to_domains(known["accepted_domains"]))
        for item in known["connectors"]:
            is_frontend = item["properties"].get("TransportRole") == "FrontendTransport"
            if is_frontend == (service == lab.FRONTEND):
                connectors.append(to_connector(item))
    return State(tuple(connectors), tuple(domains))


# -- the server -------------------------------------------------------------------------------------------------------


@dataclass
class _Conversation:
    state: State
    session: Session
    tls: ssl.SSLContext | None
    sender: str | None = None

    def greeting(self) -> str:
        return "220 lab" if oracle.owner(self.state, self.session) else NO_CONNECTOR

    def answer(self, line: str) -> str:
        verb, _colon, path = line.partition(":")
        if verb.upper() == "MAIL FROM":
            return self._mail(path)
        if verb.upper() == "RCPT TO":
            return self._recipient(path)
        word = line.split(" ")[0].upper()
        if word == "RSET":
            self.sender = None
        known = {"EHLO": "250 lab", "RSET": "250 2.0.0", "QUIT": "221 2.0.0"}
        return known.get(word, "500 5.3.3")

    def _mail(self, path: str) -> str:
        """The recipient that is none is refused last: if that is what is wrong, the sender is not."""
        verdict = oracle.verdict(self.state, replace(self.session, sender=path, recipient=""))
        if verdict != BAD_RECIPIENT:
            return verdict
        self.sender = path
        return "250 2.1.0"

    def _recipient(self, path: str) -> str:
        if self.sender is None:
            return "503 5.5.2"
        return oracle.verdict(self.state, replace(self.session, sender=self.sender, recipient=path))


def _session(proxy: str) -> Session:
    """Of ``PROXY TCP4|TCP6 peer local peer-port local-port``."""
    _word, _family, peer, local, _peer_port, local_port = proxy.split()
    return Session(Binding(*_address(local), int(local_port)), Peer(*_address(peer)), "<>", "")


@dataclass(frozen=True)
class Smtp:
    """Answers for the first server of the state in ``path``, which is read for every session."""

    path: Path
    tls: ssl.SSLContext | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(reply: str) -> None:
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()

        with contextlib.suppress(ConnectionError):
            session = _session((await reader.readline()).decode("ascii"))
            talk = _Conversation(running_state(lab.read(self.path)["servers"][0]), session, self.tls)
            await say(talk.greeting())
            while line := (await reader.readline()).decode("utf-8").rstrip("\r\n"):
                if line.upper() == "STARTTLS" and self.tls is not None:
                    await say("220 2.0.0")
                    await writer.start_tls(self.tls)
                    talk.session = replace(talk.session, tls=True)
                    continue
                await say(talk.answer(line))
        writer.close()


async def _end_tasks() -> None:
    """Sessions whose clients did not take leave."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def serving(path: Path, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on 127.0.0.1 while the block runs; gives its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    start = asyncio.start_server(Smtp(path, tls).serve, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(start, loop).result(10)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
