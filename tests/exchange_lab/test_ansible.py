# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible makes of the server, and of one that fails; a function stands where PowerShell would be."""

from __future__ import annotations

import json

import pytest

from exchange_lab import faults
from exchange_lab.engine import SEPARATOR, Function, Output
from exchange_lab.faults import Fault
from exchange_lab.lab import AdHoc, Start
from exchange_lab.wsman import Tls

ANSWER = Function(lambda _line, _stdin: Output(json.dumps({"changed": False, "text": "Grüße 李"}).encode()))
ONE_EXECUTION = ["Create", "Command", "Send", "Receive", "Signal", "Delete"]


@pytest.mark.parametrize(
    ("transport", "https", "handshake"), [("basic", False, 0), ("ntlm", False, 3), ("ntlm", True, 2)]
)
def test_one_execution_takes_six_requests_and_a_handshake(
    start: Start, tls: Tls, ad_hoc: AdHoc, transport: str, https: bool, handshake: int
) -> None:
    server = start(ANSWER, tls if https else None)
    run = ad_hoc(server, "lab.tiny.echo", "text=hello", transport=transport)
    assert run.status == 0, run.output
    assert '"text": "Grüße 李"' in run.output
    assert server.actions() == ["Authenticate"] * handshake + ONE_EXECUTION
    assert server.shells == {}


@pytest.mark.parametrize(
    ("queue", "actions"),
    [
        ([faults.quota()], ["Create", "Command", "Delete", *ONE_EXECUTION]),
        ([faults.slow(), faults.slow()], [*ONE_EXECUTION[:4], "Receive", *ONE_EXECUTION[3:]]),
    ],
    ids=["quota", "slow"],
)
def test_ansible_gets_over(start: Start, ad_hoc: AdHoc, queue: list[Fault], actions: list[str]) -> None:
    """A used-up quota: a new shell. No answer in time: it asks again."""
    server = start(ANSWER)
    server.faults += queue
    run = ad_hoc(server, "lab.tiny.echo", "text=hello")
    assert run.status == 0, run.output
    assert server.actions() == actions
    assert len(server.executions) == 1
    assert server.faults == []


def test_busy_is_not_tried_again(start: Start, ad_hoc: AdHoc) -> None:
    """ansible-core looks for the number with quotes around it, pywinrm prints it without."""
    server = start(ANSWER)
    server.faults += [faults.busy(), faults.slow()]
    run = ad_hoc(server, "lab.tiny.echo", "text=hello")
    assert run.status == 2
    assert "winrm send_input failed" in run.output
    assert server.actions() == ONE_EXECUTION
    assert server.executions == []


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
def test_a_connection_that_is_cut_does_not_say_whether_the_command_ran(
    start: Start, ad_hoc: AdHoc, transport: str
) -> None:
    server = start(ANSWER)
    server.faults += [faults.cut("Receive")]
    run = ad_hoc(server, "lab.tiny.echo", "text=hello", transport=transport)
    assert run.status == 2
    assert "exchange | FAILED!" in run.output
    assert "Connection aborted" in run.output
    assert len(server.executions) == 1


def test_a_connection_that_is_cut_at_once_is_unreachable(start: Start, ad_hoc: AdHoc) -> None:
    server = start(ANSWER)
    server.faults += [faults.cut("Create")]
    run = ad_hoc(server, "lab.tiny.echo", "text=hello")
    assert run.status == 4
    assert "exchange | UNREACHABLE!" in run.output
    assert server.actions() == ["Create"]


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
def test_a_password_that_is_wrong_is_unreachable(start: Start, ad_hoc: AdHoc, transport: str) -> None:
    server = start(ANSWER)
    run = ad_hoc(server, "lab.tiny.echo", "text=hello", "-vvvvvv", transport=transport, ansible_password="Wr0ng-one")
    assert run.status == 4
    assert "the specified credentials were rejected by the server" in run.output
    assert "Wr0ng-one" not in run.output + repr(server.requests)
    assert server.executions == []


@pytest.mark.parametrize(("transport", "action", "status"), [("basic", "Receive", 2), ("ntlm", "Create", 4)])
def test_a_password_that_changes_in_between(
    start: Start, ad_hoc: AdHoc, transport: str, action: str, status: int
) -> None:
    server = start(ANSWER)
    server.faults += [faults.wrong_password(action)]
    run = ad_hoc(server, "lab.tiny.echo", "text=hello", transport=transport)
    assert run.status == status
    assert "the specified credentials were rejected by the server" in run.output


def test_exit_code_and_error_output_of_a_command(start: Start, ad_hoc: AdHoc) -> None:
    server = start(Function(lambda _line, _stdin: Output(b"out", "Fehler: ü".encode(), 3)))
    run = ad_hoc(server, "ansible.builtin.raw", "whatever")
    assert run.status == 2
    assert "exchange | FAILED | rc=3 >>\nout" in run.output
    assert "Fehler: ü" in run.output


def test_become_is_taken_out_and_noted(start: Start, ad_hoc: AdHoc) -> None:
    seen: list[bytes] = []

    def look(_line: str, stdin: bytes) -> Output:
        seen.append(stdin)
        return Output(b'{"changed": false}')

    server = start(Function(look))
    become = {"ansible_become_method": "runas", "ansible_become_user": "LAB\\exadmin"}
    secret = "Sudo-S3cret"
    run = ad_hoc(server, "lab.tiny.echo", "text=hello", "--become", ansible_become_password=secret, **become)
    assert run.status == 0, run.output
    [execution] = server.executions
    assert execution.become_user == "LAB\\exadmin"
    assert execution.stdin > len(seen[0])
    assert secret.encode() not in seen[0]
    manifest = json.loads(seen[0].split(SEPARATOR)[1])
    assert [action["name"] for action in manifest["actions"]] == ["module_wrapper.ps1"]
