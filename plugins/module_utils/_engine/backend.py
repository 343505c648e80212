# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine asks of a backend. A backend reads and applies; it decides nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from .._accounts.converge import AccountStore
from .._connector.errors import Conflict, Finding, RelayError
from .._policy.compile import Policy
from .._policy.state import State
from .capabilities import Capabilities
from .operations import Operation
from .service import Service, ServiceFacts


class Notice(NamedTuple):
    """Something odd that the user should know of, a whole sentence or two."""

    text: str


@dataclass(frozen=True)
class Reading:
    """What one look at a server tells.

    :ivar given: what the server was given to run, where that does not follow from the state
    :ivar repairs: what a change would put right though the state is as it should be, a line each
    """

    state: State
    service: ServiceFacts
    capabilities: Capabilities
    notices: tuple[Notice, ...] = ()
    given: Policy | None = None
    repairs: tuple[str, ...] = ()

    @property
    def policy(self) -> Policy:
        """What sessions are judged by: what the server was given to run, never a definition edited by hand."""
        return self.state.policy if self.given is None else self.given


@dataclass(frozen=True)
class Change:
    """From what is there to what is wanted."""

    before: Reading
    wanted: State
    operations: tuple[Operation, ...]


class ApplyError(RelayError):
    """A change that was not carried out as planned.

    :ivar done: what was done, a line each
    :ivar reading: what is there now, ``None``: it could not be read
    """

    kind = "apply"

    def __init__(
        self, what: str, *, where: str = "", way_out: str = "", done: Sequence[str] = (), reading: Reading | None = None
    ) -> None:
        super().__init__(what, where=where, way_out=way_out)
        self.done = tuple(done)
        self.reading = reading


class Backend(ABC):
    """One server.

    :ivar accounts: where it keeps SMTP AUTH accounts, ``None``: it has none of its own
    :ivar keeps_settings: it stores settings of the whole server for us
    :ivar location: what errors call it
    """

    name: str
    location: str = ""
    service: Service
    accounts: AccountStore | None = None
    keeps_settings: bool = False

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Keep others from changing what is read until it is applied."""
        yield

    @abstractmethod
    def read(self) -> Reading:
        """:raises StoreError: it cannot be read"""

    @abstractmethod
    def validate(self, state: State, before: State) -> list[Conflict]:
        """Rules of its own that ``state`` breaks and ``before`` did not break."""

    @abstractmethod
    def preflight(self, change: Change) -> list[Finding]:
        """Find out before the change whether the server could live with it: ports, certificates.

        :raises RelayError: it could not, for example a busy port
        """

    @abstractmethod
    def apply(self, change: Change) -> Reading:
        """Carry it out and read back. Without operations it repairs what :attr:`Reading.repairs` names.

        :raises StoreError: nothing was changed
        :raises ApplyError: it was not carried out as planned
        """
