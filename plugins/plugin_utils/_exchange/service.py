# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport services of an Exchange server, through the service manager of Windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ...module_utils._connector.addresses import Binding
from ...module_utils._connector.errors import CapabilityError, ServiceError
from ...module_utils._connector.model import Connector
from ...module_utils._engine.backend import Reading
from ...module_utils._engine.service import Service, ServiceFacts, ServicePart
from ...module_utils._policy.state import State
from .calls import FRONTEND, HOST, READ, TRANSPORT, Executed
from .errors import Problem, explain, nothing_written
from .places import refuse_place
from .seen import Seen
from .state import read_server

PATIENCE = 300
"""Seconds in which a service must have stopped, or started, or opened a socket."""
_SOCKETS = next(call for call in HOST if call["id"] == "sockets")
_SERVICE = "SELECT * FROM Win32_Service WHERE Name='?'"
Call = dict[str, Any]
Request = Callable[[list[Call], list[Call]], Executed]


class ExchangeService(Service):
    """One service on Exchange 2010 and older and on Edge, two on others.

    :param look: reads the server
    :param request: carries out calls and then others, ``None``: there is only a snapshot
    """

    def __init__(self, look: Callable[[], tuple[Reading, Seen]], request: Request | None) -> None:
        self._look = look
        self._request = request
        self._reading: Reading | None = None
        self._seen = Seen({})

    def facts(self, state: State | None = None) -> ServiceFacts:
        """With a state: as it will be when that has been written, for what was read last."""
        if state is not None and self._reading is not None:
            return _predicted(self._reading, state)
        self._reading, self._seen = self._look()
        return self._reading.service

    def noted(self, reading: Reading) -> None:
        """What the backend has read."""
        self._reading = reading

    def check(self) -> None:
        """A service may not start where it cannot listen."""
        for connector in self._known.state.connectors:
            for binding in connector.bindings if connector.enabled else ():
                refuse_place(binding, f"connector '{connector.name}', bindings", self._seen)

    @property
    def _known(self) -> Reading:
        if self._reading is None:
            self._reading, self._seen = self._look()
        return self._reading

    def commands(self, facts: ServiceFacts, state: str, only_if_required: bool) -> tuple[str, ...]:
        """``stop`` and ``start`` with the name of the service."""
        found: list[str] = []
        for part in facts.parts:
            found += (f"{word} {part.name}" for word in _words(part, facts, state, only_if_required))
        return tuple(found)

    def carry_out(self, commands: Sequence[str]) -> ServiceFacts:
        """One execution, which goes on when the connection is cut."""
        if self._request is None:
            raise CapabilityError("a snapshot has no service", where="snapshot", way_out="Leave snapshot out.")
        before = self._known
        waited = {name: _awaited(before, name) for name in (part.name for part in before.service.parts)}
        calls = [call for command in commands for call in self._calls(command, waited)]
        done = self._request(calls, [*READ, *HOST])
        if done.problem is not None:
            raise _lost(done.problem, done) if done.began else nothing_written(done.problem)
        self._seen = Seen(done.answers)
        self._reading = read_server(done.answers)
        return self._judged(before, commands, waited)

    def _judged(self, before: Reading, commands: Sequence[str], waited: dict[str, frozenset[Binding]]) -> ServiceFacts:
        """What had to listen and does not is silent; what never did is a warning."""
        facts = self._known.service
        if facts.listeners is None:  # nobody can tell
            return facts
        listening = set(facts.listeners)
        started = [command.partition(" ")[2] for command in commands if command.startswith("start ")]
        due = {_place(binding) for name in started for binding in waited[name]}
        idle = [
            f"Nothing listens on {binding}, and nothing did before (connector '{connector.name}'). Is IPv6 off there?"
            for connector in self._known.state.connectors
            for binding in connector.bindings
            if connector.enabled and _holder(connector, facts.parts) in started
            if _place(binding) not in listening | due
        ]
        return replace(facts, silent=tuple(sorted(due - listening)), warnings=(*facts.warnings, *idle))

    def _calls(self, command: str, waited: dict[str, frozenset[Binding]]) -> Iterator[Call]:
        word, _blank, name = command.partition(" ")
        if word == "stop":
            parameters = {"Name": name, "Force": True, "NoWait": True}
            yield {"id": f"stop {name}", "cmdlet": "Stop-Service", "params": parameters, "select": []}
            yield _until(f"stopped {name}", name, "Stopped")
            return
        yield {**_look(name), "id": f"found {name}"}
        # something else may have started it, such as the health manager of Exchange
        yield {**_start(name), "only_if": {"from": f"found {name}", "match": {"State": "Stopped"}, "absent": False}}
        yield _until(f"started {name}", name, "Running")
        yield from (_start(other, optional=True) for other in self._dependents(name))
        places = [{"LocalAddress": binding.host, "LocalPort": str(binding.port)} for binding in sorted(waited[name])]
        if places and self._known.service.listeners is not None:
            yield {**_SOCKETS, "id": f"listening {name}", "until": places, "seconds": PATIENCE, "optional": True}

    def _dependents(self, name: str) -> list[str]:
        """Services that need this one and ran: they are stopped with it."""
        number = next((str(place) for place, row in enumerate(self._seen.rows("services")) if row["Name"] == name), "")
        rows = (row for row in self._seen.rows("dependents") if row.get("for") == number)
        return [str(row["Name"]) for row in rows if str(row.get("Status")) in ("Running", "4")]


def _words(part: ServicePart, facts: ServiceFacts, state: str, only_if_required: bool) -> tuple[str, ...]:
    if state == "stopped":
        return ("stop",) if part.running else ()
    if not part.running:
        return ("start",)
    if state == "restarted" and (part.restart_required or not only_if_required):
        return ("stop", "start")
    return ("stop", "start") if facts.silent else ()


def _start(name: str, *, optional: bool = False) -> Call:
    """It returns at once, so that the waiting has an end."""
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    parameters = {"Query": _SERVICE.replace("?", quoted), "MethodName": "StartService"}
    call: Call = {"id": f"start {name}", "cmdlet": "Invoke-CimMethod", "params": parameters, "select": ["ReturnValue"]}
    return {**call, "until": [{"ReturnValue": "0"}], "optional": optional}


def _look(service: str) -> Call:
    parameters = {"ClassName": "Win32_Service", "Filter": f"Name='{service}'"}
    return {"cmdlet": "Get-CimInstance", "params": parameters, "select": ["State"]}


def _until(name: str, service: str, state: str) -> Call:
    return {**_look(service), "id": name, "until": [{"State": state}], "seconds": PATIENCE}


def _place(binding: Binding) -> tuple[str, int]:
    return binding.host, binding.port


def _holder(connector: Connector, parts: Sequence[ServicePart]) -> str:
    """The service that holds a connector, as this server spells it."""
    wanted = FRONTEND if connector.transport_role == "FrontendTransport" else TRANSPORT
    return next((part.name for part in parts if part.name.lower() == wanted.lower()), wanted)


def _awaited(before: Reading, name: str) -> frozenset[Binding]:
    """Where a service must listen when it is back: where it did, and where a connector was changed since it started;
    not on IPv6 if no connector listened on that, because it is off then."""
    service = before.service
    listening = set(service.listeners or ())
    versions = {6 if ":" in host else 4 for host, _port in listening} | {4}
    part = next(part for part in service.parts if part.name == name)
    held = [item for item in before.state.connectors if item.enabled and _holder(item, service.parts) == name]
    return frozenset(
        binding
        for connector in held
        for binding in connector.bindings
        if _place(binding) in listening
        or (part.running and connector.name in part.changed and binding.version in versions)
    )


def _predicted(reading: Reading, state: State) -> ServiceFacts:
    """A change moves the time at which a connector was changed, and so makes its service old."""
    differing = {*reading.state.connectors} ^ {*state.connectors}
    changed = {_holder(item, reading.service.parts) for item in differing}
    parts = tuple(
        part._replace(restart_required=part.restart_required or (part.running and part.name in changed))
        for part in reading.service.parts
    )
    return replace(reading.service, parts=parts, restart_required=any(part.restart_required for part in parts))


def _lost(problem: Problem, done: Executed) -> ServiceError:
    """The loudest error there is: mail stands still."""
    word, _blank, name = problem.stage.partition(" ")
    if word in ("stop", "stopped", "start", "started"):
        state = next((str(row.get("State")) for row in Seen(done.answers).rows("services") if row["Name"] == name), "")
        now = f" It is {state} now." if state else ""
        verb = "did not stop" if word.startswith("stop") else "WAS STOPPED AND DID NOT COME BACK"
        patience = f" in {PATIENCE} s" if word in ("stopped", "started") else ""
        return ServiceError(
            f"the transport service {name} {verb}{patience}",
            where=f"service {name}",
            way_out=f"No mail flows through it until it runs.{now} See the event log of the server; start it there "
            f"with 'Start-Service {name}'. If the last change of a connector is the reason, give 'before' of that task "
            f"to receive_connectors and start it again. It said: {' '.join(problem.message.split())}",
        )
    found = explain(problem, wrote=True)
    return ServiceError(found.what, where=found.where, way_out=found.way_out)
