# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml as `make site` runs it, in a directory and on ports of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ansible import Playbook
from support.modules import Runner
from support.trial import COMMON, INVENTORY, free_binding, greeting

pytestmark = pytest.mark.timeout(900)  # whole playbooks, several in a test
SITE = "playbooks/site.yml"
DEVICES = [
    {"name": "copier", "address": "127.0.0.11", "expires": "9998-12-31"},
    {"name": "gone", "address": "127.0.0.12", "expires": "2020-01-31"},
    {"name": "stays", "address": "127.0.0.13"},
]
OPEN = {
    "scanner_relay_devices": [*DEVICES, {"name": "wrong", "address": "127.0.0.99"}],
    "scanner_relay_allowed_senders": ["*"],
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Variables of a trial of its own; it is taken down afterwards."""
    variables = {
        **COMMON,
        "lab_directory": str(tmp_path / "site"),
        "relay_bindings": [free_binding()],
        "relay_submission": free_binding(),
        "outbound": free_binding(),
        "inbound": free_binding(),
        "lab_listen": "{{ outbound if inventory_hostname == 'next_hop' else inbound }}",
        "relay_server_accepted_domains": [{"name": "corp.test", "next_hop": "{{ inbound }}"}],
        "scanner_relay_devices": DEVICES,
    }
    yield variables
    down = Playbook(*INVENTORY, "playbooks/site_down.yml", variables=variables)
    assert down.status == 0, down.output
    assert not (tmp_path / "site").exists()


def test_site_proves_itself_settles_and_completes_a_play_that_died(site: dict[str, Any]) -> None:
    """In one go, because every run takes ten seconds."""
    fresh = Playbook(*INVENTORY, SITE, variables=site, check=True)
    assert fresh.status == 0, fresh.output
    assert fresh.changed()["relay"] > 0
    assert not Path(site["lab_directory"]).exists(), "check mode made something"

    # 127.0.0.99 is listed as a device: mail from a stranger arrives outside, and the play says so
    opened = Playbook(*INVENTORY, SITE, variables={**site, **OPEN})
    assert opened.status == 2, opened.output
    assert "550 5.7.54 was due, got 250" in opened.output

    # a play that dies between apply and restart
    relay = Runner(Path(site["lab_directory"]) / "relay")
    relay("receive_connectors", connectors=[{"name": "Scanner relay", "banner": "220 changed by a play that died"}])
    assert "changed by a play that died" not in greeting(site["relay_bindings"][0], "127.0.0.11")

    completed = Playbook(*INVENTORY, SITE, SITE, variables=site)
    assert completed.status == 0, completed.output
    assert completed.changed()["relay"] > 0
    assert completed.changed(1) == {"next_hop": 0, "inbound_route": 0, "relay": 0}, completed.output
    assert greeting(site["relay_bindings"][0], "127.0.0.11") == "220 changed by a play that died"
    for expected in ("next_hop", "550 5.7.54", "inbound_route"):
        assert expected in completed.output.partition("Show who may send where")[2]
    [device_ranges] = [
        item["remote_ip_ranges"]
        for item in json.loads((relay.directory / "store.json").read_text())["definitions"]["connectors"]
        if item["name"] == "Scanner relay"
    ]
    assert device_ranges == ["127.0.0.11", "127.0.0.13"], "the device that expired dropped out"
