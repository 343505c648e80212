# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role client_relay: which connector it adopts, certificates of one's own, accounts."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ansible import ROOT, Playbook
from support.certificates import client_context, issue_pair
from support.net import free_port

pytestmark = pytest.mark.timeout(900)  # whole playbooks
INVENTORY = ("-i", "playbooks/inventory/local")
PLAY = """
- hosts: relays
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: mailops.relay.relay_server}
    - mailops.relay.receive_connectors:
        backend: aiosmtpd
        directory: "{{ spool }}"
        connectors:
          - {name: Front, bindings: ["{{ submission }}"], remote_ip_ranges: [0.0.0.0/0], comment: was there before}
          - {name: Other, bindings: ["{{ other }}"], remote_ip_ranges: [10.0.0.0/8], enabled: false}
    - ansible.builtin.include_role: {name: mailops.relay.client_relay}
"""
STOP = """
- hosts: relays
  gather_facts: false
  tasks:
    - mailops.relay.transport_service: {backend: aiosmtpd, directory: "{{ spool }}", state: stopped}
"""


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, Any]]:
    spool = str(tmp_path / "spool")
    ports = [f"127.0.0.1:{free_port('127.0.0.1')}" for _number in range(3)]
    issue_pair(tmp_path / "relay.crt", tmp_path / "relay.key")
    found = {
        "spool": spool,
        "relay_directory": spool,
        "relay_bindings": [ports[0]],
        "submission": ports[1],
        "other": ports[2],
        "client_relay_bindings": [ports[1]],
        "client_relay_certificate_file": str(tmp_path / "relay.crt"),
        "client_relay_key_file": str(tmp_path / "relay.key"),
        "client_relay_accounts": [
            {"name": "alice", "password": "password one", "addresses": ["alice@corp.test"]},
            {"name": "bob", "password": "password two", "addresses": ["bob@corp.test", "*@bob.test"]},
        ],
        "relay_server_cache": str(ROOT / ".venv/cache"),
        "relay_server_smarthost": "",
        "relay_server_accepted_domains": [],
    }
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "stop.yml").write_text(STOP)
    yield found
    assert Playbook(*INVENTORY, str(tmp_path / "stop.yml"), variables=found).status == 0


def connectors(variables: dict[str, Any]) -> dict[str, Any]:
    document = json.loads((Path(variables["spool"]) / "store.json").read_text())
    return {item["name"]: item for item in document["definitions"]["connectors"]}


def log_in(variables: dict[str, Any], name: str, password: str) -> int:
    host, port = variables["submission"].split(":")
    context = client_context(check_hostname=False)
    with smtplib.SMTP(host, int(port)) as client:
        client.starttls(context=context)
        client.ehlo()
        try:
            return client.login(name, password)[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


def test_the_connector_that_takes_submission_is_adopted(variables: dict[str, Any], tmp_path: Path) -> None:
    def play(**changes: Any) -> Playbook:
        return Playbook(*INVENTORY, str(tmp_path / "play.yml"), variables={**variables, **changes})

    first = play()
    assert first.status == 0, first.output
    found = connectors(variables)
    assert set(found) == {"Default relay", "Front", "Other"}, "no connector of its own beside it"
    front = found["Front"]
    assert (front["bindings"], front["remote_ip_ranges"]) == ([variables["submission"]], ["0.0.0.0/0"])
    assert front["comment"] == "was there before"
    assert front["auth_mechanism"] == ["Tls", "BasicAuth", "BasicAuthRequireTLS"]
    assert front["permission_groups"] == ["ExchangeUsers"]
    assert log_in(variables, "alice", "password one") == 235
    assert log_in(variables, "bob", "password one") == 535
    assert play().changed()["relay"] == 0

    bob = {"name": "bob", "password": "password one"}
    changed = play(client_relay_accounts=[bob], client_relay_purge_accounts=True)
    assert changed.changed()["relay"] == 1, "accounts bite without a restart"
    assert log_in(variables, "bob", "password one") == 235
    assert log_in(variables, "alice", "password one") == 535

    named = play(client_relay_connector="other")
    assert named.status == 0, named.output
    assert connectors(variables)["Other"]["auth_mechanism"] == ["Tls", "BasicAuth", "BasicAuthRequireTLS"]
    assert connectors(variables)["Other"]["enabled"] is False
