# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small SMTP server for trying a relay: it takes every message and keeps it as ``*.eml`` and ``*.json`` (envelope).

    python mail_host.py start --listen 127.0.0.1:2526 --directory DIR
    python mail_host.py stop --directory DIR

Both say what they did in one word, ``started``, ``stopped`` or ``unchanged``. Never use it for real mail.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Keeper:
    """Handler that writes each message before it is acknowledged."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = itertools.count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        name = f"{os.getpid()}-{next(self._numbers)}"
        facts = {"mail_from": envelope.mail_from, "rcpt_tos": envelope.rcpt_tos, "helo": session.host_name}
        (self._directory / f"{name}.json").write_text(json.dumps(facts))
        (self._directory / f"{name}.eml").write_bytes(envelope.original_content or b"")
        return f"250 2.0.0 kept as {name}"


async def serve(host: str, port: int, directory: Path) -> None:
    loop = asyncio.get_running_loop()
    handler = Keeper(directory)

    def protocol() -> SMTP:
        return SMTP(handler, hostname="mail-host", ident="try-out", data_size_limit=None, loop=loop)

    server = await loop.create_server(protocol, host, port)
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, done.set)
    print("ready", flush=True)
    await done.wait()
    server.close()


def holder(pid_file: Path) -> int | None:
    """The process that holds the lock on the pid file."""
    try:
        with pid_file.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(pid_file.read_text())
    return None


def start(options: argparse.Namespace, pid_file: Path) -> str:
    if holder(pid_file) is not None:
        return "unchanged"
    options.directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "serve", "--listen", options.listen, "--directory", str(options.directory)]
    with (options.directory / "log").open("a") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True, text=True
        )
    if child.stdout is None or child.stdout.readline() != "ready\n":
        raise SystemExit(f"mail host on {options.listen} did not start, see {options.directory / 'log'}")
    return "started"


def stop(pid_file: Path) -> str:
    pid = holder(pid_file)
    if pid is None:
        return "unchanged"
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while holder(pid_file) is not None:
        if time.monotonic() > deadline:
            raise SystemExit(f"mail host {pid} does not stop")
        time.sleep(0.02)
    return "stopped"


def run(options: argparse.Namespace, pid_file: Path) -> None:
    host, _colon, port = options.listen.rpartition(":")
    with pid_file.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        asyncio.run(serve(host, int(port), options.directory))


def main(arguments: list[str] | None = None) -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["start", "stop", "serve"])
    parser.add_argument("--listen", default="127.0.0.1:2526")
    parser.add_argument("--directory", type=Path, required=True)
    options = parser.parse_args(arguments)
    pid_file = options.directory / "pid"
    if options.action == "serve":
        return run(options, pid_file)
    return print(start(options, pid_file) if options.action == "start" else stop(pid_file))


if __name__ == "__main__":
    main()
