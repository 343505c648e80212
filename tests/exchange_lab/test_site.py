# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on two Exchange servers: one as Setup leaves it, and one whose Internet connector owns port 25 alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exchange_lab import state as lab
from exchange_lab.mail import Mail
from exchange_lab.playing import Servers, serving
from support.ansible import ROOT, Playbook

pytestmark = pytest.mark.timeout(1800)  # three whole playbooks on two servers
SITE = ROOT / "playbooks/site.yml"
INTERNET = "Windows SBS Internet Receive EX02"
DEVICES = [{"name": "Copier", "address": "10.0.0.11", "owner": "office@corp.test"}]
ACCOUNTS: lab.Data = {"alice": {"password": "s3cret", "addresses": ["alice@corp.test"]}}
# of the host that adopts the connector on port 25, and of the one that adopts `Client Frontend`
SUBMISSION = {"EX01": 587, "EX02": 25}
STRANGER, DEVICE, OUTSIDE = "203.0.113.9", "10.0.0.11", "v@outside.test"
WRITES = (
    *("New-ReceiveConnector", "Set-", "Remove-ReceiveConnector", "Remove-ADPermission", "Add-ADPermission"),
    *("Stop-", "Invoke-"),
)


@dataclass
class Ran:
    """The runs, and what the servers had called and held after each."""

    servers: Servers
    first: lab.Data
    checked: Playbook
    applied: Playbook
    again: Playbook
    untouched: dict[str, lab.Data]
    calls: dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def ran(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("site")
    states = {
        "EX01": lab.state(lab.mailbox("EX01") | {"ipv6": False}, accounts=ACCOUNTS),
        "EX02": lab.state(lab.classic("EX02") | {"ipv6": False}, accounts=ACCOUNTS),
    }
    with serving(pwsh, folder, states, EX02={"client_relay_bindings": ["0.0.0.0:25"]}) as servers:
        servers.group = {"scanner_relay_devices": DEVICES}
        first = {name: servers.state(name) for name in states}
        calls: dict[str, list[list[str]]] = {name: [] for name in states}

        def run(*, check: bool = False) -> Playbook:
            found = servers.play(SITE, *(["--limit=EX02"] if check else []), check=check)
            for name in states:
                calls[name].append(servers.calls(name))
            assert found.status == 0, found.output
            return found

        checked = run(check=True)
        untouched = {name: servers.state(name) for name in states}
        yield Ran(servers, first, checked, run(), run(), untouched, calls)


def test_check_mode_says_what_changes_and_changes_nothing(ran: Ran) -> None:
    assert ran.untouched == ran.first
    assert not [name for found in ran.calls.values() for name in found[0] if name.startswith(WRITES)]
    assert ran.checked.changed()["EX02"] > 0
    assert "opens 10.0.0.11 (1 address) to any domain on 0.0.0.0:25" in ran.checked.output


def test_the_first_run_changes_and_the_second_finds_nothing_to_do(ran: Ran) -> None:
    assert min(ran.applied.changed().values()) > 0
    assert ran.again.changed() == {"EX01": 0, "EX02": 0}, ran.again.output
    assert not [name for found in ran.calls.values() for name in found[2] if name.startswith(WRITES)]


def test_one_server_after_the_other(ran: Ran) -> None:
    """The first one is complete, with its restart, before anything is done to the next."""
    plays = ran.applied.output.split("PLAY [Set up the Exchange servers]")[1:]
    assert [[name in play.partition("PLAY RECAP")[0] for name in ("[EX01]", "[EX02]")] for play in plays] == [
        [True, False],
        [False, True],
    ]
    assert "RUNNING HANDLER" in plays[0]


def test_submission_adopts_the_connector_that_is_there(ran: Ran) -> None:
    """`Client Frontend` has all that is needed; the Internet connector keeps what it had."""
    ours, theirs = (ran.servers.connectors(name) for name in SUBMISSION)
    was = {item["name"]: item for item in ran.first["EX01"]["servers"][0]["connectors"]}
    assert "Client relay" not in ours | theirs
    assert ours["Client Frontend EX01"] == was["Client Frontend EX01"]
    values = theirs[INTERNET]["properties"]
    assert set(values["AuthMechanism"]) == {"Tls", "BasicAuth", "BasicAuthRequireTLS"}
    assert set(theirs[INTERNET]["groups"]) == {"AnonymousUsers", "ExchangeUsers"}
    assert (values["Bindings"], values["Enabled"]) == (lab.bindings(25), True)


def test_services_are_restarted_once(ran: Ran) -> None:
    """Both, because rights were changed."""
    for calls in ran.calls.values():
        assert calls[1].count("Stop-Service") == 2
    for name in SUBMISSION:
        was, now = (whole["servers"][0]["services"] for whole in (ran.first[name], ran.servers.state(name)))
        assert all(now[service]["start_time"] > was[service]["start_time"] for service in was)


# -- with mail --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=SUBMISSION)
def mail(request: pytest.FixtureRequest, ran: Ran) -> tuple[str, Mail]:
    name: str = request.param
    return name, Mail(ran.servers.labs[name].state)


def test_who_may_send_where(mail: tuple[str, Mail]) -> None:
    name, server = mail
    replies: dict[str, Any] = {
        "a device, anywhere": server.reply(DEVICE, OUTSIDE),
        "a stranger, outwards": server.reply(STRANGER, OUTSIDE),
        "a stranger, inwards": server.reply(STRANGER, "v@corp.test"),
        "an account": server.reply(STRANGER, OUTSIDE, SUBMISSION[name], login=True, tls=True),
        "an account without TLS": server.reply(STRANGER, OUTSIDE, SUBMISSION[name], login=True)[:3],
    }
    assert replies == {
        "a device, anywhere": "250 2.1.5",
        "a stranger, outwards": "550 5.7.54",
        "a stranger, inwards": "250 2.1.5",
        "an account": "250 2.1.5",
        "an account without TLS": replies["an account without TLS"],
    }
    assert replies["an account without TLS"] in ("504", "530", "538")
