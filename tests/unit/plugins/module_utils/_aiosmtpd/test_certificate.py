# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path

import pytest
import trustme

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.certificate import check_certificate
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ServiceError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from support.modules import ModuleFailed, Runner, write_settings

CA = trustme.CA()
DAY = datetime.timedelta(days=1)


def connector(folder: Path, ends: datetime.timedelta = DAY, key: trustme.LeafCert | None = None) -> Connector:
    now = datetime.datetime.now(datetime.UTC)
    leaf = CA.issue_cert("relay.corp.test", not_before=now - 10 * DAY, not_after=now + ends)
    (folder / "relay.crt").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    (folder / "relay.key").write_bytes((key or leaf).private_key_pem.bytes())
    return Connector("A", tls_certificate_file=str(folder / "relay.crt"), tls_key_file=str(folder / "relay.key"))


def test_a_certificate_from_an_authority(tmp_path: Path) -> None:
    assert check_certificate(connector(tmp_path)) == ""


def test_a_self_signed_certificate(tmp_path: Path) -> None:
    made = connector(tmp_path)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", "/CN=x"]
    files = ["-keyout", made.tls_key_file, "-out", made.tls_certificate_file]
    subprocess.run([*command, *files], check=True, capture_output=True)
    assert check_certificate(made) == ""


def test_an_expired_certificate(tmp_path: Path) -> None:
    expected = f"connector 'A', tls_certificate_file: {tmp_path}/relay.crt has expired"
    assert check_certificate(connector(tmp_path, -DAY)) == expected


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="the key does not belong to the certificate, got"):
        check_certificate(connector(tmp_path, key=CA.issue_cert("other.corp.test")))


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    made = connector(tmp_path)
    Path(made.tls_certificate_file).write_text("hello")
    with pytest.raises(ServiceError, match="tls_certificate_file: cannot be used: "):
        check_certificate(made)


@pytest.mark.parametrize("option", ["tls_certificate_file", "tls_key_file"])
def test_a_file_that_is_not_there(tmp_path: Path, option: str) -> None:
    made = connector(tmp_path)
    os.unlink(getattr(made, option))
    with pytest.raises(ServiceError, match=f"connector 'A', {option}: cannot be read: No such file"):
        check_certificate(made)


def test_the_module_looks_before_it_changes(tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    folder.mkdir()
    write_settings(folder)
    run = Runner(folder)
    made = connector(tmp_path, -DAY)
    options = {
        "name": "A",
        "bindings": ["127.0.0.1:2587"],
        "remote_ip_ranges": ["127.0.0.0/8"],
        "auth_mechanism": ["Tls"],
        "tls_certificate_file": made.tls_certificate_file,
        "tls_key_file": made.tls_key_file,
    }
    with pytest.raises(ModuleFailed, match=r"has expired\. Renew it, or set allow_expired_certificate: true"):
        run("receive_connectors", connectors=[options])
    assert not (folder / "store.json").exists()
    passed = run("receive_connectors", connectors=[options], allow_expired_certificate=True)
    assert "allow_expired_certificate" in str(passed["warnings"])
    assert not run("receive_connectors", connectors=[options])["changed"], "what was there before does not block"
