# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backend cannot express is refused, but for what it always does anyway."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.backend import AiosmtpdBackend
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.options import CAPABILITIES, FIXED, OPTIONS
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import CapabilityError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    CONNECTOR_PROPERTIES,
    render_item,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import render_value
from ansible_collections.mailops.relay.plugins.module_utils._engine.capabilities import within_capabilities
from ansible_collections.mailops.relay.plugins.module_utils._engine.converge import converge
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.memory_backend import EVERYTHING, MemoryBackend
from support.modules import write_settings

ROWS = {row.option: row for row in CONNECTOR_PROPERTIES}
NOWHERE = {
    "max_header_size": "64KB",
    "auth_tarpit_interval": "00:00:05",
    "max_acknowledgement_delay": "00:00:30",
    "transport_role": "FrontendTransport",
}
PLAIN: dict[str, Any] = {"name": "A", "bindings": ["127.0.0.1:2525"], "remote_ip_ranges": ["127.0.0.11"]}
BACKEND = AiosmtpdBackend("/nowhere")


def wanted(actual: State, **options: Any) -> State:
    state = within_capabilities(
        "aiosmtpd", CAPABILITIES, actual, merge(actual, Options(connectors=[{**PLAIN, **options}]))
    )
    for conflict in BACKEND.validate(state, actual):
        raise conflict.error()
    return state


def test_every_option_is_expressed_or_fixed_or_refused() -> None:
    parts = [set(OPTIONS), set(FIXED), set(NOWHERE)]
    assert set.union(*parts) == set(ROWS)
    assert sum(len(part) for part in parts) == len(ROWS)


def test_what_is_not_expressed_is_not_there_before_the_task() -> None:
    assert {option for option in ROWS if getattr(Connector("A"), option) is None} == {*FIXED, *NOWHERE}


@pytest.mark.parametrize("option", FIXED)
def test_what_the_backend_always_does_may_be_said_and_changes_nothing(option: str, tmp_path: Path) -> None:
    write_settings(tmp_path)
    backend = AiosmtpdBackend(str(tmp_path))
    value = render_value(ROWS[option], FIXED[option])
    said = Options(connectors=[{**PLAIN, option: value}])
    first = converge(backend, said, check=False, limits=Limits())
    assert first.changed
    assert option not in render_item(first.after.connectors[0])
    assert not converge(backend, said, check=False, limits=Limits()).changed
    assert not converge(backend, Options(connectors=[PLAIN]), check=False, limits=Limits()).changed


OTHER: dict[str, Any] = {
    "size_enabled": "Disabled",
    "extended_protection_policy": "Allow",
    "tls_certificate_name": "<I>CN=a<S>CN=b",
    "tls_domain_capabilities": ["a.test:AcceptOorgProtocol"],
    "service_discovery_fqdn": "find.corp.test",
    "default_domain": "corp.test",
    "max_hop_count": "49",
    "max_local_hop_count": "5",
    "max_logon_failures": "0",
    "max_inbound_connection_percentage_per_source": "2",
    "message_rate_limit": "5",
    "message_rate_source": ["User"],
    "protocol_logging_level": "Verbose",
    **{option: not value for option, value in FIXED.items() if isinstance(value, bool)},
}


@pytest.mark.parametrize("option", FIXED)
def test_any_other_value_is_refused_and_the_fixed_one_named(option: str) -> None:
    tls = {"auth_mechanism": ["Tls"], "tls_certificate_file": "/x", "tls_key_file": "/x"}
    with pytest.raises(CapabilityError) as caught:
        wanted(State(), **tls, **{option: OTHER[option]})
    assert str(caught.value).startswith(f"connector 'A', {option}: backend aiosmtpd cannot express this, got ")
    assert f"Leave it out. On this backend {option} is always " in str(caught.value)


@pytest.mark.parametrize("option", NOWHERE)
def test_what_the_backend_does_not_have_is_refused(option: str) -> None:
    says = f"connector 'A', {option}: backend aiosmtpd cannot express this, got '{NOWHERE[option]}'. Leave it out."
    with pytest.raises(CapabilityError, match=re.escape(says) + "$"):
        wanted(State(), **{option: NOWHERE[option]})


def test_one_error_names_all_of_them() -> None:
    says = (
        "connector 'A', max_header_size, chunking_enabled: backend aiosmtpd cannot express this, "
        "got {'max_header_size': '64KB', 'chunking_enabled': True}. "
        "Leave them out. On this backend chunking_enabled is always false."
    )
    with pytest.raises(CapabilityError, match=re.escape(says)):
        wanted(State(), max_header_size="64KB", chunking_enabled=True, orar_enabled=False)


def test_nothing_is_touched(tmp_path: Path) -> None:
    write_settings(tmp_path)
    before = (tmp_path / "store.json").read_bytes()
    entries = [{**PLAIN, "name": "B", "remote_ip_ranges": ["127.0.0.12"]}, {**PLAIN, "max_header_size": "64KB"}]
    with pytest.raises(CapabilityError):
        converge(AiosmtpdBackend(str(tmp_path)), Options(connectors=entries), check=False, limits=Limits())
    assert (tmp_path / "store.json").read_bytes() == before


def test_what_is_there_stays_though_it_cannot_be_expressed() -> None:
    there = merge(State(), Options(connectors=[PLAIN]))
    there = State((replace(there.connectors[0], max_header_size=65536, chunking_enabled=True),))
    assert wanted(there) == there
    assert wanted(there, max_header_size="64KB", chunking_enabled=False) == there
    changed = wanted(there, comment="new")
    assert changed == State((replace(there.connectors[0], comment="new"),))
    with pytest.raises(CapabilityError, match="connector 'A', max_header_size: "):
        wanted(there, max_header_size="65KB")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"auth_mechanism": "Tls"},
            "connector 'A', tls_certificate_file: backend aiosmtpd needs a certificate for TLS",
        ),
        ({"auth_mechanism": "Integrated"}, "cannot express this, got 'Integrated'. It knows BasicAuth, "),
        ({"permission_groups": "Partners"}, "permission_groups: backend aiosmtpd cannot express this, got 'Partners'"),
    ],
)
def test_what_a_backend_lacks_is_refused_by_name(options: dict[str, Any], says: str) -> None:
    with pytest.raises(CapabilityError, match=re.escape(says)):
        wanted(State(), **options)


def test_a_backend_that_keeps_certificates_elsewhere_needs_no_file() -> None:
    state = merge(State(), Options(connectors=[{**PLAIN, "auth_mechanism": "Tls"}]))
    assert within_capabilities("memory", EVERYTHING, State(), state) == state
    assert MemoryBackend().validate(state, State()) == []


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ({"name": "corp.test"}, "accepted domain 'corp.test', next_hop: backend aiosmtpd stores no mail"),
        ({"name": "*", "next_hop": "192.0.2.1:25"}, "accepted domain '*': backend aiosmtpd has no accepted domain for"),
    ],
)
def test_domains_that_the_relay_cannot_serve(domain: dict[str, Any], says: str) -> None:
    with pytest.raises(CapabilityError, match=re.escape(says)):
        converge(BACKEND, Options(accepted_domains=[domain]), check=True, limits=Limits(allow_open_relay=True))
