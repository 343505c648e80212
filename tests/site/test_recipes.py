# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files and commands of docs/review-the-surface.md, in a repository of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.ansible import ROOT

RECIPE = (ROOT / "docs/review-the-surface.md").read_text()
CONNECTORS, REVIEW = re.findall(r"^```yaml\n(.*?)^```$", RECIPE, re.DOTALL | re.MULTILINE)
WRITE, CI = re.findall(r"^```sh\n(.*?)^```$", RECIPE, re.DOTALL | re.MULTILINE)


class Repository:
    """A clone whose ``origin/main`` is approved."""

    def __init__(self, folder: Path) -> None:
        self.relay = folder / "relay"

    def approve(self) -> None:
        self.relay.mkdir()
        self.change(CONNECTORS)
        (self.relay / "review.yml").write_text(REVIEW)
        self.run("git init --quiet --initial-branch main")
        self.write()
        self.run("git -c user.name=x -c user.email=x@example.com commit --quiet --message approved")
        self.run("git update-ref refs/remotes/origin/main main")

    def change(self, connectors: str) -> None:
        (self.relay / "connectors.yml").write_text(connectors)

    def write(self) -> None:
        done = self.run(WRITE)
        assert done.returncode == 0, done.stdout + done.stderr

    def review(self, more: str = "") -> subprocess.CompletedProcess[str]:
        return self.run(CI.rstrip() + more)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv/collections"),
            "ANSIBLE_NOCOLOR": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        command = ["sh", "-euc", script]
        return subprocess.run(
            command, cwd=self.relay.parent, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("approved")
    Repository(folder).approve()
    return folder


@pytest.fixture
def repository(approved: Path, tmp_path: Path) -> Repository:
    shutil.copytree(approved, tmp_path, dirs_exist_ok=True)
    return Repository(tmp_path)


def test_a_change_that_opens_nothing_passes(repository: Repository) -> None:
    assert repository.review().returncode == 0
    repository.change(CONNECTORS.replace("10.0.0.11, 10.0.0.12", "10.0.0.12").replace("Scanner relay", "Devices"))
    stale = repository.review()
    assert stale.returncode != 0
    assert "surface.json is not that of connectors.yml" in stale.stdout
    repository.write()
    assert repository.review().returncode == 0


def test_a_change_that_opens_something_fails_until_it_is_accepted(repository: Repository) -> None:
    repository.change(CONNECTORS.replace("10.0.0.11, 10.0.0.12", "10.0.0.12, 10.0.0.8/30"))
    repository.write()
    refused = repository.review()
    assert refused.returncode != 0
    assert "This change lets more addresses relay" in refused.stdout
    assert json.dumps(["10.0.0.8/31", "10.0.0.10"])[1:-1] in refused.stdout.replace("\\", "")
    assert repository.review(" -e accept_new_access=true").returncode == 0


def test_a_misspelt_option_fails(repository: Repository) -> None:
    repository.change(CONNECTORS.replace("remote_ip_ranges: [10", "remote_ip_range: [10"))
    refused = repository.review()
    assert refused.returncode != 0
    assert "Did you mean remote_ip_ranges" in refused.stdout + refused.stderr
