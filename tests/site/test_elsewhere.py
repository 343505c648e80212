# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection in somebody else's repository: own inventory, own names, roles included one by one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ansible import ROOT, Playbook
from support.net import free_port
from support.smtp_client import SmtpClient

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
    - name: The defaults of the play reach our modules
      mailops.relay.receive_connectors_info:
        query: "connectors[].name"
      register: found
    - name: Names
      ansible.builtin.assert:
        that: found.query_result == ['Client relay', 'Default edge-1.example.com', 'Scanner relay']
"""
STOP = """
- name: Stop
  hosts: mail_edge
  gather_facts: false
  tasks:
    - name: Stop
      mailops.relay.transport_service: {backend: aiosmtpd, directory: "{{ spool }}", state: stopped}
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
    for name, text in (("hosts.yml", INVENTORY), ("edge.yml", PLAYBOOK), ("stop.yml", STOP)):
        (tmp_path / name).write_text(text)
    yield tmp_path
    assert play(tmp_path, "stop.yml").status == 0


def play(repository: Path, name: str, variables: dict[str, Any] | None = None) -> Playbook:
    common = {"spool": str(repository / "spool"), "relay_server_cache": str(ROOT / ".venv/cache")}
    collections = repository / "collections"
    variables = {**common, **(variables or {})}
    return Playbook("-i", "hosts.yml", name, "-vvvvvv", variables=variables, collections=collections, folder=repository)


def test_roles_of_the_built_collection_in_a_foreign_repository(repository: Path) -> None:
    ports = [free_port("127.0.0.1") for _name in ("smtp", "submission")]
    variables = {"smtp": f"127.0.0.1:{ports[0]}", "submission": f"127.0.0.1:{ports[1]}"}
    first = play(repository, "edge.yml", variables)
    assert first.status == 0, first.output
    again = play(repository, "edge.yml", variables)
    assert (again.status, again.changed()) == (0, {"edge-1.example.com": 0}), again.output
    with SmtpClient("127.0.0.1", ports[1]) as client:
        assert client.hello().code == 250

    stored = (repository / "spool/accounts.json").read_text()
    secret = stored.partition("{SCRAM-SHA-256}")[2].partition('"')[0]
    assert secret
    for output in (first.output, again.output):
        assert secret not in output
        assert "p'a" not in output
