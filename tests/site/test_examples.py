# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of a README is run as it stands, on a directory and ports of its own, twice.

Those for Exchange servers are not: see tests/exchange_lab/test_examples.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from support.ansible import ROOT, Playbook
from support.trial import COMMON, INVENTORY, free_binding, stop

pytestmark = pytest.mark.timeout(900)  # whole playbooks
READMES = [ROOT / "README.md", *sorted((ROOT / "roles").glob("*/README.md"))]
EXAMPLES = {
    f"{path.parent.name if path.parent != ROOT else 'collection'}-{number}": text
    for path in READMES
    for number, text in enumerate(re.findall(r"^```yaml\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE))
    if "hosts: exchange_servers" not in text
}
DIRECTORY = "{{ playbook_dir }}/relay"
BINDING, SUBMISSION = (f"{{{{ free[playbook_dir | basename][{number}] }}}}" for number in range(2))


def test_every_readme_has_an_example() -> None:
    assert len(EXAMPLES) >= len(READMES) == 5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playbook]:
    """All of them in one run: each in a folder of its own, which says where its relay is."""
    folder = tmp_path_factory.mktemp("examples")
    for name, text in EXAMPLES.items():
        (folder / name).mkdir()
        (folder / name / "example.yml").write_text(text)
    variables = {
        **COMMON,
        "free": {name: (free_binding(), free_binding()) for name in EXAMPLES},
        "relay_directory": DIRECTORY,
        "relay_bindings": [BINDING],
        "client_relay_bindings": [SUBMISSION],
        "lab_directory": "{{ playbook_dir }}",
    }
    twice = [str(folder / name / "example.yml") for name in EXAMPLES for _time in range(2)]
    yield Playbook(*INVENTORY, *twice, variables=variables)
    for name in EXAMPLES:
        stop(str(folder / name / "relay"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_and_settles(run: Playbook, name: str) -> None:
    assert run.status == 0, run.output
    number = 2 * list(EXAMPLES).index(name)
    assert run.changed(number)["relay"] > 0
    assert run.changed(number + 1) == {"relay": 0}, run.output
