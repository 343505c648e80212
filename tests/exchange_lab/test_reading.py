# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection reads servers of the lab, and everything arrives: ansible-playbook, winrm, PowerShell, cmdlets."""

from __future__ import annotations

import base64
import math
import random
import ssl
from collections import Counter
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import Binding
from ansible_collections.mailops.relay.plugins.module_utils._engine.definitions import parse_definitions
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session, decide
from exchange_lab import expected, faults, smtp
from exchange_lab import state as lab
from exchange_lab.reading import BECOME, SECRET, Host, Reading, Run, read, read_snapshots, take_snapshots
from exchange_lab.smtp_client import Client
from exchange_lab.varied import NAMES, varied

pytestmark = pytest.mark.timeout(900)  # many servers in one run
SESSIONS = 600
ITEM = ("item", "ansible_loop_var", "listeners")  # what a loop adds to a result, and what no snapshot knows
SENT, PIECE = 200_000, 32 * 1024  # bytes of input in a Send, of output in an answer to Receive


def one(**more: Any) -> lab.Data:
    """A server with one connector, whose rights beyond its groups are those of a relay."""
    server = lab.mailbox()
    relay: lab.Data = {"Bindings": ["0.0.0.0:25"], "RemoteIPRanges": ["10.1.2.3"], "TransportRole": "FrontendTransport"}
    server["connectors"] = [lab.connector(server, "Relay", ["AnonymousUsers"], [lab.relay_ace()], **relay)]
    return lab.state(server, **more)


def printers() -> lab.Data:
    """A German server, where the one who may relay is called ANONYMOUS-ANMELDUNG."""
    server = lab.mailbox(locale="de")
    rights = [lab.relay_ace(), lab.ace("CORP\\svc-scan", "ms-Exch-SMTP-Accept-Any-Sender", inherited=True)]
    properties: lab.Data = {
        "Bindings": ["0.0.0.0:25"],
        "RemoteIPRanges": ["10.1.2.3", "10.1.3.0/28"],
        "TransportRole": "FrontendTransport",
        "MaxMessageSize": 37748737,
        "Comment": "two\r\nlines",
    }
    server["connectors"].append(lab.connector(server, "Drucker B\u00fcro", ["AnonymousUsers"], rights, **properties))
    return lab.state(server, domains=[lab.accepted_domain("corp.test", default=True, sub_domains=True)])


SNAPIN = {"exchange_session": "snapin"}
HOSTS = {
    "fifty": Host(varied(45)),
    "one": Host(one()),
    "german": Host(varied(12, seed=1, locale="de"), variables=BECOME),
    # its principals can be told by their names only
    "french": Host(varied(6, seed=2, locale="fr") | {"users_print": "text"}),
    "hub2010": Host(varied(6, seed=29, version="2010")),
    "edge": Host(lab.state(lab.edge()), variables=SNAPIN),
}
SNAPSHOTS = {
    **{name: HOSTS[name].state for name in ("german", "hub2010", "edge")},
    "sbs2008": lab.state(lab.sbs_2008()),
    "printers": printers(),
    "french2007": varied(6, seed=4, version="2007", locale="fr"),
}
# who may send anywhere; of nothing in these has receive_connectors_info to warn
RELAYING: dict[str, set[str]] = {
    "printers": {"10.1.2.3", "10.1.3.0/28"},
    "sbs2008": {"127.0.0.1"},
    "edge": set(),
}
Snapshots = dict[str, tuple[lab.Data, list[lab.Data]]]


@pytest.fixture(scope="module")
def live(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return read(pwsh, tmp_path_factory.mktemp("live"), HOSTS, "-vvvvvv")


@pytest.fixture(scope="module")
def snapshots(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """By server: what receive_connectors_info says of its snapshot, and relay_surface of that."""
    folder = tmp_path_factory.mktemp("snapshots")
    files = take_snapshots(pwsh, folder, SNAPSHOTS.values())
    return dict(zip(SNAPSHOTS, read_snapshots(folder, files), strict=True))


@pytest.mark.parametrize("name", HOSTS)
def test_what_is_in_the_state_is_read_over_winrm(live: Run, name: str) -> None:
    """Every connector, property, right and domain, in a session and with the snap-in, in three languages."""
    expected.check(live.hosts[name].result, HOSTS[name].state)


def test_the_names_that_break_scripts_are_among_them(live: Run) -> None:
    read_names = {item["name"] for item in live.hosts["fifty"].result["connectors"]}
    assert len(read_names) == 50
    assert read_names >= set(NAMES)
    for character in "'\u2019\"$()`\u00fc\u4e2d":
        assert any(character in name for name in read_names), character


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_what_is_in_the_state_is_read_from_a_snapshot(snapshots: Snapshots, name: str) -> None:
    result, surface = snapshots[name]
    expected.check(result, SNAPSHOTS[name])
    assert surface == result["relay_surface"]
    if name in RELAYING:
        assert "warnings" not in result
        found = {item for entry in result["relay_surface"] if entry["reach"] == "any" for item in entry["ranges"]}
        assert found == RELAYING[name]


@pytest.mark.parametrize("name", [name for name in HOSTS if name in SNAPSHOTS])
def test_live_snapshot_and_filter_say_the_same(live: Run, snapshots: Snapshots, name: str) -> None:
    result, surface = snapshots[name]
    reading = live.hosts[name]
    assert result["relay_surface"] or name == "edge"
    assert {key: reading.result[key] for key in result if key not in ITEM} == {
        key: value for key, value in result.items() if key not in ITEM
    }
    assert reading.filtered["ansible_facts"]["surface"] == surface == reading.result["relay_surface"]


@pytest.mark.parametrize("name", ["fifty", "one", "hub2010"])
def test_decisions_are_those_that_the_server_takes(live: Run, tmp_path: Path, name: str) -> None:
    """Of the state as it was read, in our policy; over SMTP, of the state as the lab wrote it, by the naive oracle."""
    policy = parse_definitions(live.hosts[name].result).policy
    lab.write(tmp_path / "state.json", HOSTS[name].state)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("lab.test").configure_cert(context)
    replies: Counter[str] = Counter()
    with smtp.serving(tmp_path / "state.json", context) as port:
        for session in sessions(name, SESSIONS):
            reply = talk(port, session, authority)
            assert decide(policy, session).reply.split()[:2] == reply.split(), session
            replies[reply] += 1
    assert replies["250 2.1.5"] > SESSIONS // 20
    assert len([reply for reply, count in replies.items() if count >= 5]) >= 3, replies


def sessions(name: str, count: int) -> list[Session]:
    """From ends of ranges and just beyond them, to addresses that connectors are bound to."""
    rng = random.Random(name)
    found = []
    connectors = smtp.running_state(HOSTS[name].state["servers"][0]).connectors
    for _number in range(count):
        connector = rng.choice(connectors)
        block, binding = rng.choice(connector.remote_ip_ranges), rng.choice(connector.bindings)
        if binding.version != block.version:
            binding = Binding(block.version, 0, binding.port)
        local = binding if binding.address else binding._replace(address=0xC0000201)
        number = rng.choice((block.low, block.high, rng.randint(block.low, block.high), block.high + 1, block.low - 1))
        top = (1 << (32 if block.version == 4 else 128)) - 1
        peer = Peer(block.version, min(max(number, 1), top))
        sender = rng.choice(("<s@stranger.test>", "<>", "<s@corp.test>", "<s@partner.test>"))
        recipient = rng.choice(("<v@outside.test>", "<v@corp.test>", "<v@partner.test>", "<v@x.corp.test>", "<v@>"))
        found.append(Session(local, peer, sender, recipient, tls=rng.random() < 0.3))
    return found


def talk(port: int, session: Session, authority: trustme.CA) -> str:
    peer, local = (text(*ends) for ends in (session.peer, session.local[:2]))
    with Client(port, peer, local, session.local.port) as client:
        if not client.greeting.startswith("220"):
            return client.greeting
        if session.tls:
            client.start_tls(authority)
        return client.send(session.sender[1:-1], session.recipient[1:-1])


def text(version: int, number: int) -> str:
    return str(IPv4Address(number) if version == 4 else IPv6Address(number))


# -- what it costs, and what is seen of it ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTS)
def test_one_execution_and_as_many_requests_as_its_answer_needs(live: Run, name: str) -> None:
    """Create, Command, Signal, Delete, a Send for each 200 kB of what Ansible sends (with become it is more), a Receive
    for each 32 kB: whatever the number of connectors. Where the server needs longer than the client waits for an answer
    (20 s), one more each time."""
    server = live.hosts[name].exchange.server
    [execution] = server.executions
    assert execution.status == 0
    receives = [request for request in server.requests if request.action == "Receive"]
    waits = [request for request in receives if request.status == 500]
    sends = math.ceil(execution.stdin / SENT)
    assert sends == (2 if name == "german" else 1)
    assert Counter(server.actions()) == {
        **dict.fromkeys(("Create", "Command", "Signal", "Delete"), 1),
        "Send": sends,
        "Receive": math.ceil(execution.stdout / PIECE) + len(waits),
    }


def test_one_connector_takes_six_requests(live: Run) -> None:
    server = live.hosts["one"].exchange.server
    assert len([request for request in server.requests if request.status == 200]) == 6


def test_no_password_is_seen(live: Run) -> None:
    """Neither in the output of -vvvvvv nor on a command line nor in what the cmdlets were called with."""
    for reading in live.hosts.values():
        lines = [execution.line for execution in reading.exchange.server.executions]
        scripts = [base64.b64decode(line.split()[-1]).decode("utf-16-le") for line in lines]
        seen = [*lines, *scripts, repr(reading.exchange.server.requests), repr(reading.result)]
        seen += [file.read_text(encoding="utf-8") for file in (reading.exchange.log, reading.exchange.state)]
        assert "Get-ReceiveConnector" in reading.exchange.log.read_text()
        for secret in (SECRET, reading.exchange.server.account.password):
            assert secret not in "\n".join([*seen, live.output])
    assert [execution.become_user for execution in live.hosts["german"].exchange.server.executions] == ["CORP\\exadmin"]


def test_only_what_reads_is_called_and_on_one_controller(live: Run) -> None:
    for name, reading in live.hosts.items():
        calls = lab.calls(reading.exchange.log)
        assert {call["cmdlet"].partition("-")[0] for call in calls} <= {"Get", "Resolve", "New", "Add"}
        opened = {call["cmdlet"] for call in calls if not call["cmdlet"].startswith(("Get-", "Resolve-"))}
        assert opened <= {"New-PSSession", "Add-PSSnapin"}
        assert opened
        assert all("DomainController" not in call["parameters"] for call in calls) == (name == "edge")


# -- errors -----------------------------------------------------------------------------------------------------------


def failing(cmdlet: str, kind: str) -> Host:
    return Host(one(faults=[lab.fault(cmdlet, kind)]))


ERRORS = {
    "session_denied": (failing("New-PSSession", "access_denied"), "access is denied"),
    "session_quota": (failing("New-PSSession", "quota"), "a quota of Windows remote management or of Exchange"),
    "session_busy": (failing("New-PSSession", "busy"), "the server is busy"),
    "no_endpoint": (failing("New-PSSession", "not_found"), "the address has no PowerShell endpoint of Exchange"),
    "double_hop": (Host(one(delegation=False)), "did not pass the user's credentials on"),
    "cmdlet_denied": (failing("Get-ReceiveConnector", "access_denied"), "access is denied"),
    "no_cmdlet": (failing("Get-ReceiveConnector", "absent"), "the session has no such cmdlet"),
    "session_lost": (failing("Get-ReceiveConnector", "connection_lost"), "the connection was lost or not made"),
    "cut": (Host(one(), (faults.cut("Receive"),)), "the connection was lost or not made"),
}
RIGHTS = {
    "no_rights_cmdlet": (failing("Get-ADPermission", "absent"), "there is no cmdlet Get-ADPermission"),
    "rights_denied": (failing("Get-ADPermission", "access_denied"), "access to them is denied"),
}
OTHERS = {
    "wrong_password": Host(one(), variables={"ansible_password": "Wr0ng-one"}),
    "shell_quota": Host(one(), (faults.quota(),)),
}


@pytest.fixture(scope="module")
def troubled(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    hosts = {name: host for name, (host, _text) in {**ERRORS, **RIGHTS}.items()}
    return read(pwsh, tmp_path_factory.mktemp("troubled"), {**hosts, **OTHERS})


@pytest.mark.parametrize("name", ERRORS)
def test_what_goes_wrong_is_told_apart(troubled: Run, name: str) -> None:
    reading = troubled.hosts[name]
    assert (reading.result["failed"], reading.result.get("error")) == (True, "exchange"), reading.result
    assert ERRORS[name][1] in reading.result["msg"]
    texts = {text for _host, text in ERRORS.values()}
    assert [text for text in texts if text in reading.result["msg"].partition("It said")[0]] == [ERRORS[name][1]]
    where = {
        "cut": "connection",
        "cmdlet_denied": "connectors",
        "no_cmdlet": "connectors",
        "session_lost": "connectors",
    }
    assert f"Exchange, {where.get(name, 'session')}" in reading.result["msg"]


@pytest.mark.parametrize("name", RIGHTS)
def test_without_rights_the_rest_is_read_and_nothing_is_said_about_relaying(troubled: Run, name: str) -> None:
    result, filtered = troubled.hosts[name].result, troubled.hosts[name].filtered
    assert not result["failed"]
    assert (result["rights_known"], result["relay_surface"]) == (False, None)
    assert [item["name"] for item in result["connectors"]] == ["Relay"]
    assert "extended_rights" not in result["connectors"][0]
    assert any(RIGHTS[name][1] in warning for warning in result["warnings"])
    assert filtered["failed"]
    assert "the rights of these connectors could not be read" in filtered["msg"]


def test_a_wrong_password_makes_the_host_unreachable(troubled: Run) -> None:
    reading: Reading = troubled.hosts["wrong_password"]
    assert reading.result["unreachable"]
    assert "Windows did not let the user log on" in reading.result["msg"]
    assert reading.exchange.server.executions == []


def test_a_used_up_quota_of_windows_is_got_over(troubled: Run) -> None:
    reading = troubled.hosts["shell_quota"]
    expected.check(reading.result, OTHERS["shell_quota"].state)
    assert reading.exchange.server.actions().count("Create") == 2
    assert len(reading.exchange.server.executions) == 1
