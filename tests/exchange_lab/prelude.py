# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line as it was received, with the lab's prelude before its script (see modules/ExchangeLab/prelude.ps1)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

_PRELUDE = (Path(__file__).parent / "modules" / "ExchangeLab" / "prelude.ps1").read_text(encoding="utf-8")
_OPTION = "-encodedcommand"


def with_prelude(words: Sequence[str]) -> list[str]:
    """``words``: of the command line; without -EncodedCommand they stay as they are."""
    place = next((number for number, word in enumerate(words) if word.lower() == _OPTION), None)
    if place is None:
        return list(words)
    script = _PRELUDE + base64.b64decode(words[place + 1]).decode("utf-16-le")
    text = base64.b64encode(script.encode("utf-16-le")).decode("ascii")
    return [*words[: place + 1], text, *words[place + 2 :]]
