# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay daemon as a supervised process: is it there, what has it loaded, start and stop it
(docs/relay-files.md)."""

from __future__ import annotations

import fcntl
import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .._connector.addresses import Binding, parse_binding
from .._connector.errors import RelayError, ServiceError
from .._connector.settings import Settings
from .._engine.backend import Service, ServiceFacts
from .._host.files import read_bytes
from .._host.locks import locked
from .._host.ports import refuse_unavailable
from .._policy.state import State
from .documents import read_document, sha256
from .settings import read_settings, settings_digest
from .store import policy_digest, store_path

_START_SECONDS = 30.0
_STOP_SECONDS = 75.0
_SEE_OWNER = "Check owner and mode, or become its user."
_LEFT_ALONE = "The running service, if any, was left alone."
_STATUS_KEYS = frozenset({"version", "pid", "started", "digest", "settings_digest", "program_digest", "listeners"})


class RelayProcess(Service):
    """The daemon of one relay directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Keep two plays from starting or stopping it at a time, where there is a directory."""
        if read_only or not os.path.isdir(self._directory):
            yield
            return
        with locked(self._path("service.lock")):
            yield

    def facts(self, state: State | None = None) -> ServiceFacts:
        if state is not None:
            return self.facts_of(policy_digest(state.policy), state.settings)
        return self.facts_of(self._stored_digest(), read_settings(self._directory))

    def facts_of(self, digest: Any, settings: Settings | None) -> ServiceFacts:
        """:param digest: of the policy that it should have loaded"""
        held, pid = self._lock_holder()
        if not held:
            return ServiceFacts(running=False, restart_required=False)
        status = self._status()
        if status is None:
            return ServiceFacts(running=True, restart_required=True, pid=pid)
        listeners = tuple((binding.host, binding.port) for binding in _bindings(status["listeners"]))
        return ServiceFacts(True, self._is_outdated(status, digest, settings), listeners, pid)

    def own_bindings(self) -> list[Binding] | None:
        """What the running relay listens on, ``None`` if it does not say."""
        if not self._lock_holder()[0]:
            return []
        status = self._status()
        return None if status is None else _bindings(status["listeners"])

    def _status(self) -> dict[str, Any] | None:
        """What the running relay says of itself; ``None`` if it says nothing that can be read."""
        try:
            status = read_document(self._path("status.json"), _STATUS_KEYS)
            return status if status is not None and _bindings(status["listeners"]) is not None else None
        except (RelayError, KeyError, TypeError):
            return None

    def _lock_holder(self) -> tuple[bool, int | None]:
        """Whether the lock on the pid file is held, and the number in it. A number left behind means nothing."""
        path = self._path("relayd.pid")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False, None
        except OSError as error:
            raise ServiceError(f"cannot be read: {error.strerror}", where=path, way_out=_SEE_OWNER) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(descriptor, 32).decode("ascii", "replace").strip()
            return True, int(text) if text.isdigit() and int(text) > 1 else None
        finally:
            os.close(descriptor)
        return False, None

    def _is_outdated(self, status: dict[str, Any], digest: Any, settings: Settings | None) -> bool:
        program = read_bytes(self._path("smtp_relayd.pyz"))
        return (
            status["digest"] != digest
            or (settings is not None and status["settings_digest"] != settings_digest(settings))
            or (program is not None and status["program_digest"] != sha256(program))
        )

    def _stored_digest(self) -> Any:
        try:
            document = json.loads(read_bytes(store_path(self._directory)) or b"{}")
        except (ValueError, RecursionError):
            return None
        return document.get("digest") if isinstance(document, dict) else None

    def _command(self, *flags: str) -> list[str]:
        program = self._path("smtp_relayd.pyz")
        if not os.path.exists(program):
            raise ServiceError("there is no relay to start", where=program, way_out="Run the role relay_server first.")
        return [sys.executable, program, "--directory", self._directory, *flags]

    def check(self) -> None:
        """Load what it would load, and try the ports that it does not hold yet."""
        try:
            command = self._command("--check")
            result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        except OSError as error:
            raise ServiceError(f"cannot be run: {error}", where=self._directory, way_out=_SEE_OWNER) from error
        if result.returncode != 0:
            seen = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
            raise ServiceError(f"the relay would not start: {seen[-1]}", where=self._directory, way_out=_LEFT_ALONE)
        document = json.loads(read_bytes(store_path(self._directory)) or b"{}")
        refuse_unavailable(_bindings(document["policy"]["bindings"]), self.own_bindings())

    def start(self) -> None:
        ready, told = os.pipe()
        try:
            process = self._spawn(told)
        except OSError as error:
            raise ServiceError(f"cannot be started: {error}", where=self._directory, way_out=_SEE_OWNER) from error
        finally:
            os.close(told)
        with os.fdopen(ready, "rb", buffering=0) as answers:
            failure = _failure(answers)
        if failure:
            process.terminate()
            process.wait()
            way_out = f"See {self._path('relayd.log')}."
            raise ServiceError(f"the relay did not start: {failure}", where=self._directory, way_out=way_out)

    def _spawn(self, told: int) -> subprocess.Popen[bytes]:
        """:param told: the end of a pipe on which the program says that it is ready"""
        command = self._command("--supervise", "--ready-fd", str(told))
        log = os.open(self._path("relayd.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            return subprocess.Popen(
                command,
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
        held, pid = self._lock_holder()
        if not held:
            return
        if pid is None:
            way_out = "Find the process that holds it (fuser) and stop it."
            raise ServiceError("there is no process number in it", where=self._path("relayd.pid"), way_out=way_out)
        try:
            with suppress(ProcessLookupError):  # a supervisor that died leaves the lock to its child, about to stop
                os.kill(pid, signal.SIGTERM)
        except PermissionError as error:
            way_out = "Become root or its user."
            raise ServiceError(f"process {pid} is another user's", where=self._directory, way_out=way_out) from error
        deadline = time.monotonic() + _STOP_SECONDS
        while self._lock_holder()[0]:
            if time.monotonic() > deadline:
                what = f"process {pid} did not stop within {_STOP_SECONDS:.0f} s"
                raise ServiceError(what, where=self._directory, way_out=f"See {self._path('relayd.log')}.")
            time.sleep(0.02)


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
    answer = json.loads(line)
    return "" if answer.get("ready") is True else str(answer.get("error"))


def _bindings(items: Any) -> list[Binding]:
    """``[{address, port}]`` of the files as bindings."""
    return [_binding(item["address"], item["port"]) for item in items]


def _binding(address: str, port: int) -> Binding:
    return parse_binding(f"[{address}]:{port}" if ":" in address else f"{address}:{port}", "listeners")
