# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles say when a device or an account is wrong: who it is, and which variable of the role."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.ansible import ROOT, Playbook
from support.net import free_port

pytestmark = pytest.mark.timeout(900)  # a whole playbook
PLAY = """
- hosts: relays
  gather_facts: false
  vars: {said: []}
  tasks:
    - ansible.builtin.include_tasks: try.yml
      loop: "{{ cases }}"
      loop_control: {loop_var: case, label: "{{ case.role }}"}
    - ansible.builtin.copy:
        content: "{{ said | to_json }}"
        dest: "{{ lab_directory }}/said.json"
        mode: "0600"
      check_mode: false
"""
TRY = """
- block:
    - ansible.builtin.include_role: {name: "mailops.relay.{{ case.role }}"}
      vars:
        scanner_relay_devices: "{{ case.devices | default([]) }}"
        scanner_relay_allow_empty: "{{ case.allow_empty | default(false) }}"
        scanner_relay_allow_open_relay: "{{ case.allow_open_relay | default(false) }}"
        client_relay_accounts: "{{ case.accounts | default([]) }}"
    - ansible.builtin.set_fact: {said: "{{ said + ['ok'] }}"}
  rescue:
    - ansible.builtin.set_fact: {said: "{{ said + [ansible_failed_result.msg] }}"}
"""
COPIER = {"name": "Copier", "address": "10.0.0.11"}
ALICE = {"name": "alice", "password": "trial on loopback", "addresses": ["alice@corp.test"]}
NET = {"name": "Net", "address": "8.8.8.0/30"}
CONSENT = "scanner_relay_allow_open_relay"
CASES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"devices": []}, ("scanner_relay_devices: the list is empty", "set scanner_relay_allow_empty to true")),
    ({"devices": [], "allow_empty": True}, ("ok",)),
    ({"devices": [COPIER]}, ("ok",)),
    ({"devices": [{**COPIER, "expires": "2020-01-31"}]}, ("ok",)),
    (
        {"devices": [COPIER, {**COPIER, "name": "Twin"}]},
        ("scanner_relay_devices: device 'Twin' (10.0.0.11): device 'Copier' (10.0.0.11) has this address already",),
    ),
    (
        {"devices": [{**COPIER, "address": "10.0.0.300"}]},
        ("scanner_relay_devices: device 'Copier' (10.0.0.300), address: not an IP address",),
    ),
    (
        {"devices": [{**COPIER, "expires": "next year"}]},
        ("scanner_relay_devices: device 'Copier' (10.0.0.11), expires: not a day, got 'next year'. Write it",),
    ),
    (
        {"devices": [COPIER, NET]},
        ("scanner_relay_devices: globally routable", CONSENT, "about device 'Net' (8.8.8.0/30)"),
    ),
    ({"devices": [COPIER, NET], "allow_open_relay": True}, ("ok",)),
    ({"accounts": [ALICE, {"name": "bob"}]}, ("client_relay_accounts: account 'bob': a new account needs a password",)),
    (
        {"accounts": [{**ALICE, "password": True}]},
        ("client_relay_accounts: account 'alice', password: a password that i",),
    ),
    (
        {"accounts": [{**ALICE, "addresses": []}]},
        ("client_relay_accounts: account 'alice', addresses: an account that m",),
    ),
    ({"accounts": [ALICE]}, ("ok",)),
]


def test_errors_name_who_is_meant_and_the_variable(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "try.yml").write_text(TRY)
    cases = [{"role": "client_relay" if "accounts" in case else "scanner_relay", **case} for case, _words in CASES]
    variables = {
        "lab_directory": str(tmp_path),
        "relay_bindings": [f"127.0.0.1:{free_port('127.0.0.1')}"],
        "relay_submission": f"127.0.0.1:{free_port('127.0.0.1')}",
        "cases": cases,
    }
    inventory = ("-i", str(ROOT / "playbooks/inventory/local"))
    run = Playbook(*inventory, str(tmp_path / "play.yml"), variables=variables, check=True)
    assert run.status == 0, run.output
    said = json.loads((tmp_path / "said.json").read_text())
    for (case, words), told in zip(CASES, said, strict=True):
        assert [word for word in words if word not in told] == [], (case, told)
    assert "no longer served: device 'Copier' (10.0.0.11), last day 2020-01-31" in run.output
    assert ALICE["password"] not in run.output
