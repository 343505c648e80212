# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real sshd on loopback in which every command line runs in the engine, as on a Windows whose shell is PowerShell.

SSHD names the program; else it is looked for. Started as root, sshd wants a user and a directory of its own: it gets
them in a mount namespace that ends with it, so nothing of the machine is changed.

As a program (ForceCommand): carries out the command line of one session.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exchange_lab.engine import PowerShell, take_out_become
from support.net import free_port

TESTS = Path(__file__).resolve().parents[1]
_PASSWD = "sshd:x:65500:65534::/run/sshd:/usr/sbin/nologin\n"
_AS_ROOT = 'mount --bind "$1" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && shift && exec "$@"'


def find_sshd() -> str | None:
    """It must be called by its whole path."""
    return os.environ.get("SSHD") or shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def _configure(folder: Path, port: int, command: list[str]) -> Path:
    for name in ("host", "client"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    file = folder / "sshd_config"
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'client.pub'}",
        "StrictModes no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PidFile none",
        "PermitRootLogin yes",
        f"ForceCommand {shlex.join(command)}",
    ]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


@contextlib.contextmanager
def serving(sshd: str, folder: Path, engine: PowerShell) -> Iterator[dict[str, Any]]:
    """Gives the inventory variables of the host."""
    folder.mkdir()
    port = free_port("127.0.0.1")
    engine_paths = [str(path) for path in (engine.executable, engine.state, engine.log)]
    python_path = f"PYTHONPATH={os.pathsep.join([str(TESTS), *filter(None, sys.path)])}"
    config = _configure(folder, port, ["env", python_path, sys.executable, "-m", "exchange_lab.ssh", *engine_paths])
    command = [sshd, "-D", "-e", "-f", str(config)]
    if os.getuid() == 0:
        (folder / "passwd").write_text(Path("/etc/passwd").read_text() + _PASSWD)
        command = ["unshare", "--mount", "sh", "-c", _AS_ROOT, "sh", str(folder / "passwd"), *command]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        yield _variables(port, folder)
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def _variables(port: int, folder: Path) -> dict[str, Any]:
    return {
        "ansible_connection": "ssh",
        "ansible_shell_type": "powershell",
        "ansible_host": "127.0.0.1",
        "ansible_port": port,
        "ansible_user": Path("~").expanduser().owner(),
        "ansible_ssh_private_key_file": str(folder / "client"),
        "ansible_ssh_args": "-F none -o ControlMaster=no -o IdentitiesOnly=yes",
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
    }


def main() -> int:
    pwsh, state, log = map(Path, sys.argv[1:])
    stdin, _user = take_out_become(sys.stdin.buffer.read())
    output = PowerShell(pwsh, state, log)(os.environ["SSH_ORIGINAL_COMMAND"], stdin).finish()
    sys.stdout.buffer.write(output.stdout)
    sys.stderr.buffer.write(output.stderr)
    return output.status


if __name__ == "__main__":
    sys.exit(main())
