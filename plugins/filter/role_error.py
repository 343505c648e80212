# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils._role import role_error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"role_error": role_error}
