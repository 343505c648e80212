# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What writing to Exchange costs: ``PWSH=/path/to/pwsh python benchmarks/exchange_write.py [connectors]...``.

Without numbers 1, 10, 50 and 200 connectors: made by one task of ``receive_connectors`` on a server of the lab that has
those of setup, over winrm with Basic; and the same task again, which changes nothing. Printed is what exchange_read.py
prints; its notes hold here too. Run it in the environment of ``make link venv``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from exchange_read import HEAD, measured

from exchange_lab import state as lab
from exchange_lab.lab import exchange_host, inventory, running_lab


def task(count: int) -> tuple[str, ...]:
    """A scanner that may relay, and another, and another."""
    relay = {"principal": "NT AUTHORITY\\ANONYMOUS LOGON", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}
    connectors: list[dict[str, Any]] = [
        {
            "name": f"Scanner {number}",
            "bindings": ["0.0.0.0:25"],
            "remote_ip_ranges": [f"10.{number}.0.1"],
            "permission_groups": ["AnonymousUsers"],
            "extended_rights": [relay],
        }
        for number in range(count)
    ]
    arguments = {"backend": "exchange", "connectors": connectors}
    return ("--module-name", "mailops.relay.receive_connectors", "--args", json.dumps(arguments))


def measure(pwsh: Path, count: int) -> None:
    with tempfile.TemporaryDirectory() as name, running_lab(pwsh, Path(name)) as running:
        lab.write(running.state, lab.state(lab.mailbox()))
        hosts = inventory(Path(name) / "hosts.json", exchange=exchange_host(running.server))
        print(measured(running, count, *hosts, *task(count)), "changed", flush=True)
        print(measured(running, count, *hosts, *task(count)), "unchanged", flush=True)


def main() -> None:
    if not os.environ.get("PWSH"):
        sys.exit("Set PWSH to a PowerShell: this runs the collection's script in a real one.")
    print(HEAD)
    for word in sys.argv[1:] or ("1", "10", "50", "200"):
        measure(Path(os.environ["PWSH"]).absolute(), int(word))


if __name__ == "__main__":
    main()
