# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import (
    BITS,
    AddressRange,
    Binding,
    parse_binding,
    parse_range,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Peer, Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.shadow import shadow_warnings, shadows
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import oracle
from support.planning import RELAY
from support.scale import examples
from support.strategies import states


def connector(name: str, *ranges: str, bindings: tuple[str, ...] = ("0.0.0.0:25",)) -> Connector:
    return Connector(
        name=name,
        bindings=tuple(sorted(parse_binding(item, "x") for item in bindings)),
        remote_ip_ranges=tuple(sorted(parse_range(item, "x") for item in ranges)),
        permission_groups=("AnonymousUsers",),
    )


EVERYBODY = ("0.0.0.0/0", "::/0")
EXACT = ("192.0.2.1:25",)
DEFAULT = connector("Default relay", *EVERYBODY)


def test_what_the_roles_can_make_of_a_default_connector_on_an_exact_address() -> None:
    default = replace(DEFAULT, bindings=tuple(parse_binding(item, "x") for item in EXACT))
    scanner = connector("Scanner relay", "10.0.0.11")
    assert shadow_warnings(State((default, scanner))) == [
        "connector 'Scanner relay': 10.0.0.11 (1 address) is taken by connector 'Default relay' on 192.0.2.1:25, "
        "which is bound to the exact address."
    ]


def test_scanners_inside_the_range_of_everybody_are_normal() -> None:
    assert shadow_warnings(State((DEFAULT, connector("Scanner relay", "10.0.0.11", "10.0.1.0/24")))) == []


def test_equal_ranges_that_a_server_holds_are_not_said_to_be_smaller() -> None:
    same = [connector(name, "10.0.0.0/24") for name in ("One", "Two")]
    relay = replace(same[1], extended_rights=(RELAY,))
    says = "(256 addresses) are taken by connector '{}' on 0.0.0.0:25, which lists the same addresses"
    (plain,) = shadow_warnings(State((same[0], same[1])))
    (open_one,) = shadow_warnings(State((same[0], relay)))
    assert f"connector 'Two': 10.0.0.0/24 {says.format('One')} (which of them wins is not documented)." == plain
    assert f"connector 'One': 10.0.0.0/24 {says.format('Two')} (which of them wins is not documented)." == open_one


def test_smaller_ranges_that_take_a_listed_one_as_a_whole() -> None:
    halves = connector("Low", "10.0.0.0/25"), connector("High", "10.0.0.128/25")
    wide = connector("Wide", "10.0.0.0/24", "10.1.0.0/24")
    assert shadow_warnings(State((DEFAULT, *halves, wide))) == [
        "connector 'Wide': 10.0.0.0/24 (256 addresses) are taken by connectors 'High', 'Low' on 0.0.0.0:25, "
        "which have smaller ranges."
    ]
    assert shadow_warnings(State((DEFAULT, halves[0], wide))) == [], "half of it is left"
    inner = replace(wide, remote_ip_ranges=(*wide.remote_ip_ranges, parse_range("10.0.0.7", "x")))
    assert shadow_warnings(State((DEFAULT, *halves, inner))) == [], "an address of its own inside is left"


def test_smaller_ranges_on_one_exact_address() -> None:
    wide = connector("Wide", "10.0.0.0/31", bindings=EXACT)
    low, high = connector("Low", "10.0.0.0", bindings=EXACT), connector("High", "10.0.0.1", bindings=EXACT)
    assert shadow_warnings(State((wide, low, high))) == [
        "connector 'Wide': 10.0.0.0/31 (2 addresses) are taken by connectors 'High', 'Low' on 192.0.2.1:25, "
        "which have smaller ranges."
    ]
    on_the_wildcard = replace(high, bindings=DEFAULT.bindings)
    assert shadow_warnings(State((wide, low, on_the_wildcard)), {"wide"}) == [
        "connector 'High': 10.0.0.1 (1 address) is taken by connector 'Wide' on 192.0.2.1:25, "
        "which is bound to the exact address."
    ]


def test_smaller_ranges_on_the_wildcard_are_said_once_and_not_for_each_exact_binding() -> None:
    one, halves = connector("One", "10.0.0.0/31"), [connector("Low", "10.0.0.0"), connector("High", "10.0.0.1")]
    elsewhere = connector("Elsewhere", "172.16.0.1", bindings=EXACT)
    found = shadows(State((one, *halves, elsewhere)))
    assert [str(item.binding) for item in found] == ["0.0.0.0:25"]


def test_takers_by_exact_address_and_by_smaller_range() -> None:
    low, exact = connector("Low", "10.0.0.0"), connector("Exact", "10.0.0.1", bindings=EXACT)
    pair = connector("Pair", "10.0.0.0/31")
    assert shadow_warnings(State((pair, low, exact))) == [
        "connector 'Pair': 10.0.0.0/31 (2 addresses) are taken by connectors 'Exact', 'Low' on 192.0.2.1:25, "
        "which are bound to the exact address or have smaller ranges."
    ]


def test_every_binding_is_looked_at_and_only_enabled_connectors_count() -> None:
    both = connector("Both", "10.0.0.1", "fd00::1", bindings=("0.0.0.0:25", "[::]:587", "0.0.0.0:587"))
    four = connector("Four", "10.0.0.0/8", bindings=("192.0.2.1:25", "192.0.2.2:587", "192.0.2.3:26"))
    six = connector("Six", "fd00::/8", bindings=("[2001:db8::1]:25", "[2001:db8::1]:587"))
    found = [(item.connector, item.takers, str(item.binding)) for item in shadows(State((both, four, six)))]
    assert found == [
        ("Both", ("Four",), "192.0.2.1:25"),
        ("Both", ("Four",), "192.0.2.2:587"),
        ("Both", ("Six",), "[2001:db8::1]:587"),
    ]
    assert shadows(State((both, replace(four, enabled=False), replace(six, enabled=False)))) == []
    assert shadows(State((replace(both, enabled=False), four, six))) == []


def test_a_connector_that_is_bound_to_both_keeps_its_addresses() -> None:
    both = connector("Both", "10.0.0.1", bindings=("0.0.0.0:25", *EXACT))
    assert shadows(State((both, replace(DEFAULT, bindings=(parse_binding(EXACT[0], "x"),))))) == []


def test_a_task_hears_of_what_its_connectors_lose_and_what_they_take() -> None:
    takers = connector("Default", *EVERYBODY, bindings=EXACT)
    state = State((takers, connector("One", "10.0.0.1"), connector("Two", "10.0.0.2")))
    said = {names: shadow_warnings(state, names) for names in (("one",), ("default",), ("other",), ())}
    assert [text[:16] for text in said["one",]] == ["connector 'One':"]
    assert [text[:16] for text in said["default",]] == ["connector 'One':", "connector 'Two':"]
    assert said["other",] == said[()] == []
    assert len(shadow_warnings(state)) == 2


def test_many_ranges_are_one_sentence() -> None:
    many = connector("Many", *(f"10.0.0.{number}" for number in range(1, 21, 2)))
    (text,) = shadow_warnings(State((many, replace(DEFAULT, bindings=(parse_binding(EXACT[0], "x"),)))))
    assert "10.0.0.13, 10.0.0.15 and 2 more (10 addresses) are taken by connector 'Default relay'" in text


# -- as the oracle sees it ---------------------------------------------------------------------------------------------


def peers(state: State, item: AddressRange) -> Iterator[Peer]:
    """An address of every piece that the edges of ranges cut ``item`` into."""
    ranges = [each for connector in state.connectors for each in connector.remote_ip_ranges]
    edges = {item.low, *(each.low for each in ranges), *(each.high + 1 for each in ranges)}
    return (Peer(item.version, edge) for edge in edges if item.low <= edge <= item.high)


def takers(state: State, item: AddressRange, local: Binding) -> set[str]:
    found = {oracle.owner(state, Session(local, peer, "<>", "<v@a.test>")) for peer in peers(state, item)}
    return {owner.name for owner in found if owner is not None}


def expected(state: State) -> Iterator[tuple[str, AddressRange, str, set[str]]]:
    """Every range that its connector never serves on a binding; on an exact one of others only if one of them wins."""
    enabled = [item for item in state.connectors if item.enabled]
    for local in {binding for item in enabled for binding in item.bindings}:
        unused = local if local.address else local._replace(address=(1 << BITS[local.version]) - 2)
        bound = {item.name for item in enabled if local in item.bindings}
        for item in enabled:
            for each in item.remote_ip_ranges:
                who = takers(state, each, unused) if each.version == local.version else set()
                is_candidate = item.name in bound or (local.wildcard in item.bindings and who & bound)
                if who and item.name not in who and is_candidate:
                    yield item.name, each, str(local), who


@examples(200)
@given(states())
def test_shadows_are_what_the_oracle_never_gives_to_its_connector(state: State) -> None:
    found = [(item.connector, each, str(item.binding), item.takers) for item in shadows(state) for each in item.ranges]
    assert sorted(found) == sorted((*head, tuple(sorted(who))) for *head, who in expected(state))


@given(states())
def test_each_shadow_is_a_sentence(state: State) -> None:
    for item, text in zip(shadows(state), shadow_warnings(state), strict=True):
        assert text.startswith(f"connector '{item.connector}': ")
        assert text.endswith(".")
        assert all(f"'{name}'" in text for name in item.takers)
