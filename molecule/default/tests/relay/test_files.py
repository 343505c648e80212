# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the relay as they lie there, and what the collection reads from them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host


@pytest.fixture(scope="module")
def info(host: Host, wanted: dict[str, Any]) -> dict[str, Any]:
    arguments = f"backend=aiosmtpd directory={wanted['directory']}"
    found: dict[str, Any] = host.ansible("mailops.relay.receive_connectors_info", arguments)
    return found


def test_only_the_listed_devices_relay(info: dict[str, Any], wanted: dict[str, Any]) -> None:
    surface = [(item["binding"], item["addresses"]) for item in info["relay_surface"]]
    assert surface == [(wanted["proof"]["relay"], len(wanted["proof"]["devices"]))]
    ranges = {item["name"]: item["remote_ip_ranges"] for item in info["connectors"]}
    assert ranges["Scanner relay"] == wanted["proof"]["devices"]


def test_the_domains_are_ours(info: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert [item["name"] for item in info["accepted_domains"]] == wanted["proof"]["accepted_domains"]


def test_the_service_runs_with_what_is_stored(info: dict[str, Any], host: Host, wanted: dict[str, Any]) -> None:
    assert (info["service"]["state"], info["restart_required"]) == ("started", False)
    status = json.loads(host.file(f"{wanted['directory']}/status.json").content_string)
    assert host.file(f"/proc/{status['pid']}").is_directory
    listeners = {f"{item['address']}:{item['port']}" for item in status["listeners"]}
    assert listeners == {wanted["proof"]["relay"], wanted["proof"]["submission"]}


def test_secrets_are_for_the_relay_only(host: Host, wanted: dict[str, Any]) -> None:
    accounts = host.file(f"{wanted['directory']}/accounts.json")
    assert accounts.mode == host.file(f"{wanted['directory']}/client_relay.key").mode == 0o600
    names = host.file(wanted["directory"]).listdir()
    assert {"accounts.json", "relayd.log", "settings.json", "store.json"} <= set(names)
    for name in names:
        text = host.file(f"{wanted['directory']}/{name}").content
        assert not any(account["password"].encode() in text for account in wanted["proof"]["accounts"]), name
