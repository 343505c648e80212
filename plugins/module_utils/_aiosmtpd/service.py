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
from contextlib import suppress
from typing import Any

from .._connector.errors import ServiceError
from .._engine.backend import Service, ServiceFacts
from .._policy.compile import Policy
from .files import read_bytes, read_document, sha256
from .store import policy_digest, store_path

_START_SECONDS = 30.0
_STOP_SECONDS = 75.0
_SEE_OWNER = "Check owner and mode of the directory."
_STATUS_KEYS = frozenset({"version", "pid", "started", "digest", "settings_digest", "program_digest", "listeners"})


class RelayProcess(Service):
    """The daemon of one relay directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    def facts(self, policy: Policy | None = None) -> ServiceFacts:
        pid = self._running_pid()
        if pid is None:
            return ServiceFacts(running=False, restart_required=False)
        status = read_document(self._path("status.json"), _STATUS_KEYS)
        if status is None:
            return ServiceFacts(running=True, restart_required=True, pid=pid)
        listeners = tuple((str(item["address"]), int(item["port"])) for item in status["listeners"])
        return ServiceFacts(True, self._is_outdated(status, policy), listeners, pid)

    def _running_pid(self) -> int | None:
        """The number in the pid file while its lock is held, so that a number left behind is never signalled."""
        try:
            descriptor = os.open(self._path("relayd.pid"), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ServiceError(
                f"cannot be read: {error.strerror}", where=self._path("relayd.pid"), way_out="Check owner and mode."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(descriptor, 32).decode("ascii", "replace").strip()
            return int(text) if text.isdigit() else None
        finally:
            os.close(descriptor)
        return None

    def _is_outdated(self, status: dict[str, Any], policy: Policy | None) -> bool:
        wanted = self._stored_digest() if policy is None else policy_digest(policy)
        settings = read_bytes(self._path("settings.json"))
        program = read_bytes(self._path("smtp_relayd.pyz"))
        return (
            status["digest"] != wanted
            or (settings is not None and status["settings_digest"] != sha256(settings))
            or (program is not None and status["program_digest"] != sha256(program))
        )

    def _stored_digest(self) -> Any:
        document = json.loads(read_bytes(store_path(self._directory)) or b"{}")
        return document.get("digest")

    def _command(self, *flags: str) -> list[str]:
        program = self._path("smtp_relayd.pyz")
        if not os.path.exists(program):
            raise ServiceError("there is no relay to start", where=program, way_out="Run the role relay_server first.")
        return [sys.executable, program, "--directory", self._directory, *flags]

    def check(self) -> None:
        result = subprocess.run(
            self._command("--check"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            seen = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
            way_out = "The running service, if any, was left alone."
            raise ServiceError(f"the relay would not start: {seen[-1]}", where=self._directory, way_out=way_out)

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
        pid = self._running_pid()
        if pid is None:
            return
        with suppress(
            ProcessLookupError
        ):  # a supervisor that died leaves the lock to its child, which is about to stop
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self._running_pid() is not None:
            if time.monotonic() > deadline:
                way_out = f"See {self._path('relayd.log')}."
                raise ServiceError(
                    f"process {pid} did not stop within {_STOP_SECONDS:.0f} s", where=self._directory, way_out=way_out
                )
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
