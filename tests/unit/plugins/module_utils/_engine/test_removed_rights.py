# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of permission groups that somebody took away: merged, planned, read back."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.options import CAPABILITIES
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    CapabilityError,
    Conflict,
    ConflictError,
    UnknownRightsError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import render_item
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHORITATIVE_SENDER,
    EXTERNALLY_SECURED,
    HEADERS_ROUTING,
    HUB_SERVERS,
    SUBMIT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import ApplyError, Change, Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.capabilities import within_capabilities
from ansible_collections.mailops.relay.plugins.module_utils._engine.converge import Outcome, converge
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import (
    Grant,
    Operation,
    Revoke,
    Set,
    apply_operation,
    describe,
    title,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.memory_backend import MemoryBackend
from support.planning import EVERYBODY, RELAY, SCAN, connector
from support.strategies import changes, random_state

SENDER = ExtendedRight(ANONYMOUS, AUTHORITATIVE_SENDER)
NO_SUBMIT = ExtendedRight(ANONYMOUS, SUBMIT)
SPOOFED = {"principal": "S-1-5-7", "right": AUTHORITATIVE_SENDER}
A: dict[str, Any] = {
    "name": "A",
    "bindings": ["127.0.0.1:25"],
    "remote_ip_ranges": ["127.0.0.11"],
    "permission_groups": ["AnonymousUsers"],
}


def merged(state: State, **options: Any) -> Connector:
    return merge(state, Options(connectors=[{"name": "A", **options}])).connectors[0]


def run(backend: MemoryBackend, *connectors: dict[str, Any]) -> Outcome:
    limits = Limits(allow_inbound_loss=True)
    return converge(backend, Options(connectors=connectors), check=False, limits=limits)


def commands(before: Connector, after: Connector) -> list[str]:
    return [describe(operation) for operation in plan(State((before,)), State((after,))).operations]


# -- merge -------------------------------------------------------------------------------------------------------------

BARE = merge(State(), Options(connectors=[A]))


def test_what_a_group_grants_and_is_not_there_does_not_count() -> None:
    found = merged(BARE, removed_rights=[SPOOFED])
    assert found.removed_rights == (SENDER,)
    assert found.anonymous_rights == BARE.connectors[0].anonymous_rights - {AUTHORITATIVE_SENDER}


def test_a_list_form_changes_what_is_removed() -> None:
    one = State((merged(BARE, removed_rights=[SPOOFED]),))
    two = State((merged(one, removed_rights={"add": [{**SPOOFED, "right": ANY_SENDER}]}),))
    assert two.connectors[0].removed_rights == tuple(sorted((SENDER, SENDER._replace(right=ANY_SENDER))))
    assert merged(two, removed_rights={"remove": [SPOOFED]}).removed_rights == (SENDER._replace(right=ANY_SENDER),)
    assert merged(two, comment="x").removed_rights == two.connectors[0].removed_rights
    assert merged(two, removed_rights=[]) == BARE.connectors[0]


def test_what_no_group_grants_cannot_be_missing() -> None:
    assert merged(BARE, removed_rights=[{**SPOOFED, "right": ANY_RECIPIENT}]) == BARE.connectors[0]
    one = State((merged(BARE, removed_rights=[SPOOFED]),))
    assert merged(one, permission_groups=[]).removed_rights == ()


def test_what_is_to_be_removed_is_no_extended_right_any_more() -> None:
    """Whatever the rest of the list, the task asks for it to be gone."""
    relaying = State((merged(BARE, extended_rights=[{**SPOOFED, "right": ANY_RECIPIENT}]),))
    assert merged(relaying, removed_rights=[{**SPOOFED, "right": ANY_RECIPIENT}]).extended_rights == ()
    single = State((merged(BARE, permission_groups=[], extended_rights=[SPOOFED]),))
    again = merged(single, permission_groups=["AnonymousUsers"], removed_rights=[SPOOFED])
    assert (again.extended_rights, again.removed_rights) == ((), (SENDER,))


def test_what_is_asked_for_is_not_removed_any_more() -> None:
    one = State((merged(BARE, removed_rights=[SPOOFED]),))
    for form in ([SPOOFED], {"add": [SPOOFED]}, {"set": [SPOOFED]}):
        assert merged(one, extended_rights=form) == BARE.connectors[0]
    assert merged(one, extended_rights={"remove": [SPOOFED]}) == one.connectors[0]


def test_an_entry_cannot_be_asked_for_and_removed() -> None:
    told = r"connector 'A', removed_rights \(allow .*Sender\): the same entry is in extended_rights. Keep it in one"
    with pytest.raises(ConflictError, match=told):
        merged(BARE, extended_rights={"add": [SPOOFED]}, removed_rights=[SPOOFED])


def test_the_same_entries_in_other_words_are_no_change() -> None:
    rights = [{**SPOOFED, "right": right} for right in (SUBMIT, ANY_SENDER, HEADERS_ROUTING)]
    single = State((merged(BARE, permission_groups=[], extended_rights=rights),))
    same = merged(single, permission_groups=["AnonymousUsers"], extended_rights=[], removed_rights=[SPOOFED])
    assert same == single.connectors[0]
    assert merged(single, permission_groups=["AnonymousUsers"], extended_rights=[]) != single.connectors[0]


def test_what_nobody_let_us_read_is_not_removed() -> None:
    unknown = State((replace(BARE.connectors[0], extended_rights=None),))
    with pytest.raises(UnknownRightsError, match="connectors 'A'"):
        merged(unknown, removed_rights=[SPOOFED])
    assert "removed_rights" not in render_item(unknown.connectors[0])


def test_what_stays_granted_by_full_control_is_not_said_to_be_removed() -> None:
    held = replace(BARE.connectors[0], full_control=(ExtendedRight(ANONYMOUS, "GenericAll"),))
    assert {SUBMIT, ANY_RECIPIENT} <= held.anonymous_rights
    told = r"it would stay granted: NT AUTHORITY\\ANONYMOUS LOGON has GenericAll on the connector, which .* never"
    with pytest.raises(ConflictError, match=told):
        merged(State((held,)), removed_rights=[SPOOFED])
    with pytest.raises(ConflictError, match=told):
        merged(State((held,)), extended_rights={"remove": [{**SPOOFED, "right": ANY_RECIPIENT}]})
    assert merged(State((held,)), removed_rights=[], comment="x").comment == "x"


def test_a_new_connector_has_what_it_would_inherit() -> None:
    above = State(template=Connector("", inherited_rights=(RELAY,)))
    found = merge(above, Options(connectors=[A]))
    assert found.connectors[0].inherited_rights == (RELAY,)
    assert found.policy.surface
    assert merge(found, Options(connectors=[{"name": "A", "comment": "x"}])).template.inherited_rights == (RELAY,)


# -- operations --------------------------------------------------------------------------------------------------------


def after(before: Connector, *operations: Operation) -> Connector:
    state = State((before,))
    for operation in operations:
        state = apply_operation(state, operation)
    return state.connectors[0]


def test_new_groups_bring_all_their_entries() -> None:
    less = replace(SCAN, removed_rights=(NO_SUBMIT, SENDER))
    both = ("AnonymousUsers", "ExchangeUsers")
    for groups in (both, ("AnonymousUsers",)):
        assert after(less, Set("Scan", (("permission_groups", groups),))) == replace(SCAN, permission_groups=groups)
    assert after(less, Set("Scan", (("comment", "x"),))) == replace(less, comment="x")


def test_an_entry_of_a_group_is_revoked_and_granted_again() -> None:
    less = after(SCAN, Revoke("Scan", SENDER))
    assert less == replace(SCAN, removed_rights=(SENDER,))
    assert after(less, Grant("Scan", SENDER)) == after(less, Grant("Scan", SENDER), Grant("Scan", SENDER)) == SCAN
    assert after(SCAN, Revoke("Scan", RELAY)) == replace(SCAN, extended_rights=())


# -- plan --------------------------------------------------------------------------------------------------------------


def test_where_only_entries_differ_nothing_is_set() -> None:
    less = replace(SCAN, removed_rights=(SENDER,))
    assert commands(SCAN, less) == [f'revoke connector "Scan" {SENDER}']
    assert commands(less, SCAN) == [f'grant connector "Scan" {SENDER}']


def test_a_change_of_groups_with_removed_entries_sets_and_then_revokes() -> None:
    inbound = replace(EVERYBODY, removed_rights=(SENDER,))
    wider = replace(inbound, permission_groups=("AnonymousUsers", "ExchangeUsers"))
    assert commands(inbound, wider) == [
        'set connector "Default" permission_groups=["AnonymousUsers", "ExchangeUsers"]',
        f'revoke connector "Default" {SENDER}',
    ]


def test_a_new_connector_loses_its_entries_before_it_is_enabled() -> None:
    planned = plan(State(), State((replace(SCAN, removed_rights=(SENDER,)),))).operations
    assert [title(item).split()[0] for item in planned] == ["create", "revoke", "grant", "enable"]


def test_what_would_relay_while_groups_are_set_does_not_relay_meanwhile() -> None:
    """It may send to anybody, but may not submit, and new groups bring that right for a moment."""
    held = replace(SCAN, removed_rights=(NO_SUBMIT,))
    planned = plan(State((held,)), State((replace(held, permission_groups=("AnonymousUsers", "ExchangeUsers")),)))
    assert [title(operation) for operation in planned.operations] == [
        'revoke connector "Scan"',
        'set connector "Scan"',
        'revoke connector "Scan"',
        'grant connector "Scan"',
    ]
    assert planned.operations[0] == Revoke("Scan", RELAY)
    assert planned.warnings == ()


def test_a_trusted_server_that_may_not_relay_does_not_while_it_becomes_one() -> None:
    trusted = ExtendedRight(EXTERNALLY_SECURED, ANY_RECIPIENT)
    wanted = replace(
        connector("Partner", "10.0.0.1"),
        permission_groups=("AnonymousUsers", "ExchangeServers"),
        auth_mechanism=("ExternalAuthoritative",),
        removed_rights=(trusted,),
    )
    planned = plan(State((connector("Partner", "10.0.0.1"),)), State((wanted,)))
    assert [describe(operation).partition(" connector")[0] for operation in planned.operations] == [
        "grant",
        "set",
        "revoke",
        "revoke",
    ]
    assert planned.operations[0] == Grant("Partner", trusted._replace(deny=True))


def test_where_nothing_else_is_safe_the_connector_is_disabled_meanwhile() -> None:
    held = replace(SCAN, removed_rights=(NO_SUBMIT,))
    wanted = replace(held, permission_groups=("AnonymousUsers", "ExchangeUsers"))

    def no_revoke(state: State, before: State) -> list[Conflict]:
        """A server that never lets the right go while the connector is enabled."""
        found = (item for item in state.connectors if item.enabled and item.extended_rights != (RELAY,))
        return [Conflict("x", item.name, "y") for item in found]

    planned = plan(State((held,)), State((wanted,)), validate=no_revoke)
    assert [title(item).split()[0] for item in planned.operations] == ["disable", "set", "revoke", "enable"]


def test_random_states_have_removed_entries() -> None:
    found = [item for seed in range(50) for item in random_state(random.Random(seed)).connectors if item.removed_rights]
    assert len(found) > 10


@given(changes())
def test_the_words_of_a_state_do_not_matter(pair: tuple[State, State]) -> None:
    """Merged with the options of another state it has the entries of that."""
    actual, wanted = pair
    options = [render_item(item) for item in wanted.connectors]
    found = merge(replace(actual, accepted_domains=wanted.accepted_domains), Options(connectors=options, purge=True))
    assert [item.own_entries for item in found.connectors] == [item.own_entries for item in wanted.connectors]
    assert merge(found, Options(connectors=options, purge=True)) == found


# -- capabilities and reading back -------------------------------------------------------------------------------------


def test_the_bundled_relay_acts_on_four_rights() -> None:
    for right in (SUBMIT, ANY_SENDER, AUTHORITATIVE_SENDER):
        less = replace(BARE, connectors=(merged(BARE, removed_rights=[{**SPOOFED, "right": right}]),))
        assert within_capabilities("aiosmtpd", CAPABILITIES, BARE, less) == less
    routing = replace(BARE, connectors=(merged(BARE, removed_rights=[{**SPOOFED, "right": HEADERS_ROUTING}]),))
    with pytest.raises(CapabilityError, match=r"connector 'A', removed_rights: backend aiosmtpd cannot express this"):
        within_capabilities("aiosmtpd", CAPABILITIES, BARE, routing)


class Printing(MemoryBackend):
    """Reads back the same entries in other words, and not all entries of servers."""

    lost: tuple[ExtendedRight, ...] = ()

    def read(self) -> Reading:
        found = super().read()
        connectors = tuple(map(self._in_other_words, found.state.connectors))
        return replace(found, state=replace(found.state, connectors=connectors))

    def _in_other_words(self, item: Connector) -> Connector:
        entries = tuple(sorted(item.own_entries - set(self.lost)))
        return replace(item, permission_groups=(), extended_rights=entries, removed_rights=())


def test_other_words_for_the_same_entries_are_no_difference() -> None:
    backend = Printing()
    assert run(backend, {**A, "removed_rights": [SPOOFED]}).changed
    assert not run(backend, {**A, "removed_rights": [SPOOFED]}).changed
    assert run(backend, A).changed


def test_entries_of_servers_may_be_fewer_and_others_may_not() -> None:
    backend = Printing()
    backend.lost = (ExtendedRight(HUB_SERVERS, SUBMIT),)
    run(backend, {**A, "permission_groups": ["AnonymousUsers", "ExchangeServers"]})
    backend.lost = (NO_SUBMIT,)
    with pytest.raises(ApplyError, match="reads back differently"):
        run(backend, {**A, "name": "B", "bindings": ["127.0.0.1:26"]})


class Inheriting(MemoryBackend):
    """Where new connectors inherit less than others, or more."""

    above: tuple[ExtendedRight, ...] = ()

    def apply(self, change: Change) -> Reading:
        super().apply(change)
        new = self.state.connectors[-1]
        self.state = State((*self.state.connectors[:-1], replace(new, inherited_rights=self.above)))
        return self.read()


def test_a_new_connector_may_inherit_less_than_was_expected_and_not_more() -> None:
    backend = Inheriting(State(template=Connector("", inherited_rights=(SENDER,))))
    assert run(backend, A).after.connectors[0].inherited_rights == ()
    backend.above = (SENDER, RELAY)
    with pytest.raises(ApplyError, match="reads back differently"):
        run(backend, {**A, "name": "B", "bindings": ["127.0.0.1:26"]})
