# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks of this checkout as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Playbook:
    """The finished run of a playbook: what it printed and what it counted for each host."""

    def __init__(
        self,
        *arguments: str,
        variables: dict[str, Any] | None = None,
        check: bool = False,
        program: str = "ansible-playbook",
        collections: Path = ROOT / ".venv/collections",
        folder: Path = ROOT,
    ) -> None:
        command = [str(Path(sys.executable).parent / program), *arguments]
        if variables:
            command += ["--extra-vars", json.dumps(variables)]
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }
        run = subprocess.run(
            command + (["--check", "--diff"] if check else []),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.status = run.returncode
        self.output = run.stdout + run.stderr

    def recap(self) -> dict[str, dict[str, int]]:
        """Host to counters, from the recap."""
        lines = self.output.partition("PLAY RECAP")[2].splitlines()[1:]
        hosts = (line.split(":", 1) for line in lines if " : ok=" in line)
        return {
            name.strip(): {key: int(value) for key, value in (pair.split("=") for pair in counters.split())}
            for name, counters in hosts
        }

    def changed(self) -> dict[str, int]:
        return {host: counters["changed"] for host, counters in self.recap().items()}
