# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of backends: the only existing file that a new backend edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ._aiosmtpd.backend import AiosmtpdBackend
from ._connector.errors import CapabilityError
from ._engine.backend import Backend

BACKENDS: dict[str, Callable[[Mapping[str, Any]], Backend]] = {
    "aiosmtpd": lambda params: AiosmtpdBackend(params["directory"]),
}
CONTROLLER = ("exchange",)
"""Backends whose work is done on the controller, by the action plugins; no module ever sees them."""
PLANNED = ("postfix",)
NAMES = (*BACKENDS, *PLANNED, *CONTROLLER)


def make_backend(params: Mapping[str, Any]) -> Backend:
    """The backend that the module parameter ``backend`` names, with the other parameters it needs.

    :raises CapabilityError: it is not built yet, or not for the target
    """
    name = params["backend"]
    if name in CONTROLLER:
        way_out = "Give the task a Windows host, and use the modules of this collection by their full names."
        raise CapabilityError("this backend is no business of the target", where="backend", value=name, way_out=way_out)
    if name not in BACKENDS:
        way_out = f"This release has {', '.join(BACKENDS)}."
        raise CapabilityError("this backend is not built yet", where="backend", value=name, way_out=way_out)
    return BACKENDS[name](params)
