# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._engine.definitions import parse_definitions
from ..module_utils._policy.matrix import access_matrix as matrix
from ..plugin_utils._filter import asking, read


@asking
def access_matrix(state: Any) -> list[dict[str, Any]]:
    """Who may do what, as one table."""
    return read("_input", lambda value: matrix(parse_definitions(value).policy), state)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"access_matrix": access_matrix}
