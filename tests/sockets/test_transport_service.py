# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module transport_service with the real program: supervised, and asked what it has loaded."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.modules import ModuleFailed, Runner, write_settings
from support.net import free_port, loopback
from support.program import zipapp
from support.smtp_client import SmtpClient


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Runner]:
    """Modules on a directory with program, settings and one connector; what they start is stopped."""
    write_settings(tmp_path)
    shutil.copy(zipapp(), tmp_path / "smtp_relayd.pyz")
    runner = Runner(tmp_path)
    yield runner
    runner("transport_service", state="stopped")


@pytest.fixture
def binding(run: Runner) -> tuple[str, int]:
    address = loopback()
    port = free_port(address)
    connect(run, bindings=[f"{address}:{port}"], remote_ip_ranges=["127.0.0.0/8"], permission_groups=["AnonymousUsers"])
    return address, port


def connect(run: Runner, **options: Any) -> dict[str, Any]:
    return run("receive_connectors", connectors=[{"name": "A", **options}])


def greeting(binding: tuple[str, int]) -> str:
    with SmtpClient(*binding) as client:
        return str(client.reply())


def worker(run: Runner) -> int:
    return int(json.loads((run.directory / "status.json").read_text())["pid"])


def triplet(run: Runner, **options: Any) -> dict[str, Any]:
    untouched = run.snapshot()
    predicted = run("transport_service", check=True, **options)
    assert run.snapshot() == untouched
    done = run("transport_service", **options)
    assert done["changed"] is True
    for key in ("changed", "before", "after", "commands", "restart_required"):
        assert predicted[key] == done[key]
    again = run("transport_service", **options)
    assert (again["changed"], again["commands"], again["before"]) == (False, [], again["after"])
    return done


def test_start_and_stop(run: Runner, binding: tuple[str, int]) -> None:
    started = triplet(run, state="started")
    assert (started["before"]["state"], started["after"]["state"]) == ("stopped", "started")
    assert started["listeners"] == [{"address": binding[0], "port": binding[1]}]
    assert greeting(binding).startswith("220 relay.corp.test")
    stopped = triplet(run, state="stopped")
    assert stopped["commands"] == ["stop"]
    with pytest.raises(ConnectionRefusedError):
        greeting(binding)
    assert triplet(run, state="restarted", only_if_required=True)["commands"] == ["start"]


def test_restart_only_if_required(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    first = worker(run)
    assert not run("transport_service", state="restarted", only_if_required=True)["changed"]
    assert not connect(run, comment="of no concern to the service")["restart_required"]
    assert connect(run, banner="220 new", fqdn="new.corp.test")["restart_required"]
    assert connect(run)["restart_required"], "it stays required although this task changes nothing"
    assert not greeting(binding).startswith("220 new")
    assert triplet(run, state="restarted", only_if_required=True)["commands"] == ["stop", "start"]
    assert greeting(binding) == "220 new"
    assert worker(run) != first
    assert not connect(run)["restart_required"]


def test_a_restart_that_is_asked_for_happens(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    first = worker(run)
    assert run("transport_service", state="restarted")["commands"] == ["stop", "start"]
    assert worker(run) != first


def test_check_mode_predicts_the_restart(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    predicted = run("receive_connectors", connectors=[{"name": "A", "banner": "220 new"}], check=True)
    assert predicted["restart_required"] is True
    assert not connect(run)["restart_required"]


@pytest.mark.parametrize("name", ["settings.json", "smtp_relayd.pyz"])
def test_new_settings_and_a_new_program_require_a_restart(run: Runner, binding: tuple[str, int], name: str) -> None:
    run("transport_service", state="started")
    if name == "settings.json":
        assert not run("relay_settings", max_relay_addresses=9, shared_sources=["10.0.0.9"])["restart_required"]
        assert run("relay_settings", fqdn="other.corp.test")["restart_required"]
    else:
        with (run.directory / name).open("ab") as program:
            program.write(b"\n")
    assert connect(run)["restart_required"]


def test_a_service_that_would_not_come_back_is_left_alone(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    store = run.directory / "store.json"
    store.write_text(store.read_text().replace('"banner": ""', '"banner": 7'))
    with pytest.raises(ModuleFailed, match=r"would not start: .*digest.*The running service, if any, was left alone"):
        run("transport_service", state="restarted")
    assert greeting(binding).startswith("220 ")


def test_a_port_that_got_busy_meanwhile(run: Runner, binding: tuple[str, int]) -> None:
    with socket.create_server(binding), pytest.raises(ModuleFailed, match="in use by another program"):
        run("transport_service", state="started")
    assert run("transport_service", state="stopped")["changed"] is False, "nothing was left running"
    assert run("transport_service", state="started")["changed"]


def test_our_own_listener_is_no_busy_port(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    assert connect(run, enabled=False)["listeners"] == []
    assert connect(run, enabled=True)["listeners"] == [{"address": binding[0], "port": binding[1]}]
    assert connect(run, bindings={"add": [f"0.0.0.0:{binding[1]}"]})["changed"], "the wildcard takes the socket over"


def test_the_wildcard_is_not_excused_by_our_own_address(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    with socket.create_server(("127.0.0.9", binding[1])), pytest.raises(ModuleFailed, match="in use by another"):
        connect(run, bindings=[f"0.0.0.0:{binding[1]}"])


def test_a_port_that_got_busy_before_a_restart_leaves_the_service_alone(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    other = (loopback(), binding[1])
    connect(run, bindings={"add": [f"{other[0]}:{other[1]}"]})
    with socket.create_server(other), pytest.raises(ModuleFailed, match=r"binding .* in use by another program"):
        run("transport_service", state="restarted")
    assert greeting(binding).startswith("220 ")
    assert run("transport_service", state="restarted")["changed"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"listeners": [5]}'])
def test_junk_in_the_status_file_means_restart(run: Runner, binding: tuple[str, int], text: str) -> None:
    run("transport_service", state="started")
    (run.directory / "status.json").write_text(text)
    assert connect(run)["restart_required"] is True
    assert run("transport_service", state="restarted", only_if_required=True)["commands"] == ["stop", "start"]


def test_a_broken_store_does_not_keep_the_service_from_being_stopped(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    (run.directory / "store.json").write_text("[")
    assert run("transport_service", state="stopped")["changed"]


def test_a_pid_file_without_a_number_is_said(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    path = run.directory / "relayd.pid"
    number = path.read_text()
    path.write_text("0\n")
    with pytest.raises(ModuleFailed, match="there is no process number in it"):
        run("transport_service", state="stopped")
    path.write_text(number)


def test_many_starts_at_a_time_make_one(run: Runner, binding: tuple[str, int]) -> None:
    """In processes of their own, as plays are."""
    script = (
        "import sys; from ansible_collections.mailops.relay.plugins.module_utils import _backends as b;"
        "from ansible_collections.mailops.relay.plugins.module_utils._engine.service import converge_service as c;"
        "s = b.make_backend({'backend': 'aiosmtpd', 'directory': sys.argv[1]}).service;"
        "print(len(c(s, 'started', only_if_required=False, check=False).commands))"
    )
    command = [sys.executable, "-c", script, str(run.directory)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _number in range(4)]
    assert sorted(start.communicate()[0].strip() for start in starts) == ["0", "0", "0", "1"]


def test_a_directory_without_a_program(run: Runner, binding: tuple[str, int]) -> None:
    (run.directory / "smtp_relayd.pyz").unlink()
    with pytest.raises(ModuleFailed, match=r"there is no relay to start\. Run the role relay_server first"):
        run("transport_service", state="started")


def test_check_mode_where_there_is_nothing_yet(run: Runner, tmp_path: Path) -> None:
    directory, run.directory = run.directory, tmp_path / "other"
    try:
        result = run("transport_service", state="started", check=True)
        assert (result["changed"], result["after"]["state"]) == (True, "started")
        assert not run.directory.exists()
    finally:
        run.directory = directory
