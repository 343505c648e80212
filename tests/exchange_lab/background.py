# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of the lab in the background, for molecule/exchange: EX01 as Setup leaves it, and EX02, whose Internet
connector owns port 25 alone.

``start`` writes what the inventory needs to servers.json of the folder, ``drift`` does by hand what nobody should,
``stop`` ends them.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from exchange_lab import state as lab
from exchange_lab.lab import exchange_host, running_lab

STATES = {"EX01": lab.mailbox, "EX02": lab.classic}
ACCOUNTS: lab.Data = {"alice": {"password": "s3cret", "addresses": ["alice@corp.test"]}}
RELAY = "Scanner relay"


def serve(folder: Path, pwsh: Path) -> None:
    """Until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_arguments: ended.set())
    with (folder / "lock").open("a+") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        hosts: dict[str, dict[str, Any]] = {}
        for name, make in STATES.items():
            (folder / name).mkdir()
            running = stack.enter_context(running_lab(pwsh, folder / name))
            lab.write(running.state, lab.state(make(name) | {"ipv6": False}, accounts=ACCOUNTS))
            hosts[name] = exchange_host(running.server)
        file = folder / "servers.json"
        file.touch(mode=0o600)  # the password of the lab
        file.write_text(json.dumps(hosts), encoding="utf-8")
        print("ready", flush=True)
        ended.wait()


def holder(folder: Path) -> int | None:
    """The process that serves."""
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int((folder / "lock").read_text())
    return None


def start(folder: Path, pwsh: Path) -> str:
    if holder(folder) is not None:
        return "unchanged"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "exchange_lab.background", "serve", "--folder", str(folder), "--pwsh", str(pwsh)]
    with (folder / "log").open("a") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True, text=True
        )
    if child.stdout is None or child.stdout.readline() != "ready\n":
        raise SystemExit(f"the lab did not start: {(folder / 'log').read_text()}")
    return "started"


def stop(folder: Path) -> str:
    pid = holder(folder)
    if pid is None:
        return "unchanged"
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 30
    while holder(folder) is not None:
        if time.monotonic() > end:
            raise SystemExit(f"process {pid} does not stop")
        time.sleep(0.02)
    return "stopped"


def drift(folder: Path) -> str:
    """On one server the devices become a whole network, on the other they may not relay any more; it is loaded."""
    for name in STATES:
        file = folder / name / "state.json"
        whole = lab.read(file)
        relay = next(item for item in whole["servers"][0]["connectors"] if item["name"] == RELAY)
        if name == "EX01":
            relay["properties"]["RemoteIPRanges"] = ["10.0.0.0/24"]
        else:
            lab.revoke(relay, "ANONYMOUS", "ms-Exch-SMTP-Accept-Any-Recipient")
        relay["when_changed"] = int(time.time()) - 1
        lab.restart(whole, lab.FRONTEND)
        lab.write(file, whole)
    return "drifted"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["start", "stop", "serve", "drift"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pwsh", type=Path)
    options = parser.parse_args()
    if options.action == "serve":
        serve(options.folder, options.pwsh)
        return
    actions = {"start": lambda: start(options.folder, options.pwsh)}
    others = {"stop": stop, "drift": drift}
    print(actions[options.action]() if options.action in actions else others[options.action](options.folder))


if __name__ == "__main__":
    main()
