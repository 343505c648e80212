# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""accounts.json of a running relay, and what its log says about logins."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from support import certificates, relay_files
from support.certificates import client_context
from support.daemon import FROM_SOURCE, SOURCE, Daemon, running
from support.local_relay import LocalRelayAt
from support.net import loopback
from support.place import Place
from support.sink import Sink
from support.smtp_client import b64, plain_message

ACCEPTED = "235 2.7.0 Authentication successful"
FAILED = "535 5.7.3 Authentication unsuccessful"


# -- the file of accounts ----------------------------------------------------------------------------------------------


@pytest.fixture
def clear(place: Place) -> Place:
    return place.write(auth="always", account_any_recipient=True)


def log_in(place: Place, name: str = "alice", password: str = relay_files.PASSWORD) -> str:
    with place.client(source=loopback()) as client:
        client.hello()
        return str(client.plain(name, password))


def test_no_accounts(clear: Place, local: LocalRelayAt) -> None:
    local()
    assert log_in(clear) == FAILED


def test_accounts_are_read_again(clear: Place, sink: Sink) -> None:
    """For the next AUTH, without a restart; a broken file stops AUTH only, and sessions that are there go on."""
    temporary = "454 4.7.0 Temporary authentication failure"
    with running(clear.directory) as daemon, clear.client() as old:
        assert log_in(clear) == FAILED
        relay_files.write_accounts(clear.directory, relay_files.account())
        assert log_in(clear) == ACCEPTED
        old.hello()
        assert old.plain("alice", "s3cret").code == 235
        relay_files.write_accounts(clear.directory, relay_files.account(password="changed"))
        assert log_in(clear) == FAILED
        assert log_in(clear, password="changed") == ACCEPTED
        (clear.directory / "accounts.json").write_text('{"version": 1, "accounts": [{"hash": "s3cret"}]}')
        assert log_in(clear) == temporary
        assert log_in(clear, "carol") == temporary
        assert "accounts.json: accounts[0] = (hidden)" in daemon.event("accounts_unusable")["error"]
        assert old.message("alice@corp.test", ["b@corp.test"]).code == 250
        relay_files.write_accounts(clear.directory, relay_files.account("bob"))
        assert log_in(clear, "bob") == ACCEPTED
        assert log_in(clear) == FAILED
        (clear.directory / "accounts.json").unlink()
        assert log_in(clear, "bob") == FAILED
        assert daemon.terminate() == 0
        assert daemon.everybody_gone()
        assert [line["event"] for line in daemon.log].count("accounts_unusable") == 1
        assert daemon.complaints() == []


def test_start_and_check_with_broken_accounts(clear: Place, sink: Sink) -> None:
    """Devices need no accounts, so the relay starts; --check tells."""
    (clear.directory / "accounts.json").write_text('{"version": 1, "accounts": [{"hash": "{PLAIN}s3cret"}]}')
    result = subprocess.run(
        [*FROM_SOURCE, "--directory", str(clear.directory), "--check"],
        env={"PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert result.returncode == 78
    assert "accounts.json: accounts[0] = (hidden): has no key" in result.stderr
    assert "s3cret" not in result.stdout + result.stderr
    with running(clear.directory), clear.client() as client:
        client.hello()
        assert client.plain("alice", "s3cret").code == 454
        assert client.message("a@corp.test", ["b@corp.test"]).code == 250


# -- the log -----------------------------------------------------------------------------------------------------------


def test_what_is_logged_about_a_login(clear: Place, sink: Sink) -> None:
    pem = clear.directory / "relay.pem"
    certificates.issue(pem)
    clear.write(auth="always", starttls=True, certificate_file=str(pem))
    relay_files.write_accounts(clear.directory, relay_files.account(), relay_files.account("bob", allow_nets=["::1"]))
    with running(clear.directory) as daemon, clear.client() as client:
        client.hello()
        client.start_tls(client_context())
        client.plain('x\r\n{"event": "forged"}\u2028', "pa55word")
        refused = daemon.event("auth_refused")
        assert refused["account"] == 'x\r\n{"event": "forged"}\u2028'
        assert refused["reason"] == "unknown account"
        client.plain("bob", "s3cret")
        assert daemon.event("auth_refused")["reason"] == "address not allowed"
        client.plain("ALICE", "s3cret")
        expected = {"account": "alice", "peer": "127.0.0.1", "connector": "Default relay", "reply": ACCEPTED}
        accepted = daemon.event("auth_accepted")
        assert expected.items() <= accepted.items()
        assert accepted["tls"].startswith("TLSv1.3 ")
        client.message("alice@corp.test", ["b@corp.test"])
        message = daemon.event("message")
        assert message["account"] == "alice"
        assert message["tls"] == accepted["tls"]


def test_no_secret_is_logged(clear: Place, sink: Sink) -> None:
    """Whatever a client does with its password, and whatever is wrong with the file."""
    account = relay_files.account(password="p4ssw0rd-of-alice")
    relay_files.write_accounts(clear.directory, account)
    secrets = ["p4ssw0rd", "of-alice", *account["hash"].split(",")[1:]]
    secrets += [b64(plain_message("alice", "p4ssw0rd-of-alice")), b64("p4ssw0rd-of-alice")]
    with running(clear.directory) as daemon:
        for lines in misuse("p4ssw0rd-of-alice"):
            with clear.client(source=loopback()) as client:
                client.hello()
                for line in lines:
                    client.command(line)
        for broken in (json_with(account, "hash", account["hash"] + "x"), json_with(account, account["hash"], 1)):
            (clear.directory / "accounts.json").write_text(broken)
            log_in(clear, password="p4ssw0rd-of-alice")
        assert daemon.terminate() == 0
        assert daemon.everybody_gone()
        assert_none_of(secrets, daemon)


def misuse(password: str) -> list[list[str | bytes]]:
    return [
        [f"AUTH PLAIN {b64(plain_message('alice', password))}"],
        [f"AUTH PLAIN {b64(plain_message('alice', password + 'x'))}"],
        [f"AUTH PLAIN {b64(plain_message('alice', password, 'bob'))}"],
        [f"AUTH PLAIN {b64(plain_message('alice', password))}!"],
        [f"AUTH PLAIN {b64(plain_message('alice', password) + bytes(1))}"],
        [f"AUTH LOGIN {b64('alice')}", b64(password)],
        [f"AUTH LOGIN {b64('alice')}", password],
        [f"AUTH FOO {b64(password)}"],
        [f"AUTH PLAIN {b64('alice')} {b64(password)}"],
        ["EHLO a", f"MAIL FROM:<> AUTH={password}"],
        [b64(password)],
        [password],
    ]


def json_with(account: dict[str, Any], key: str, value: object) -> str:
    return json.dumps({"version": 1, "accounts": [{**account, key: value}]})


def assert_none_of(secrets: list[str], daemon: Daemon) -> None:
    shown = str(daemon.log)
    assert "auth_refused" in shown
    assert "auth_accepted" in shown
    assert [secret for secret in secrets if secret in shown] == []
