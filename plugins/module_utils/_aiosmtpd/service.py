# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay daemon as a supervised process: is it there, what has it loaded, start and stop it
(docs/relay-files.md)."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from .._connector.addresses import Binding
from .._connector.errors import ServiceError
from .._engine.service import ServiceFacts, SingleService
from .._host.answers import silent_bindings
from .._host.locks import locked
from .._host.ports import listening, refuse_unavailable
from .._policy.state import State
from .pid_file import PidFile
from .settings import settings_digest, stored_settings_digest
from .status import make_binding, read_status, read_stored
from .store import policy_digest

_ANSWER_SECONDS = 10.0
_START_SECONDS = 30.0
_STOP_SECONDS = 90.0  # messages in hand may take 60 s, and the supervisor kills after 75
_SEE_OWNER = "Check owner and mode, or become its user."
_LEFT_ALONE = "The running service, if any, was left alone."


class RelayProcess(SingleService):
    """The daemon of one relay directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._pid_file = PidFile(directory)

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Keep two plays from starting or stopping it at a time, where there is a directory."""
        self._pid_file.refuse_stranger()
        if read_only or not os.path.isdir(self._directory):
            yield
            return
        with locked(self._path("service.lock"), patience=_STOP_SECONDS + 2 * _START_SECONDS):
            yield

    def facts(self, state: State | None = None) -> ServiceFacts:
        if state is not None:
            return self.facts_of(policy_digest(state.policy), settings_digest(state.settings))
        return self.facts_of(read_stored(self._directory).digest, stored_settings_digest(self._directory))

    def facts_of(self, digest: Any, settings: str | None) -> ServiceFacts:
        """Sockets are the relay's own if the process that says so is there: it says so as long as it serves.

        :param digest: of the policy that it should have loaded
        :param settings: digest of the settings that it should have loaded, ``None``: there are none
        """
        if not self._pid_file.held:
            return ServiceFacts(running=False, restart_required=False)
        status = read_status(self._directory)
        expected = read_stored(self._directory).listeners if status is None else status.listeners
        listeners = _open(expected) if status and status.alive else []
        return ServiceFacts(
            running=True,
            restart_required=status is None or not status.has_loaded(self._directory, digest, settings),
            listeners=_places(listeners),
            silent=_places(binding for binding in expected if binding not in listeners),
        )

    def ask(self) -> ServiceFacts:
        """Which sockets should answer is said by the relay that runs; by the stored policy where it says nothing."""
        facts = self.facts()
        listeners = [make_binding(*place) for place in facts.listeners or ()]
        tls = {(binding.version, binding.port) for binding in read_stored(self._directory).tls} if listeners else set()
        first = [binding for binding in listeners if (binding.version, binding.port) in tls]
        silent = silent_bindings(listeners, patience=_ANSWER_SECONDS, tls=first)
        return replace(facts, silent=facts.silent + _places(silent))

    def own_bindings(self) -> list[Binding] | None:
        """What the running relay listens on, ``None`` if it does not say. Before it listens it has no status file."""
        if not self._pid_file.held:
            return []
        status = read_status(self._directory)
        if status is None:
            return None if os.path.lexists(self._path("status.json")) else []
        return list(status.listeners) if status.alive else []

    def _command(self, *flags: str) -> list[str]:
        program = self._path("smtp_relayd.pyz")
        if not os.path.exists(program):
            raise ServiceError("there is no relay to start", where=program, way_out="Run the role relay_server first.")
        return [sys.executable, program, "--directory", self._directory, *flags]

    def check(self) -> None:
        """Load what it would load, and try the ports that it does not hold yet."""
        try:
            command = self._command("--check")
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=_START_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServiceError(f"cannot be run: {error}", where=self._directory, way_out=_SEE_OWNER) from error
        if result.returncode != 0:
            seen = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
            raise ServiceError(f"the relay would not start: {seen[-1]}", where=self._directory, way_out=_LEFT_ALONE)
        refuse_unavailable(read_stored(self._directory).bindings, self.own_bindings())

    def start(self) -> None:
        command = self._command("--supervise")
        ready, told = os.pipe()
        with os.fdopen(ready, "rb", buffering=0) as answers:
            try:
                process = self._spawn(command, told)
            except OSError as error:
                raise ServiceError(f"cannot be started: {error}", where=self._directory, way_out=_SEE_OWNER) from error
            finally:
                os.close(told)
            failure = _failure(answers)
        if failure:
            _end(process)
            way_out = f"See {self._path('relayd.log')}."
            raise ServiceError(f"the relay did not start: {failure}", where=self._directory, way_out=way_out)

    def _spawn(self, command: list[str], told: int) -> subprocess.Popen[bytes]:
        """:param told: the end of a pipe on which the program says that it is ready"""
        # a pipe that nobody reads would keep us waiting
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        log = os.open(self._path("relayd.log"), flags, 0o640)
        try:
            os.set_blocking(log, True)
            return subprocess.Popen(
                [*command, "--ready-fd", str(told)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=(told,),
                start_new_session=True,
            )
        finally:
            os.close(log)

    def stop(self) -> None:
        pid = self._pid_file.process_to_signal()
        if pid is not None:
            self._signal(pid)
        deadline = time.monotonic() + _STOP_SECONDS
        while self._pid_file.read()[0]:
            if time.monotonic() > deadline:
                what = f"process {pid or 'of the relay'} did not stop within {_STOP_SECONDS:.0f} s"
                raise ServiceError(what, where=self._directory, way_out=f"See {self._path('relayd.log')}.")
            time.sleep(0.02)

    def _signal(self, pid: int) -> None:
        try:
            with suppress(ProcessLookupError):  # a supervisor that died leaves the lock to its child, about to stop
                os.kill(pid, signal.SIGTERM)
                os.kill(pid, signal.SIGCONT)  # one that was halted would not hear the other
        except PermissionError as error:
            way_out = "Become root or its user."
            raise ServiceError(f"process {pid} is another user's", where=self._directory, way_out=way_out) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _failure(answers: io.RawIOBase) -> str:
    """What the program says is wrong on its ready descriptor; empty: it is ready."""
    line = b""
    deadline = time.monotonic() + _START_SECONDS
    while not line.endswith(b"\n"):
        readable, _w, _x = select.select([answers], [], [], max(0.0, deadline - time.monotonic()))
        chunk = answers.read(4096) if readable else None
        if chunk is None:
            return f"no answer within {_START_SECONDS:.0f} s"
        if not chunk:
            return "it ended without a word"
        line += chunk
    with suppress(ValueError, AttributeError):
        answer = json.loads(line)
        return "" if answer.get("ready") is True else str(answer.get("error"))
    return "its answer cannot be read"


def _open(bindings: Iterable[Binding]) -> list[Binding]:
    """Those that are. Where the kernel does not say, the relay is believed."""
    tables = {version: listening(version) for version in (4, 6)}
    known = ((binding, tables[binding.version]) for binding in bindings)
    return [binding for binding, table in known if table is None or binding in table]


def _places(bindings: Iterable[Binding]) -> tuple[tuple[str, int], ...]:
    return tuple((binding.host, binding.port) for binding in bindings)
