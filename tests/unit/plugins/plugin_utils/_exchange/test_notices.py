# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import AddressRange, parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.odd import Odd
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import ask
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.notices import notices
from support import exchange as x
from support.odd_values import holding
from support.planning import SCAN, connector

RELAY = replace(SCAN, remote_ip_ranges=tuple(parse_range(text, "x") for text in ("10.0.0.0/28", "fd00::5")))


def ranges(*texts: str) -> list[AddressRange]:
    return [parse_range(text, "x") for text in texts]


def said(item: Connector = RELAY, **facts: Any) -> list[str]:
    return notices(State((item,)), **facts)


def test_a_plain_server_gives_none() -> None:
    state = State((connector("Default", "0.0.0.0/0"), RELAY))
    others = {"EX2": ranges("10.0.0.16")}
    assert notices(state) == []
    assert notices(state, ranges("10.0.0.16", "fd00::6"), others, ranges("10.0.1.1")) == []


def test_the_server_itself_in_a_relay_range() -> None:
    assert said(own_addresses=ranges("10.0.0.9", "fd00::5", "192.0.2.1")) == [
        "Connector 'Scan' lets the server's own address relay (10.0.0.9, fd00::5): whatever runs on the server may "
        "send anywhere."
    ]


def test_another_exchange_server_in_a_relay_range() -> None:
    others = {"EX3": ranges("10.0.0.3"), "EX2": ranges("10.0.0.2", "192.0.2.1"), "EX4": ranges("192.0.2.4")}
    found = said(other_servers=others)
    assert [text.partition(":")[0] for text in found] == [
        "Connector 'Scan' lets the Exchange server 'EX2' relay (10.0.0.2)",
        "Connector 'Scan' lets the Exchange server 'EX3' relay (10.0.0.3)",
    ]
    assert "5.7.3" in found[0]


def test_a_shared_source_in_a_relay_range() -> None:
    assert said(shared_sources=ranges("10.0.0.8-10.0.0.99")) == [
        "Connector 'Scan' lets addresses relay that many clients arrive from (10.0.0.8/29): each of them may send "
        "anywhere."
    ]


@pytest.mark.parametrize("change", [{"enabled": False}, {"extended_rights": ()}, {"permission_groups": ()}])
def test_only_connectors_that_relay_without_auth_count(change: dict[str, Any]) -> None:
    everything = ranges("0.0.0.0/0")
    facts: dict[str, Any] = {
        "own_addresses": everything,
        "other_servers": {"EX2": everything},
        "shared_sources": everything,
    }
    assert len(said(**facts)) == 3
    assert said(replace(RELAY, **change), **facts) == []


def test_who_is_trusted_by_address_relays_too() -> None:
    trusted = replace(
        RELAY, auth_mechanism=("ExternalAuthoritative",), permission_groups=("ExchangeServers",), extended_rights=()
    )
    assert len(said(trusted, own_addresses=ranges("10.0.0.1"))) == 1


def test_two_roles_on_one_port_are_said_once_for_each_port() -> None:
    front = replace(connector("Front", "0.0.0.0/0"), transport_role="FrontendTransport")
    both = tuple(item._replace(port=port) for item in front.bindings for port in (25, 26))
    front, hub = replace(front, bindings=both), replace(RELAY, bindings=both, transport_role="HubTransport")
    found = notices(State((front, hub)))
    assert [text.partition(".")[0] for text in found] == [
        f"Connectors 'Front' (FrontendTransport) and 'Scan' (HubTransport) are both bound to port {port}"
        for port in (25, 26)
    ]


def test_an_fqdn_with_an_underscore_has_a_sentence_of_its_own() -> None:
    odd = holding(RELAY, fqdn=Odd("mail_relay.corp.test"), banner=Odd("x"))
    found = notices(State((replace(odd, name="A", banner=""), odd)))
    assert found == [
        "The server holds values that cannot be read: connector 'Scan', banner: 'x'. They are kept as they are, and "
        "compared only with a task that sets the same option.",
        "An fqdn with an underscore is no host name: 'mail_relay.corp.test' of connector 'A', 'mail_relay.corp.test' "
        "of connector 'Scan'. Exchange takes it; other servers may refuse the name, and no certificate holds it.",
    ]
    assert "fqdn: 'a b_c'" in said(holding(RELAY, fqdn=Odd("a b_c")))[0]


def test_they_are_warnings_of_a_read() -> None:
    row = {"Fqdn": "mail_relay.corp.test"}
    rows = [
        {**dict(zip(table["columns"], table["rows"][0], strict=True)), **row}
        for table in x.unpacked(x.answers([x.SCAN]))["answers"]
        if table["id"] == "connectors"
    ]
    result = x.info(ask(lambda _arguments: x.answers([x.SCAN], connectors=x.table("connectors", rows)), "remote"))
    assert [text.partition(":")[0] for text in result["warnings"]] == ["An fqdn with an underscore is no host name"]
    assert result["connectors"][0]["unvalidated"] == ["fqdn"]
