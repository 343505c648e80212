# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from support.modules import Runner, write_settings


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """Modules on a relay directory that the role has just made."""
    write_settings(tmp_path)
    return Runner(tmp_path)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Options that name a certificate and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    leaf = trustme.CA().issue_cert("relay.corp.test")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / "relay.pem"))
    return dict.fromkeys(("tls_certificate_file", "tls_key_file"), str(folder / "relay.pem"))
