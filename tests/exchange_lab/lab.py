# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab that tests and benchmarks start: server, PowerShell, state; and how Ansible finds it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange_lab.engine import PowerShell
from exchange_lab.wsman import Tls, Wsman, running
from support.ansible import Playbook

# of the fixtures `start` and `ad_hoc`
Start = Callable[..., Wsman]
AdHoc = Callable[..., Playbook]


@dataclass(frozen=True)
class Lab:
    """A server whose command lines run in PowerShell. Stub cmdlets read and write `state`, and note calls in `log`."""

    server: Wsman
    state: Path
    log: Path


@contextlib.contextmanager
def running_lab(pwsh: Path, folder: Path, tls: Tls | None = None) -> Iterator[Lab]:
    state, log = folder / "state.json", folder / "calls.log"
    with running(PowerShell(pwsh, state, log), tls) as server:
        yield Lab(server, state, log)


def exchange_host(server: Wsman, transport: str = "basic", **variables: Any) -> dict[str, Any]:
    """Inventory variables of a server in the lab; `variables` are added, or replace some."""
    return {
        "ansible_connection": "winrm",
        "ansible_host": "127.0.0.1",
        "ansible_port": server.server_port,
        "ansible_user": server.account.login,
        "ansible_password": server.account.password,
        "ansible_winrm_transport": transport,
        "ansible_winrm_scheme": server.scheme,
        "ansible_winrm_server_cert_validation": "validate",
        "ansible_winrm_ca_trust_path": str(server.tls.authority) if server.tls else None,
        "ansible_winrm_proxy": None,  # whatever the environment says
        **variables,
    }


def inventory(file: Path, **hosts: dict[str, Any]) -> list[str]:
    """Write an inventory of hosts and their variables; returns arguments for Playbook."""
    file.touch(mode=0o600)  # it holds passwords
    file.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return ["-i", str(file)]
