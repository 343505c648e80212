# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection in somebody else's repository: own inventory, own names, roles included one by one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ansible import ROOT, Playbook
from support.trial import COMMON, free_binding, greeting, stop

pytestmark = pytest.mark.timeout(900)  # whole playbooks
INVENTORY = """
all:
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  children:
    mail_edge:
      hosts:
        edge-1.example.com:
"""
PLAYBOOK = """
- name: Our mail edge
  hosts: mail_edge
  gather_facts: false
  module_defaults:
    group/mailops.relay.all:
      backend: aiosmtpd
      directory: "{{ spool }}"
    mailops.relay.receive_connectors:
      max_relay_addresses: 1
  vars:
    relay_backend: aiosmtpd
    relay_directory: "{{ spool }}"
    relay_bindings: ["{{ smtp }}"]
  tasks:
    - name: Server
      ansible.builtin.include_role:
        name: mailops.relay.relay_server
    - name: Submission
      ansible.builtin.include_role:
        name: mailops.relay.client_relay
      vars:
        client_relay_bindings: ["{{ submission }}"]
        client_relay_accounts:
          - name: Alice
            password: "p'a\\"s $s"
            addresses: [alice@example.com]
    - name: Scanners
      ansible.builtin.include_role:
        name: mailops.relay.scanner_relay
      vars:
        scanner_relay_devices:
          - {name: "Copier 'A'", address: 127.0.0.11}
    - name: The limit of the play reaches this module, and is stricter than that of the server
      mailops.relay.receive_connectors:
        connectors:
          - name: Scanner relay
            remote_ip_ranges: {add: [127.0.0.12]}
      register: second
      failed_when: "'2 addresses could relay anywhere without AUTH, 1 are allowed' not in second.msg"
    - name: The defaults of the play reach our modules
      mailops.relay.receive_connectors_info:
        query: "connectors[].name"
      register: found
    - name: Names
      ansible.builtin.assert:
        that: found.query_result == ['Client relay', 'Default edge-1.example.com', 'Scanner relay']
"""


def galaxy(*arguments: str) -> None:
    program = Path(sys.executable).with_name("ansible-galaxy")
    subprocess.run([str(program), "collection", *arguments], check=True, capture_output=True, cwd=ROOT)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """A repository with the built archive installed; its relay is stopped afterwards."""
    galaxy("build", "--output-path", str(tmp_path / "dist"))
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    # --force: where the path of `make` is set, this checkout counts as installed already
    galaxy("install", str(archive), "--force", "--no-deps", "--offline", "-p", str(tmp_path / "collections"))
    assert (tmp_path / "collections/ansible_collections/mailops/relay/MANIFEST.json").is_file()
    (tmp_path / "hosts.yml").write_text(INVENTORY)
    (tmp_path / "edge.yml").write_text(PLAYBOOK)
    yield tmp_path
    stop(str(tmp_path / "spool"))


def test_roles_of_the_built_collection_in_a_foreign_repository(repository: Path) -> None:
    variables = {**COMMON, "spool": str(repository / "spool"), "smtp": free_binding(), "submission": free_binding()}
    run = Playbook(
        *("-i", "hosts.yml", "edge.yml", "edge.yml", "-vvvvvv"),
        variables=variables,
        collections=repository / "collections",
        folder=repository,
    )
    assert run.status == 0, run.output
    assert run.changed(1) == {"edge-1.example.com": 0}, run.output
    assert greeting(variables["submission"]).startswith("220 ")

    stored = (repository / "spool/accounts.json").read_text()
    secret = stored.partition("{SCRAM-SHA-256}")[2].partition('"')[0]
    assert secret
    assert secret not in run.output
    assert "p'a" not in run.output
