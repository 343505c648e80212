# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles on hosts of every connection that Exchange servers are reached by, each of which writes."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exchange_lab import ssh
from exchange_lab import state as lab
from exchange_lab.engine import PowerShell
from exchange_lab.lab import Lab, exchange_host, running_lab
from exchange_lab.playing import Servers
from exchange_lab.reading import BECOME, SECRET
from exchange_lab.wsman import Tls
from support.ansible import Playbook

pytestmark = pytest.mark.timeout(1800)  # a whole playbook on many servers
PLAY = """
- hosts: exchange_servers
  gather_facts: false
  vars:
    relay_backend: exchange
    said: []
  module_defaults:
    mailops.relay.receive_connectors:
      max_relay_addresses: "{{ step.most | default(omit) }}"
      shared_sources: "{{ step.shared | default(omit) }}"
  tasks:
    - ansible.builtin.include_tasks: try.yml
      loop: "{{ steps }}"
      loop_control: {loop_var: step, label: "{{ step.role }}"}
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    names: "{{ groups.exchange_servers }}"
  tasks:
    - ansible.builtin.copy:
        content: "{{ dict(names | zip(names | map('extract', hostvars, 'said'))) | to_json }}"
        dest: "{{ playbook_dir }}/said.json"
        mode: "0600"
"""
TRY = """
- block:
    - ansible.builtin.include_role: {name: "mailops.relay.{{ step.role }}"}
      vars:
        scanner_relay_devices: "{{ step.devices | default([]) }}"
        scanner_relay_allow_empty: true
        client_relay_bindings: ["0.0.0.0:25"]
        client_relay_require_tls: false
        relay_server_fqdn: relay.corp.test
        relay_server_accepted_domains: [{name: corp.test}]
        transport_service_restart_in_maintenance: "{{ step.maintenance | default(false) }}"
    - ansible.builtin.meta: flush_handlers
    - ansible.builtin.set_fact:
        said: "{{ said + [lookup('ansible.builtin.vars', step.role ~ '_result')] }}"
  rescue:
    - ansible.builtin.set_fact: {said: "{{ said + [ansible_failed_result] }}"}
"""
TWO = [{"name": "Copier", "address": "10.0.0.11"}, {"name": "Scanner", "address": "10.0.0.12"}]
SCAN: dict[str, Any] = {"role": "scanner_relay", "devices": TWO[:1]}
RELAY = "Scanner relay"


def with_scanner() -> lab.Data:
    server = lab.mailbox()
    front: lab.Data = {"Bindings": ["0.0.0.0:25"], "TransportRole": "FrontendTransport"}
    device = lab.connector(server, RELAY, ["AnonymousUsers"], [lab.relay_ace()], RemoteIPRanges=["10.0.0.11"], **front)
    server["connectors"].append(device)
    return lab.state(server)


def resting() -> lab.Data:
    """In maintenance, with a change that its services have not read."""
    server = lab.mailbox()
    server["components"] |= {"HubTransport": "Draining"}
    whole = lab.state(server)
    server["connectors"][0]["when_changed"] = lab.EPOCH + 86_400
    return whole


@dataclass(frozen=True)
class Case:
    state: lab.Data
    steps: tuple[Mapping[str, Any], ...]
    https: bool = False
    transport: str = "basic"


CASES = {
    "basic_https": Case(lab.state(lab.classic()), ({"role": "client_relay"},), https=True),
    "ntlm": Case(lab.state(lab.mailbox()), ({**SCAN, "devices": TWO, "most": 1}, SCAN), transport="ntlm"),
    "ntlm_https": Case(with_scanner(), ({"role": "scanner_relay"}, {"role": "scanner_relay"}), True, "ntlm"),
    "shared": Case(lab.state(lab.mailbox()), ({**SCAN, "shared": ["10.0.0.11"]}, {"role": "relay_server"})),
    "become": Case(lab.state(lab.mailbox()), (SCAN,)),
    "maintenance": Case(resting(), ({"role": "transport_service"}, {"role": "transport_service", "maintenance": True})),
    "ssh": Case(lab.state(lab.mailbox()), (SCAN,)),
}


@dataclass(frozen=True)
class Ran:
    run: Playbook
    servers: Servers
    said: dict[str, list[dict[str, Any]]]

    def log(self, name: str) -> list[lab.Data]:
        return lab.calls(self.servers.labs[name].log)


@pytest.fixture(scope="module")
def ran(pwsh: Path, tls: Tls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """All in one run."""
    folder = tmp_path_factory.mktemp("ways")
    (folder / "try.yml").write_text(TRY)
    with contextlib.ExitStack() as stack:
        labs: dict[str, Lab] = {}
        hosts: dict[str, dict[str, Any]] = {}
        for name, case in CASES.items():
            (folder / name).mkdir()
            labs[name] = stack.enter_context(running_lab(pwsh, folder / name, tls if case.https else None))
            lab.write(labs[name].state, case.state)
            hosts[name] = exchange_host(labs[name].server, case.transport, steps=list(case.steps))
        hosts["become"] |= BECOME
        sshd = ssh.find_sshd()
        if sshd is None:
            del hosts["ssh"]
        else:
            engine = PowerShell(pwsh, labs["ssh"].state, labs["ssh"].log)
            hosts["ssh"] = {**stack.enter_context(ssh.serving(sshd, folder / "sshd", engine)), "steps": [SCAN]}
        servers = Servers(folder, labs, hosts)
        run = servers.play(PLAY, "--forks=3", "-vvvvvv")
        assert (folder / "said.json").exists(), run.output[-6000:]
        yield Ran(run, servers, json.loads((folder / "said.json").read_text()))


@pytest.mark.parametrize("name", ["ntlm", "become", "ssh"])
def test_devices_are_served_by_every_way_in(ran: Ran, name: str) -> None:
    """Written and restarted: over HTTP with NTLM, as another user, and through sshd."""
    if name not in ran.said:
        pytest.skip("no sshd was found, and SSHD names none")
    result = ran.said[name][-1]
    assert (result.get("failed"), result["changed"]) == (False, True), result
    assert ran.servers.connectors(name)[RELAY]["properties"]["RemoteIPRanges"] == ["10.0.0.11"]
    stopped = [call["parameters"] for call in ran.log(name) if call["cmdlet"] == "Stop-Service"]
    # both, because rights were changed
    assert sorted(text for parameters in stopped for text in parameters["Name"]) == [lab.FRONTEND, lab.TRANSPORT]
    assert [item["ranges"] for item in result["relay_surface"]] == [["10.0.0.11"]]


def test_passwords_before_tls_are_said_and_nothing_is_taken_from_the_internet_connector(ran: Ran) -> None:
    """Over HTTPS with Basic."""
    [result] = ran.said["basic_https"]
    assert result["changed"], result
    found = ran.servers.connectors("basic_https")["Windows SBS Internet Receive EX01"]
    assert set(found["properties"]["AuthMechanism"]) == {"Tls", "BasicAuth"}
    assert set(found["groups"]) == {"AnonymousUsers", "ExchangeUsers"}
    assert any("passwords may travel in the clear" in warning for warning in result["warnings"])


def test_with_no_device_left_the_connector_goes_and_stays_away(ran: Ran) -> None:
    """Over HTTPS with NTLM."""
    first, again = ran.said["ntlm_https"]
    assert ((first["changed"], again["changed"]), first["relay_surface"]) == ((True, False), []), (first, again)
    assert RELAY not in ran.servers.connectors("ntlm_https")


@pytest.mark.parametrize(("name", "limit"), [("ntlm", "max_relay_addresses"), ("shared", "shared_sources")])
def test_limits_by_module_defaults_are_named_as_such(ran: Ran, name: str, limit: str) -> None:
    message = ran.said[name][0]["msg"]
    assert message.startswith(f"module_defaults of mailops.relay.receive_connectors, {limit}: "), message
    assert "scanner_relay_allow_open_relay: true" in message
    assert "Copier" in message
    assert RELAY not in ran.servers.connectors("shared")


def test_relay_server_says_why_not(ran: Ran) -> None:
    message = ran.said["shared"][1]["msg"]
    assert "relay_server" in message
    assert "Exchange" in message


def test_a_server_in_maintenance_is_left_alone_unless_the_role_is_told(ran: Ran) -> None:
    left, restarted = ran.said["maintenance"]
    assert (left["changed"], restarted["changed"]) == (False, True), (left, restarted)
    assert any("in maintenance" in warning for warning in left["warnings"])
    assert restarted["commands"]


def test_no_password_is_seen(ran: Ran) -> None:
    """Neither in the output of -vvvvvv nor on a command line nor in what the cmdlets were called with."""
    for name, item in ran.servers.labs.items():
        lines = [execution.line for execution in item.server.executions]
        scripts = [base64.b64decode(line.split()[-1]).decode("utf-16-le") for line in lines]
        seen = [*lines, *scripts, item.log.read_text() if item.log.exists() else "", json.dumps(ran.said.get(name))]
        for secret in (SECRET, item.server.account.password):
            assert secret not in "\n".join([*seen, ran.run.output])
    users = {execution.become_user for execution in ran.servers.labs["become"].server.executions}
    assert users == {"CORP\\exadmin"}
