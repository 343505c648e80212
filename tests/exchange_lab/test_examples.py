# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example of docs/exchange.md that writes, as it stands: a device is added, and the change is taken back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exchange_lab import state as lab
from exchange_lab.playing import serving
from support.ansible import ROOT

pytestmark = pytest.mark.timeout(900)  # two whole playbooks
EXAMPLE = re.search(
    r"^```yaml\n(- name: A change that can be taken back\n.*?)^```$",
    (ROOT / "docs/exchange.md").read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)


def test_a_change_is_taken_back(pwsh: Path, tmp_path: Path) -> None:
    assert EXAMPLE is not None
    server = lab.mailbox()
    front: lab.Data = {"Bindings": ["0.0.0.0:25"], "TransportRole": "FrontendTransport"}
    server["connectors"].append(
        lab.connector(
            server, "Scanner relay", ["AnonymousUsers"], [lab.relay_ace()], RemoteIPRanges=["10.0.0.11"], **front
        )
    )
    with serving(pwsh, tmp_path, {"EX01": lab.state(server)}) as servers:
        run = servers.play(EXAMPLE[1], "--extra-vars", '{"undo": true}')
        assert run.status == 0, run.output
        assert run.changed() == {"EX01": 3}
        changes = [
            call["parameters"]["RemoteIPRanges"]
            for call in lab.calls(servers.labs["EX01"].log)
            if call["cmdlet"] == "Set-ReceiveConnector"
        ]
        assert changes == [["10.0.0.11", "10.0.0.12"], ["10.0.0.11"]]
        assert servers.connectors("EX01")["Scanner relay"]["properties"]["RemoteIPRanges"] == ["10.0.0.11"]
