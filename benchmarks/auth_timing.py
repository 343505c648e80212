# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the time of a wrong password tells if the account exists: ``python benchmarks/auth_timing.py [attempts]``.

Starts a relay on loopback and tries a wrong password on known and unknown names in turn. Every attempt takes an account
and a source address of its own, so that none is delayed for the failure of another. Run it in the environment of
``make link venv``. Prints both medians and their ratio.
"""

from __future__ import annotations

import base64
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / ".venv/collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "roles/relay_server/files"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from ansible_collections.mailops.relay.plugins.module_utils._accounts.scram import make_hash
from support import relay_files
from support.daemon import running
from support.net import free_port
from support.smtp_client import SmtpClient, plain_message

ADDRESS = "127.0.0.1"
WARM_UP = 10


def write_relay(directory: Path, port: int, accounts: int) -> None:
    rule = relay_files.rule(auth="always", anonymous_submit=False)
    relay_files.write(directory, relay_files.policy([relay_files.binding(ADDRESS, port)], [rule]))
    names = (f"known{number:04}" for number in range(accounts))
    relay_files.write_accounts(directory, *(relay_files.account(name, hash=make_hash(name)) for name in names))


def attempt(port: int, name: str, number: int) -> float:
    """Seconds from the question to the answer."""
    source = f"127.{10 + number // 65536}.{number // 256 % 256}.{number % 256}"
    with SmtpClient(ADDRESS, port, source=source) as client:
        client.hello()
        question = b"AUTH PLAIN " + base64.b64encode(plain_message(name, "wrong"))
        start = time.perf_counter()
        reply = client.command(question)
        taken = time.perf_counter() - start
    if reply.code != 535:
        raise SystemExit(f"unexpected reply: {reply}")
    return taken


def main() -> None:
    attempts = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    port = free_port(ADDRESS)
    times: dict[str, list[float]] = {"known": [], "nobody": []}
    with tempfile.TemporaryDirectory() as folder:
        write_relay(Path(folder), port, attempts + WARM_UP)
        with running(Path(folder)):
            for number in range(attempts + WARM_UP):
                # which of the two comes first changes too
                for place, kind in enumerate(sorted(times, reverse=bool(number % 2))):
                    times[kind].append(attempt(port, f"{kind}{number:04}", 2 * number + place))
    known, unknown = (statistics.median(found[WARM_UP:]) for found in times.values())
    print(f"{attempts} wrong passwords each")
    print(f"known accounts    median {known * 1000:8.3f} ms")
    print(f"unknown accounts  median {unknown * 1000:8.3f} ms")
    print(f"ratio             {known / unknown:15.3f}")


if __name__ == "__main__":
    main()
