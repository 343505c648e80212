# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors that nobody foresaw: never a yes, never their text to the client, always a line in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from smtp_relayd import content, policy, server
from smtp_relayd.hop import NextHop
from support.local_relay import LocalRelayAt
from support.place import Place
from support.sink import Sink
from support.smtp_client import SmtpClient

UNEXPECTED = "451 4.3.0 Temporary server error, try again later"


class Secret(Exception):
    """What a client must not read."""


@pytest.fixture(autouse=True)
def _provoked(unexpected: list[BaseException]) -> Iterator[None]:
    yield
    assert [type(error) for error in unexpected] == [Secret]
    unexpected.clear()


def fail(*_arguments: object, **_options: object) -> object:
    raise Secret("secret")


def logged(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    found = [line for line in lines if line["event"] == "unexpected"]
    assert all(__file__ in line["where"] for line in found)
    return [(line["exception"], line["text"]) for line in found]


def test_in_a_command(
    client: SmtpClient, sink: Sink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client.command("MAIL FROM:<a@x.test>")
    with monkeypatch.context() as patched:
        patched.setattr(policy, "refuse_recipient", fail)
        assert str(client.command("RCPT TO:<b@corp.test>")) == UNEXPECTED
    assert client.message("a@x.test", ["b@corp.test"]).code == 250
    assert logged(capsys) == [("Secret", "secret")]


@pytest.mark.parametrize(
    ("owner", "name"),
    [(content, "hops"), (content.Intake, "content"), (content.Trace, "header"), (NextHop, "_transfer")],
)
def test_with_a_message_in_hand(
    client: SmtpClient,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: object,
    name: str,
) -> None:
    client.command("MAIL FROM:<a@x.test>")
    client.command("RCPT TO:<b@corp.test>")
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, fail)
        assert str(client.data(b"x\r\n")) == UNEXPECTED
    assert sink.nothing_arrived()
    assert str(client.command("DATA")).startswith("503 ")
    assert client.message("a@x.test", ["b@corp.test"]).code == 250
    assert logged(capsys) == [("Secret", "secret")]


def test_while_content_is_read(
    client: SmtpClient, sink: Sink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the message ends is unknown then: what follows must not be read as commands."""
    client.command("MAIL FROM:<a@x.test>")
    client.command("RCPT TO:<b@corp.test>")
    client.command("DATA")
    with monkeypatch.context() as patched:
        patched.setattr(content.Intake, "feed", fail)
        client.send(b"x\r\nMAIL FROM:<forged@x.test>\r\n")
        assert str(client.reply()) == "421 4.3.0 Cannot read the message, closing"
        assert client.at_end()
    assert sink.nothing_arrived()
    assert logged(capsys) == [("Secret", "secret")]


def test_at_the_gate(
    place: Place, local: LocalRelayAt, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local()
    with monkeypatch.context() as patched:
        patched.setattr(server, "RelaySession", fail)
        with place.client() as client:
            assert client.at_end()
    with place.client() as client:
        assert client.hello().code == 250
    assert logged(capsys) == [("Secret", "secret")]
