# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mail by real clients: the table that site.yml proves, and curl where there is one."""

from __future__ import annotations

import json
import shutil
import smtplib
import ssl
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

BODY = "Subject: scan\r\n\r\n.a line that begins with a dot\r\nend\r\n"


@pytest.fixture
def proof(wanted: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = wanted["proof"]
    return found


def test_who_may_send_where(wanted: dict[str, Any], proof: dict[str, Any]) -> None:
    command = [sys.executable, wanted["prove"]]
    run = subprocess.run(command, input=json.dumps(proof), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_certificate_is_ours(wanted: dict[str, Any], proof: dict[str, Any]) -> None:
    """It is not for the address that the test connects to."""
    context = ssl.create_default_context(cafile=f"{wanted['directory']}/client_relay.crt")
    context.check_hostname = False
    host, port = proof["submission"].split(":")
    with smtplib.SMTP(host, int(port), "client.test", timeout=30) as client:
        assert client.starttls(context=context)[0] == 220


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("who", ["device", "account"])
def test_curl_sends(host: Host, wanted: dict[str, Any], proof: dict[str, Any], tmp_path: Path, who: str) -> None:
    token = uuid.uuid4().hex
    message, settings = tmp_path / "message.eml", tmp_path / "curl.conf"
    message.write_bytes(f"Message-ID: <{token}@client.test>\r\n{BODY}".encode())
    [account] = proof["accounts"]
    options = {
        "mail-rcpt": f"someone@{proof['external_domain']}",
        "upload-file": str(message),
        "max-time": "30",
    }
    if who == "device":
        options |= {
            "url": f"smtp://{proof['relay']}/client.test",
            "interface": proof["devices"][0],
            "mail-from": "scanner@corp.test",
        }
    else:
        host_name, port = "relay.corp.test", proof["submission"].split(":")[1]
        options |= {
            "url": f"smtp://{host_name}:{port}/client.test",
            "connect-to": f"{host_name}:{port}:{proof['submission']}",
            "interface": proof["stranger"],
            "cacert": f"{wanted['directory']}/client_relay.crt",
            "user": f"{account['name']}:{account['password']}",
            "mail-from": account["addresses"][0],
        }
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    settings.write_text("\n".join(["silent", "show-error", *(["ssl-reqd"] if who == "account" else []), *lines]) + "\n")
    result = host.run(f"curl --config {settings}")
    assert result.rc == 0, result.stderr
    assert arrived(token, proof) == ["next_hop"]


def arrived(token: str, proof: dict[str, Any]) -> list[str]:
    places = []
    for place in ("next_hop", "inbound_route"):
        messages = [path for path in Path(proof[place]).glob("*.eml") if token.encode() in path.read_bytes()]
        assert all(path.read_bytes().endswith(BODY.partition("\r\n\r\n")[2].encode()) for path in messages)
        places += [place for _message in messages]
    return places
