# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""pywinrm as a client of the lab: as in Ansible, without the second that Ansible takes to start."""

from __future__ import annotations

from typing import Any, Literal

from winrm.protocol import Protocol

from exchange_lab.engine import Output
from exchange_lab.wsman import Wsman

Transport = Literal["basic", "ntlm"]


def client(server: Wsman, transport: Transport = "basic", **options: Any) -> Protocol:
    wanted = {
        "username": server.account.login,
        "password": server.account.password,
        "ca_trust_path": str(server.tls.authority) if server.tls else None,
        "proxy": None,
    }
    return Protocol(server.url, transport, **{**wanted, **options})


def execute(protocol: Protocol, command: str, *arguments: str, stdin: bytes | None = None) -> Output:
    """In a shell of its own."""
    shell = protocol.open_shell(codepage=65001)
    identity = protocol.run_command(shell, command, arguments, console_mode_stdin=stdin is None)
    if stdin is not None:
        protocol.send_command_input(shell, identity, stdin, end=True)
    output = Output(*protocol.get_command_output(shell, identity))
    protocol.cleanup_command(shell, identity)
    protocol.close_shell(shell)
    return output
