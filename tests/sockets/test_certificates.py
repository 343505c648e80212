# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of a running relay are read again when they change; what the log says about TLS."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from support import certificates
from support.certificates import client_context
from support.daemon import FROM_SOURCE, SOURCE, Daemon
from support.local_relay import LocalRelayAt
from support.place import Place
from support.sink import Sink
from support.smtp_client import SmtpClient

# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["starttls", "implicit_tls"])
def test_new_certificate_for_the_next_connection(
    place: Place, certificate: Path, local: LocalRelayAt, sink: Sink, how: str
) -> None:
    """Without a restart; sessions that there are go on with the old one."""

    def connected() -> SmtpClient:
        client = place.client()
        if how == "implicit_tls":
            client.secure(client_context())
            client.hello()
        else:
            client.hello()
            client.start_tls(client_context())
        return client

    first = certificates.issue(certificate)
    place.write(certificate_file=str(certificate), starttls=how == "starttls", implicit_tls=how == "implicit_tls")
    local()
    with connected() as old:
        assert old.certificate() == first
        second = certificates.issue(certificate)
        with connected() as new:
            assert new.certificate() == second
            assert new.message("a@x.test", ["b@corp.test"]).code == 250
        certificate.write_bytes(b"junk")
        with connected() as newer:
            assert newer.certificate() == second
        third = certificates.issue(certificate)
        with connected() as newest:
            assert newest.certificate() == third
        assert old.message("a@x.test", ["b@corp.test"]).code == 250


def test_broken_certificate_at_start(place: Place, certificate: Path) -> None:
    certificate.write_text("junk")
    place.write(starttls=True, certificate_file=str(certificate))
    with Daemon(place.directory) as daemon:
        error = daemon.answer()["error"]
        assert error.startswith(f"{certificate}: certificate and key {certificate} cannot be used: ")
        assert daemon.process.wait(20) == 78
    result = check(place.directory)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith(f"{certificate}: ")
    assert "Traceback" not in result.stderr


def test_certificate_that_nobody_uses_is_not_looked_at(place: Place) -> None:
    place.write(certificate_file="/nowhere/relay.pem")
    assert check(place.directory).returncode == 0


def test_broken_certificate_of_a_running_daemon(place: Place, certificate: Path) -> None:
    place.write(starttls=True, certificate_file=str(certificate))
    with Daemon(place.directory) as daemon:
        assert daemon.answer()["ready"]
        certificate.unlink()
        with place.client() as client:
            client.hello()
            assert client.start_tls(client_context()).code == 250
        assert "relay.pem" in daemon.event("certificate_unusable")["error"]
        assert check(place.directory).returncode == 78
        assert daemon.terminate() == 0


def check(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FROM_SOURCE, "--directory", str(directory), "--check"],
        env={"PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


# -- the log -----------------------------------------------------------------------------------------------------------


def test_version_and_cipher_are_logged(place: Place, certificate: Path) -> None:
    place.write(starttls=True, certificate_file=str(certificate))
    with Daemon(place.directory) as daemon:
        daemon.answer()
        with place.client() as client:
            client.hello()
            client.message("a@x.test", ["b@corp.test"])
            assert daemon.event("message")["tls"] is None
            client.start_tls(client_context(maximum_version=ssl.TLSVersion.TLSv1_2))
            client.message("a@x.test", ["b@corp.test"])
            assert isinstance(client.socket, ssl.SSLSocket)
            cipher = client.socket.cipher()
            assert cipher
            assert daemon.event("message")["tls"] == f"TLSv1.2 {cipher[0]}"
        port_scan(place, daemon)
        assert daemon.terminate() == 0
        assert daemon.complaints() == []


def port_scan(place: Place, daemon: Daemon) -> None:
    """Clients that are no mail clients: a line in the log each, no traceback."""
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 2000):
        with place.client() as client:
            client.reply()
            client.command("STARTTLS")
            client.send(junk)
            client.socket.shutdown(socket.SHUT_WR)
            assert client.at_end()
        assert daemon.event("tls_failed")["peer"] == "127.0.0.1"
