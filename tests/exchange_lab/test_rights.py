# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights of the lab are entries (field-reports.md E3), and what nobody knows of them behaves as the state says."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange_lab import run_checks, smtp
from exchange_lab import state as lab
from exchange_lab.run_checks import Checked, needs_engine
from exchange_lab.smtp_client import Client

Results = dict[str, Checked]


def in_variant(number: int) -> dict[str, str]:
    checks = run_checks.checks("rights")
    switch = "".join(f"Set-Variant '{key}' '{value}'\n" for key, value in lab.VARIANTS[number].items())
    return {f"{number} {name}": switch + text for name, text in checks.items() if name != "start"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Results:
    checks = {"start": run_checks.checks("rights")["start"]}
    for number in range(len(lab.VARIANTS)):
        checks |= in_variant(number)
    return run_checks.run(tmp_path_factory.mktemp("rights"), lab.state(lab.mailbox()), checks)


@needs_engine
@pytest.mark.parametrize("number", range(len(lab.VARIANTS)))
def test_printed_groups_and_entries_in_every_variant(found: Results, number: int) -> None:
    """What prints after one entry of a group was removed, whether a Set grants it again; a group that is not named any
    more is gone, whatever of it was there."""
    stored = lab.VARIANTS[number]["groups_print"] == "stored"
    regrants = lab.VARIANTS[number]["set_groups"] == "regrants"
    part = "AnonymousUsers" if stored else "Custom"
    whole = ["AnonymousUsers", "4"]
    seen = {name.partition(" ")[2]: check for name, check in found.items() if name.startswith(f"{number} ")}
    assert {name: check.out for name, check in seen.items()} == {
        "added": ["AnonymousUsers, Custom", "5"],
        "removed": [part, "3"],
        "again": whole if regrants else [part, "3"],
        "removed again": ["AnonymousUsers" if stored else "None", "0"],
        "other": ["Partners", "0"],
        "by hand": ["Partners, Custom" if stored else "AnonymousUsers, Partners", "4"],
        "named no more": ["Partners", "0"],
        "back": whole,
    }
    assert {check.error for check in seen.values()} == {""}
    assert [name for name, check in seen.items() if check.warnings] == ([] if regrants else ["again"])


@needs_engine
def test_a_server_knows_principals_by_its_own_names_only(tmp_path: Path) -> None:
    """With their authority or without; those of Exchange are called the same everywhere."""
    server = lab.mailbox(locale="de")
    server["connectors"].append(relay(server))
    add = "$null = Add-ADPermission (Get-ReceiveConnector Relay).Guid -User '{}' -ExtendedRights ms-Exch-SMTP-{}"
    known = {
        "NT-AUTORIT\u00c4T\\ANONYMOUS-ANMELDUNG": "Accept-Any-Recipient",
        "Authentifizierte Benutzer": "Submit",
        "MS Exchange\\Externally Secured Servers": "Submit",
        "CORP\\Exchange Servers": "Submit",
        "svc-scan": "Submit",
    }
    unknown = ("NT AUTHORITY\\ANONYMOUS LOGON", "ANONYMOUS LOGON", "S-1-5-7", "CORP\\nobody")
    checks = {name: add.format(name, right) for name, right in known.items()}
    checks |= {name: add.format(name, "Accept-Any-Recipient") for name in unknown}
    found = run_checks.run(tmp_path, lab.state(server), checks)
    assert {name: check.error for name, check in found.items() if name in known} == dict.fromkeys(known, "")
    for name in unknown:
        assert f"\"{name}\" wasn't found. Please make sure you've typed it correctly." in found[name].error
    aces = lab.read(tmp_path / "state.json")["servers"][0]["connectors"][-1]["aces"]
    assert [ace["user"] for ace in aces[-5:]] == [
        "ANONYMOUS",
        "AUTHENTICATED",
        "EXTERNALLY_SECURED",
        "EXCHANGE_SERVERS",
        "CORP\\svc-scan",
    ]


def relay(server: lab.Data, *aces: lab.Data) -> lab.Data:
    front: lab.Data = {"Bindings": ["0.0.0.0:25"], "TransportRole": "FrontendTransport", "RemoteIPRanges": ["10.1.0.1"]}
    return lab.connector(server, "Relay", ["AnonymousUsers"], aces, **front)


SUBMIT = "ms-Exch-SMTP-Submit"


@pytest.mark.parametrize(
    ("aces", "removed", "reply"),
    [
        ([], [], "550 5.7.54"),
        ([lab.relay_ace()], [], "250 2.1.5"),
        ([lab.relay_ace()], [SUBMIT], "530 5.7.1"),
        ([lab.relay_ace()], ["ms-Exch-SMTP-Accept-Any-Sender"], "550 5.7.60"),
        ([lab.ace("ANONYMOUS", access_rights=lab.EVERYTHING)], [], "250 2.1.5"),
        ([lab.ace("ANONYMOUS")], [SUBMIT], "250 2.1.5"),
        ([lab.ace("ANONYMOUS", access_rights="ReadProperty")], [], "550 5.7.54"),
        ([lab.relay_ace(), lab.ace("ANONYMOUS", deny=True, inherited=True)], [], "250 2.1.5"),
        ([lab.relay_ace(), lab.ace("ANONYMOUS", deny=True)], [], "530 5.7.1"),
    ],
)
def test_entries_decide_over_smtp(tmp_path: Path, aces: list[lab.Data], removed: list[str], reply: str) -> None:
    server = lab.mailbox()
    server["connectors"].append(relay(server, *aces))
    for right in removed:
        lab.revoke(server["connectors"][-1], "ANONYMOUS", right)
    lab.write(tmp_path / "state.json", lab.state(server))
    assert lab.read(tmp_path / "state.json")["servers"] == [server]
    with smtp.serving(tmp_path / "state.json") as port, Client(port, "10.1.0.1") as client:
        assert client.send() == reply
