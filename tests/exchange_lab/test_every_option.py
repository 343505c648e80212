# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that can be set, on a connector of its own: check, apply, again, undo. Each version in one list task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import CONNECTOR_PROPERTIES
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.capabilities import capabilities
from exchange_lab import state as lab
from exchange_lab.direct import Direct, direct
from support.scale import SCALE

pytestmark = pytest.mark.timeout(900)
ANONYMOUS = "NT AUTHORITY\\ANONYMOUS LOGON"
OFTEN, SELDOM = ("2016",), ("2013", "2010", "2019", "SE", "Edge")
NUMBERS = {
    "2010": "Version 14.3 (Build 123.4)",
    "2013": "Version 15.0 (Build 1497.2)",
}
VALUES: dict[str, Any] = {
    "enabled": False,
    "bindings": ["0.0.0.0:2600"],
    "remote_ip_ranges": ["10.99.0.1", "10.99.1.0/28"],
    "permission_groups": ["AnonymousUsers", "Partners"],
    "extended_rights": [{"principal": ANONYMOUS, "right": "ms-Exch-SMTP-Accept-Any-Recipient", "deny": False}],
    "removed_rights": [{"principal": ANONYMOUS, "right": "ms-Exch-SMTP-Accept-Any-Sender", "deny": False}],
    "fqdn": "other.corp.test",
    "banner": '220 it\'s "us" $(x) `y`',
    "max_message_size": "65KB",
    "comment": "it's \u201cquoted\u201d\n$(Remove-Item x)",
    "auth_mechanism": ["Tls", "BasicAuth", "BasicAuthRequireTLS"],
    "require_tls": True,
    "max_recipients_per_message": 7,
    "max_inbound_connection": "unlimited",
    "max_inbound_connection_per_source": 3,
    "max_protocol_errors": 9,
    "connection_timeout": "00:10:01",
    "connection_inactivity_timeout": 299,
    "tarpit_interval": 6,
    "transport_role": "HubTransport",
    "domain_secure_enabled": True,
    "extended_protection_policy": "Allow",
    "tls_certificate_name": "<I>CN=R3, O=Let's Encrypt<S>CN=*.corp.test",
    "tls_domain_capabilities": ["NO-TLS:AcceptCloudServicesMail"],
    "service_discovery_fqdn": "find.corp.test",
    "default_domain": "corp.test",
    "protocol_logging_level": "Verbose",
    "max_header_size": "129KB",
    "max_hop_count": 61,
    "max_local_hop_count": 6,
    "max_inbound_connection_percentage_per_source": 3,
    "message_rate_limit": 12,
    "message_rate_source": ["User"],
    "max_logon_failures": 4,
    "auth_tarpit_interval": 6,
    "max_acknowledgement_delay": 31,
    "size_enabled": "EnabledwithoutValue",
}
"""Another value than that of a new connector; of switches it is the opposite."""


ELSEWHERE = {"bindings": ["0.0.0.0:2611"], "remote_ip_ranges": ["10.98.0.1"]}
"""Of the connector that has every option."""


def server(version: str) -> lab.Data:
    return lab.edge() if version == "Edge" else lab.hub() if version == "2010" else lab.mailbox(version=version)


def options(version: str) -> dict[str, Any]:
    """Every option of this version that Exchange takes, with a value that is not the default."""
    can = capabilities(NUMBERS.get(version, "Version 15.2 (Build 1118.7)")).options
    rows = {row.option: row for row in CONNECTOR_PROPERTIES if row.option in can}
    names = [name for name, row in rows.items() if row.exchange or name in ("extended_rights", "removed_rights")]
    if version == "Edge":
        names.remove("transport_role")
    found = lab.connector(server(version), "x")["properties"]
    return {name: VALUES[name] if name in VALUES else not found[rows[name].exchange] for name in names}


def state(version: str, names: list[str]) -> lab.Data:
    """One plain connector for each option."""
    found = server(version)
    role = {"TransportRole": "FrontendTransport"} if lab.FRONTEND in found["services"] else {}
    for number, name in enumerate(names):
        values: lab.Data = {"Bindings": [f"0.0.0.0:{place(name)}"], "RemoteIPRanges": [f"10.1.{number}.1"], **role}
        found["connectors"].append(lab.connector(found, f"Set {name}", ["AnonymousUsers"], **values))
    return lab.state(found)


def place(name: str) -> int:
    """Port 25, but for what has to be alone."""
    return {"transport_role": 2610}.get(name, 25)


def task(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Each option on a connector that is there, and all of them on a new one."""
    needed = {"chunking_enabled": {"binary_mime_enabled": False}}
    entries = [{"name": f"Set {name}", name: value, **needed.get(name, {})} for name, value in wanted.items()]
    return [*entries, {"name": "Whole", **wanted, **ELSEWHERE}]


def held(engine: Direct) -> list[lab.Data]:
    """The connectors without times; entries in no order, host names in no case."""
    times = ("when_changed", "when_created")
    return [
        {key: value for key, value in item.items() if key not in times}
        | {"aces": sorted(map(str, item["aces"]))}
        | {"properties": {**item["properties"], "Fqdn": item["properties"]["Fqdn"].lower()}}
        for item in engine.server()["connectors"]
    ]


@pytest.fixture(params=[*OFTEN, *(SELDOM if SCALE > 1 else ())])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(pwsh: Path, tmp_path: Path, version: str) -> Iterator[Direct]:
    with direct(pwsh, tmp_path, state(version, list(options(version)))) as running:
        yield running


def test_every_option(engine: Direct, version: str) -> None:
    """Written to a connector that is there, and with all others to a new one."""
    wanted = options(version)
    entries = task(wanted)
    first = held(engine)
    before = lab.read(engine.state)
    predicted = engine.connectors(*entries, check=True, allow_inbound_loss=True)
    assert predicted["changed"]
    assert (lab.read(engine.state), len(engine.executions)) == (before, 1)
    done = engine.connectors(*entries, allow_inbound_loss=True)
    assert len(engine.executions) == 3
    assert done["after"] == predicted["after"]
    again = engine.connectors(*entries, allow_inbound_loss=True)
    assert (again["changed"], len(engine.executions)) == (False, 4)
    after = {item["name"]: item for item in again["after"]}
    for name in wanted.keys() - ELSEWHERE.keys():
        assert after[f"Set {name}"][name] == after["Whole"][name], name
    engine.use({**lab.read(engine.state), "history": []})  # which the lab writes again with every call
    undone = engine.connectors(*done["before"], allow_inbound_loss=True)
    assert (undone["changed"], len(engine.executions)) == (True, 2)
    assert held(engine) == first


def test_no_option_is_left_out() -> None:
    """Whatever Exchange takes is in the task of some version."""
    everywhere = {row.option for row in CONNECTOR_PROPERTIES if row.exchange}
    assert everywhere | {"extended_rights", "removed_rights"} == {*options("SE")}
