# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from smtp_relayd import tls
from smtp_relayd.json_file import ConfigError
from smtp_relayd.tls import Certificate
from support import certificates
from support.odd_certificates import NO_USE_FOR_TLS, OF_USE_FOR_TLS, SPOILT, TOO_SHORT, self_signed
from support.special_files import SPECIAL_FILES


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


def refused(certificate: Path, key: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        Certificate(str(certificate), str(key))
    error = str(caught.value)
    start = f"{certificate}: certificate and key {key} cannot be used: "
    assert error.startswith(start)
    assert error.isprintable()
    return error[len(start) :]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    certificate, key = tmp_path / "relay.pem", tmp_path / "relay.key"
    certificates.issue_pair(certificate, key)
    return certificate, key


@pytest.mark.parametrize("how", SPOILT)
def test_a_pair_that_is_none(pair: tuple[Path, Path], how: str) -> None:
    spoil, _option, _module, says = SPOILT[how]
    spoil(*pair)
    error = refused(*pair)
    assert error.startswith(says)
    assert error.endswith("; put a matching pair there, in PEM and without a password")


def test_a_file_that_is_missing(pair: tuple[Path, Path]) -> None:
    pair[0].unlink()
    assert refused(*pair).startswith("No such file or directory; ")


def test_a_certificate_without_its_key(pair: tuple[Path, Path]) -> None:
    assert refused(pair[0], pair[0]).startswith("there is no private key in PEM; ")


@pytest.mark.parametrize("sort", OF_USE_FOR_TLS)
def test_a_key_that_tls_can_use(pair: tuple[Path, Path], sort: str) -> None:
    self_signed(*pair, OF_USE_FOR_TLS[sort])
    Certificate(*map(str, pair))


@pytest.mark.parametrize("sort", NO_USE_FOR_TLS)
def test_a_key_that_tls_cannot_use(pair: tuple[Path, Path], sort: str) -> None:
    self_signed(*pair, NO_USE_FOR_TLS[sort])
    assert refused(*pair).startswith(
        "TLS cannot use this sort of key (NO_SHARED_CIPHER); put a matching pair there, of"
    )


@pytest.mark.parametrize("sort", TOO_SHORT)
def test_a_key_that_is_too_short(pair: tuple[Path, Path], sort: str) -> None:
    self_signed(*pair, TOO_SHORT[sort])
    assert refused(*pair).startswith("EE_KEY_TOO_SMALL; put a matching pair there, of an RSA key of 2048 bits")


@pytest.mark.parametrize("kind", SPECIAL_FILES)
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_no_file(pair: tuple[Path, Path], which: int, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A running daemon, which looks at the files in its event loop, must not wait for a pipe either."""
    certificate = Certificate(*map(str, pair))
    first = certificate.context()
    pair[which].unlink()
    make, says = SPECIAL_FILES[kind]
    make(pair[which])
    assert refused(*pair).startswith(f"{says}; ")
    assert certificate.context() is first
    assert log(capsys) == ["certificate_unusable"]


def test_reason() -> None:
    assert tls.reason(ConnectionAbortedError("SSL handshake is taking longer")) == "SSL handshake is taking longer"
    assert tls.reason(ConnectionResetError(104, "Connection reset by peer")) == "Connection reset by peer"
    assert tls.reason(ConnectionResetError()) == "ConnectionResetError"
    assert tls.reason(ssl.SSLError()) == "SSLError"
