# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of a README is run as it stands, on a directory and a port of its own, twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.ansible import ROOT, Playbook
from support.net import free_port

pytestmark = pytest.mark.timeout(900)  # whole playbooks
READMES = [ROOT / "README.md", *sorted((ROOT / "roles").glob("*/README.md"))]
EXAMPLES = [
    pytest.param(text, id=f"{path.parent.name}-{number}")
    for path in READMES
    for number, text in enumerate(re.findall(r"^```yaml\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE))
]


def test_every_readme_has_an_example() -> None:
    assert len(EXAMPLES) >= len(READMES) == 5


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_runs_and_settles(text: str, tmp_path: Path) -> None:
    playbook = tmp_path / "example.yml"
    playbook.write_text(text)
    directory = str(tmp_path / "relay")
    binding, submission = (f"127.0.0.1:{free_port('127.0.0.1')}" for _number in range(2))
    variables = {
        "relay_directory": directory,
        "relay_bindings": [binding],
        "client_relay_bindings": [submission],
        "relay_server_cache": str(ROOT / ".venv/cache"),
        "lab_directory": str(tmp_path),
    }
    inventory = ("-i", "playbooks/inventory/local")
    try:
        first = Playbook(*inventory, str(playbook), variables=variables)
        assert first.status == 0, first.output
        assert first.changed()["relay"] > 0
        again = Playbook(*inventory, str(playbook), variables=variables)
        assert (again.status, again.changed()) == (0, {"relay": 0}), again.output
    finally:
        stop = ("-m", "mailops.relay.transport_service", "-a", f"backend=aiosmtpd directory={directory} state=stopped")
        Playbook(*inventory, *stop, "relays", program="ansible")
