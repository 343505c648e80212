# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml as `make site` runs it, in a directory and on ports of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ansible import ROOT, Playbook
from support.net import free_port
from support.smtp_client import SmtpClient

pytestmark = pytest.mark.timeout(900)  # whole playbooks, several in a test
SITE = ("-i", "playbooks/inventory/local", "playbooks/site.yml")
DOWN = ("-i", "playbooks/inventory/local", "playbooks/site_down.yml")
DIES = """
- hosts: relays
  gather_facts: false
  tasks:
    - mailops.relay.receive_connectors:
        backend: aiosmtpd
        directory: "{{ relay_directory }}"
        connectors: [{name: Scanner relay, banner: 220 changed by a play that died}]
    - ansible.builtin.fail: {msg: killed between apply and restart}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Variables of a trial of its own; it is taken down afterwards."""
    variables = {
        "lab_directory": str(tmp_path / "site"),
        "relay_bindings": [f"127.0.0.1:{free_port('127.0.0.1')}"],
        "relay_submission": f"127.0.0.1:{free_port('127.0.0.1')}",
        "relay_server_smarthost": f"127.0.0.1:{free_port('127.0.0.1')}",
        "inbound": f"127.0.0.1:{free_port('127.0.0.1')}",
        "lab_listen": "{{ relay_server_smarthost if inventory_hostname == 'next_hop' else inbound }}",
        "relay_server_accepted_domains": [{"name": "corp.test", "next_hop": "{{ inbound }}"}],
        "relay_server_cache": str(ROOT / ".venv/cache"),
    }
    yield variables
    down = Playbook(*DOWN, variables=variables)
    assert down.status == 0, down.output
    assert not (tmp_path / "site").exists()


def greeting(site: dict[str, Any], source: str) -> str:
    host, port = site["relay_bindings"][0].split(":")
    with SmtpClient(host, int(port), source=source) as client:
        return str(client.reply())


def test_site_proves_itself_settles_and_completes_a_play_that_died(site: dict[str, Any], tmp_path: Path) -> None:
    fresh = Playbook(*SITE, variables=site, check=True)
    assert fresh.status == 0, fresh.output
    assert fresh.changed()["relay"] > 0
    assert not Path(site["lab_directory"]).exists(), "check mode made something"

    first = Playbook(*SITE, variables=site)
    assert first.status == 0, first.output
    for expected in ("next_hop", "550 5.7.54", "inbound_route"):
        assert expected in first.output.partition("Show who may send where")[2]

    second = Playbook(*SITE, variables=site)
    assert (second.status, second.changed()) == (0, {"next_hop": 0, "inbound_route": 0, "relay": 0}), second.output

    playbook = tmp_path / "dies.yml"
    playbook.write_text(DIES)
    died = Playbook("-i", "playbooks/inventory/local", str(playbook), variables=site)
    assert died.status == 2, died.output
    assert "changed by a play that died" not in greeting(site, "127.0.0.11")

    completed = Playbook(*SITE, variables=site)
    assert completed.status == 0, completed.output
    assert completed.changed()["relay"] > 0
    assert greeting(site, "127.0.0.11") == "220 changed by a play that died"
    assert Playbook(*SITE, variables=site).changed()["relay"] == 0


def test_the_proof_fails_when_the_relay_is_open(site: dict[str, Any]) -> None:
    """127.0.0.99 is listed as a device: mail from a stranger arrives outside, and the play says so."""
    devices = [{"name": "copier", "address": "127.0.0.11"}, {"name": "wrong", "address": "127.0.0.99"}]
    opened = {"scanner_relay_devices": devices, "scanner_relay_allowed_senders": ["*"]}
    run = Playbook(*SITE, variables={**site, **opened})
    assert run.status == 2
    assert "550 5.7.54 was due, got 250" in run.output


def test_an_expired_device_drops_out(site: dict[str, Any]) -> None:
    devices = [
        {"name": "copier", "address": "127.0.0.11", "expires": "9998-12-31"},
        {"name": "gone", "address": "127.0.0.12", "expires": "2020-01-31"},
        {"name": "stays", "address": "127.0.0.13"},
    ]
    run = Playbook(*SITE, variables={**site, "scanner_relay_devices": devices})
    assert run.status == 0, run.output
    store = json.loads((Path(site["lab_directory"]) / "relay/store.json").read_text())
    ranges = {item["name"]: item["remote_ip_ranges"] for item in store["definitions"]["connectors"]}
    assert ranges["Scanner relay"] == ["127.0.0.11", "127.0.0.13"]
    bad = Playbook(*SITE, variables={**site, "scanner_relay_devices": [{**devices[0], "expires": "next year"}]})
    assert bad.status == 2
    assert "(127.0.0.11), expires: not a day, got 'next year'. Write it as 2027-06-30." in bad.output


def test_a_device_behind_a_shared_source_is_refused(site: dict[str, Any]) -> None:
    run = Playbook(*SITE, variables={**site, "scanner_relay_shared_sources": ["127.0.0.0/28"]}, check=True)
    assert run.status == 2
    assert "shared_sources: addresses that many clients arrive from could relay (127.0.0.11" in run.output
