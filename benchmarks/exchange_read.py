# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reading Exchange costs: ``PWSH=/path/to/pwsh python benchmarks/exchange_read.py [connectors]...``.

Without numbers 1, 10, 50 and 200 connectors. A server of the lab with varied connectors is read by ``ansible`` over
winrm with Basic. Printed are executions; requests, of which some only wait (a slow machine has more of them); kB that
PowerShell is given and answers; kB on the wire to the server and back; seconds of the whole run, of which seconds in
PowerShell. Most of these are the lab's own cmdlets and the second process that stands for the session; what a real
server needs was never measured. Run it in the environment of ``make link venv``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / ".venv/collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from exchange_lab import state as lab
from exchange_lab.lab import Lab, exchange_host, inventory, running_lab
from exchange_lab.varied import varied
from support.ansible import Playbook

MODULE = ("--module-name", "mailops.relay.receive_connectors_info", "--args", "backend=exchange")

HEAD = """\
                                         PowerShell, kB     on the wire, kB
connectors executions requests  waiting    input   answer    to it  from it  seconds   engine"""
ROW = "{:10} {:10} {:8} {:8}" + " {:8.1f}" * 6


def with_connectors(count: int) -> lab.Data:
    whole = varied(count)
    server = whole["servers"][0]
    server["connectors"] = server["connectors"][-count:]  # without those of setup
    return whole


def measure(pwsh: Path, count: int) -> str:
    with tempfile.TemporaryDirectory() as name, running_lab(pwsh, Path(name)) as running:
        lab.write(running.state, with_connectors(count))
        hosts = inventory(Path(name) / "hosts.json", exchange=exchange_host(running.server))
        return measured(running, count, *hosts, *MODULE)


def measured(running: Lab, count: int, *words: str) -> str:
    """A row about one run of ``ansible exchange`` with these words."""
    server = running.server
    begun, seen = len(server.executions), len(server.requests)
    start = time.perf_counter()
    run = Playbook("exchange", *words, program="ansible")
    seconds = time.perf_counter() - start
    if run.status:
        sys.exit(run.output)
    executions, requests = server.executions[begun:], server.requests[seen:]
    waits = sum(request.status == 500 for request in requests)
    sizes = (
        sum(execution.stdin for execution in executions),
        sum(execution.stdout for execution in executions),
        sum(request.received for request in requests),
        sum(request.sent for request in requests),
    )
    engine = sum(execution.seconds for execution in executions)
    counts = (count, len(executions), len(requests), waits)
    return ROW.format(*counts, *(size / 1024 for size in sizes), seconds, engine)


def main() -> None:
    if not os.environ.get("PWSH"):
        sys.exit("Set PWSH to a PowerShell: this runs the collection's script in a real one.")
    print(HEAD)
    for word in sys.argv[1:] or ("1", "10", "50", "200"):
        print(measure(Path(os.environ["PWSH"]).absolute(), int(word)), flush=True)


if __name__ == "__main__":
    main()
