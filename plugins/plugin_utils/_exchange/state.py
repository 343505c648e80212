# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the answers of a server to what the collection knows of it: state, services, and what was odd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ...module_utils._connector.errors import StoreError
from ...module_utils._connector.model import Connector
from ...module_utils._connector.odd import plain_text
from ...module_utils._connector.principals import fold
from ...module_utils._connector.rights import Entry
from ...module_utils._engine.backend import Notice, Reading
from ...module_utils._engine.doubts import doubts
from ...module_utils._engine.service import ServiceFacts, ServicePart
from ...module_utils._policy.state import State
from ...module_utils._policy.surface import listed
from .calls import FRONTEND, TRANSPORT, Answer, Answers, Row
from .capabilities import capabilities
from .errors import explain
from .notices import notices as odd_notices
from .notices import quoted
from .parse import changed, read_connector, read_domains, read_entries, read_time, unread_groups
from .places import sockets
from .rules import FRONTEND as FRONT_END_ROLE
from .seen import Seen, local_names

_BUILT_IN = (
    "Default {}",
    "Client {}",
    "Default Frontend {}",
    "Client Frontend {}",
    "Outbound Proxy Frontend {}",
    "Client Proxy {}",
    "Default internal receive connector {}",
    "Windows SBS Internet Receive {}",
    "Windows SBS Fax Sharepoint Receive {}",
)
"""Source: Microsoft, "Receive connectors"; the last two come with Small Business Server."""
_COMPONENTS = ("ServerWideOffline", "HubTransport", FRONT_END_ROLE, "EdgeTransport")
"""Source: Microsoft, "Manage database availability groups": what maintenance turns off of transport."""
_NAMED = (("connectors", "Name"), ("domains", "DomainName"))
"""Answers whose objects have a time of change, and the name of each."""
_NO_RIGHTS = (
    "The rights of the connectors are not known: {why}. So nothing is said about who may relay. Read as somebody who "
    "has the cmdlet Get-ADPermission (by default Organization Management)."
)
_UNREAD = (
    "The rights of the connectors are not known: no entry was read of {groups}, which the connector has. Either the "
    "user may not read them, or the server names principals in a language that is not known here; please report it. "
    "So nothing is said about who may relay."
)


def read_server(answers: Answers) -> Reading:
    """:raises ExchangeError: a call failed
    :raises StoreError: an answer that cannot be what was asked for
    """
    name = _server_name(answers)
    rows = _rows(answers, "connectors")
    _refuse_foreign(rows, name)
    entries, notices = _entries(answers)
    per_row = [None if entries is None else entries.get(str(number), []) for number in range(len(rows))]
    connectors = [read_connector(row, found) for row, found in zip(rows, per_row, strict=True)]
    for number, found in enumerate(per_row):
        if found is not None and connectors[number].extended_rights is None:
            notices.append(_unread(connectors[number], found))
    _refuse_twins(connectors)
    notices += [text for item in connectors for text in doubts(item)]
    state = State(
        connectors=tuple(sorted(connectors, key=lambda item: item.key)),
        accepted_domains=tuple(read_domains(_rows(answers, "domains"))),
        built_in=tuple(form.format(name) for form in _BUILT_IN),
        template=_template(answers, connectors),
    )
    said = [notice for answer in answers.values() for notice in answer.notices]
    notices += [*odd_notices(state), *_undated(answers)]
    return Reading(
        state=state,
        service=_service(answers, connectors),
        capabilities=capabilities(str(_rows(answers, "server")[0].get("AdminDisplayVersion") or "")),
        notices=tuple(Notice(text) for text in (*notices, *dict.fromkeys(said))),
    )


def _template(answers: Answers, connectors: Sequence[Connector]) -> Connector:
    """A new connector inherits what the others on the server do.

    Source: Microsoft, New-ReceiveConnector: defaults of TarpitInterval, of Usage Custom, and of Edge servers.
    """
    seen = Seen(answers)
    return Connector(
        "",
        fqdn=str(seen.server.get("Fqdn") or "").lower(),
        auth_mechanism=("Tls",),
        tarpit_interval=5,
        transport_role=FRONT_END_ROLE if seen.has_roles else None,
        allowed_senders=("*",),
        inherited_rights=tuple(sorted({entry for item in connectors for entry in item.inherited_rights})),
        connection_timeout=300 if seen.is_edge else 600,
        connection_inactivity_timeout=60 if seen.is_edge else 300,
    )


def _unread(connector: Connector, entries: Iterable[Entry]) -> str:
    groups = unread_groups(connector, entries)
    return _UNREAD.format(groups=f"{', '.join(groups)} on connector '{connector.name}'")


def _server_name(answers: Answers) -> str:
    rows = _rows(answers, "server")
    if len(rows) != 1 or not rows[0].get("Name"):
        seen = [row.get("Name") for row in rows]
        way_out = "Is this host an Exchange server, and is its name in Exchange that of the machine?"
        raise StoreError(
            "not the one server that was asked for", where="Get-ExchangeServer", value=seen, way_out=way_out
        )
    name = str(rows[0]["Name"])
    asked = _host(answers, "Name")
    if asked and fold(asked) != fold(name):
        raise StoreError(
            f"another server than {asked} came back",
            where="Get-ExchangeServer",
            value=name,
            way_out="Exchange returns others when it does not find the one. Is this host an Exchange server?",
        )
    return name


def _refuse_foreign(rows: Iterable[Row], server: str) -> None:
    """Exchange returns everything when it does not find the one."""
    for row in rows:
        if row.get("Server") and fold(str(row["Server"])) != fold(server):
            raise StoreError(
                f"a connector of another server than {server} came back",
                where=f"connector '{row.get('Name')}'",
                value=row["Server"],
                way_out="Please report it.",
            )


def _refuse_twins(connectors: Iterable[Connector]) -> None:
    """A change names its connector."""
    seen: set[str] = set()
    for connector in connectors:
        if connector.key in seen:
            way_out = "Names are the same whatever their case. Rename one of them in Exchange."
            raise StoreError("two connectors of one name", where="connectors", value=connector.name, way_out=way_out)
        seen.add(connector.key)


def _rows(answers: Answers, name: str) -> tuple[Row, ...]:
    answer = answers.get(name)
    if answer is None:
        way_out = "Was the file cut off, or is it of another version?"
        raise StoreError("there is no such answer", where=name, way_out=way_out)
    if answer.problem is not None:
        raise explain(answer.problem)
    return answer.rows


def _host(answers: Answers, column: str) -> str:
    rows = answers.get("host", Answer()).rows
    return str(rows[0].get(column) or "") if rows else ""


def _entries(answers: Answers) -> tuple[Mapping[str, list[Entry]] | None, list[str]]:
    """By the number of the connector; ``None``: we may not read them, and why."""
    problem = answers.get("rights", Answer()).problem
    if problem is not None and problem.denied:
        why = "there is no cmdlet Get-ADPermission" if problem.cmdlet_not_found else "access to them is denied"
        return None, [_NO_RIGHTS.format(why=why)]
    return read_entries(_rows(answers, "rights"), local_names(answers)), []


def _service(answers: Answers, connectors: Iterable[Connector]) -> ServiceFacts:
    """A service that runs must be restarted if what it holds was changed after it started."""
    started = {row["for"]: row.get("StartTime") for row in answers.get("processes", Answer()).rows}
    roles = {item.key: item.transport_role for item in connectors}
    newest = _newest(answers, roles)
    parts = []
    for number, row in enumerate(_rows(answers, "services")):
        name, running = str(row["Name"]), row.get("State") == "Running"
        since = read_time(started.get(str(number)), f"service {name}, start")
        late = newest.get(_known_service(name))
        required = running and late is not None and (since is None or since < late)
        parts.append(ServicePart(name, running, required, frozenset(_changed_since(answers, roles, name, since))))
    running = bool(parts) and all(part.running for part in parts)
    resting = sorted(_resting(answers))
    return ServiceFacts(
        running,
        any(part.restart_required for part in parts),
        _listeners(answers),
        parts=tuple(sorted(parts)),
        in_maintenance=bool(resting),
        warnings=(f"The server is in maintenance: {', '.join(resting)}.",) if resting else (),
    )


def _changed_since(answers: Answers, roles: Mapping[str, Any], service: str, since: datetime | None) -> Iterator[str]:
    for name, holder, time in _times(answers, roles):
        if holder == _known_service(service) and since is not None and time is not None and time > since:
            yield name


def _listeners(answers: Answers) -> tuple[tuple[str, int], ...] | None:
    found = sockets(Seen(answers))
    return None if found is None else tuple(sorted(socket.place for socket in found if socket.is_ours))


def _resting(answers: Answers) -> Iterator[str]:
    """Components of transport that somebody took out of service."""
    for row in answers.get("components", Answer()).rows:
        component, state = str(row.get("Component")), str(row.get("State"))
        if component in _COMPONENTS and state != "Active":
            yield f"{component} is {state}"


def _known_service(name: str) -> str:
    return FRONTEND if name.lower() == FRONTEND.lower() else TRANSPORT


def _times(answers: Answers, roles: Mapping[str, Any]) -> Iterator[tuple[str, str, datetime | None]]:
    """Name of each connector, the service that holds it, and when it was changed."""
    for row in _rows(answers, "connectors"):
        role = roles[plain_text(row.get("Name")).lower()]
        holder = FRONTEND if role == FRONT_END_ROLE else TRANSPORT
        yield plain_text(row.get("Name")), holder, _changed(row)


def _newest(answers: Answers, roles: Mapping[str, Any]) -> dict[str, datetime]:
    """Service to the newest change of what it holds. Without roles (2010 and older, Edge) there is one service."""
    times = [(holder, time) for _name, holder, time in _times(answers, roles)]
    everywhere = [_changed(row) for row in _rows(answers, "domains")]
    # no file, an answer with a problem: no rights were changed yet
    marked = answers.get("marker", Answer()).rows
    everywhere += [read_time(row.get("LastWriteTimeUtc"), "marker file") for row in marked]
    times += [(service, time) for service in (FRONTEND, TRANSPORT) for time in everywhere]
    newest: dict[str, datetime] = {}
    for service, time in times:
        if time is not None and time > newest.get(service, time):
            newest[service] = time
        elif time is not None:
            newest.setdefault(service, time)
    return newest


def _changed(row: Row) -> datetime | None:
    """``None``: nobody can tell."""
    try:
        return changed(row, "")
    except StoreError:
        return None


def _undated(answers: Answers) -> list[str]:
    """A notice where no time stands when something was changed."""
    rows = [(row, column) for answer, column in _NAMED for row in _rows(answers, answer)]
    names = [quoted(plain_text(row.get(column))) for row, column in rows if _is_undated(row)]
    if not names:
        return []
    return [
        f"When these were changed cannot be read: {listed(names, 5)}. Whether a restart is due is told without them."
    ]


def _is_undated(row: Row) -> bool:
    return _changed(row) is None and bool(row.get("WhenChangedUTC") or row.get("WhenChanged"))
