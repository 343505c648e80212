# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks of users against servers of the lab: an inventory with the group exchange_servers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exchange_lab import state as lab
from exchange_lab.lab import Lab, exchange_host, running_lab
from exchange_lab.wsman import Tls
from support.ansible import Playbook

Variables = Mapping[str, Any]


@dataclass
class Servers:
    """Running servers of the lab, by inventory name, and what their hosts and their group have as variables."""

    folder: Path
    labs: dict[str, Lab]
    hosts: dict[str, dict[str, Any]]
    group: dict[str, Any] = field(default_factory=dict)

    def play(self, playbook: str | Path, *options: str, check: bool = False) -> Playbook:
        """Run a playbook, or the text of one."""
        file = playbook
        if isinstance(playbook, str):
            file = self.folder / "play.yml"
            file.write_text(playbook, encoding="utf-8")
        hosts = self.folder / "hosts.json"
        hosts.touch(mode=0o600)  # it holds passwords
        group = {"hosts": self.hosts, "vars": self.group}
        hosts.write_text(json.dumps({"all": {"children": {"exchange_servers": group}}}), encoding="utf-8")
        return Playbook("-i", str(hosts), str(file), *options, check=check)

    def state(self, name: str) -> lab.Data:
        return lab.read(self.labs[name].state)

    def connectors(self, name: str) -> dict[str, lab.Data]:
        """Of a server, by name."""
        return {item["name"]: item for item in self.state(name)["servers"][0]["connectors"]}

    def calls(self, name: str) -> list[str]:
        """The cmdlets that were called since the last time."""
        found = [str(call["cmdlet"]) for call in lab.calls(self.labs[name].log)]
        self.labs[name].log.unlink(missing_ok=True)
        return found


@contextlib.contextmanager
def serving(
    pwsh: Path, folder: Path, states: Mapping[str, lab.Data], tls: Tls | None = None, **hosts: Variables
) -> Iterator[Servers]:
    """Servers in these states; ``hosts``: more variables of some."""
    with contextlib.ExitStack() as stack:
        labs = {}
        for name, whole in states.items():
            (folder / name).mkdir()
            labs[name] = stack.enter_context(running_lab(pwsh, folder / name, tls))
            lab.write(labs[name].state, whole)
        found = {name: exchange_host(item.server, **hosts.get(name, {})) for name, item in labs.items()}
        yield Servers(folder, labs, found)
