# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server by itself, with a function where PowerShell would be and pywinrm as its client."""

from __future__ import annotations

import base64
import http.client
import threading
from pathlib import Path

import pytest
import requests.exceptions
import trustme
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WSManFaultError

from exchange_lab.client import Transport, client, execute
from exchange_lab.engine import Function, Output
from exchange_lab.lab import Start
from exchange_lab.wsman import LONGEST_LINE, PIECE, Tls, running

ECHO = Function(lambda line, stdin: Output(line.encode() + b"\n" + stdin, b"#" + stdin, 3))
ONE_EXECUTION = ["Create", "Command", "Send", "Receive", "Signal", "Delete"]


def test_a_command_gets_its_line_and_its_input_and_returns_output_and_exit_code(start: Start) -> None:
    server = start(ECHO)
    text = "Müller 李 \0 \"'$()` \x85\r\n".encode()
    output = execute(client(server), "cmd", "/c", "ä 'b'", stdin=text)
    assert output == Output("cmd /c ä 'b'\n".encode() + text, b"#" + text, 3)
    assert server.actions() == ONE_EXECUTION
    assert [request.status for request in server.requests] == [200] * 6
    assert all(request.received > 500 and request.sent > 500 for request in server.requests)
    [execution] = server.executions
    assert (execution.line, execution.stdin, execution.status) == ("cmd /c ä 'b'", len(text), 3)
    assert server.shells == {}


def test_without_input_the_command_starts_at_once(start: Start) -> None:
    server = start(ECHO)
    assert execute(client(server), "ver") == Output(b"ver\n", b"#", 3)
    assert server.actions() == [action for action in ONE_EXECUTION if action != "Send"]


def test_input_in_several_parts_is_one_input(start: Start) -> None:
    server = start(ECHO)
    protocol = client(server)
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "more", console_mode_stdin=False)
    protocol.send_command_input(shell, command, b"one ")
    assert server.executions == []
    protocol.send_command_input(shell, command, b"two", end=True)
    assert protocol.get_command_output(shell, command) == (b"more\none two", b"#one two", 3)


@pytest.mark.parametrize(("size", "answers"), [(0, 1), (1, 1), (PIECE, 1), (PIECE + 1, 2), (200_000, 7)])
def test_output_arrives_in_pieces_of_32_kb(start: Start, size: int, answers: int) -> None:
    text = bytes(index % 251 for index in range(size))
    server = start(Function(lambda _line, _stdin: Output(text)))
    assert execute(client(server), "dir") == Output(text)
    assert server.actions().count("Receive") == answers


@pytest.mark.parametrize(
    ("transport", "https", "handshake"),
    [("basic", False, 0), ("basic", True, 0), ("ntlm", False, 3), ("ntlm", True, 2)],
)
def test_authentication(start: Start, tls: Tls, transport: Transport, https: bool, handshake: int) -> None:
    """NTLM over HTTP encrypts every message, and begins with an empty one."""
    server = start(ECHO, tls if https else None)
    large = "ü".encode() * 50_000
    assert execute(client(server, transport), "more", stdin=large).stderr == b"#" + large
    without_pieces = [action for action in server.actions() if action != "Receive"]
    assert without_pieces == ["Authenticate"] * handshake + [action for action in ONE_EXECUTION if action != "Receive"]
    encrypted = [request.encrypted for request in server.requests if request.action != "Authenticate"]
    assert set(encrypted) == {transport == "ntlm" and not https}


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"username": "LAB\\nobody"}])
def test_wrong_accounts_get_nothing(start: Start, transport: Transport, wrong: dict[str, str]) -> None:
    server = start(ECHO)
    with pytest.raises(InvalidCredentialsError):
        client(server, transport, **wrong).open_shell()
    assert set(server.actions()) == {"Authenticate"}
    assert {request.status for request in server.requests} == {401}
    assert server.shells == {}


def test_a_certificate_of_somebody_else_is_refused(start: Start, tls: Tls, tmp_path: Path) -> None:
    server = start(ECHO, tls)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with pytest.raises(requests.exceptions.SSLError):
        client(server, ca_trust_path=str(tmp_path / "other.pem")).open_shell()
    assert client(server, ca_trust_path=str(tmp_path / "other.pem"), server_cert_validation="ignore").open_shell()


def test_a_line_that_cmd_would_not_take_is_not_run(start: Start) -> None:
    server = start(ECHO)
    assert execute(client(server), "x" * LONGEST_LINE).status == 3
    assert execute(client(server), "x" * (LONGEST_LINE + 1)) == Output(b"", b"The command line is too long.\r\n", 1)


def test_a_receive_waits_as_long_as_the_client_wants_and_no_longer(start: Start) -> None:
    ready = threading.Event()

    def wait(_line: str, _stdin: bytes) -> Output:
        ready.wait()
        return Output(b"done")

    server = start(Function(wait))
    protocol = client(server)
    protocol.operation_timeout_sec = 0
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "wait")
    try:
        with pytest.raises(WinRMOperationTimeoutError):
            protocol.get_command_output_raw(shell, command)
        assert server.requests[-1].status == 500
        assert server.executions[0].status is None
    finally:
        ready.set()
    protocol.operation_timeout_sec = 20
    assert protocol.get_command_output_raw(shell, command) == (b"done", b"", 0, True)


def test_shells_and_commands_that_are_gone_are_faults(start: Start) -> None:
    server = start(ECHO)
    protocol = client(server)
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "ver")
    protocol.cleanup_command(shell, command)
    with pytest.raises(WSManFaultError, match=f"Command {command} was not found"):
        protocol.get_command_output_raw(shell, command)
    protocol.close_shell(shell)
    with pytest.raises(WSManFaultError, match=f"Shell {shell} was not found"):
        protocol.run_command(shell, "ver")


def test_identify(start: Start) -> None:
    server = start(ECHO)
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    token = base64.b64encode(f"{server.account.login}:{server.account.password}".encode()).decode()
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
    )
    connection.request("POST", "/wsman", body, {"Authorization": f"Basic {token}"})
    answer = connection.getresponse()
    assert (answer.status, b"ProtocolVersion" in answer.read()) == (200, True)
    connection.close()
    assert server.actions() == ["Identify"]


def test_an_error_of_the_lab_is_not_lost() -> None:
    def fail(_line: str, _stdin: bytes) -> Output:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), running(Function(fail)) as server:
        assert execute(client(server), "ver").status == 1
