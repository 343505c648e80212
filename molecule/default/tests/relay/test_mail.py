# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mail by real clients: Python's smtplib, and curl where there is one."""

from __future__ import annotations

import json
import shutil
import smtplib
import ssl
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

Connect = Callable[..., smtplib.SMTP]
BODY = "Subject: scan\r\n\r\n.a line that begins with a dot\r\nend\r\n"


@pytest.fixture(scope="module")
def trusting(wanted: dict[str, Any]) -> ssl.SSLContext:
    """Trusts the relay's certificate and nothing else; it is not for the address that the tests connect to."""
    context = ssl.create_default_context(cafile=f"{wanted['directory']}/client_relay.crt")
    context.check_hostname = False
    return context


@pytest.fixture
def connect(wanted: dict[str, Any]) -> Connect:
    def connect(binding: str, source: str) -> smtplib.SMTP:
        host, port = wanted[binding].split(":")
        return smtplib.SMTP(host, int(port), "client.test", timeout=30, source_address=(source, 0))

    return connect


def send(client: smtplib.SMTP, sender: str, recipient: str, wanted: dict[str, Any]) -> list[str]:
    """Where the message arrived."""
    token = uuid.uuid4().hex
    client.sendmail(sender, [recipient], f"Message-ID: <{token}@client.test>\r\n{BODY}")
    return arrived(token, wanted)


def arrived(token: str, wanted: dict[str, Any]) -> list[str]:
    places = []
    for place in ("next_hop", "inbound_route"):
        messages = [path for path in Path(wanted[place]).glob("*.eml") if token.encode() in path.read_bytes()]
        assert all(path.read_bytes().endswith(BODY.partition("\r\n\r\n")[2].encode()) for path in messages)
        places += [place for _message in messages]
    return places


def test_every_listed_device_sends_anywhere(connect: Connect, wanted: dict[str, Any]) -> None:
    external = f"someone@{wanted['external_domain']}"
    for device in wanted["devices"]:
        with connect("relay", device) as client:
            assert send(client, "scanner@corp.test", external, wanted) == ["next_hop"]


def test_a_stranger_reaches_our_domains_only(connect: Connect, wanted: dict[str, Any]) -> None:
    for domain in wanted["domains"]:
        with connect("relay", wanted["stranger"]) as client:
            assert send(client, "stranger@elsewhere.test", f"user@{domain}", wanted) == ["inbound_route"]
    outside = f"someone@{wanted['external_domain']}"
    with (
        connect("relay", wanted["stranger"]) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.7\.54"),
    ):
        send(client, "stranger@elsewhere.test", outside, wanted)


def test_an_account_sends_anywhere_as_each_of_its_addresses_and_no_other(
    connect: Connect, wanted: dict[str, Any], trusting: ssl.SSLContext
) -> None:
    [account] = wanted["accounts"]
    external = f"someone@{wanted['external_domain']}"
    with connect("submission", wanted["stranger"]) as client:
        client.starttls(context=trusting)
        client.login(account["name"], account["password"])
        for address in account["addresses"]:
            assert send(client, address, external, wanted) == ["next_hop"]
        with pytest.raises(smtplib.SMTPSenderRefused, match=r"5\.7\.60"):
            send(client, "chief@corp.test", external, wanted)


def test_a_wrong_password_is_refused(connect: Connect, wanted: dict[str, Any], trusting: ssl.SSLContext) -> None:
    [account] = wanted["accounts"]
    with connect("submission", "127.0.0.98") as client:
        client.starttls(context=trusting)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            client.login(account["name"], f"not {account['password']}")
    assert refusal.value.smtp_code == 535


def test_without_tls_nobody_logs_in_and_without_login_nobody_submits(
    connect: Connect, wanted: dict[str, Any], trusting: ssl.SSLContext
) -> None:
    with connect("submission", wanted["stranger"]) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        client.starttls(context=trusting)
        client.ehlo()
        assert client.has_extn("auth")
        with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
            send(client, "alice@corp.test", f"someone@{wanted['external_domain']}", wanted)
    assert refusal.value.smtp_code == 530


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("who", ["device", "account"])
def test_curl_sends(host: Host, wanted: dict[str, Any], tmp_path: Path, who: str) -> None:
    token = uuid.uuid4().hex
    message, settings = tmp_path / "message.eml", tmp_path / "curl.conf"
    message.write_bytes(f"Message-ID: <{token}@client.test>\r\n{BODY}".encode())
    [account] = wanted["accounts"]
    options = {
        "mail-rcpt": f"someone@{wanted['external_domain']}",
        "upload-file": str(message),
        "max-time": "30",
    }
    if who == "device":
        options |= {
            "url": f"smtp://{wanted['relay']}/client.test",
            "interface": wanted["devices"][0],
            "mail-from": "scanner@corp.test",
        }
    else:
        host_name, port = "relay.corp.test", wanted["submission"].split(":")[1]
        options |= {
            "url": f"smtp://{host_name}:{port}/client.test",
            "connect-to": f"{host_name}:{port}:{wanted['submission']}",
            "interface": wanted["stranger"],
            "cacert": f"{wanted['directory']}/client_relay.crt",
            "user": f"{account['name']}:{account['password']}",
            "mail-from": account["addresses"][0],
        }
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    settings.write_text("\n".join(["silent", "show-error", *(["ssl-reqd"] if who == "account" else []), *lines]) + "\n")
    result = host.run(f"curl --config {settings}")
    assert result.rc == 0, result.stderr
    assert arrived(token, wanted) == ["next_hop"]
