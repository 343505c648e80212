# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_binding, parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector, State
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import (
    Create,
    Delete,
    Enable,
    RemoveDomain,
    Set,
    apply_operation,
    describe,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from support.strategies import states

RELAY = ExtendedRight(ANONYMOUS, ANY_RECIPIENT)
SCAN = Connector(
    "Scan", True, (parse_binding("0.0.0.0:25", "x"),), (parse_range("10.0.0.1", "x"),), ("AnonymousUsers",), (RELAY,)
)


def lines(actual: State, wanted: State) -> list[str]:
    return [describe(operation) for operation in plan(actual, wanted)]


@given(states())
def test_nothing_to_do(state: State) -> None:
    assert plan(state, state) == []


@given(states(), states())
def test_the_plan_leads_there(actual: State, wanted: State) -> None:
    assert reduce(apply_operation, plan(actual, wanted), actual) == wanted


@given(states(), states())
def test_every_operation_does_something(actual: State, wanted: State) -> None:
    state = actual
    for operation in plan(actual, wanted):
        after = apply_operation(state, operation)
        assert after != state
        state = after


def test_a_connector_is_created_disabled_and_enabled_last() -> None:
    assert lines(State(), State((SCAN,))) == [
        'create connector "Scan" bindings=["0.0.0.0:25"] remote_ip_ranges=["10.0.0.1"] '
        'permission_groups=["AnonymousUsers"] '
        'fqdn="" banner="" max_message_size="36MB" comment="" auth_mechanism=[] require_tls=false implicit_tls=false '
        'tls_certificate_file="" tls_key_file="" max_recipients_per_message="200" max_inbound_connection="5000" '
        'max_inbound_connection_per_source="20" max_protocol_errors="5" connection_timeout="00:10:00" '
        'connection_inactivity_timeout="00:05:00" tarpit_interval="00:00:00" allowed_senders=[] allowed_recipients=[]',
        'grant connector "Scan" allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient',
        'enable connector "Scan"',
    ]
    assert not apply_operation(State(), plan(State(), State((SCAN,)))[0]).connectors[0].enabled


def test_what_closes_comes_before_what_opens() -> None:
    deny = ExtendedRight(ANONYMOUS, SUBMIT, deny=True)
    closing = replace(SCAN, extended_rights=(deny,))
    opening = replace(SCAN, name="Other", bindings=(parse_binding("0.0.0.0:26", "x"),), extended_rights=())
    actual = State((opening, SCAN), (AcceptedDomain("old.test"),))
    wanted = State((replace(opening, extended_rights=(RELAY,), comment="x\ny"), closing), (AcceptedDomain("new.test"),))
    assert lines(actual, wanted) == [
        'set accepted domain "new.test" type="Authoritative" next_hop=""',
        'grant connector "Scan" deny NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Submit',
        'revoke connector "Scan" allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient',
        'set connector "Other" comment="x\\ny"',
        'grant connector "Other" allow NT AUTHORITY\\ANONYMOUS LOGON ms-Exch-SMTP-Accept-Any-Recipient',
        'remove accepted domain "old.test"',
    ]
    assert lines(State((SCAN,)), State()) == ['delete connector "Scan"']
    assert lines(State((SCAN,)), State((replace(SCAN, enabled=False),))) == ['disable connector "Scan"']


@pytest.mark.parametrize(
    "operation", [Set("gone", ()), Enable("gone"), Delete("gone"), RemoveDomain("gone"), Create(SCAN)]
)
def test_an_operation_on_what_is_not_there_fails(operation: object) -> None:
    with pytest.raises(KeyError):
        apply_operation(State((SCAN,)), operation)  # type: ignore[arg-type]
