# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A next hop: a real SMTP server on a real socket that says what a test tells it to say, and keeps what it got.

It shares no code with the relay or its libraries.
"""

from __future__ import annotations

import contextlib
import queue
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from support.net import loopback


class Drop:
    """Instead of a reply: close the connection."""


class Silence:
    """Instead of a reply: nothing, until the client goes."""


@dataclass
class Hold:
    """Wait for `go` before the reply; `reached` tells the test that it came to this."""

    reply: str
    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


Answer = str | type[Drop] | type[Silence] | Hold


@dataclass
class Message:
    sender: str
    recipients: list[str]
    content: bytes  # dots un-stuffed, everything before the last line with its dot
    tls: bool = False

    @property
    def body(self) -> bytes:
        """Without the Received field that the relay put in front."""
        assert self.content.startswith(b"Received: from ")
        lines = self.content.split(b"\r\n")
        count = 1 + next(number for number, line in enumerate(lines[1:]) if line[:1] not in (b"\t", b" "))
        return b"\r\n".join(lines[count:])


@dataclass
class Sink:
    """`answers` maps a stage (CONNECT, EHLO, HELO, STARTTLS, MAIL, RCPT, DATA, MIDDLE, DOT, NOOP) to what is said
    there, one by one; a stage without (more) answers says yes. A key like `RCPT <x@y>` holds for that argument only.
    MIDDLE comes after the first line of content, then the connection is closed; after a Hold without words everything
    that still comes is read into `unfinished` first.
    """

    address: str
    port: int
    extensions: list[str] = field(default_factory=lambda: ["8BITMIME", "SIZE 100000000"])
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    commands: list[str] = field(default_factory=list)
    messages: queue.Queue[Message] = field(default_factory=queue.Queue)
    unfinished: queue.Queue[bytes] = field(default_factory=queue.Queue)
    connections: int = 0
    # counts the sessions that are over
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def route(self) -> str:
        return f"{self.address}:{self.port}"

    def answer(self, stage: str, argument: str, default: str) -> Answer:
        for key in (f"{stage} {argument}", stage):
            if self.answers.get(key):
                return self.answers[key].pop(0)
        return default

    def message(self) -> Message:
        """The next message that was taken; waits for it."""
        return self.messages.get(timeout=10)

    def nothing_arrived(self) -> bool:
        return self.messages.empty()


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.sink = self.server.sink
        self.sink.connections += 1
        self.sender, self.secure = "", False
        self.recipients: list[str] = []
        with contextlib.suppress(OSError, _End):
            self.say("CONNECT", "220 sink ESMTP")
            while True:
                self.command(self.line())
        self.sink.ended.release()

    def line(self) -> str:
        line = self.rfile.readline(100_000)
        if not line:
            raise _End
        assert line.endswith(b"\r\n"), line
        return line[:-2].decode("latin-1")

    def all_that_comes(self) -> bytes:
        content = b""
        with contextlib.suppress(ConnectionError):
            while piece := self.rfile.read1(65536):
                content += piece
        return content

    def command(self, line: str) -> None:
        self.sink.commands.append(line)
        verb, _space, argument = line.partition(" ")
        handler = getattr(self, f"do_{verb.upper()}", None)
        if handler is None:
            self.say("UNKNOWN", "500 unknown")
        else:
            handler(argument)

    def say(self, stage: str, default: str, argument: str = "") -> bool:
        """Answer; whether as expected."""
        answer = self.sink.answer(stage, argument, default)
        if isinstance(answer, Hold):
            answer = self.wait(answer)
        if answer is Drop:
            raise _End
        if answer is Silence:
            self.rfile.read()
            raise _End
        assert isinstance(answer, str)
        self.wfile.write(answer.encode("latin-1") + b"\r\n")
        return answer[0] == default[:1]

    def wait(self, hold: Hold) -> str:
        hold.reached.set()
        assert hold.go.wait(30), "the test did not let this answer go"
        return hold.reply

    def do_EHLO(self, argument: str) -> None:
        offered = [*self.sink.extensions, *(["STARTTLS"] if self.sink.tls and not self.secure else [])]
        lines = ["sink", *offered]
        self.say("EHLO", "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    def do_HELO(self, argument: str) -> None:
        self.say("HELO", "250 sink")

    def do_STARTTLS(self, argument: str) -> None:
        if self.say("STARTTLS", "220 go") and self.sink.tls:
            self.connection = self.sink.tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            self.secure = True

    def do_MAIL(self, argument: str) -> None:
        if self.say("MAIL", "250 2.1.0 sink takes the sender", argument):
            self.sender, self.recipients = argument.split(":", 1)[1].split(">")[0] + ">", []

    def do_RCPT(self, argument: str) -> None:
        path = argument.split(":", 1)[1]
        if self.say("RCPT", "250 2.1.5 sink takes the recipient", path):
            self.recipients.append(path)

    def do_DATA(self, argument: str) -> None:
        if not self.say("DATA", "354 go"):
            return
        content = b""
        while True:
            line = self.rfile.readline()
            if not line:
                raise _End  # the client went before the dot: no message
            if line == b".\r\n":
                break
            content += line[1:] if line.startswith(b".") else line
            if "MIDDLE" in self.sink.answers:
                self.middle()
        if self.say("DOT", "250 2.0.0 sink has it"):
            self.sink.messages.put(Message(self.sender, self.recipients, content, self.secure))

    def middle(self) -> None:
        """Content and connection break off here."""
        answer = self.sink.answer("MIDDLE", "", "")
        if isinstance(answer, Hold):
            self.wait(answer)
            self.sink.unfinished.put(self.all_that_comes())
        elif isinstance(answer, str):
            self.wfile.write(answer.encode("latin-1") + b"\r\n")
        raise _End

    def do_RSET(self, argument: str) -> None:
        self.say("RSET", "250 2.0.0 forgotten")

    def do_NOOP(self, argument: str) -> None:
        self.say("NOOP", "250 2.0.0 still here")

    def do_QUIT(self, argument: str) -> None:
        self.say("QUIT", "221 2.0.0 bye")
        raise _End


class _End(Exception):
    """The session is over."""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    sink: Sink


@contextlib.contextmanager
def running_sink() -> Iterator[Sink]:
    with _Server((loopback(), 0), _Session) as server:
        address, port = server.server_address[:2]
        server.sink = Sink(str(address), int(port))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.sink
        finally:
            server.shutdown()
            thread.join()
