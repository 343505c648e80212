# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, status, stop, and who may run beside whom."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from smtp_relayd.shared import Limits
from support import relay_files
from support.daemon import FROM_SOURCE, SOURCE, Daemon, running
from support.local_relay import LocalRelayAt
from support.net import free_port, has_ipv6, loopback
from support.place import Place
from support.sink import Hold, Sink
from support.smtp_client import SmtpClient

SHUTTING_DOWN = "421 4.3.2 Service shutting down"


def is_locked(directory: Path) -> bool:
    """As a module asks: with a shared lock, for an instant."""
    with (directory / "relayd.pid").open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


# -- start -------------------------------------------------------------------------------------------------------------


def test_status(place: Place, daemon: Daemon) -> None:
    status = daemon.status()
    assert status.pop("started").endswith("Z")
    assert status == {
        "version": 1,
        "pid": daemon.process.pid,
        "digest": json.loads((place.directory / "store.json").read_text())["digest"],
        "settings_digest": relay_files.settings_digest(place.directory),
        "program_digest": None,
        "listeners": [{"address": place.address, "port": place.port}],
    }
    assert (place.directory / "relayd.pid").read_text() == f"{daemon.process.pid}\n"
    assert is_locked(place.directory)
    assert daemon.terminate() == 0
    assert not (place.directory / "status.json").exists()
    assert not is_locked(place.directory)


def test_start_removes_the_status_of_a_daemon_that_was_killed(place: Place) -> None:
    with running(place.directory) as killed:
        killed.process.kill()
        killed.process.wait()
        assert (place.directory / "status.json").exists()
        (place.directory / "store.json").write_text("{}")
        place.write()
        with socket.create_server((place.address, place.port)), Daemon(place.directory) as second:
            assert "error" in second.answer()
        assert not (place.directory / "status.json").exists()


@pytest.mark.parametrize("supervise", [[], ["--supervise"]])
def test_second_one_is_refused_with_the_number_of_the_first(place: Place, supervise: list[str]) -> None:
    with running(place.directory, *supervise) as first:
        with Daemon(place.directory, *supervise) as second:
            assert f"already running here, process {first.process.pid}" in second.answer()["error"]
            assert second.process.wait(20) == 71
        assert place.client().hello().code == 250


@pytest.mark.parametrize("supervise", [[], ["--supervise"]])
def test_busy_port(place: Place, supervise: list[str]) -> None:
    with socket.create_server((place.address, place.port)), Daemon(place.directory, *supervise) as daemon:
        expected = f"cannot listen on {place.address} port {place.port}: Address already in use"
        assert expected in daemon.answer()["error"]
        assert daemon.process.wait(20) == 71
        assert expected in daemon.event("failed")["error"]


@pytest.mark.parametrize("supervise", [[], ["--supervise"]])
def test_address_of_another_host(tmp_path: Path, supervise: list[str]) -> None:
    """RFC 5737: nobody's. The listener that could be opened is closed again."""
    address, port = loopback(), free_port("127.0.0.1")
    bindings = [relay_files.binding(address, port), relay_files.binding("192.0.2.1", port)]
    relay_files.write(tmp_path, relay_files.policy(bindings))
    with Daemon(tmp_path, *supervise) as daemon:
        assert f"cannot listen on 192.0.2.1 port {port}: Cannot assign" in daemon.answer()["error"]
        assert daemon.process.wait(20) == 71
    assert not (tmp_path / "status.json").exists()


@pytest.mark.parametrize("supervise", [[], ["--supervise"]])
def test_files_that_are_wrong(place: Place, supervise: list[str]) -> None:
    (place.directory / "store.json").write_text('{"version": 2}')
    with Daemon(place.directory, *supervise) as daemon:
        assert 'store.json: {"version": 2}: has no key "definitions"' in daemon.answer()["error"]
        assert daemon.process.wait(20) == 78


def test_directory_that_is_missing(tmp_path: Path) -> None:
    with Daemon(tmp_path / "missing") as daemon:
        assert "No such file or directory" in daemon.answer()["error"]
        assert daemon.process.wait(20) == 71


def check(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FROM_SOURCE, "--directory", str(directory), "--check"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_check(place: Place) -> None:
    result = check(place.directory)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    assert not (place.directory / "relayd.pid").exists()


@pytest.mark.parametrize("file", ["settings.json", "store.json"])
def test_check_of_files_that_are_wrong(place: Place, file: str) -> None:
    (place.directory / file).write_text("{}")
    result = check(place.directory)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith(f"{place.directory / file}: ")
    assert result.stderr.count("\n") == 1


def test_check_beside_a_running_daemon(place: Place, daemon: Daemon) -> None:
    assert check(place.directory).returncode == 0
    assert place.client().hello().code == 250


def test_addresses_of_one_port_behind_a_wildcard(tmp_path: Path) -> None:
    """One socket: 192.0.2.1 is no address of this host, and need not be opened."""
    port = free_port("0.0.0.0")
    bindings = [relay_files.binding("0.0.0.0", port), relay_files.binding("192.0.2.1", port)]
    relay_files.write(tmp_path, relay_files.policy(bindings))
    with running(tmp_path) as daemon, SmtpClient("127.0.0.1", port) as client:
        assert client.hello().code == 250
        assert daemon.status()["listeners"] == [{"address": "0.0.0.0", "port": port}]


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this host")
def test_ipv6(tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    everyone_v6 = ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0)
    relay_files.write(tmp_path, relay_files.policy([relay_files.binding("::1", port, everyone_v6)]))
    with running(tmp_path), SmtpClient("::1", port) as client:
        assert client.hello().lines[0] == "relay.corp.test Hello [::1]"


# -- stop --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_message_in_hand_gets_its_reply(place: Place, daemon: Daemon, sink: Sink, number: int) -> None:
    """One waits for the next hop, one is being sent, one session is idle, one has recipients only."""
    hold = Hold("250 2.0.0 yes")
    sink.answers["DOT"] = [hold]
    with place.client() as waiting, place.client() as sending, place.client() as idle, place.client() as between:
        for client in (waiting, sending, idle, between):
            client.hello()
        for client in (waiting, sending, between):
            client.command("MAIL FROM:<a@x.test>")
            client.command("RCPT TO:<b@corp.test>")
        for client in (waiting, sending):
            client.command("DATA")
        waiting.send(b"waiting\r\n.\r\n")
        sending.send(b"sen")
        assert hold.reached.wait(10)
        daemon.process.send_signal(number)
        for client in (idle, between):
            assert str(client.reply()) == SHUTTING_DOWN
            assert client.at_end()
        with pytest.raises(ConnectionRefusedError):
            place.client()
        hold.go.set()
        sending.send(b"ding\r\n.\r\n")
        for client in (waiting, sending):
            assert client.reply().code == 250
            assert str(client.reply()) == SHUTTING_DOWN
            assert client.at_end()
    assert daemon.process.wait(20) == 0
    assert sorted(sink.message().body for _message in range(2)) == [b"sending\r\n", b"waiting\r\n"]


def test_message_that_takes_too_long_is_not_waited_for(place: Place, sink: Sink, local: LocalRelayAt) -> None:
    hold = Hold("250 2.0.0 too late")
    sink.answers["DOT"] = [hold]
    relay = local(Limits(stop=0.3))
    with place.client() as client:
        client.hello()
        client.command("MAIL FROM:<a@x.test>")
        client.command("RCPT TO:<b@corp.test>")
        client.command("DATA")
        client.send(b"x\r\n.\r\n")
        assert hold.reached.wait(10)
        relay.begin_to_stop()
        assert str(client.reply()) == SHUTTING_DOWN
        assert client.at_end()
        assert relay.stopped()
        hold.go.set()


def test_too_many_sessions(place: Place, local: LocalRelayAt) -> None:
    local(Limits(sessions=2))
    with place.client() as first, place.client() as second:
        assert first.hello().code == second.hello().code == 250
        with place.client() as third:
            assert third.reply().code == 421
            assert third.at_end()
        second.command("QUIT")
        assert second.at_end()
        with place.client() as fourth:
            assert fourth.hello().code == 250


# -- supervisor --------------------------------------------------------------------------------------------------------


def test_supervisor_stops_with_its_daemon(place: Place) -> None:
    with running(place.directory, "--supervise") as supervisor:
        assert (place.directory / "relayd.pid").read_text() == f"{supervisor.process.pid}\n"
        assert supervisor.status()["pid"] != supervisor.process.pid
        assert is_locked(place.directory)
        assert supervisor.terminate() == 0
        assert supervisor.everybody_gone()
        assert [line["event"] for line in supervisor.log] == ["start", "stopping", "stop"]
        assert not (place.directory / "status.json").exists()
        assert not is_locked(place.directory)


def test_supervisor_passes_the_signal_on_and_waits_for_a_message(place: Place, sink: Sink) -> None:
    hold = Hold("250 2.0.0 yes")
    sink.answers["DOT"] = [hold]
    with running(place.directory, "--supervise") as supervisor, place.client() as client:
        client.hello()
        client.command("MAIL FROM:<a@x.test>")
        client.command("RCPT TO:<b@corp.test>")
        client.command("DATA")
        client.send(b"x\r\n.\r\n")
        assert hold.reached.wait(10)
        supervisor.process.terminate()
        supervisor.event("stopping")
        hold.go.set()
        assert client.reply().code == 250
        assert supervisor.process.wait(20) == 0


def test_supervisor_starts_a_killed_daemon_again(place: Place, sink: Sink) -> None:
    with running(place.directory, "--supervise") as supervisor:
        first = supervisor.event("start")["pid"]
        assert first == supervisor.status()["pid"]
        os.kill(first, signal.SIGKILL)
        died = supervisor.event("daemon_died")
        assert (died["pid"], died["status"], died["restart_in"]) == (first, 128 + signal.SIGKILL, 1)
        second = supervisor.event("start")["pid"]
        assert second != first
        assert supervisor.status()["pid"] == second
        with place.client() as client:
            client.hello()
            assert client.message("a@x.test", ["b@corp.test"]).code == 250
        assert supervisor.terminate() == 0


def test_supervisor_stops_a_daemon_that_was_halted(place: Place) -> None:
    with running(place.directory, "--supervise") as supervisor:
        os.kill(supervisor.event("start")["pid"], signal.SIGSTOP)
        assert supervisor.terminate() == 0
        assert supervisor.everybody_gone()
        assert [line["event"] for line in supervisor.log] == ["start", "stopping", "stop"]


def test_supervisor_can_be_stopped_between_two_daemons(place: Place) -> None:
    with running(place.directory, "--supervise") as supervisor:
        os.kill(supervisor.event("start")["pid"], signal.SIGKILL)
        supervisor.event("daemon_died")
        assert supervisor.terminate() == 0
        assert supervisor.everybody_gone()
        assert "start" not in [line["event"] for line in supervisor.log[-1:]]


def test_supervisor_goes_on_after_a_restart_that_failed(place: Place) -> None:
    """Files that became wrong meanwhile: the reason is logged, and the daemon runs again when they are right."""
    with running(place.directory, "--supervise") as supervisor:
        first = supervisor.event("start")["pid"]
        (place.directory / "settings.json").write_text("{}")
        os.kill(first, signal.SIGKILL)
        assert "settings.json" in supervisor.event("failed")["error"]
        place.write()
        died = supervisor.event("daemon_died")
        assert (died["status"], died["restart_in"]) == (78, 2)
        assert supervisor.event("start")["pid"] == supervisor.status()["pid"]


def test_daemon_ends_with_its_supervisor(place: Place, sink: Sink) -> None:
    """kill -9 leaves nothing running, after the message in hand; meanwhile the lock is held."""
    hold = Hold("250 2.0.0 yes")
    sink.answers["DOT"] = [hold]
    with running(place.directory, "--supervise") as supervisor, place.client() as client:
        client.hello()
        client.command("MAIL FROM:<a@x.test>")
        client.command("RCPT TO:<b@corp.test>")
        client.command("DATA")
        client.send(b"x\r\n.\r\n")
        assert hold.reached.wait(10)
        supervisor.process.kill()
        supervisor.event("stopping")
        assert is_locked(place.directory)
        hold.go.set()
        assert client.reply().code == 250
        assert supervisor.everybody_gone()
        assert supervisor.log[-1]["event"] == "stop"
        assert not is_locked(place.directory)
        assert not (place.directory / "status.json").exists()
