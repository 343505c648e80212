# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport services of a server as its answers tell of them, and whether they are older than what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from ...module_utils._connector.errors import StoreError
from ...module_utils._connector.model import Connector
from ...module_utils._connector.odd import plain_text
from ...module_utils._engine.service import ServiceFacts, ServicePart
from .calls import FRONTEND, TRANSPORT, Answer, Answers, Row
from .parse import changed, read_time
from .places import sockets
from .rules import FRONTEND as FRONT_END_ROLE
from .seen import Seen

_COMPONENTS = ("ServerWideOffline", "HubTransport", "FrontendTransport", "EdgeTransport")
"""Source: Microsoft, "Manage database availability groups": what maintenance turns off of transport."""


class Change(NamedTuple):
    """Something that services hold was changed.

    :ivar connector: its name, empty: it is no connector
    :ivar service: who holds it, empty: every service
    """

    time: datetime
    what: str
    connector: str = ""
    service: str = ""


def service_facts(answers: Answers, connectors: Iterable[Connector]) -> ServiceFacts:
    """A service that runs must be restarted if what it holds was changed after it started.

    :raises StoreError: a time that cannot be read
    """
    started = {row["for"]: row.get("StartTime") for row in answers.get("processes", Answer()).rows}
    changes = [*_changes(answers, connectors)]
    parts: list[ServicePart] = []
    reasons: list[str] = []
    for number, row in enumerate(answers.get("services", Answer()).rows):
        name, running = str(row["Name"]), row.get("State") == "Running"
        since = read_time(started.get(str(number)), f"service {name}, start")
        later = [item for item in changes if item.service in ("", known_service(name)) and _is_later(item, since)]
        names = frozenset(item.connector for item in later if since is not None) - {""}
        parts.append(ServicePart(name, running, running and bool(later), names))
        if running and later and since is not None:
            reasons.append(_reason(name, since, max(later), Seen(answers).controller))
    resting = sorted(_resting(answers))
    return ServiceFacts(
        bool(parts) and all(part.running for part in parts),
        any(part.restart_required for part in parts),
        _listeners(answers),
        parts=tuple(sorted(parts)),
        in_maintenance=bool(resting),
        warnings=(f"The server is in maintenance: {', '.join(resting)}.",) if resting else (),
        reasons=tuple(reasons),
    )


def _is_later(change: Change, since: datetime | None) -> bool:
    """Where nobody can tell since when the service runs, it may be older."""
    return since is None or since < change.time


def _reason(service: str, since: datetime, change: Change, controller: str) -> str:
    """Both times: the clocks of the server and of the domain controller may differ."""
    whose = f" (time of {controller})" if controller and change.connector else ""
    return f"{service} runs since {_shown(since)}, and {change.what} was changed at {_shown(change.time)}{whose}."


def _shown(time: datetime) -> str:
    return time.isoformat(sep=" ", timespec="seconds")


def known_service(name: str) -> str:
    """As we spell it."""
    return FRONTEND if name.lower() == FRONTEND.lower() else TRANSPORT


def _changes(answers: Answers, connectors: Iterable[Connector]) -> Iterator[Change]:
    """Without transport roles (2010 and older, Edge) there is one service."""
    roles = {item.key: item.transport_role for item in connectors}
    for row in answers.get("connectors", Answer()).rows:
        name, time = plain_text(row.get("Name")), when_changed(row)
        if time is not None:
            holder = FRONTEND if roles[name.lower()] == FRONT_END_ROLE else TRANSPORT
            yield Change(time, f"connector {name!r}", name, holder)
    for row in answers.get("domains", Answer()).rows:
        time = when_changed(row)
        if time is not None:
            yield Change(time, f"accepted domain {row.get('DomainName')!r}")
    # no file, an answer with a problem: no rights were changed yet
    for row in answers.get("marker", Answer()).rows:
        time = read_time(row.get("LastWriteTimeUtc"), "marker file")
        if time is not None:
            yield Change(time, "a right")


def when_changed(row: Row) -> datetime | None:
    """``None``: nobody can tell."""
    try:
        return changed(row, "")
    except StoreError:
        return None


def _listeners(answers: Answers) -> tuple[tuple[str, int], ...] | None:
    found = sockets(Seen(answers))
    return None if found is None else tuple(sorted(socket.place for socket in found if socket.is_ours))


def _resting(answers: Answers) -> Iterator[str]:
    """Components of transport that somebody took out of service."""
    for row in answers.get("components", Answer()).rows:
        component, state = str(row.get("Component")), str(row.get("State"))
        if component in _COMPONENTS and state != "Active":
            yield f"{component} is {state}"
