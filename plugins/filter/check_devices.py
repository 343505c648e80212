# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils._role import check_devices


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"check_devices": check_devices}
