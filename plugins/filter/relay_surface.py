# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._engine.definitions import parse_definitions
from ..module_utils._policy.surface import Surface
from ..plugin_utils._filter import asking, read


@asking
def relay_surface(state: Any, minus: Any = None) -> list[dict[str, Any]]:
    """The relay surface of a server, less that of another one or a surface that was rendered before."""
    found = read("_input", _surface, state)
    return found.render() if minus is None else found.minus(read("minus", _less, minus)).render()


def _less(minus: Any) -> Surface:
    return Surface.parse(minus, "minus") if isinstance(minus, (list, tuple)) else _surface(minus)


def _surface(state: Any) -> Surface:
    return parse_definitions(state).policy.surface


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"relay_surface": relay_surface}
