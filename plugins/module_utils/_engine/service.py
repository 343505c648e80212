# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport service: what the engine asks of it, and how it is brought to the wanted state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from .._connector.errors import ServiceError
from .._policy.state import State

_LEFT_ALONE = "The server is in maintenance, so its transport service was not restarted (restart_in_maintenance)."


class ServicePart(NamedTuple):
    """One of the services that together are the transport service (Exchange has two).

    :ivar changed: names of the connectors that were changed after it had started
    """

    name: str
    running: bool
    restart_required: bool
    changed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ServiceFacts:
    """The transport service as it is.

    :ivar listeners: ``(address, port)`` that it holds open, ``None``: that cannot be seen
    :ivar parts: where it is more than one service
    :ivar silent: ``(address, port)`` that should be open and are not or, where they were asked, do not answer
    :ivar in_maintenance: somebody took the server out of service for a while
    :ivar warnings: what is odd about it, whole sentences
    :ivar reasons: why a restart is required, whole sentences, where the backend can tell
    """

    running: bool
    restart_required: bool
    listeners: tuple[tuple[str, int], ...] | None = ()
    parts: tuple[ServicePart, ...] = ()
    silent: tuple[tuple[str, int], ...] = ()
    in_maintenance: bool = False
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class Service(ABC):
    """The transport service of one server."""

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Keep others from starting or stopping it meanwhile."""
        yield

    @abstractmethod
    def facts(self, state: State | None = None) -> ServiceFacts:
        """Without a word to the service itself. ``restart_required`` compares with ``state``, or with what is stored
        when ``None``."""

    def ask(self) -> ServiceFacts:
        """The facts, every listener having been asked whether it answers. Which ones count the backend knows."""
        return self.facts()

    @abstractmethod
    def check(self) -> None:
        """:raises ServiceError: the service would not start with what is stored"""

    def commands(self, facts: ServiceFacts, state: str, only_if_required: bool) -> tuple[str, ...]:
        """What brings the service from ``facts`` to ``state``."""
        if state == "stopped":
            return ("stop",) if facts.running else ()
        if not facts.running:
            return ("start",)
        wanted = state == "restarted" and (facts.restart_required or not only_if_required)
        return ("stop", "start") if wanted or facts.silent else ()

    @abstractmethod
    def carry_out(self, commands: Sequence[str]) -> ServiceFacts:
        """Do what :meth:`commands` said, and wait until it is so.

        :returns: the facts after that; where it was started, every listener having been asked
        :raises ServiceError: it did not start, or did not stop
        """


class SingleService(Service):
    """A transport service that is one process."""

    def carry_out(self, commands: Sequence[str]) -> ServiceFacts:
        for command in commands:
            self.stop() if command == "stop" else self.start()
        return self.ask() if "start" in commands else self.facts()

    @abstractmethod
    def start(self) -> None:
        """Return when every listener is open.

        :raises ServiceError: it did not start
        """

    @abstractmethod
    def stop(self) -> None:
        """Return when it is gone, a message in hand having been finished.

        :raises ServiceError: it did not stop
        """


@dataclass(frozen=True)
class ServiceOutcome:
    """``commands``: what was done to the service (in check mode: would be)."""

    before: ServiceFacts
    after: ServiceFacts
    commands: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Wish(NamedTuple):
    """:ivar state: ``started``, ``stopped`` or ``restarted``
    :ivar only_if_required: restart only what has loaded something else than what is stored
    :ivar in_maintenance: restart a server also while it is in maintenance
    """

    state: str
    only_if_required: bool = False
    in_maintenance: bool = False


def converge_service(service: Service, wish: Wish, *, check: bool) -> ServiceOutcome:
    """A service that would not start again is not stopped: what it would load is checked first. Started means that
    every listener answers.

    :raises ServiceError: it did not do as it was told
    """
    with service.transaction(read_only=check):
        return _converge(service, wish, check)


def _converge(service: Service, wish: Wish, check: bool) -> ServiceOutcome:
    before = service.facts() if wish.state == "stopped" else service.ask()
    if wish.state == "restarted" and before.running and before.in_maintenance and not wish.in_maintenance:
        return ServiceOutcome(before, before, (), (*before.warnings, _LEFT_ALONE))
    commands = service.commands(before, wish.state, wish.only_if_required)
    if not commands:
        return ServiceOutcome(before, before, commands, before.warnings)
    if check:
        planned = replace(before, running=wish.state != "stopped", restart_required=False, silent=())
        return ServiceOutcome(before, planned, commands, before.warnings)
    if wish.state != "stopped":
        service.check()
    after = service.carry_out(commands)
    if wish.state != "stopped" and after.silent:
        raise _silent(after)
    return ServiceOutcome(before, after, commands, after.warnings)


def _silent(facts: ServiceFacts) -> ServiceError:
    names = [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address, port in facts.silent]
    return ServiceError(
        "the service was started and does not answer there",
        where=f"binding{'s' if len(names) > 1 else ''} {', '.join(names)}",
        way_out="See its log, and whether a firewall of this host is in the way.",
    )
