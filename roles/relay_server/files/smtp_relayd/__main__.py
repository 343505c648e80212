# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command line of the relay daemon (docs/relay-files.md, "Program")."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from smtp_relayd import accounts, files, log, process
from smtp_relayd.json_file import ConfigError
from smtp_relayd.process import Ready, Status, SystemRefused
from smtp_relayd.server import ListenError, Relay
from smtp_relayd.shared import Shared, load_shared
from smtp_relayd.supervisor import Supervisor

EX_OSERR = 71
EX_CONFIG = 78


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="smtp_relayd", description="SMTP relay of the collection mailops.relay.")
    parser.add_argument("--directory", type=Path, required=True, help="where settings.json and store.json are")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="load the files, say whether they are right, end")
    how.add_argument("--supervise", action="store_true", help="start the daemon again when it dies")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="descriptor to report to when listening or failed")
    # from the supervisor to its daemon: the locked pid file, and a pipe that ends with the supervisor
    parser.add_argument("--lock-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--alive-fd", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def _check(directory: Path) -> int:
    try:
        policy = load_shared(directory).policy
        accounts.AccountsFile(directory).current()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    print(f"{directory}: ok, {len(policy.bindings)} bindings, {len(policy.domains)} accepted domains, {policy.digest}")
    return 0


async def _serve(shared: Shared, directory: Path, ready: Ready, alive: int | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if alive is not None:
        loop.add_reader(alive, stop.set)
    status = Status(directory)
    status.remove()  # of a daemon that was killed
    relay = Relay(shared)
    listeners = await relay.open()
    status.write(
        {
            "version": files.VERSION,
            "pid": os.getpid(),
            "started": log.utc_now(),
            "digest": shared.policy.digest,
            "settings_digest": shared.settings.digest,
            "program_digest": process.program_digest(),
            "listeners": listeners,
        }
    )
    ready.ok(os.getpid())
    log.emit("start", pid=os.getpid(), digest=shared.policy.digest, listeners=listeners)
    await stop.wait()
    if alive is not None:
        loop.remove_reader(alive)
    log.emit("stopping", pid=os.getpid(), sessions=len(relay.sessions))
    await relay.stop()
    status.remove()
    log.emit("stop", pid=os.getpid())


def _run(arguments: argparse.Namespace, ready: Ready) -> int:
    directory: Path = arguments.directory
    lock = process.lock_pid_file(directory) if arguments.lock_fd is None else arguments.lock_fd
    if arguments.supervise:
        return Supervisor(str(directory), lock).run(ready)
    asyncio.run(_serve(load_shared(directory), directory, ready, arguments.alive_fd))
    return 0


def main(words: list[str] | None = None) -> int:
    arguments = _arguments(words)
    if arguments.check:
        return _check(arguments.directory)
    # the supervisor blocks what it waits for, and a new program inherits that
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
    log.capture_library_logs()
    ready = Ready(arguments.ready_fd)
    try:
        return _run(arguments, ready)
    except (ConfigError, ListenError, SystemRefused) as error:
        log.emit("failed", error=str(error))
        ready.failed(str(error))
        return EX_CONFIG if isinstance(error, ConfigError) else EX_OSERR


if __name__ == "__main__":
    sys.exit(main())
