# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exchange backend: one server, read in one execution and written in one more."""

from __future__ import annotations

from collections.abc import Callable

from ...module_utils._connector.errors import CapabilityError, Conflict, Finding, RelayError
from ...module_utils._engine.backend import ApplyError, Backend, Change, Reading
from ...module_utils._engine.operations import describe, title
from ...module_utils._policy.state import State
from .calls import Answers, Execute, Executed, ask, run
from .errors import explain, nothing_written
from .places import check_places
from .principals import check_principals, leftovers
from .rules import new_exchange_conflicts
from .seen import Seen
from .service import ExchangeService
from .state import read_server
from .writing import operation_number, write_request

NAME = "exchange"
_AGAIN = "Run the task again: it goes on from what is there then."


class ExchangeBackend(Backend):
    """One Exchange server.

    :param execute: runs the internal module there
    :param session: ``remote`` or ``snapin``
    """

    name = NAME
    service: ExchangeService

    def __init__(self, execute: Execute, session: str) -> None:
        self._execute = execute
        self._session = session
        self._seen = Seen({})
        self.service = ExchangeService(self._look, self._request)

    def read(self) -> Reading:
        reading, self._seen = self._look()
        self.service.noted(reading)
        return reading

    def _look(self) -> tuple[Reading, Seen]:
        answers = ask(self._execute, self._session)
        return read_server(answers), Seen(answers)

    def validate(self, state: State, before: State) -> list[Conflict]:
        seen = self._seen
        return new_exchange_conflicts(state, before, has_roles=seen.has_roles, is_edge=seen.is_edge)

    def preflight(self, change: Change) -> list[Finding]:
        before, wanted = change.before.state, change.wanted
        check_principals(before, wanted, self._seen)
        return [*check_places(before, wanted, self._seen), *leftovers(before, wanted)]

    def apply(self, change: Change) -> Reading:
        request = write_request(change, self._seen, self._session)
        try:
            done = run(self._execute, request)
        except RelayError as error:
            raise ApplyError(
                f"nobody knows how far it came: {error.what}", where=error.where, way_out=error.way_out
            ) from error
        if not done.began and done.problem is not None:
            raise nothing_written(done.problem)
        reading, unread = _read_back(done)
        self._seen = Seen(done.answers)
        if done.problem is not None:
            raise _half_way(change, explain(done.problem, wrote=True), done.problem.stage, reading)
        if reading is None:
            raise _half_way(change, unread, "then", None)
        return reading

    def _request(self, calls: list[dict[str, object]], then: list[dict[str, object]]) -> Executed:
        """Carry out calls that are no operations."""
        request = {"session": self._session, "write": True, "calls": calls, "then": then}
        return run(self._execute, request)


class SnapshotBackend(Backend):
    """A snapshot of a server: it can be read, and that is all.

    :param answers: reads it
    """

    name = NAME

    def __init__(self, answers: Callable[[], Answers]) -> None:
        self._answers = answers
        self.service = ExchangeService(self._look, None)

    def _look(self) -> tuple[Reading, Seen]:
        answers = self._answers()
        return read_server(answers), Seen(answers)

    def read(self) -> Reading:
        return read_server(self._answers())

    def validate(self, state: State, before: State) -> list[Conflict]:
        return []

    def preflight(self, change: Change) -> list[Finding]:
        return []

    def apply(self, change: Change) -> Reading:
        raise CapabilityError("a snapshot is no server", where="snapshot", way_out="Leave snapshot out.")


def _read_back(done: Executed) -> tuple[Reading | None, RelayError]:
    """What is there now, or why that is not known."""
    if done.unread is not None:
        return None, explain(done.unread, wrote=True)
    try:
        return read_server(done.answers), RelayError("", where="")
    except RelayError as error:
        return None, error


def _half_way(change: Change, found: RelayError, stage: str, reading: Reading | None) -> ApplyError:
    """It says what was done before, what was being done, and what is there now."""
    number = operation_number(stage)
    if number is None:
        done, where = list(change.operations), found.where
    else:
        done, where = list(change.operations[:number]), title(change.operations[number])
    now = "" if reading is not None else " What is there now could not be read."
    return ApplyError(
        found.what,
        where=where,
        way_out=f"{found.way_out}{now} {_AGAIN}",
        done=[describe(operation) for operation in done],
        reading=reading,
    )
