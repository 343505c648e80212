# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last run of converge.yml reported, in check mode or not."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree


def changed_tasks() -> list[str]:
    """Names without host, play and role, in the order of the run."""
    reports = Path(os.environ["JUNIT_OUTPUT_DIR"]).glob("converge-*.xml")
    last = max(reports, key=lambda path: path.stat().st_mtime_ns)
    cases = ElementTree.parse(last).iter("testcase")  # noqa: S314 written by the run itself
    return [re.split(" ?: ", case.attrib["name"])[-1] for case in cases if case.find("failure") is not None]


def test_exactly_the_tasks_that_had_to_change_something_did(wanted: dict[str, Any]) -> None:
    assert [task for task in changed_tasks() if task not in wanted["tolerated"]] == wanted["reported"]
