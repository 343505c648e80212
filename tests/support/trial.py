# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of whole playbooks have in common: relays on this machine, in directories and on ports of their own."""

from __future__ import annotations

from pathlib import Path

from support.ansible import ROOT
from support.interpreters import TARGET
from support.modules import Runner
from support.net import free_port
from support.smtp_client import SmtpClient

INVENTORY = ("-i", "playbooks/inventory/local")
# the Python of the modules, and a cache of the relay program, which every run would build otherwise
COMMON = {"ansible_python_interpreter": TARGET, "relay_server_cache": str(ROOT / ".venv/cache")}


def free_binding() -> str:
    return f"127.0.0.1:{free_port('127.0.0.1')}"


def greeting(binding: str, source: str = "127.0.0.1") -> str:
    host, port = binding.split(":")
    with SmtpClient(host, int(port), source=source) as client:
        return str(client.reply())


def stop(directory: str) -> None:
    Runner(Path(directory))("transport_service", state="stopped")
