# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every message in docs/guard.md is what a module says to the change that is described there."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.store import write_store
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits, guard
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.service import ServiceFacts
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.checkout import ROOT
from support.memory_backend import EVERYTHING
from support.modules import ModuleFailed, Runner

MESSAGES = re.findall(r"^```text\n(.*?)^```$", (ROOT / "docs/guard.md").read_text(), re.DOTALL | re.MULTILINE)
RELAYS = [{"principal": "NT AUTHORITY\\ANONYMOUS LOGON", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}]
ANYBODY = {"bindings": ["0.0.0.0:25"], "permission_groups": ["AnonymousUsers"]}
BUILT_IN = {"name": "Default relay", **ANYBODY, "remote_ip_ranges": ["0.0.0.0/0", "::/0"]}
SCANNER = {"name": "Scanner relay", **ANYBODY, "remote_ip_ranges": ["10.0.0.11-10.0.0.12"], "extended_rights": RELAYS}
CLIENT = {"name": "Client relay", "bindings": ["0.0.0.0:587"], "remote_ip_ranges": ["0.0.0.0/0"]}
DOMAINS = [{"name": name, "next_hop": "mailbox.example.com:25"} for name in ("example.com", "example.org")]
AFTER_TLS = ["Tls", "BasicAuth", "BasicAuthRequireTLS"]
BEYOND = {"name": "Scanner relay", "remote_ip_ranges": {"add": ["10.0.0.13"]}}


class Server:
    """Collects what modules say."""

    def __init__(self, directory: Path, connectors: list[dict[str, Any]]) -> None:
        self._run = Runner(directory)
        self.said: list[str] = []
        self.settings(name="relay", fqdn="relay.example.com")
        write_store(str(directory), merge(State(), Options(connectors, DOMAINS)))

    def __call__(self, module: str, *, check: bool = True, **options: Any) -> None:
        try:
            self.said += self._run(module, check=check, **options)["warnings"]
        except ModuleFailed as error:
            self.said.append(str(error))

    def connector(self, name: str, *, check: bool = True, consents: tuple[str, ...] = (), **options: Any) -> None:
        self("receive_connectors", check=check, connectors=[{"name": name, **options}], **dict.fromkeys(consents, True))

    def settings(self, **options: Any) -> None:
        self("relay_settings", check=False, **options)


def expired(folder: Path) -> dict[str, Any]:
    """Options that name a certificate whose days are over."""
    day = datetime.datetime(2020, 1, 31, tzinfo=datetime.UTC)
    leaf = trustme.CA().issue_cert("relay.example.com", not_before=day, not_after=day + datetime.timedelta(90))
    leaf.cert_chain_pems[0].write_to_path(str(folder / "relay.crt"))
    leaf.private_key_pem.write_to_path(str(folder / "relay.key"))
    return {"tls_certificate_file": str(folder / "relay.crt"), "tls_key_file": str(folder / "relay.key")}


def opens(server: Server) -> None:
    scanner, built_in = "Scanner relay", "Default relay"
    server.connector(scanner, remote_ip_ranges=["10.0.0.0/16"])
    server.connector(scanner, remote_ip_ranges=["11.0.0.0/29"])
    server.connector(scanner, remote_ip_ranges=["fd00::/126"], bindings=["[::]:25"])
    server("accepted_domains", accepted_domains=[{"name": "*.com", "type": "InternalRelay", "next_hop": "hop:25"}])
    narrow = {"remote_ip_ranges": ["10.0.0.0/25"], "extended_rights": RELAYS}
    server.connector(built_in, consents=("allow_inbound_loss",), **narrow)
    server.connector(scanner, check=False, consents=("allow_open_relay",), remote_ip_ranges=["10.0.0.0/16"])
    server.connector(scanner, check=False, remote_ip_ranges=["10.0.0.0/17"])
    server.connector(scanner, check=False, remote_ip_ranges=SCANNER["remote_ip_ranges"])


def loses(server: Server) -> None:
    server.connector("Default relay", bindings=["0.0.0.0:2525"])
    server.connector("Partner", bindings=["0.0.0.0:25"], remote_ip_ranges=["11.0.0.0/24"])
    server.connector("Default relay", state="absent")
    server.connector("Default relay", enabled=False)


def certifies(server: Server, certificate: dict[str, str]) -> None:
    server.connector("Client relay", auth_mechanism=AFTER_TLS, **certificate)
    consents = ("allow_expired_certificate",)
    server.connector("Client relay", consents=consents, auth_mechanism=AFTER_TLS[:2], **certificate)


def limits(server: Server) -> None:
    server.settings(shared_sources=["10.0.0.250"], max_relay_addresses=20)
    server.connector("Scanner relay", remote_ip_ranges={"add": ["10.0.0.250"]})
    server("receive_connectors", connectors=[BEYOND], max_relay_addresses=50)
    server.settings(shared_sources=[], max_relay_addresses=40)
    server.settings(max_relay_addresses=1)


def doubtful() -> list[str]:
    """No bundled relay has such entries: what the guard says of a state that has them."""
    rights = [{"principal": "Everyone", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}]
    perhaps = {**SCANNER, "remote_ip_ranges": ["10.0.0.0/16"], "extended_rights": rights}
    state = merge(State(), Options([BUILT_IN, perhaps], DOMAINS))
    return guard(Reading(state, ServiceFacts(False, False), EVERYTHING), state, Limits())


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("guard")
    exact = {**BUILT_IN, "bindings": ["0.0.0.0:25", "192.0.2.25:25"]}
    lists = [BUILT_IN, SCANNER, CLIENT], [BUILT_IN], [exact, {**SCANNER, "remote_ip_ranges": ["10.0.0.11"]}]
    full, bare, shadowing = (Server(tmp_path_factory.mktemp("relay"), connectors) for connectors in lists)
    opens(full)
    loses(bare)
    certifies(full, expired(folder))
    limits(full)
    shadowing.connector("Scanner relay", comment="a copier")
    said = full.said + bare.said + shadowing.said + doubtful()
    return {text.replace(str(folder), "/etc/ssl") for text in said}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_the_page_is_what_is_said(message: str, said: set[str]) -> None:
    """Line by line, or one message over several lines."""
    lines = message.splitlines()
    assert " ".join(lines) in said or set(lines) <= said, sorted(said)


def test_the_page_has_messages() -> None:
    assert len(MESSAGES) > 15
