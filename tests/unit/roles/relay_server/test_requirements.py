# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon's pins and the ones of the repository's tools are the same releases."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def pins(file: Path) -> dict[str, tuple[str, set[str]]]:
    text = re.sub(r"\\\n", " ", file.read_text())
    found = {}
    for line in text.splitlines():
        if match := re.match(r"([a-z0-9-]+)==(\S+)", line):
            found[match[1]] = (match[2], set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)))
    return found


def test_pinned_alike() -> None:
    daemon = pins(ROOT / "roles" / "relay_server" / "files" / "requirements.txt")
    tools = pins(ROOT / "requirements" / "relay.txt")
    assert daemon.keys() == tools.keys() != set()
    for name, (version, hashes) in daemon.items():
        assert version == tools[name][0], name
        assert len(hashes) == 1, f"{name}: the wheel only"
        assert hashes <= tools[name][1], name
