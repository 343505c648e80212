# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from smtp_relayd import tls
from smtp_relayd.json_file import ConfigError
from smtp_relayd.tls import Certificate
from support import certificates


def log(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]


def test_context_stays_until_the_files_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "relay.pem"
    certificates.issue(file)
    certificate = Certificate(str(file), "")
    first = certificate.context()
    assert certificate.context() is first
    certificates.issue(file)
    second = certificate.context()
    assert second is not first
    assert certificate.context() is second
    assert log(capsys) == ["certificate_loaded"]


def test_only_tls_1_2_and_newer_and_no_client_certificates(tmp_path: Path) -> None:
    certificates.issue(tmp_path / "relay.pem")
    context = Certificate(str(tmp_path / "relay.pem"), "").context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE
    assert context.options & ssl.OP_NO_RENEGOTIATION


def test_certificate_and_key_are_replaced_one_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between the two they do not match; the old pair stays, and is complained about once."""
    pem, key = tmp_path / "relay.pem", tmp_path / "relay.key"
    certificates.issue_pair(pem, key)
    certificate = Certificate(str(pem), str(key))
    first = certificate.context()
    certificates.issue_pair(tmp_path / "new.pem", tmp_path / "new.key")
    (tmp_path / "new.pem").rename(pem)
    for _connection in range(3):
        assert certificate.context() is first
    (tmp_path / "new.key").rename(key)
    assert certificate.context() is not first
    assert log(capsys) == ["certificate_unusable", "certificate_loaded"]


@pytest.mark.parametrize(
    "content", [None, b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_broken_new_one_leaves_the_old_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file = tmp_path / "relay.pem"
    certificates.issue(file)
    certificate = Certificate(str(file), "")
    first = certificate.context()
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert certificate.context() is first
    certificates.issue(file)
    assert certificate.context() is not first
    assert log(capsys) == ["certificate_unusable", "certificate_loaded"]


def test_unusable_at_start(tmp_path: Path) -> None:
    pem, key = tmp_path / "relay.pem", tmp_path / "relay.key"
    certificates.issue_pair(pem, key)
    certificates.issue_pair(tmp_path / "other.pem", tmp_path / "other.key")
    cases = {
        "No such file": (tmp_path / "missing.pem", key),
        "KEY_VALUES_MISMATCH": (pem, tmp_path / "other.key"),
        "Is a directory": (tmp_path, key),
    }
    for seen, (certificate, key_file) in cases.items():
        with pytest.raises(ConfigError) as caught:
            Certificate(str(certificate), str(key_file))
        error = str(caught.value)
        assert error.startswith(f"{certificate}: certificate and key {key_file} cannot be used: ")
        assert seen.lower() in error.lower() or seen == "Is a directory"
        assert "\n" not in error
    with pytest.raises(ConfigError):
        Certificate(str(pem), "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_encrypted_key_does_not_ask_on_the_terminal(tmp_path: Path) -> None:
    pem, key = tmp_path / "relay.pem", tmp_path / "relay.key"
    certificates.issue_pair(pem, key)
    protected = tmp_path / "protected.key"
    command = ["openssl", "rsa", "-aes256", "-passout", "pass:s3cret", "-in", str(key), "-out", str(protected)]
    if b"RSA" not in key.read_bytes():
        command[1] = "ec"
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(ConfigError, match="the key is encrypted"):
        Certificate(str(pem), str(protected))


def test_reason() -> None:
    assert tls.reason(ConnectionAbortedError("SSL handshake is taking longer")) == "SSL handshake is taking longer"
    assert tls.reason(ConnectionResetError(104, "Connection reset by peer")) == "Connection reset by peer"
    assert tls.reason(ConnectionResetError()) == "ConnectionResetError"
    assert tls.reason(ssl.SSLError()) == "SSLError"
