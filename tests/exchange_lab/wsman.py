# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A WS-Management server on loopback, as far as Ansible's winrm connection uses one.

One thread for each connection, and one for each command that runs. A server is closed by `close`, which ends what still
runs in it.
"""

from __future__ import annotations

import base64
import contextlib
import ssl
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any

from spnego.exceptions import SpnegoError

from exchange_lab import soap
from exchange_lab.auth import ENCRYPTED, Account, Identity
from exchange_lab.engine import Function, Output, Program, take_out_become
from exchange_lab.faults import Fault, Refused, no_such, slow, unsupported

LONGEST_LINE = 8191  # characters that cmd.exe takes
PIECE = 32 * 1024  # bytes of output in one answer


@dataclass(frozen=True)
class Tls:
    """What the server needs for HTTPS, and the file with the authority that clients have to trust."""

    context: ssl.SSLContext
    authority: Path


@dataclass(frozen=True)
class Request:
    """A request and its answer: bytes on the wire, HTTP status.

    `action` is Authenticate where nothing else was asked or understood; `status` 0 is a cut connection.
    """

    action: str
    received: int
    sent: int
    status: int
    encrypted: bool = False


@dataclass
class Execution:
    """A command that was started: its line, bytes of stdin and stdout, the user of become, how long it ran; `status` is
    None until it ends."""

    line: str
    stdin: int
    become_user: str | None
    status: int | None = None
    stdout: int = 0
    seconds: float = 0


class _Command:
    """A command line, the input that was sent for it, and its output until it is fetched."""

    def __init__(self, line: str, server: Wsman) -> None:
        self._line = line
        self._server = server
        self._input = bytearray()
        self._pieces: list[tuple[str, bytes]] = []
        self._status = 1
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def feed(self, data: bytes, end: bool) -> None:
        self._input += data
        if end:
            self.start()

    def start(self) -> None:
        stdin, user = take_out_become(bytes(self._input))
        execution = Execution(self._line, len(self._input), user)
        self._server.executions.append(execution)
        program = self._server.program if len(self._line) <= LONGEST_LINE else Function(_too_long)
        self._job = program(self._line, stdin)
        self._thread = threading.Thread(target=self._wait, args=(execution,), name="command")
        self._thread.start()

    def _wait(self, execution: Execution) -> None:
        start = time.perf_counter()
        try:
            output = self._job.finish()
            for name, data in (("stdout", output.stdout), ("stderr", output.stderr)):
                self._pieces += [(name, data[at : at + PIECE]) for at in range(0, len(data), PIECE)]
            execution.stdout, execution.seconds = len(output.stdout), time.perf_counter() - start
            self._status = execution.status = output.status
        except Exception as error:  # noqa: BLE001  whatever it is, `running` raises it
            self._server.crashes.append(error)
        finally:
            self._done.set()

    def receive(self, timeout: float) -> tuple[list[tuple[str, bytes]], int | None]:
        """As much output as fits into one answer, and the exit code if that was all of it."""
        if not self._done.wait(timeout):
            raise Refused(slow())
        pieces: list[tuple[str, bytes]] = []
        while self._pieces and sum(len(data) for _name, data in [*pieces, self._pieces[0]]) <= PIECE:
            pieces.append(self._pieces.pop(0))
        return pieces, None if self._pieces else self._status

    def stop(self) -> None:
        if self._thread is not None:
            self._job.stop()
            self._thread.join()


def _too_long(_line: str, _stdin: bytes) -> Output:
    return Output(stderr=b"The command line is too long.\r\n", status=1)


class Wsman(ThreadingHTTPServer):
    """The server, and what it has seen. `faults` are what the next requests meet."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, program: Program, tls: Tls | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.program = program
        self.tls = tls
        self.account = Account("LAB", "operator", "S3cret-of-the-lab")
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.executions: list[Execution] = []
        self.shells: dict[str, dict[str, _Command]] = {}
        self.crashes: list[BaseException] = []
        self.connections: set[socket] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="wsman-")
        self.accounts = Path(self._folder.name) / "accounts"
        self.account.write(self.accounts)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="wsman")
        self._thread.start()

    @property
    def scheme(self) -> str:
        return "http" if self.tls is None else "https"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}/wsman"

    def actions(self) -> list[str]:
        """What was asked, in order."""
        return [request.action for request in self.requests]

    def close(self) -> None:
        """Stop listening, cut connections, end commands."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in list(self.connections):
            _cut(connection)
        for shell in list(self.shells):
            self._stop_shell(shell)
        self._folder.cleanup()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave early are their own business; anything else is an error of the lab."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, (ConnectionError, ssl.SSLError)):
            self.crashes.append(error)

    def next_fault(self, action: str) -> Fault | None:
        with self._lock:
            found = next((fault for fault in self.faults if fault.action == action), None)
            if found:
                self.faults.remove(found)
        return found

    def answer(self, message: soap.Message) -> str:
        """Carry out a request; returns the body of the answer, raises Refused."""
        if message.action in ("Identify", "Create"):
            return soap.IDENTIFY_BODY if message.action == "Identify" else self._create()
        with self._lock:
            commands = self.shells.get(message.shell)
        if commands is None:
            raise no_such(f"Shell {message.shell}")
        if message.action == "Delete":
            self._stop_shell(message.shell)
            return ""
        if message.action == "Command":
            return self._command(message, commands)
        return self._to_command(message, commands)

    def _create(self) -> str:
        shell = str(uuid.uuid4()).upper()
        with self._lock:
            self.shells[shell] = {}
        return soap.created_body(shell)

    def _stop_shell(self, shell: str) -> None:
        with self._lock:
            commands = self.shells.pop(shell, {})
        for command in commands.values():
            command.stop()

    def _command(self, message: soap.Message, commands: dict[str, _Command]) -> str:
        body = "s:Body/rsp:CommandLine/"
        line = f"{message.text(body + 'rsp:Command')} {message.text(body + 'rsp:Arguments')}".strip()
        identity = str(uuid.uuid4()).upper()
        commands[identity] = command = _Command(line, self)
        if message.text("s:Header/w:OptionSet/w:Option[@Name='WINRS_CONSOLEMODE_STDIN']") == "TRUE":
            command.start()  # no Send will come
        return f"<rsp:CommandResponse><rsp:CommandId>{identity}</rsp:CommandId></rsp:CommandResponse>"

    def _to_command(self, message: soap.Message, commands: dict[str, _Command]) -> str:
        element = {"Send": "Send/rsp:Stream", "Receive": "Receive/rsp:DesiredStream", "Signal": "Signal"}.get(
            message.action
        )
        if element is None:
            raise unsupported(message.action)
        path = f"s:Body/rsp:{element}"
        identity = message.attribute(path, "CommandId")
        command = commands.get(identity)
        if command is None:
            raise no_such(f"Command {identity}")
        if message.action == "Receive":
            return soap.receive_body(identity, *command.receive(message.timeout))
        if message.action == "Signal":
            del commands[identity]
            command.stop()
        else:
            command.feed(base64.b64decode(message.text(path)), message.attribute(path, "End").lower() == "true")
        return f"<rsp:{message.action}Response/>"


class _Connection(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Wsman
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer in one write

    def setup(self) -> None:
        if self.server.tls is not None:
            self.request = self.server.tls.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self.server.connections.add(self.connection)
        self._identity = Identity(self.server.account, self.server.accounts)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._received = len(body)
        self._encrypted = self.headers.get("Content-Type", "").startswith("multipart/encrypted")
        wanted = self._identity.admit(self.headers.get("Authorization", ""))
        if wanted or not body:  # pywinrm sends an empty request to set up encryption
            self._reply("Authenticate", 401 if wanted else 200, wanted=wanted)
            return
        try:
            message = soap.parse(self._identity.decrypt(body) if self._encrypted else body)
        except SpnegoError:  # after a lost connection, pywinrm sends what it encrypted for that one
            self._identity.refuse()
            self._reply("Authenticate", 400)
        else:
            self._answer(message)

    def _answer(self, message: soap.Message) -> None:
        fault = self.server.next_fault(message.action)
        if fault is not None and fault.instead == "cut":
            self._record(message.action, 0, 0)
            self.close_connection = True
            _cut(self.connection)
        elif fault is not None and fault.instead == "revoke":
            self.server.account.revoked = True
            self._reply(message.action, 401, wanted=self._identity.refuse())
        else:
            status, text = self._carry_out(message, fault)
            self._reply(message.action, status, self._identity.encrypt(text) if self._encrypted else text)

    def _carry_out(self, message: soap.Message, fault: Fault | None) -> tuple[int, bytes]:
        try:
            if fault is not None:
                raise Refused(fault)
            return 200, soap.envelope(message, self.server.answer(message))
        except Refused as refused:
            return 500, soap.envelope(message, soap.fault_body(refused.fault))

    def _record(self, action: str, sent: int, status: int) -> None:
        self.server.requests.append(Request(action, self._received, sent, status, self._encrypted))

    def _reply(self, action: str, status: int, text: bytes = b"", wanted: Iterable[str] = ()) -> None:
        self._record(action, len(text), status)
        self.send_response(status)
        for header in wanted:
            self.send_header("WWW-Authenticate", header)
        if text:
            self.send_header("Content-Type", ENCRYPTED if self._encrypted else soap.CONTENT_TYPE)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _cut(connection: socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(SHUT_RDWR)


@contextlib.contextmanager
def running(program: Program, tls: Tls | None = None) -> Iterator[Wsman]:
    """A server that is closed at the end, and whose own errors are not lost."""
    server = Wsman(program, tls)
    try:
        yield server
    finally:
        server.close()
    if server.crashes:
        raise server.crashes[0]
