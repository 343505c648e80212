# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exchange backend: it reads. What would change something is refused before anything is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from ...module_utils._connector.errors import CapabilityError, Conflict, Finding
from ...module_utils._engine.backend import Backend, Change, Reading
from ...module_utils._engine.service import Service, ServiceFacts
from ...module_utils._policy.state import State
from .calls import Answers
from .state import read_server

NAME = "exchange"


def _not_built() -> CapabilityError:
    return CapabilityError(
        "writing to Exchange is not built yet",
        where="backend",
        value=NAME,
        way_out="This release reads Exchange: receive_connectors_info, the filter relay_surface, accepted_domains.",
    )


class ExchangeService(Service):
    """The transport services of one server: told of by a reading, not controlled."""

    def transaction(self, read_only: bool) -> NoReturn:
        raise _not_built()

    def facts(self, state: State | None = None) -> ServiceFacts:
        raise _not_built()

    def check(self) -> None:
        raise _not_built()

    def start(self) -> None:
        raise _not_built()

    def stop(self) -> None:
        raise _not_built()


class ExchangeBackend(Backend):
    """One Exchange server.

    :param ask: reads it, in one execution, or reads a snapshot of it
    """

    name = NAME

    def __init__(self, ask: Callable[[], Answers]) -> None:
        self._ask = ask
        self.service = ExchangeService()

    def read(self) -> Reading:
        return read_server(self._ask())

    def validate(self, state: State, before: State) -> list[Conflict]:
        return []

    def preflight(self, change: Change) -> list[Finding]:
        if change.operations:
            raise _not_built()
        return []

    def apply(self, change: Change) -> Reading:
        raise _not_built()
