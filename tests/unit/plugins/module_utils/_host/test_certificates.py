# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
import trustme

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ServiceError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._host.certificates import certificate_finding
from support.certificates import issue_pair
from support.modules import ModuleFailed, Runner, write_settings
from support.odd_certificates import NO_USE_FOR_TLS, OF_USE_FOR_TLS, SPOILT, TOO_SHORT, self_signed
from support.special_files import SPECIAL_FILES

CA = trustme.CA()
DAY = datetime.timedelta(days=1)


def connector(folder: Path, ends: datetime.timedelta = DAY) -> Connector:
    now = datetime.datetime.now(datetime.UTC)
    leaf = CA.issue_cert("relay.corp.test", not_before=now - 10 * DAY, not_after=now + ends)
    (folder / "relay.crt").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    (folder / "relay.key").write_bytes(leaf.private_key_pem.bytes())
    return Connector("A", tls_certificate_file=str(folder / "relay.crt"), tls_key_file=str(folder / "relay.key"))


def test_a_certificate_from_an_authority(tmp_path: Path) -> None:
    assert certificate_finding(connector(tmp_path)) is None


def pair(folder: Path) -> Connector:
    issue_pair(folder / "relay.crt", folder / "relay.key")
    return Connector("A", tls_certificate_file=str(folder / "relay.crt"), tls_key_file=str(folder / "relay.key"))


@pytest.mark.parametrize("sort", OF_USE_FOR_TLS)
def test_a_self_signed_certificate(tmp_path: Path, sort: str) -> None:
    made = pair(tmp_path)
    self_signed(tmp_path / "relay.crt", tmp_path / "relay.key", OF_USE_FOR_TLS[sort])
    assert certificate_finding(made) is None


@pytest.mark.parametrize("sort", [*NO_USE_FOR_TLS, *TOO_SHORT])
def test_a_key_that_tls_cannot_use(tmp_path: Path, sort: str) -> None:
    made = pair(tmp_path)
    self_signed(tmp_path / "relay.crt", tmp_path / "relay.key", {**NO_USE_FOR_TLS, **TOO_SHORT}[sort])
    with pytest.raises(ServiceError) as caught:
        certificate_finding(made)
    error = caught.value
    expected = "the key is too short for OpenSSL" if sort in TOO_SHORT else "TLS cannot use this sort of key (NO_SHARED"
    assert error.what.startswith(expected)
    assert (error.where, error.value) == ("connector 'A', tls_certificate_file", made.tls_certificate_file)
    assert error.way_out.startswith("Use an RSA key of 2048 bits or more")


@pytest.mark.parametrize("how", SPOILT)
def test_a_pair_that_is_none(tmp_path: Path, how: str) -> None:
    made = pair(tmp_path)
    spoil, option, says, _daemon = SPOILT[how]
    spoil(tmp_path / "relay.crt", tmp_path / "relay.key")
    with pytest.raises(ServiceError) as caught:
        certificate_finding(made)
    assert (caught.value.where, caught.value.value) == (f"connector 'A', {option}", getattr(made, option))
    assert caught.value.what.startswith(says)


@pytest.mark.parametrize("kind", SPECIAL_FILES)
@pytest.mark.parametrize("option", ["tls_certificate_file", "tls_key_file"])
def test_what_is_no_file(tmp_path: Path, option: str, kind: str) -> None:
    made = pair(tmp_path)
    path = Path(getattr(made, option))
    path.unlink()
    make, says = SPECIAL_FILES[kind]
    make(path)
    with pytest.raises(ServiceError, match=f"connector 'A', {option}: cannot be read: {says}"):
        certificate_finding(made)


def test_an_expired_certificate(tmp_path: Path) -> None:
    found = certificate_finding(connector(tmp_path, -DAY))
    assert found is not None
    assert (found.what, found.where) == (f"{tmp_path}/relay.crt has expired", "connector 'A', tls_certificate_file")
    assert found.consent == "allow_expired_certificate"


@pytest.mark.parametrize("option", ["tls_certificate_file", "tls_key_file"])
def test_a_file_that_is_not_there(tmp_path: Path, option: str) -> None:
    made = connector(tmp_path)
    os.unlink(getattr(made, option))
    with pytest.raises(ServiceError, match=f"connector 'A', {option}: cannot be read: No such file"):
        certificate_finding(made)


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
    before = (folder / "store.json").read_bytes()
    with pytest.raises(ModuleFailed, match=r"has expired\. Renew it, or set allow_expired_certificate: true"):
        run("receive_connectors", connectors=[options])
    assert (folder / "store.json").read_bytes() == before
    passed = run("receive_connectors", connectors=[options], allow_expired_certificate=True)
    assert "allow_expired_certificate" in str(passed["warnings"])
    assert not run("receive_connectors", connectors=[options])["changed"], "what was there before does not block"
