# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module transport_service with the real program: supervised, and asked what it has loaded."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd import pid_file, service
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ServiceError
from support import certificates
from support.modules import ModuleFailed, Runner, write_settings
from support.net import free_port, loopback
from support.program import zipapp
from support.smtp_client import SmtpClient
from support.special_files import SPECIAL_FILES


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


def test_a_service_that_is_halted_does_not_answer(
    run: Runner, binding: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its socket listens on, and the kernel takes connections for it."""
    monkeypatch.setattr(service, "_ANSWER_SECONDS", 0.5)
    run("transport_service", state="started")
    first = worker(run)
    os.kill(first, signal.SIGSTOP)
    done = triplet(run, state="started")
    assert done["commands"] == ["stop", "start"]
    assert done["before"]["silent"] == [{"address": binding[0], "port": binding[1]}]
    assert done["after"]["silent"] == []
    assert '"silent": []' in done["diff"]["after"]
    assert greeting(binding).startswith("220 ")
    assert worker(run) != first


def test_a_service_whose_port_another_program_took(run: Runner, binding: tuple[str, int]) -> None:
    """The daemon died, and before its supervisor starts it again somebody else greets there."""
    run("transport_service", state="started")
    os.kill(worker(run), signal.SIGKILL)
    wait_for_log(run, "daemon_died")
    with taken(binding):
        for _time in range(2):
            with pytest.raises(ModuleFailed, match=f"binding {binding[0]}:{binding[1]}: the port is in use by another"):
                run("transport_service", state="started")
            wait_for_log(run, "failed")
            (run.directory / "relayd.log").write_text("")
    run("transport_service", state="started")
    assert greeting(binding) == "220 relay.corp.test ESMTP"


@contextlib.contextmanager
def taken(binding: tuple[str, int]) -> Iterator[None]:
    """By a program that greets as mail servers do."""
    with socket.create_server(binding) as listener:

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    connection.sendall(b"220 not the relay\r\n")
                    connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def wait_for_log(run: Runner, event: str) -> None:
    deadline = time.monotonic() + 20
    while f'"event": "{event}"' not in (run.directory / "relayd.log").read_text():
        assert time.monotonic() < deadline, event
        time.sleep(0.02)


@pytest.mark.parametrize("ranges", ["127.0.0.0/8", "10.0.0.0/8"])
def test_whoever_may_connect_the_wildcard_is_asked_on_loopback(run: Runner, ranges: str) -> None:
    """A client that no connector takes is told so, and that is an answer."""
    port = free_port("0.0.0.0")
    bindings = [f"0.0.0.0:{port}", f"{loopback()}:{port}"]
    connect(run, bindings=bindings, remote_ip_ranges=[ranges], permission_groups=["AnonymousUsers"])
    assert run("transport_service", state="started")["listeners"] == [{"address": "0.0.0.0", "port": port}]
    begun = time.monotonic()
    assert not run("transport_service", state="started")["changed"]
    assert time.monotonic() - begun < 2


def test_where_the_handshake_comes_first_it_is_made(run: Runner, tmp_path: Path, binding: tuple[str, int]) -> None:
    certificate = str(tmp_path / "relay.pem")
    certificates.issue(Path(certificate))
    both = {"tls_certificate_file": certificate, "tls_key_file": certificate}
    connect(run, implicit_tls=True, auth_mechanism=["Tls"], **both)
    begun = time.monotonic()
    assert run("transport_service", state="started")["changed"]
    assert not run("transport_service", state="started")["changed"]
    assert time.monotonic() - begun < 5, "no time is spent in waiting for a greeting in the clear"
    log = [json.loads(line)["event"] for line in (run.directory / "relayd.log").read_text().splitlines()]
    assert log == ["start"]


def test_only_the_task_about_the_service_asks_it(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    os.kill(worker(run), signal.SIGSTOP)
    begun = time.monotonic()
    assert not connect(run)["restart_required"]
    assert run("transport_service", state="stopped")["changed"]
    assert time.monotonic() - begun < service._ANSWER_SECONDS


def test_a_pid_file_without_a_number_is_said(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    path = run.directory / "relayd.pid"
    number = path.read_text()
    path.write_text("0\n")
    with pytest.raises(ModuleFailed, match="there is no process number in it"):
        run("transport_service", state="stopped")
    path.write_text(number)


@contextlib.contextmanager
def stranger(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has the lock and is no relay."""
    script = "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.flock(file, 2); print(flush=True); input()"
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        assert process.poll() is None, "it was signalled"
        process.communicate(b"\n")


@pytest.mark.parametrize("number", ["its own", "of an innocent one", "none"])
def test_a_stranger_that_holds_the_lock_is_not_signalled(run: Runner, binding: tuple[str, int], number: str) -> None:
    path = run.directory / "relayd.pid"
    path.write_text("\n")
    with stranger(path) as holder, subprocess.Popen(["sleep", "60"]) as innocent:
        numbers = {"its own": f"{holder.pid}\n", "of an innocent one": f"{innocent.pid}\n", "none": ""}
        path.write_text(numbers[number])
        says = rf"relayd\.pid: it is locked by process {holder.pid} \(.*, which is not the relay.*Nothing was signalled"
        for state in ("started", "stopped", "restarted"):
            for check in (True, False):
                with pytest.raises(ModuleFailed, match=says) as caught:
                    run("transport_service", state=state, check=check)
                assert caught.value.result["error"] == "service"
        assert not connect(run)["restart_required"], "no relay runs"
        assert innocent.poll() is None
        innocent.terminate()


def test_a_number_of_another_process_is_not_signalled(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    path = run.directory / "relayd.pid"
    number = path.read_text()
    with subprocess.Popen(["sleep", "60"]) as innocent:
        path.write_text(f"{innocent.pid}\n")
        with pytest.raises(ModuleFailed, match=rf"the number in it is {innocent.pid}, and it is locked by process "):
            run("transport_service", state="stopped")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(pid_file, "lock_holder", lambda _path, exclusive: None)
            with pytest.raises(
                ModuleFailed, match=rf"that of process {innocent.pid} \(sleep 60\), which is not the rel"
            ):
                run("transport_service", state="stopped")
        assert innocent.poll() is None
        innocent.terminate()
    path.write_text(number)


def test_a_daemon_without_its_supervisor_is_waited_for(run: Runner, binding: tuple[str, int]) -> None:
    run("transport_service", state="started")
    supervisor = int((run.directory / "relayd.pid").read_text())
    os.kill(worker(run), signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    waking = threading.Timer(0.3, os.kill, (worker(run), signal.SIGCONT))
    waking.start()
    assert run("transport_service", state="stopped")["changed"]
    waking.join()
    assert not run("transport_service", state="stopped")["changed"]


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_a_pid_file_that_is_no_file(run: Runner, binding: tuple[str, int], kind: str) -> None:
    path = run.directory / "relayd.pid"
    SPECIAL_FILES[kind][0](path)
    with pytest.raises(ModuleFailed, match=rf"relayd\.pid: cannot be read: {SPECIAL_FILES[kind][1]}"):
        run("transport_service", state="started")
    path.rmdir() if kind == "directory" else path.unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda directory: (directory / "smtp_relayd.pyz").unlink(), "there is no relay to start"),
        (lambda directory: (directory / "relayd.log").mkdir(), "cannot be started: .*Is a directory"),
        (lambda directory: os.mkfifo(directory / "relayd.log"), "cannot be started: .*No such device"),
        (lambda directory: program(directory, "pass"), "the relay did not start: it ended without a word"),
        (lambda directory: program(directory, "say('junk')"), "the relay did not start: its answer cannot be read"),
        (lambda directory: program(directory, "say('[1]')"), "the relay did not start: its answer cannot be read"),
    ],
)
def test_a_start_that_fails_loses_no_descriptor(run: Runner, binding: tuple[str, int], spoil: Any, says: str) -> None:
    spoil(run.directory)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(ServiceError, match=says):
        service.RelayProcess(str(run.directory)).start()
    assert os.listdir("/proc/self/fd") == before


def program(directory: Path, line: str) -> None:
    """In place of the relay."""
    script = f"import os, sys\ndef say(text):\n    os.write(int(sys.argv[-1]), text.encode() + b'\\n')\n{line}\n"
    (directory / "smtp_relayd.pyz").write_text(script)


def test_many_starts_at_a_time_make_one(run: Runner, binding: tuple[str, int]) -> None:
    """In processes of their own, as plays are."""
    script = (
        "import sys; from ansible_collections.mailops.relay.plugins.module_utils import _backends as b;"
        "from ansible_collections.mailops.relay.plugins.module_utils._engine import service as e;"
        "s = b.make_backend({'backend': 'aiosmtpd', 'directory': sys.argv[1]}).service;"
        "print(len(e.converge_service(s, e.Wish('started'), check=False).commands))"
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
