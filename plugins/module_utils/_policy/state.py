# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything the collection knows of one server, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .._connector.model import AcceptedDomain, Connector
from .._connector.settings import Settings
from .compile import Policy, compile_policy

_PLAIN = Connector("")


@dataclass(frozen=True)
class State:
    """Everything the collection knows of one server.

    :ivar connectors: sorted by name, names unique whatever their case
    :ivar accepted_domains: sorted by name, names unique
    :ivar built_in: names of connectors that came with the server
    :ivar settings: of the whole server, ``None``: it keeps none for us, or there is no server yet
    :ivar template: what a new connector has of which a task says nothing
    :ivar unfinished: connectors as they would be without what a change that was cut off has left on them for a while
    """

    connectors: tuple[Connector, ...] = ()
    accepted_domains: tuple[AcceptedDomain, ...] = ()
    built_in: tuple[str, ...] = ()
    settings: Settings | None = None
    template: Connector = _PLAIN
    unfinished: tuple[Connector, ...] = ()

    @cached_property
    def policy(self) -> Policy:
        """What follows from it, compiled once."""
        return compile_policy(self.connectors, self.accepted_domains)

    @property
    def rights_known(self) -> bool:
        """False: nobody let us read who has which right, so nothing can be said to be closed."""
        return all(item.extended_rights is not None for item in self.connectors)

    def connector(self, name: str) -> Connector | None:
        return next((item for item in self.connectors if item.key == name.lower()), None)

    def intended(self, name: str) -> Connector | None:
        """As :meth:`connector`, without what a change that was cut off has left on it."""
        return next((item for item in self.unfinished if item.key == name.lower()), self.connector(name))

    def domain(self, name: str) -> AcceptedDomain | None:
        return next((item for item in self.accepted_domains if item.key == name.lower()), None)

    def is_built_in(self, name: str) -> bool:
        return name.lower() in {item.lower() for item in self.built_in}
