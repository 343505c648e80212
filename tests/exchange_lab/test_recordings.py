# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots that lie here are read, without PowerShell."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.relay.plugins.filter.relay_surface import relay_surface
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.snapshot import read_snapshot
from exchange_lab import expected, recorded
from exchange_lab.reading import as_ascii, take_snapshots
from support import exchange

STATES = recorded.states()


def test_every_recording_of_the_lab_says_so() -> None:
    """Others are of real servers: they get a test of their own."""
    assert {file.stem for file in recorded.FOLDER.glob("lab-*.txt")} == set(STATES)


@pytest.mark.parametrize("name", STATES)
def test_a_recording_is_read(name: str) -> None:
    result = exchange.info(read_snapshot(str(recorded.FOLDER / f"{name}.txt")))
    expected.check(result, STATES[name])
    assert result["warnings"] == []
    assert relay_surface(result) == result["relay_surface"]


@pytest.mark.parametrize(
    ("name", "relays"),
    [("lab-exchange-2016-german", {"10.1.2.3", "10.1.3.0/28"}), ("lab-sbs-2008", {"127.0.0.1"})],
)
def test_who_may_relay_according_to_a_recording(name: str, relays: set[str]) -> None:
    """In a German server, too, where the one who may is called ANONYMOUS-ANMELDUNG."""
    result = exchange.info(read_snapshot(str(recorded.FOLDER / f"{name}.txt")))
    found = {item for entry in result["relay_surface"] if entry["reach"] == "any" for item in entry["ranges"]}
    assert found == relays


@pytest.mark.timeout(300)
def test_the_lab_still_says_what_was_recorded(pwsh: Path, tmp_path: Path) -> None:
    files = take_snapshots(pwsh, tmp_path, STATES.values())
    for name, file in zip(STATES, files, strict=True):
        assert as_ascii(file) == (recorded.FOLDER / f"{name}.txt").read_text(encoding="ascii"), name


def test_other_recordings_are_at_least_read() -> None:
    for file in recorded.FOLDER.glob("*.txt"):
        assert exchange.info(read_snapshot(str(file)))["connectors"]
