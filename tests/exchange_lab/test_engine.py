# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server with a real PowerShell behind it, and Ansible's own wrapper in that."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from exchange_lab import state
from exchange_lab.client import client, execute
from exchange_lab.engine import Output, Process
from exchange_lab.lab import AdHoc, Lab, running_lab
from exchange_lab.wsman import Tls
from support.ansible import Playbook

NAME = "Grüße 李 \u2019 ' \" $() `n"
ONE_EXECUTION = ["Create", "Command", "Send", "Receive", "Signal", "Delete"]


def encoded(script: str) -> tuple[str, ...]:
    """A command line as Ansible makes them."""
    text = base64.b64encode(script.encode("utf-16-le")).decode()
    return ("PowerShell", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Unrestricted", "-EncodedCommand", text)


def answer(run: Playbook) -> dict[str, Any]:
    """What the module returned."""
    assert run.status == 0, run.output
    found: dict[str, Any] = json.JSONDecoder().raw_decode(run.output.partition("SUCCESS => ")[2])[0]
    return found


def test_a_module_runs_in_the_wrapper_of_ansible(lab: Lab, ad_hoc: AdHoc) -> None:
    """Arguments and answer whatever the characters, nothing of them on a command line, no password anywhere."""
    run = ad_hoc(lab.server, "lab.tiny.echo", json.dumps({"text": NAME}), "-vvvvvv")
    seen = answer(run)
    assert seen["text"] == NAME
    assert (seen["state"], seen["log"]) == (str(lab.state), str(lab.log))
    assert str(state.MODULES) in seen["path"].split(os.pathsep)
    assert lab.server.actions() == ONE_EXECUTION
    [execution] = lab.server.executions
    script = base64.b64decode(execution.line.split()[-1]).decode("utf-16-le")
    assert "Grüße" not in script
    said = run.output + execution.line + script + repr(lab.server.requests)
    assert lab.server.account.password not in said


def test_a_module_over_ntlm(pwsh: Path, tls: Tls, tmp_path: Path, ad_hoc: AdHoc) -> None:
    with running_lab(pwsh, tmp_path) as plain, running_lab(pwsh, tmp_path, tls) as secure:
        for lab, requests in ((plain, 9), (secure, 8)):
            seen = answer(ad_hoc(lab.server, "lab.tiny.echo", json.dumps({"text": NAME}), transport="ntlm"))
            assert seen["text"] == NAME
            assert len(lab.server.requests) == requests


def test_a_large_answer_of_a_module_arrives_in_pieces(lab: Lab, ad_hoc: AdHoc) -> None:
    seen = answer(ad_hoc(lab.server, "lab.tiny.echo", "text=Grüße times=40000"))
    assert seen["text"] == "Grüße" * 40_000
    received = [request.sent for request in lab.server.requests if request.action == "Receive"]
    assert len(received) >= 7
    assert max(received) < 50_000


def test_a_module_as_another_user_runs_and_the_user_is_noted(lab: Lab, ad_hoc: AdHoc) -> None:
    become = {"ansible_become_method": "runas", "ansible_become_user": "LAB\\exadmin"}
    secret = "Sudo-S3cret"
    options = ("--become", "-vvvvvv")
    run = ad_hoc(lab.server, "lab.tiny.echo", "text=hello", *options, ansible_become_password=secret, **become)
    assert answer(run)["text"] == "hello"
    assert [execution.become_user for execution in lab.server.executions] == ["LAB\\exadmin"]
    assert secret not in run.output + repr(lab.server.executions)


def test_exit_code_and_both_outputs(lab: Lab) -> None:
    script = "[Console]::Error.WriteLine('Fehler ü 李'); 'out ä'; exit 3"
    output = execute(client(lab.server), *encoded(script))
    assert (output.stdout.decode(), output.stderr.decode(), output.status) == ("out ä\n", "Fehler ü 李\n", 3)


def test_input_arrives_as_it_was_sent(lab: Lab) -> None:
    lines = ["Grüße 李", "", "'\" $() `n", "\0\0\0\0", "end"]
    output = execute(client(lab.server), *encoded("ConvertTo-Json @($input)"), stdin="\n".join(lines).encode())
    assert json.loads(output.stdout) == lines


def test_only_powershell_is_run(lab: Lab) -> None:
    wanted = Output(b"", b"'whoami' is not recognized as an internal or external command,\r\n", 1)
    assert execute(client(lab.server), "whoami", "/all") == wanted


@pytest.mark.parametrize("end", ["Signal", "Delete", "close"])
def test_a_command_that_does_not_end_is_ended(pwsh: Path, tmp_path: Path, end: str) -> None:
    with running_lab(pwsh, tmp_path) as lab:
        protocol = client(lab.server)
        shell = protocol.open_shell()
        loop = encoded("while ($true) { }")
        command = protocol.run_command(shell, loop[0], loop[1:])
        assert [execution.status for execution in lab.server.executions] == [None]
        if end == "Signal":
            protocol.cleanup_command(shell, command)
        elif end == "Delete":
            protocol.close_shell(shell)
        else:
            lab.server.close()
        assert [execution.status for execution in lab.server.executions] == [-9]


def test_nothing_that_a_command_started_outlives_it(tmp_path: Path) -> None:
    """The pipe has an end as soon as nobody has it open any more."""
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    script = 'exec 3>"$0"; sleep 600 >/dev/null 2>&1 & echo started'
    job = Process(["sh", "-c", script, str(tmp_path / "pipe")], b"", dict(os.environ))
    assert job.finish() == Output(b"started\n")
    os.set_blocking(pipe, True)
    assert os.read(pipe, 1) == b""
    os.close(pipe)
