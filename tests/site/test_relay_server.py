# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role relay_server by itself: what it refuses, and two relays on one host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ansible import ROOT, Playbook
from support.net import free_port
from support.smtp_client import SmtpClient

pytestmark = pytest.mark.timeout(900)  # whole playbooks
INVENTORY = ("-i", "playbooks/inventory/local")
TWO = """
- hosts: relays
  gather_facts: false
  roles:
    - role: mailops.relay.relay_server
      vars: {relay_server_directory: "{{ one }}", relay_server_bindings: ["{{ first }}"]}
    - role: mailops.relay.relay_server
      vars: {relay_server_directory: "{{ two }}", relay_server_bindings: ["{{ second }}"]}
"""
STOP = """
- hosts: relays
  gather_facts: false
  tasks:
    - mailops.relay.transport_service: {backend: aiosmtpd, directory: "{{ item }}", state: stopped}
      loop: ["{{ one }}", "{{ two }}"]
"""


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Two relays of one host; they are stopped afterwards."""
    found = {
        "one": str(tmp_path / "one"),
        "two": str(tmp_path / "two"),
        "first": f"127.0.0.1:{free_port('127.0.0.1')}",
        "second": f"127.0.0.1:{free_port('127.0.0.1')}",
        "relay_server_accepted_domains": [],
        "relay_server_smarthost": "",
        "relay_server_cache": str(ROOT / ".venv/cache"),
    }
    (tmp_path / "two.yml").write_text(TWO)
    (tmp_path / "stop.yml").write_text(STOP)
    yield found
    stopped = Playbook(*INVENTORY, str(tmp_path / "stop.yml"), variables=found)
    assert stopped.status == 0, stopped.output


def greeting(binding: str) -> str:
    host, port = binding.split(":")
    with SmtpClient(host, int(port)) as client:
        return str(client.reply())


def test_two_relays_of_a_host_are_both_restarted(variables: dict[str, Any], tmp_path: Path) -> None:
    def play(fqdn: str, *, check: bool = False) -> Playbook:
        named = {**variables, "relay_server_fqdn": fqdn}
        return Playbook(*INVENTORY, str(tmp_path / "two.yml"), variables=named, check=check)

    first = play("a.test")
    assert first.status == 0, first.output
    predicted = play("b.test", check=True)
    assert predicted.status == 0, predicted.output
    assert "RUNNING HANDLER" in predicted.output
    assert predicted.changed()["relay"] == 3, "two settings files and the restarts"
    assert greeting(variables["first"]).startswith("220 a.test")
    changed = play("b.test")
    assert changed.status == 0, changed.output
    assert [greeting(variables[name])[:10] for name in ("first", "second")] == ["220 b.test"] * 2
    assert play("b.test").changed()["relay"] == 0


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        (
            "relay_server_smarthost",
            "smtp.provider.example",
            'not a server, got "smtp.provider.example". Write host:port',
        ),
        ("relay_server_fqdn", "a\nb", 'not a host name, got "a\\nb"'),
        ("relay_server_fqdn", "10.0.0.1", 'not a host name, got "10.0.0.1"'),
        ("relay_server_name", "x" * 57, "not a name for a server, got"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_touched(
    variables: dict[str, Any], tmp_path: Path, variable: str, value: str, says: str
) -> None:
    play = Playbook(*INVENTORY, str(tmp_path / "two.yml"), variables={**variables, variable: value})
    assert play.status == 2
    assert f"{variable}: {says}" in play.output.replace('\\"', '"').replace("\\\\", "\\")
    assert not Path(variables["one"]).exists()


def test_a_server_keeps_its_name_and_an_underscore_makes_no_host_name(
    variables: dict[str, Any], tmp_path: Path
) -> None:
    named = {
        **variables,
        "relay_server_name": "mail_relay",
        "relay_server_fqdn": "{{ relay_server_name | replace('_', '-') }}",
    }
    first = Playbook(*INVENTORY, str(tmp_path / "two.yml"), variables=named)
    assert first.status == 0, first.output
    assert greeting(variables["first"]).startswith("220 mail-relay ")
    before = {path: path.read_bytes() for path in Path(variables["one"]).glob("*.json")}
    renamed = Playbook(*INVENTORY, str(tmp_path / "two.yml"), variables={**named, "relay_server_name": "other"})
    assert renamed.status == 2
    assert "relay_server_name: the server is called" in renamed.output
    assert {path: path.read_bytes() for path in Path(variables["one"]).glob("*.json")} == before
