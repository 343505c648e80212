# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read servers of the lab as users do: one playbook over many hosts, and the script that is pasted into a shell."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exchange_lab import state as lab
from exchange_lab.faults import Fault
from exchange_lab.lab import Lab, exchange_host, inventory, running_lab
from support.ansible import ROOT, Playbook

SNAPSHOT = ROOT / "docs/exchange-snapshot.ps1"
SECRET = "Sudo-S3cret"  # of become
BECOME = {
    "ansible_become": True,
    "ansible_become_method": "runas",
    "ansible_become_user": "CORP\\exadmin",
    "ansible_become_password": SECRET,
}
# `found` of a host: what the task returned, whatever became of it; `asked`: what the filter said to that
PLAYBOOK = """
- hosts: all
  gather_facts: false
  ignore_unreachable: true
  tasks:
    - mailops.relay.receive_connectors_info:
        backend: exchange
        exchange_session: "{{ exchange_session | default('remote') }}"
      register: found
      ignore_errors: true
    - ansible.builtin.set_fact:
        surface: "{{ found | mailops.relay.relay_surface }}"
      register: asked
      ignore_errors: true
      when: found is success and found is reachable
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - ansible.builtin.copy:
        content: "{{ dict(names | zip(names | map('extract', hostvars))) | to_json }}"
        dest: "{{ result_file }}"
        mode: "0600"
      vars:
        names: "{{ groups.all | difference(['localhost']) }}"
      no_log: true
"""
SNAPSHOTS = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - mailops.relay.receive_connectors_info:
        backend: exchange
        snapshot: "{{ item }}"
      loop: "{{ files }}"
      register: found
    - ansible.builtin.copy:
        content: >-
          {{ found.results
             | zip(found.results | map('mailops.relay.relay_surface')) | to_json }}
        dest: "{{ result_file }}"
        mode: "0600"
"""


@dataclass(frozen=True)
class Host:
    """A server to read: its state, what its Windows does wrong, variables of the inventory."""

    state: lab.Data
    faults: tuple[Fault, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """Of a host: what the task returned, the answer of the filter to it, and what the lab saw."""

    result: lab.Data
    filtered: lab.Data
    exchange: Lab


@dataclass(frozen=True)
class Run:
    output: str
    hosts: dict[str, Reading]


def read(pwsh: Path, folder: Path, hosts: Mapping[str, Host], *options: str) -> Run:
    """All of them in one run of ansible-playbook."""
    with contextlib.ExitStack() as stack:
        labs = {}
        for name, host in hosts.items():
            (folder / name).mkdir()
            labs[name] = stack.enter_context(running_lab(pwsh, folder / name))
            labs[name].server.faults += host.faults
            lab.write(labs[name].state, host.state)
        variables = {name: exchange_host(labs[name].server, **host.variables) for name, host in hosts.items()}
        answers, output = _play(folder, PLAYBOOK, *inventory(folder / "hosts.json", **variables), *options)
    readings = {name: Reading(answers[name]["found"], answers[name]["asked"], labs[name]) for name in hosts}
    return Run(output, readings)


def _play(folder: Path, playbook: str, *options: str, **variables: Any) -> tuple[Any, str]:
    (folder / "play.yml").write_text(playbook, encoding="utf-8")
    answers = folder / "answers.json"
    run = Playbook(
        str(folder / "play.yml"), "--forks=3", *options, variables={"result_file": str(answers), **variables}
    )
    assert answers.exists(), run.output[-6000:]
    return json.loads(answers.read_text(encoding="utf-8")), run.output


def take_snapshots(pwsh: Path, folder: Path, states: Iterable[lab.Data]) -> list[Path]:
    """Run the script in a shell of each server, with the snap-in as in an Exchange Management Shell."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda item: _snapshot(pwsh, folder / f"home-{item[0]}", item[1]), enumerate(states)))


def _snapshot(pwsh: Path, home: Path, whole: lab.Data) -> Path:
    home.mkdir()
    lab.write(home / "state.json", whole)
    name = whole["servers"][0]["name"]
    script = f"Add-PSSnapin (Get-PSSnapin -Registered)[0].Name\n. '{SNAPSHOT}'\n"
    (home / "shell.ps1").write_text(script, encoding="utf-8")
    machine = {"COMPUTERNAME": name, "ProgramData": str(home), "HOME": str(home), "TZ": "UTC"}
    subprocess.run(
        [str(pwsh), "-NoProfile", "-NonInteractive", "-File", str(home / "shell.ps1")],
        env={**os.environ, **lab.environment(home / "state.json", home / "log"), **machine},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return home / f"exchange-snapshot-{name}.txt"


def read_snapshots(folder: Path, files: Iterable[Path]) -> list[tuple[lab.Data, list[Any]]]:
    """What receive_connectors_info returns for each, and what the filter says to that."""
    names = [str(file) for file in files]
    answers, _output = _play(folder, SNAPSHOTS, "-i", "localhost,", files=names)
    return list(answers)
