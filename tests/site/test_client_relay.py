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

from support.ansible import Playbook
from support.certificates import client_context, issue_pair
from support.trial import COMMON, INVENTORY, free_binding, stop

pytestmark = pytest.mark.timeout(900)  # whole playbooks
SERVER = """
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
"""
CLIENT = """
- hosts: relays
  gather_facts: false
  roles: [mailops.relay.client_relay]
"""
PURGE = """
- hosts: relays
  gather_facts: false
  roles:
    - role: mailops.relay.client_relay
      vars: {client_relay_purge_accounts: true}
"""
NAMED = """
- hosts: relays
  gather_facts: false
  roles:
    - role: mailops.relay.client_relay
      vars: {client_relay_connector: other}
"""
PLAYBOOKS = {"server": SERVER, "client": CLIENT, "purge": PURGE, "named": NAMED}
WITH_BASIC_AUTH = ["Tls", "BasicAuth", "BasicAuthRequireTLS"]
ONE = "one password"


def account(name: str, password: str) -> dict[str, Any]:
    return {"name": name, "password": password, "addresses": [f"{name}@corp.test"]}


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, Any]]:
    spool = str(tmp_path / "spool")
    bindings = [free_binding() for _number in range(3)]
    issue_pair(tmp_path / "relay.crt", tmp_path / "relay.key")
    for name, text in PLAYBOOKS.items():
        (tmp_path / f"{name}.yml").write_text(text)
    yield {
        **COMMON,
        "spool": spool,
        "relay_directory": spool,
        "relay_bindings": [bindings[0]],
        "submission": bindings[1],
        "other": bindings[2],
        "client_relay_bindings": [bindings[1]],
        "client_relay_certificate_file": str(tmp_path / "relay.crt"),
        "client_relay_key_file": str(tmp_path / "relay.key"),
        "client_relay_accounts": [account("alice", ONE), account("bob", "another password")],
        "relay_server_smarthost": {},
        "relay_server_accepted_domains": [],
    }
    stop(spool)


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
    def play(*names: str, **changes: Any) -> Playbook:
        playbooks = [str(tmp_path / f"{name}.yml") for name in names]
        run = Playbook(*INVENTORY, *playbooks, variables={**variables, **changes})
        assert run.status == 0, run.output
        return run

    assert play("server", "client", "client").changed(2)["relay"] == 0
    found = connectors(variables)
    assert set(found) == {"Default relay", "Front", "Other"}, "no connector of its own beside it"
    front = found["Front"]
    assert (front["bindings"], front["remote_ip_ranges"]) == ([variables["submission"]], ["0.0.0.0/0"])
    assert front["comment"] == "was there before"
    assert front["auth_mechanism"] == WITH_BASIC_AUTH
    assert front["permission_groups"] == ["ExchangeUsers"]
    assert log_in(variables, "alice", ONE) == 235
    assert log_in(variables, "bob", ONE) == 535

    changed = play("purge", "named", client_relay_accounts=[account("bob", ONE)])
    assert changed.changed()["relay"] == 1, "accounts bite without a restart"
    assert log_in(variables, "bob", ONE) == 235
    assert log_in(variables, "alice", ONE) == 535
    other = connectors(variables)["Other"]
    assert (other["auth_mechanism"], other["enabled"]) == (WITH_BASIC_AUTH, False)
