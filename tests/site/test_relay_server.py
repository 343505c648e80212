# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two relays on one host, and what roles refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from support.ansible import Playbook
from support.trial import COMMON, INVENTORY, free_binding, greeting, stop

pytestmark = pytest.mark.timeout(900)  # whole playbooks
TWO = """
- hosts: relays
  gather_facts: false
  roles:
    - role: mailops.relay.relay_server
      vars: {relay_server_directory: "{{ one }}", relay_server_bindings: ["{{ first }}"]}
    - role: mailops.relay.relay_server
      vars: {relay_server_directory: "{{ two }}", relay_server_bindings: ["{{ second }}"]}
"""


class Relays(NamedTuple):
    """Two relays of one host, and the playbook that made them."""

    variables: dict[str, Any]
    playbook: str

    def play(self, *more: str, check: bool = False, **changes: str) -> Playbook:
        return Playbook(*INVENTORY, self.playbook, *more, variables={**self.variables, **changes}, check=check)


@pytest.fixture(scope="module")
def relays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relays]:
    folder = tmp_path_factory.mktemp("relays")
    variables = {
        **COMMON,
        "one": str(folder / "one"),
        "two": str(folder / "two"),
        "first": free_binding(),
        "second": free_binding(),
        "relay_server_name": "mail_relay",
        "relay_server_accepted_domains": [],
        "relay_server_smarthost": {},
        "relay_server_shared_sources": ["127.0.0.0/28"],
    }
    (folder / "two.yml").write_text(TWO)
    relays = Relays(variables, str(folder / "two.yml"))
    first = relays.play(relay_server_fqdn="{{ relay_server_name | replace('_', '-') }}")
    assert first.status == 0, first.output
    yield relays
    stop(variables["one"])
    stop(variables["two"])


def test_both_are_restarted_and_an_underscore_makes_no_host_name(relays: Relays) -> None:
    predicted = relays.play(check=True, relay_server_fqdn="b.test")
    assert predicted.status == 0, predicted.output
    assert "RUNNING HANDLER" in predicted.output
    assert predicted.changed()["relay"] == 3, "settings of two relays and the restarts"
    assert greeting(relays.variables["first"]).startswith("220 mail-relay ")
    changed = relays.play(relays.playbook, relay_server_fqdn="b.test")
    assert changed.status == 0, changed.output
    assert [greeting(relays.variables[name])[:10] for name in ("first", "second")] == ["220 b.test"] * 2
    assert changed.changed(1)["relay"] == 0


# -- refused before anything is touched --------------------------------------------------------------------------------


class Refused(NamedTuple):
    role: str
    variables: dict[str, Any]
    says: str


DEVICE = {"name": "copier", "address": "127.0.0.11"}
REFUSED = {
    "smarthost": Refused(
        "relay_server",
        {"relay_server_smarthost": {"host": "smtp provider"}},
        "relay_server_smarthost, host: not a host name, got 'smtp provider'",
    ),
    "line break": Refused(
        "relay_server", {"relay_server_fqdn": "a\nb"}, "relay_server_fqdn: a line break, got 'a\\nb'"
    ),
    "address": Refused(
        "relay_server", {"relay_server_fqdn": "10.0.0.1"}, "relay_server_fqdn: not a host name, got '10.0.0.1'"
    ),
    "long name": Refused(
        "relay_server", {"relay_server_name": "x" * 57}, "relay_server_name: not a name for a server, got"
    ),
    "other name": Refused(
        "relay_server",
        {"relay_server_name": "other", "relay_server_directory": "{{ one }}"},
        "relay_server_name: the server is called",
    ),
    "new binding": Refused(
        "relay_server", {"relay_server_bindings": ["x"]}, "connector 'Default relay', relay_server_bindings[0]: not a"
    ),
    "other binding": Refused(
        "relay_server",
        {
            "relay_server_directory": "{{ one }}",
            "relay_server_name": "mail_relay",
            "relay_server_fqdn": "moved.test",
            "relay_server_bindings": ["192.0.2.1:25"],
        },
        "binding 192.0.2.1:25: this host does not have that address",
    ),
    "domain": Refused(
        "relay_server",
        {"relay_server_accepted_domains": [{"name": "a b"}]},
        "relay_server_accepted_domains: accepted domain 0, name: not a domain, got 'a b'",
    ),
    "certificate": Refused(
        "client_relay",
        {"client_relay_self_signed_name": "a.test,DNS:b.test"},
        "client_relay_self_signed_name: not a host name, got 'a.test,DNS:b.test'",
    ),
    "connector": Refused(
        "scanner_relay",
        {"scanner_relay_connector": " x", "scanner_relay_devices": [DEVICE]},
        "connector 0, scanner_relay_connector: not a connector name, got ' x'",
    ),
    "account": Refused(
        "client_relay",
        {
            "client_relay_directory": "{{ one }}",
            "client_relay_bindings": ["{{ second }}"],
            "client_relay_accounts": [{"name": "alice", "password": "abc1234"}],
        },
        "client_relay_accounts: account 'alice', password: a password that is too short",
    ),
    "last day": Refused(
        "scanner_relay",
        {"scanner_relay_devices": [{**DEVICE, "expires": "next year"}]},
        "scanner_relay_devices: device 'copier' (127.0.0.11), expires: not a day, got 'next year'. Write it as 2027-",
    ),
    "shared source": Refused(
        "scanner_relay",
        {"scanner_relay_devices": [DEVICE]},
        "relay_server_shared_sources: addresses that many clients arrive from could relay (127.0.0.11",
    ),
}
REPORT = {
    "ansible.builtin.copy": {"content": "{{ said | to_json }}", "dest": "{{ report }}", "mode": "0600"},
}


def attempt(name: str) -> dict[str, Any]:
    """A task that uses the role and keeps what it says."""
    role, variables, _says = REFUSED[name]
    said = {"said": "{{ said | default({}) | combine({attempt: ansible_failed_result.msg}) }}"}
    return {
        "block": [{"ansible.builtin.include_role": {"name": f"mailops.relay.{role}"}, "vars": variables}],
        "rescue": [{"ansible.builtin.set_fact": said, "vars": {"attempt": name}}],
    }


@pytest.fixture(scope="module")
def said(relays: Relays, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By the name of the attempt, all of them in one play; the files of the two relays are not touched by it."""
    folder = tmp_path_factory.mktemp("refused")
    variables = {
        "one": relays.variables["one"],
        "second": free_binding(),
        "report": str(folder / "report.json"),
        "relay_directory": str(folder / "new"),
        "scanner_relay_directory": relays.variables["one"],
        "scanner_relay_bindings": [relays.variables["first"]],
    }
    play = {"hosts": "relays", "gather_facts": False, "tasks": [*map(attempt, REFUSED), REPORT]}
    (folder / "refused.yml").write_text(yaml.safe_dump([play]))
    before = {path: path.stat().st_ctime_ns for path in Path(relays.variables["one"]).iterdir()}
    run = Playbook(*INVENTORY, str(folder / "refused.yml"), variables=variables)
    assert run.status == 0, run.output
    assert not (folder / "new").exists()
    assert {path: path.stat().st_ctime_ns for path in Path(relays.variables["one"]).iterdir()} == before
    report: dict[str, str] = json.loads((folder / "report.json").read_text())
    return report


@pytest.mark.parametrize("name", REFUSED)
def test_bad_settings_are_refused_before_anything_is_touched(said: dict[str, str], name: str) -> None:
    assert REFUSED[name].says in said[name]
