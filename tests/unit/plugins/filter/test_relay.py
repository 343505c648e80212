# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.relay.plugins.filter.access_matrix import FilterModule as Matrix
from ansible_collections.mailops.relay.plugins.filter.relay_decision import FilterModule as Decision
from ansible_collections.mailops.relay.plugins.filter.relay_surface import FilterModule as SurfaceFilter
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import EXTERNALLY_SECURED
from support.ansible import Playbook

ROOT = Path(__file__).resolve().parents[4]
access_matrix: Callable[..., Any] = Matrix().filters()["access_matrix"]
relay_decision: Callable[..., Any] = Decision().filters()["relay_decision"]
relay_surface: Callable[..., Any] = SurfaceFilter().filters()["relay_surface"]

RELAY = [{"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}]
ON = {"bindings": ["0.0.0.0:25"], "permission_groups": ["AnonymousUsers"]}
SCAN = {"name": "Scan", **ON, "remote_ip_ranges": ["10.0.0.11", "10.0.0.12/31"], "extended_rights": RELAY}
DEFAULT = {"name": "Default", **ON, "remote_ip_ranges": ["0.0.0.0/0"]}
DOMAINS = [{"name": "example.com"}]
SERVER = {"connectors": [DEFAULT, SCAN], "accepted_domains": DOMAINS}
SESSION = {
    "binding": "192.0.2.1:25",
    "client": "10.0.0.11",
    "sender": "scan@example.com",
    "recipient": "x@example.org",
}


def ask(**changes: Any) -> Any:
    return relay_decision(SERVER, {**SESSION, **changes})


# -- by name -----------------------------------------------------------------------------------------------------------


def test_a_device_relays() -> None:
    assert ask() == {
        "allowed": True,
        "reply": "250 2.1.5 Recipient OK",
        "connector": "Scan",
        "right": "ms-Exch-SMTP-Accept-Any-Recipient",
        "reason": "Connector 'Scan' grants sessions without AUTH ms-Exch-SMTP-Accept-Any-Recipient, "
        "so <x@example.org> may be of any domain.",
    }


@pytest.mark.parametrize(
    ("changes", "reply", "reason"),
    [
        (
            {"client": "10.0.0.14"},
            "550 5.7.54",
            "Connector 'Default' does not grant sessions without AUTH ms-Exch-SMTP-Accept-Any-Recipient, "
            "and the domain of <x@example.org> is no accepted domain.",
        ),
        (
            {"recipient": "<x@example.com>"},
            "250 2.1.5",
            "Connector 'Scan' grants sessions without AUTH ms-Exch-SMTP-Submit, "
            "and <x@example.com> is a recipient of ours.",
        ),
        (
            {"sender": "x@example.org"},
            "550 5.7.60",
            "The sender <x@example.org> matches none of the allowed_senders of connector 'Scan' "
            "(by default the accepted domains), and the domain of <x@example.org> is no accepted domain.",
        ),
        (
            {"sender": "x@example.org", "recipient": "x@example.com"},
            "250 2.1.5",
            "Connector 'Scan' grants sessions without AUTH ms-Exch-SMTP-Submit, "
            "and <x@example.com> is a recipient of ours.",
        ),
        (
            {"binding": "192.0.2.1:26"},
            "554 5.7.1",
            "No enabled connector on 192.0.2.1:26 has a range that holds 10.0.0.11.",
        ),
        ({"account": ["scan@example.com"]}, "504 5.7.4", "Connector 'Scan' offers no AUTH: that needs BasicAuth"),
        ({"sender": ""}, "250 2.1.5", "so <x@example.org> may be of any domain."),
        ({"sender": "<>"}, "250 2.1.5", "so <x@example.org> may be of any domain."),
    ],
)
def test_the_reason_names_what_decided(changes: dict[str, Any], reply: str, reason: str) -> None:
    found = ask(**changes)
    assert found["reply"].startswith(reply)
    assert reason in found["reason"]


def test_the_reason_names_allowed_recipients() -> None:
    server = {"connectors": [{**SCAN, "allowed_recipients": ["example.net"]}], "accepted_domains": []}
    found = relay_decision(server, {**SESSION, "sender": ""})
    assert found["reason"] == (
        "Connector 'Scan' grants sessions without AUTH ms-Exch-SMTP-Accept-Any-Recipient, "
        "but <x@example.org> matches none of its allowed_recipients."
    )


def test_an_account_sends_as_its_own_addresses() -> None:
    client = {**DEFAULT, "permission_groups": ["ExchangeUsers"], "auth_mechanism": ["BasicAuth"]}
    server = {"connectors": [client], "accepted_domains": DOMAINS}
    as_itself = relay_decision(server, {**SESSION, "account": [" Scan@Example.com"]})
    assert as_itself["reason"] == (
        "Connector 'Default' grants accounts ms-Exch-SMTP-Accept-Any-Recipient, "
        "so <x@example.org> may be of any domain."
    )
    as_another = relay_decision(server, {**SESSION, "account": ["other@example.com"]})
    assert as_another["reply"].startswith("550 5.7.60")
    assert as_another["reason"] == "The sender <scan@example.com> is none of the addresses of the account."


def test_the_matrix_is_a_table() -> None:
    device = {"anonymous": {"own_domains": True, "any_domain": True}, "account": {"auth": "never", "any_domain": False}}
    rows = access_matrix({"connectors": [SCAN], "accepted_domains": DOMAINS})
    assert rows == [
        {
            "binding": "0.0.0.0:25",
            "clients": ["10.0.0.11", "10.0.0.12/31"],
            "addresses": 3,
            "connector": "Scan",
            **device,
            "tls": "none",
        },
        {
            "binding": "0.0.0.0:25",
            "clients": [],
            "addresses": (1 << 32) - 3,
            "connector": None,
            "anonymous": {"own_domains": False, "any_domain": False},
            "account": {"auth": "never", "any_domain": False},
            "tls": "none",
        },
    ]


@pytest.mark.parametrize(
    ("options", "auth", "tls"),
    [
        ({"auth_mechanism": ["Tls"]}, "never", "offered"),
        ({"auth_mechanism": ["Tls"], "require_tls": True}, "never", "required"),
        ({"auth_mechanism": ["Tls", "BasicAuth"], "implicit_tls": True}, "always", "implicit"),
        ({"auth_mechanism": ["Tls", "BasicAuth", "BasicAuthRequireTLS"]}, "after_tls", "offered"),
        ({"auth_mechanism": ["BasicAuth"]}, "always", "none"),
    ],
)
def test_the_matrix_says_when_auth_and_tls_are_offered(options: dict[str, Any], auth: str, tls: str) -> None:
    files = {"tls_certificate_file": "/c.pem", "tls_key_file": "/k.pem"}
    client = {**DEFAULT, "permission_groups": ["ExchangeUsers"], **files, **options}
    row = access_matrix({"connectors": [client], "accepted_domains": []})[0]
    assert row["account"] == {"auth": auth, "any_domain": auth != "never"}
    assert row["tls"] == tls
    assert row["anonymous"] == {"own_domains": False, "any_domain": False}


def test_whoever_may_submit_reaches_everything_through_the_accepted_domain_of_everything() -> None:
    client = {**DEFAULT, "permission_groups": ["AnonymousUsers", "ExchangeUsers"], "auth_mechanism": ["BasicAuth"]}
    no_recipient = [{**RELAY[0], "principal": "S-1-5-11", "deny": True}]
    connectors = [
        {**client, "extended_rights": no_recipient},
        {**SCAN, "allowed_recipients": ["a.test"]},
        {**SCAN, "name": "Closed", "remote_ip_ranges": ["10.0.1.1"], "permission_groups": []},
    ]
    server = {"connectors": connectors, "accepted_domains": [{"name": "*"}]}
    rows = {row["connector"]: row for row in access_matrix(server) if row["connector"]}
    assert {name: row["anonymous"]["any_domain"] for name, row in rows.items()} == {
        "Default": True,
        "Scan": True,
        "Closed": False,
    }
    assert rows["Default"]["account"] == {"auth": "always", "any_domain": True}
    found = relay_decision(server, {**SESSION, "client": "10.0.0.1"})
    assert found["reason"] == (
        "Connector 'Default' grants sessions without AUTH ms-Exch-SMTP-Submit, "
        "and the accepted domain '*' takes <x@example.org>."
    )
    assert [entry["reach"] for entry in relay_surface(server)] == ["any"]


def test_trusting_everybody_is_relay() -> None:
    trusting = {**DEFAULT, "permission_groups": ["ExchangeServers"], "auth_mechanism": ["ExternalAuthoritative"]}
    server = {"connectors": [trusting], "accepted_domains": []}
    assert relay_surface(server)[0]["addresses"] == 1 << 32
    deny = {**RELAY[0], "principal": EXTERNALLY_SECURED, "deny": True}
    assert relay_surface({**server, "connectors": [{**trusting, "extended_rights": [deny]}]}) == []


def test_what_a_change_opens() -> None:
    wider = {**SERVER, "connectors": [DEFAULT, {**SCAN, "remote_ip_ranges": ["10.0.0.8/29"]}]}
    opened = relay_surface(wider, minus=SERVER)
    assert [(entry["binding"], entry["ranges"]) for entry in opened] == [
        ("0.0.0.0:25", ["10.0.0.8/31", "10.0.0.10", "10.0.0.14/31"])
    ]
    assert relay_surface(SERVER, wider) == []
    assert relay_surface(SERVER, SERVER) == []
    assert relay_surface(wider, minus=relay_surface(SERVER)) == opened


def test_usage_is_an_option_too() -> None:
    with_usage = {**SERVER, "connectors": [DEFAULT, {**SCAN, "usage": "Custom"}]}
    assert relay_surface(with_usage) == relay_surface(SERVER)


def test_a_surface_that_is_none() -> None:
    with pytest.raises(AnsibleFilterError, match="minus"):
        relay_surface(SERVER, minus=["10.0.0.1"])


def test_what_no_task_could_make_is_taken_as_it_is() -> None:
    """A server may hold what cannot stand together: ranges that are equal or overlap, equal timeouts."""
    partly = {**SCAN, "name": "Partly", "remote_ip_ranges": ["10.0.0.10-10.0.0.12"], "extended_rights": []}
    equal = {**partly, "name": "Equal", "remote_ip_ranges": SCAN["remote_ip_ranges"]}
    hasty = {**DEFAULT, "connection_timeout": "00:05:00", "connection_inactivity_timeout": "00:05:00"}
    odd = {**hasty, "banner": "hello", "unvalidated": ["banner"]}
    server = {**SERVER, "connectors": [odd, SCAN, partly, equal]}
    assert relay_surface(server) == relay_surface(SERVER), "of equal ranges the one that relays counts"
    assert access_matrix(server)
    assert relay_decision(server, SESSION) == relay_decision(SERVER, SESSION)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ([], "not the connectors of a server"),
        ({"connectors": []}, "accepted_domains: a list is needed"),
        ({"accepted_domains": []}, "connectors: a list is needed"),
        ({**SERVER, "connectors": ["Scan"]}, r"connectors\[0\]: not a dictionary of options, got 'Scan'"),
        ({**SERVER, "connectors": [{**SCAN, "remote_ip_range": []}]}, "Did you mean remote_ip_ranges"),
        ({**SERVER, "accepted_domains": [{"name": "a.test", "nexthop": ""}]}, "Did you mean next_hop"),
        ({**SERVER, "connectors": [{**SCAN, "state": "gone"}]}, r"connectors\[0\], state: no such value"),
        ({**SERVER, "connectors": [{**SCAN, "state": "Absent"}]}, "got 'Absent'. Write absent"),
        ({**SERVER, "connectors": [{**SCAN, "Extended_Rights": []}]}, "got 'Extended_Rights'. Write extended_rights"),
        ({**SERVER, "connectors": [{"name": "A"}]}, "connector 'A', bindings: a new connector needs this option"),
        ({**SERVER, "connectors": [SCAN, SCAN]}, "two entries for one connector"),
    ],
)
def test_a_server_that_is_none(server: Any, says: str) -> None:
    for question in (access_matrix, relay_surface, lambda state: relay_decision(state, SESSION)):
        with pytest.raises(AnsibleFilterError, match=says):
            question(server)


@pytest.mark.parametrize(
    ("session", "says"),
    [
        ("10.0.0.1", "session: not a session"),
        ({**SESSION, "port": 25}, "session, key: no such value, got 'port'"),
        ({**SESSION, "TLS": True}, "session, key: no such value, got 'TLS'. Write tls"),
        ({**SESSION, "client": None}, "session, client: a session needs this"),
        ({**SESSION, "client": "10.0.0.0/24"}, "session, client: one address is needed"),
        ({**SESSION, "binding": "25"}, "session, binding: not a binding"),
        ({**SESSION, "tls": "yes"}, "session, tls: true or false is needed"),
        ({**SESSION, "sender": "a@b.test>\nRCPT TO:<c@d.test"}, "session, sender: a line break"),
        ({**SESSION, "account": "a@b.test"}, "session, account: not a list of addresses"),
        ([SESSION, {}], "session 1, binding: a session needs this"),
    ],
)
def test_a_session_that_is_none(session: Any, says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        relay_decision(SERVER, session)


# -- as a user does ----------------------------------------------------------------------------------------------------


def test_in_a_playbook(tmp_path: Path) -> None:
    """Strings and containers of real templates are not plain ones."""
    task = {
        "name": "Ask",
        "ansible.builtin.copy": {"dest": str(tmp_path / "out.json"), "content": "{{ answers | to_json }}"},
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "device": "10.0.0.11",
            "scan": {**SCAN, "remote_ip_ranges": ["{{ device }}", "10.0.0.12/31"]},
            "server": {"connectors": [DEFAULT, "{{ scan }}"], "accepted_domains": DOMAINS},
            "narrow": {"connectors": [DEFAULT], "accepted_domains": DOMAINS},
            "answers": {
                "matrix": "{{ server | mailops.relay.access_matrix }}",
                "surface": "{{ server | mailops.relay.relay_surface }}",
                "opened": "{{ server | mailops.relay.relay_surface(minus=narrow) }}",
                "decision": "{{ server | mailops.relay.relay_decision(session) }}",
            },
            "session": {**SESSION, "client": "{{ device }}"},
        },
        "tasks": [task],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    run = Playbook(str(tmp_path / "play.yml"))
    assert run.status == 0, run.output
    assert json.loads((tmp_path / "out.json").read_text()) == {
        "matrix": access_matrix(SERVER),
        "surface": relay_surface(SERVER),
        "opened": relay_surface(SERVER),
        "decision": ask(),
    }


def test_every_filter_is_documented_with_a_sample_that_is_true() -> None:
    folder = ROOT / "plugins/filter"
    assert {path.stem for path in folder.glob("*.py")} == {path.stem for path in folder.glob("*.yml")}
    sample = yaml.safe_load((folder / "access_matrix.yml").read_text())["RETURN"]["_value"]["sample"]
    files = {"tls_certificate_file": "/c.pem", "tls_key_file": "/k.pem", "auth_mechanism": ["Tls"]}
    one = {**SCAN, **files, "name": "Scanner relay", "remote_ip_ranges": ["10.0.0.11"]}
    assert access_matrix({"connectors": [one], "accepted_domains": []}) == sample
