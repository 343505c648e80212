# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of backends: the only existing file that a new backend edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ._aiosmtpd.backend import AiosmtpdBackend
from ._connector.errors import CapabilityError
from ._engine.backend import Backend


@dataclass(frozen=True)
class Entry:
    """One backend.

    :ivar runs_on: ``target``, by the modules, or ``controller``, by the action plugins
    :ivar options: argument spec of its own options
    :ivar make: the backend from the options of a task, ``None``: not built yet, or made on the controller
    """

    runs_on: str
    options: Mapping[str, Mapping[str, Any]]
    make: Callable[[Mapping[str, Any]], Backend] | None = None


BACKENDS: Mapping[str, Entry] = {
    "aiosmtpd": Entry(
        "target",
        {"directory": {"type": "path", "default": "/var/lib/mailops-relay"}},
        lambda params: AiosmtpdBackend(params["directory"]),
    ),
    "postfix": Entry("target", {}),
    "exchange": Entry(
        "controller", {"exchange_session": {"type": "str", "choices": ["remote", "snapin"], "default": "remote"}}
    ),
}


def make_backend(params: Mapping[str, Any]) -> Backend:
    """The backend that the module parameter ``backend`` names, with the other parameters it needs.

    :raises CapabilityError: it is not built yet, or not for the target
    """
    name = params["backend"]
    entry = BACKENDS[name]
    if entry.runs_on == "controller":
        way_out = "Give the task a Windows host, and use the modules of this collection by their full names."
        raise CapabilityError("this backend is no business of the target", where="backend", value=name, way_out=way_out)
    if entry.make is None:
        built = ", ".join(known for known, other in BACKENDS.items() if other.make is not None)
        raise CapabilityError(
            "this backend is not built yet", where="backend", value=name, way_out=f"This release has {built}."
        )
    return entry.make(params)
