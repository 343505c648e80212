# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that molecule runs, as its tests see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testinfra.host import Host

from exchange_lab.mail import Mail

DEVICE, NEIGHBOUR, STRANGER, OUTSIDE = "10.0.0.11", "10.0.0.12", "203.0.113.9", "v@outside.test"


@dataclass(frozen=True)
class Server:
    """One of them. The lab's SMTP answers from the file of its state."""

    name: str
    folder: Path
    host: Host

    @property
    def mail(self) -> Mail:
        return Mail(self.folder / "state.json")

    def whole(self, file: str = "state.json") -> dict[str, Any]:
        """What the file says of the server."""
        found: dict[str, Any] = json.loads(self.host.file(str(self.folder / file)).content_string)
        server: dict[str, Any] = found["servers"][0]
        return server
