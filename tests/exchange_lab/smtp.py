# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP as a server of the lab answers it: by what its services loaded when they started, decided by the naive oracle.

Nothing of the collection that the lab checks is asked: not its reader, not its table of rights, not its compile. A
session begins with a line of the PROXY protocol, version 1, so that any peer and any local address can be played; or
all sessions of a server come from one peer (`serving`), for clients that know no such line. EHLO, STARTTLS (with a
context), AUTH PLAIN and LOGIN (``accounts`` of the state: ``{login: {password, addresses}}``), MAIL, RCPT, RSET, QUIT;
no messages.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import ssl
import threading
from collections.abc import Iterator, Mapping
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


def _listening(connector: Connector, *, ipv6: bool) -> Connector:
    found = tuple(binding for binding in connector.bindings if ipv6 or binding.version == 4)
    return replace(connector, bindings=found)


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
                connectors.append(_listening(to_connector(item), ipv6=server["ipv6"]))
    return State(tuple(connectors), tuple(domains))


# -- the server -------------------------------------------------------------------------------------------------------


@dataclass
class _Conversation:
    state: State
    session: Session
    tls: ssl.SSLContext | None
    accounts: Mapping[str, lab.Data]
    sender: str | None = None
    login: list[str] | None = None  # what of AUTH was said

    def greeting(self) -> str:
        return "220 lab" if oracle.owner(self.state, self.session) else NO_CONNECTOR

    def answer(self, line: str) -> str:
        if self.login is not None:
            return self._auth([*self.login, line])
        verb, _colon, path = line.partition(":")
        if verb.upper() == "MAIL FROM":
            return self._mail(path)
        if verb.upper() == "RCPT TO":
            return self._recipient(path)
        word, *words = line.split(" ")
        if word.upper() == "AUTH":
            return self._auth(words)
        if word.upper() == "RSET":
            self.sender = None
        known = {"EHLO": self._ehlo(), "RSET": "250 2.0.0", "QUIT": "221 2.0.0"}
        return known.get(word.upper(), "500 5.3.3")

    def _refusal_of_accounts(self) -> str:
        """Why nobody can log in now; empty: who has a password can."""
        session = replace(self.session, account=frozenset({"*@lab.test"}), sender="<lab@lab.test>", recipient="")
        verdict = oracle.verdict(self.state, session)
        return "" if verdict == BAD_RECIPIENT else verdict

    def _ehlo(self) -> str:
        offered = ["STARTTLS"] if self.tls is not None and not self.session.tls else []
        offered += [] if self._refusal_of_accounts() else ["AUTH PLAIN LOGIN"]
        lines = ["lab", *offered]
        return "\r\n".join(f"250{'-' if number < len(lines) else ' '}{text}" for number, text in enumerate(lines, 1))

    def _auth(self, words: list[str]) -> str:
        """Of the mechanism and what followed, one line each."""
        self.login = None
        refusal = self._refusal_of_accounts()
        mechanism, *said = words
        wanted = {"PLAIN": 1, "LOGIN": 2}.get(mechanism.upper())
        if refusal or wanted is None:
            return refusal or "504 5.7.4"
        if len(said) < wanted:
            self.login = words
            prompts = {"PLAIN": [""], "LOGIN": ["Username:", "Password:"]}[mechanism.upper()]
            return f"334 {base64.b64encode(prompts[len(said)].encode()).decode()}"
        try:
            *_other, login, password = "\0".join(base64.b64decode(text).decode() for text in said).split("\0")
        except ValueError:
            return "501 5.5.4"
        account = self.accounts.get(login.lower())
        if account is None or account["password"] != password:
            return "535 5.7.3"
        self.session = replace(self.session, account=frozenset(account["addresses"]))
        return "235 2.7.0"

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
    """Answers for the first server of the state in ``path``, which is read for every session.

    ``line``: what stands for the first line of each session.
    """

    path: Path
    tls: ssl.SSLContext | None = None
    line: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(reply: str) -> None:
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()

        with contextlib.suppress(ConnectionError):
            session = _session(self.line or (await reader.readline()).decode("ascii"))
            whole = lab.read(self.path)
            accounts = {login.lower(): account for login, account in whole.get("accounts", {}).items()}
            talk = _Conversation(running_state(whole["servers"][0]), session, self.tls, accounts)
            await say(talk.greeting())
            while line := (await reader.readline()).decode("utf-8").rstrip("\r\n"):
                if line.upper() == "STARTTLS" and self.tls is not None:
                    await say("220 2.0.0")
                    await writer.start_tls(self.tls)
                    talk.session, talk.sender = replace(talk.session, tls=True), None
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
def serving(path: Path, tls: ssl.SSLContext | None = None, line: str = "") -> Iterator[int]:
    """A server on 127.0.0.1 while the block runs; gives its port.

    :param line: whom every session comes from and what it reaches, as the first line of a session would say it
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    start = asyncio.start_server(Smtp(path, tls, line).serve, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(start, loop).result(10)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
