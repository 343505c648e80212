# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    ConflictError,
    InputError,
    RelayError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import render_item
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.strategies import states

ANY = {"principal": "NT AUTHORITY\\ANONYMOUS LOGON", "right": "ms-Exch-SMTP-Accept-Any-Recipient", "deny": False}


def entry(name: str = "A", **options: Any) -> dict[str, Any]:
    return {"name": name, "bindings": ["127.0.0.1:25"], "remote_ip_ranges": ["10.0.0.1"], **options}


def make(*entries: dict[str, Any], actual: State | None = None, purge: bool = False) -> State:
    return merge(actual or State(), Options(connectors=entries, purge=purge))


def rendered(state: State, name: str = "A") -> dict[str, Any]:
    connector = state.connector(name)
    assert connector is not None
    return render_item(connector)


def test_defaults_of_a_new_connector() -> None:
    assert rendered(make(entry())) == {
        "name": "A",
        "state": "present",
        "enabled": True,
        "bindings": ["127.0.0.1:25"],
        "remote_ip_ranges": ["10.0.0.1"],
        "permission_groups": [],
        "extended_rights": [],
        "removed_rights": [],
        "fqdn": "",
        "banner": "",
        "max_message_size": "36MB",
        "comment": "",
        "auth_mechanism": [],
        "require_tls": False,
        "implicit_tls": False,
        "tls_certificate_file": "",
        "tls_key_file": "",
        "max_recipients_per_message": "200",
        "max_inbound_connection": "5000",
        "max_inbound_connection_per_source": "20",
        "max_protocol_errors": "5",
        "connection_timeout": "00:10:00",
        "connection_inactivity_timeout": "00:05:00",
        "tarpit_interval": "00:00:00",
        "allowed_senders": [],
        "allowed_recipients": [],
    }


@pytest.mark.parametrize("missing", ["bindings", "remote_ip_ranges"])
def test_what_a_new_connector_needs(missing: str) -> None:
    with pytest.raises(InputError, match=f"connector 'A', {missing}: a new connector needs this option"):
        make(entry(**{missing: None}))


def test_omitted_is_left_alone_and_empty_clears() -> None:
    before = make(entry(comment="one\ntwo", banner="220 hi", permission_groups=["AnonymousUsers"]))
    assert merge(before, Options(connectors=[{"name": "a", "comment": None}])) == before
    after = merge(before, Options(connectors=[{"name": "a", "comment": "", "banner": "", "permission_groups": []}]))
    assert (rendered(after)["comment"], rendered(after)["banner"], rendered(after)["permission_groups"]) == ("", "", [])
    assert rendered(after)["name"] == "A", "the name keeps the spelling the server has"


def test_lists_are_sets_in_every_spelling() -> None:
    one = make(
        entry(remote_ip_ranges=["10.0.0.0/24", "10.1.0.1", "10.1.0.1-10.1.0.1"], bindings=["[::]:25", "0.0.0.0:25"])
    )
    other = make(entry(remote_ip_ranges=["10.1.0.1", "10.0.0.7/24"], bindings=["0.0.0.0:25", "[0::0]:25"]))
    assert one == other


def test_ranges_are_never_merged() -> None:
    assert rendered(make(entry(remote_ip_ranges=["10.0.0.0", "10.0.0.1"])))["remote_ip_ranges"] == [
        "10.0.0.0",
        "10.0.0.1",
    ]


@pytest.mark.parametrize(
    "given",
    [
        "AnonymousUsers, ExchangeUsers",
        "exchangeusers,ANONYMOUSUSERS",
        ["ExchangeUsers", "AnonymousUsers"],
        ["AnonymousUsers", "ExchangeUsers", "Custom"],
    ],
)
def test_flags_in_any_order_and_case(given: Any) -> None:
    assert rendered(make(entry(permission_groups=given)))["permission_groups"] == ["AnonymousUsers", "ExchangeUsers"]


@pytest.mark.parametrize("given", ["None", ["None"], [], ""])
def test_no_groups(given: Any) -> None:
    assert rendered(make(entry(permission_groups=given)))["permission_groups"] == []


def test_add_remove_and_set() -> None:
    before = make(entry(remote_ip_ranges=["10.0.0.1", "10.0.0.2"]))

    def after(change: dict[str, Any]) -> list[str]:
        found: list[str] = rendered(merge(before, Options(connectors=[{"name": "A", "remote_ip_ranges": change}])))[
            "remote_ip_ranges"
        ]
        return found

    assert after({"add": ["10.0.0.3", "10.0.0.1/32"]}) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert after({"remove": ["10.0.0.1", "10.9.9.9"]}) == ["10.0.0.2"]
    assert after({"add": ["10.0.0.3"], "remove": ["10.0.0.1"]}) == ["10.0.0.2", "10.0.0.3"]
    assert after({"set": ["10.0.0.9"]}) == ["10.0.0.9"]
    assert after({"set": []}) == []
    assert after({"add": None, "remove": ["10.0.0.1"]}) == ["10.0.0.2"]
    assert after({"set": None}) == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "not a list"),
        ({"append": ["10.0.0.1"]}, "not a list"),
        ({"set": ["10.0.0.1"], "add": ["10.0.0.2"]}, "not a list"),
        ({"add": ["10.0.0.1"], "remove": ["10.0.0.1/32"]}, "an entry is both added and removed"),
        (7, "not a list"),
        ({"add": 7}, "not a list"),
        (["10.0.0.1", ""], "remote_ip_ranges\\[1\\]: an address range is needed"),
        ({"add": ["10.0.0.300"]}, "remote_ip_ranges.add\\[0\\]: not an IP address"),
    ],
)
def test_a_list_that_is_none(change: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make(entry(remote_ip_ranges=change))


@pytest.mark.parametrize(
    "principal", ["NT AUTHORITY\\ANONYMOUS LOGON", "nt authority\\anonymous logon", "ANONYMOUS LOGON", "S-1-5-7"]
)
def test_the_anonymous_principal_has_many_names(principal: str) -> None:
    given = {"principal": principal, "right": "MS-EXCH-SMTP-ACCEPT-ANY-RECIPIENT"}
    assert rendered(make(entry(extended_rights=[given])))["extended_rights"] == [ANY]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"principal": "X"}, "not an extended right"),
        ("ms-Exch-SMTP-Submit", "not an extended right"),
        ({**ANY, "allow": True}, "not an extended right"),
        ({**ANY, "right": "ms-Exch-SMTP-Accept-Any-Recipent"}, "Did you mean ms-Exch-SMTP-Accept-Any-Recipient"),
        ({**ANY, "deny": "no"}, "true or false is needed"),
        ({**ANY, "principal": " "}, "a principal is needed"),
    ],
)
def test_an_extended_right_that_is_none(given: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make(entry(extended_rights=[given]))


def test_one_entry_a_name() -> None:
    with pytest.raises(ConflictError, match="connector 'Scanner': two entries for one connector, got 'SCANNER'"):
        make(entry("Scanner"), entry("SCANNER", bindings=["127.0.0.1:26"]))
    with pytest.raises(ConflictError, match="two entries for one accepted domain"):
        merge(State(), Options(accepted_domains=[{"name": "corp.test"}, {"name": "Corp.Test"}]))


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("10.0.0.0/24", "10.0.0.0/24", "equals"),
        ("10.0.0.0-10.0.0.9", "10.0.0.5-10.0.0.20", "partly overlaps"),
        ("10.0.0.1", "10.0.0.1/32", "equals"),
    ],
)
def test_two_connectors_on_a_binding_may_not_overlap_partly(one: str, other: str, says: str) -> None:
    with pytest.raises(ConflictError, match=f"{says} .* on 127.0.0.1:25"):
        make(entry("A", remote_ip_ranges=[one]), entry("B", remote_ip_ranges=[other]))
    make(entry("A", remote_ip_ranges=[one]), entry("B", remote_ip_ranges=[other], bindings=["0.0.0.0:25"]))


def test_a_range_inside_another_is_fine() -> None:
    state = make(entry("A", remote_ip_ranges=["10.0.0.0/8"]), entry("B", remote_ip_ranges=["10.0.0.0/24", "10.0.0.9"]))
    assert [len(item.remote_ip_ranges) for item in state.connectors] == [1, 2]


def test_an_overlap_hidden_between_nested_ranges_is_found() -> None:
    with pytest.raises(ConflictError, match="partly overlaps"):
        make(
            entry("A", remote_ip_ranges=["10.0.0.0-10.0.0.100", "10.0.0.60"]),
            entry("B", remote_ip_ranges=["10.0.0.10", "10.0.0.90-10.0.0.110"]),
        )


def test_a_connector_without_bindings_is_refused() -> None:
    with pytest.raises(ConflictError, match="a connector needs a binding"):
        make(entry(bindings=[]))


def test_purge_and_absent() -> None:
    before = State(
        make(entry("A"), entry("B", remote_ip_ranges=[]), entry("Default x", remote_ip_ranges=[])).connectors,
        (),
        ("default X",),
    )
    assert [item.name for item in make(entry("B"), actual=before, purge=True).connectors] == ["B", "Default x"]
    assert [item.name for item in make({"name": "a", "state": "absent"}, actual=before).connectors] == [
        "B",
        "Default x",
    ]
    assert make({"name": "gone", "state": "absent"}, actual=before) == before


def test_domains() -> None:
    before = merge(
        State(),
        Options(accepted_domains=[{"name": "B.test"}, {"name": "a.test", "type": "internalrelay", "next_hop": "H:25"}]),
    )
    assert [render_item(item) for item in before.accepted_domains] == [
        {"name": "a.test", "state": "present", "type": "InternalRelay", "next_hop": "h:25"},
        {"name": "b.test", "state": "present", "type": "Authoritative", "next_hop": ""},
    ]
    assert merge(before, Options(accepted_domains=[{"name": "A.TEST", "next_hop": None}])) == before
    assert [
        item.name for item in merge(before, Options(accepted_domains=[{"name": "a.test"}], purge=True)).accepted_domains
    ] == ["a.test"]
    assert merge(before, Options(connectors=[], purge=True)).accepted_domains == before.accepted_domains


@given(states())
def test_what_is_rendered_is_read_back(state: State) -> None:
    options = Options(
        [render_item(item) for item in state.connectors], [render_item(item) for item in state.accepted_domains]
    )
    assert merge(State(), options) == state
    assert merge(state, options) == state


@given(states(), states())
def test_before_fed_back_undoes(actual: State, other: State) -> None:
    """The module result in pure form: what existed is rendered, what did not is absent."""
    try:
        wanted = merge(actual, Options(connectors=[render_item(item) for item in other.connectors]))
    except RelayError:
        return
    before = [
        {"name": item.name, "state": "absent"} if (old := actual.connector(item.name)) is None else render_item(old)
        for item in other.connectors
    ]
    assert merge(wanted, Options(connectors=before)) == actual


USAGES = {
    "Client": (
        ["ExchangeUsers"],
        ["Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"],
        ["0.0.0.0:587"],
        ["10.0.0.1"],
    ),
    "Custom": ([], ["Tls"], ["127.0.0.1:25"], ["10.0.0.1"]),
    "Internal": (["ExchangeServers", "ExchangeLegacyServers"], ["Tls", "ExchangeServer"], ["0.0.0.0:25"], ["10.0.0.1"]),
    "Internet": (["AnonymousUsers"], ["Tls"], ["127.0.0.1:25"], ["0.0.0.0/0"]),
    "Partner": (["Partners"], ["Tls"], ["127.0.0.1:25"], ["10.0.0.1"]),
}


@pytest.mark.parametrize("usage", USAGES)
def test_usage_says_what_a_new_connector_has_where_the_task_says_nothing(usage: str) -> None:
    groups, mechanisms, bindings, ranges = USAGES[usage]
    given = {"bindings": ["127.0.0.1:25"], "remote_ip_ranges": ["10.0.0.1"]}
    for option, value in (("bindings", bindings), ("remote_ip_ranges", ranges)):
        if value != given[option]:
            del given[option]
    made = rendered(make({"name": "A", "usage": usage.lower(), **given}))
    assert (made["permission_groups"], made["auth_mechanism"]) == (groups, mechanisms)
    assert (made["bindings"], made["remote_ip_ranges"]) == (bindings, ranges)
    assert "usage" not in made
    assert made == rendered(
        make(entry(bindings=bindings, remote_ip_ranges=ranges, permission_groups=groups, auth_mechanism=mechanisms))
    )
    for option in given:
        with pytest.raises(InputError, match=f"connector 'A', {option}: a new connector needs this option"):
            make({"name": "A", "usage": usage, **given, option: None})


def test_what_a_task_says_comes_before_usage() -> None:
    made = rendered(make(entry(usage="Client", permission_groups=["AnonymousUsers"], auth_mechanism="None")))
    assert (made["permission_groups"], made["auth_mechanism"]) == (["AnonymousUsers"], [])
    made = rendered(make(entry(usage="Client", auth_mechanism={"remove": ["Integrated"]})))
    assert made["auth_mechanism"] == ["Tls", "BasicAuth", "BasicAuthRequireTLS"]


def test_usage_means_nothing_to_a_connector_that_is_there() -> None:
    before = make(entry())
    assert make(entry(usage="Internet"), actual=before) == before
    with pytest.raises(InputError, match="connector 'A', usage: no such value, got 'Relay'"):
        make(entry(usage="Relay"), actual=before)
