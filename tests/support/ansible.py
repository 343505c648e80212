# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks of this checkout as a user does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Playbook:
    """The finished run of playbooks, one after the other: what it printed and what it counted for each host.

    Several in one run take less time than a run of each; they have the variables in common.
    """

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

    def changed(self, number: int = 0) -> dict[str, int]:
        """How many tasks of the playbook of that number changed something, by host. A recap counts from the first."""
        totals = [_changed(text) for text in self.output.split("PLAY RECAP")[1 : number + 2]]
        assert len(totals) == number + 1, self.output
        earlier = totals[number - 1] if number else {}
        return {host: count - earlier.get(host, 0) for host, count in totals[number].items()}


def _changed(recap: str) -> dict[str, int]:
    return {host: int(count) for host, count in re.findall(r"^(\S+) +: ok=.* changed=([0-9]+) ", recap, re.MULTILINE)}
