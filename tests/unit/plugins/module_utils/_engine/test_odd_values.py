# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that cannot be read, from what a server holds through a task and back again."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.options import CAPABILITIES
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    CapabilityError,
    InputError,
    RelayError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.odd import Odd
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    render_absent,
    render_item,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import read_leniently
from ansible_collections.mailops.relay.plugins.module_utils._engine.capabilities import (
    binding_conflicts,
    within_capabilities,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import conflicts
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._engine.operations import (
    Set,
    apply_operation,
    describe,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.plan import plan
from ansible_collections.mailops.relay.plugins.module_utils._engine.task import run
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.memory_backend import EVERYTHING, MemoryBackend
from support.odd_values import GIVEN, LENIENT, ODD_TEXT, TEXTS, holding
from support.planning import SCAN, connector
from support.scale import examples
from support.strategies import random_exchange_connector

ODD = holding(SCAN, **{row.option: Odd(ODD_TEXT) for row in LENIENT})
OTHER = connector("Other", "10.9.0.0/24", port=26)
SERVER = State((OTHER, ODD))
SEEDS = st.integers(0, (1 << 32) - 1)


def told(*entries: dict[str, Any]) -> Options:
    """As the results of a task are fed to another one."""
    return Options(connectors=json.loads(json.dumps(entries)))


def done(before: State, wanted: State) -> State:
    after = before
    for operation in plan(before, wanted).operations:
        json.dumps(describe(operation)).encode()
        after = apply_operation(after, operation)
    return after


def held(values: Mapping[str, Any], name: str) -> State:
    """A server whose first connector has been read with these values."""
    fields = {row.option: read_leniently(row, values[row.option], "x") for row in LENIENT}
    first = holding(SCAN, name=name, auth_mechanism=("Tls",), **fields)
    return State(tuple(sorted((first, connector("Other", "10.9.0.0/24")), key=lambda item: item.key)))


# true and false could be read, and break rules together
NEITHER = GIVEN.filter(lambda value: str(value).strip().lower() not in ("true", "false"))
VALUES = st.fixed_dictionaries({row.option: NEITHER if row.type == "bool" else GIVEN for row in LENIENT})


@examples(60)
@given(VALUES, TEXTS, SEEDS)
def test_feeding_before_back_brings_every_odd_value_back(values: dict[str, Any], name: str, seed: int) -> None:
    before = held(values, name.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    old = next(item for item in before.connectors if item.name != "Other")
    new = random_exchange_connector(random.Random(seed), "A")
    lenient = {row.option for row in LENIENT} - {"domain_secure_enabled", "binary_mime_enabled"}
    task = {option: value for option, value in render_item(new).items() if option in lenient}
    changed = done(before, merge(before, told({"name": old.name, **task})))
    assume(not conflicts(before))
    assert done(changed, merge(changed, told(render_item(old)))) == before
    gone = done(before, merge(before, told({"name": old.name, "state": "absent"})))
    assert gone.connector(old.name) is None
    assert done(gone, merge(gone, told(render_item(old)))) == before
    absent = told(render_absent(old.name))
    assert merge(gone, absent) == gone, "to take it away twice is no error"
    assert merge(before, absent) == gone


def test_an_odd_value_is_sent_as_it_stands() -> None:
    changed = done(SERVER, merge(SERVER, told({"name": "Scan", "banner": "220 hello", "max_hop_count": 5})))
    (back,) = plan(changed, merge(changed, told(render_item(ODD)))).operations
    assert back == Set("Scan", (("banner", Odd(ODD_TEXT)), ("max_hop_count", Odd(ODD_TEXT))))
    assert describe(back).startswith(f'set connector "Scan" banner={json.dumps(ODD_TEXT)} max_hop_count=')


@pytest.mark.parametrize("row", LENIENT, ids=lambda row: row.option)
def test_what_is_there_is_neither_validated_nor_changed(row: Any) -> None:
    assert merge(SERVER, told({"name": "Scan", row.option: ODD_TEXT})) == SERVER
    listed = State((holding(ODD, **{row.option: Odd(("a", ODD_TEXT))}),))
    assert merge(listed, told({"name": "Scan", row.option: ["a", ODD_TEXT]})) == listed
    with pytest.raises(InputError, match=f"connector 'Scan', {row.option}"):
        merge(SERVER, told({"name": "Scan", row.option: f"{ODD_TEXT}!"}))


def test_the_rest_of_a_connector_with_odd_values_is_changed_without_them() -> None:
    wanted = merge(SERVER, told({"name": "Scan", "remote_ip_ranges": {"add": ["10.0.0.2"]}}))
    (change,) = plan(SERVER, wanted).operations
    assert isinstance(change, Set)
    assert [option for option, _value in change.changes] == ["remote_ip_ranges"]


def test_an_odd_list_is_given_as_a_whole() -> None:
    with pytest.raises(InputError, match=r"what the server holds cannot be read, so it cannot be changed.*whole list"):
        merge(SERVER, told({"name": "Scan", "message_rate_source": {"add": ["User"]}}))
    wanted = merge(SERVER, told({"name": "Scan", "message_rate_source": ["User"]}))
    assert done(SERVER, wanted).connectors[1].message_rate_source == ("User",)


def test_unvalidated_takes_what_can_be_read_for_what_it_means() -> None:
    entry = {
        "name": "Scan",
        "banner": "220 hello",
        "max_message_size": "1 MB",
        "unvalidated": ["banner", "max_message_size"],
    }
    found = merge(SERVER, told(entry)).connectors[1]
    assert (found.banner, found.max_message_size) == ("220 hello", 1 << 20)


@pytest.mark.parametrize(
    ("unvalidated", "says"),
    [
        (["remote_ip_ranges"], "connector 0, unvalidated: its value is always validated, got 'remote_ip_ranges'"),
        (["banner", "extended_rights"], "got 'extended_rights'. Take it out of the list"),
        (["allowed_senders"], "always validated"),
        (["baner"], "Did you mean banner"),
        (["state"], "no such value"),
        ([7], "text is needed"),
        ("banner", "unvalidated: not a list"),
        ({"banner": "x"}, "unvalidated: not a list"),
    ],
)
def test_what_unvalidated_cannot_be(unvalidated: Any, says: str) -> None:
    with pytest.raises(InputError) as caught:
        merge(SERVER, told({"name": "Scan", "unvalidated": unvalidated}))
    assert says in str(caught.value)


def test_an_unvalidated_dictionary_is_no_value_of_a_server() -> None:
    with pytest.raises(InputError, match="connector 'Scan', banner: text is needed"):
        merge(SERVER, told({"name": "Scan", "banner": {"a": 1}, "unvalidated": ["banner"]}))


@pytest.mark.parametrize("name", ["x" * 65, " Scan ", "two\nlines", ""])
def test_a_name_that_the_server_has_is_one(name: str) -> None:
    odd = State((replace(SCAN, name=name),))
    assert merge(odd, told({"name": name, "comment": "x"})).connectors[0].comment == "x"
    assert merge(odd, told({"name": name, "state": "absent"})).connectors == ()
    entry = render_item(odd.connectors[0])
    assert entry["unvalidated"] == ["name"]
    assert merge(State(), told(entry)) == odd
    with pytest.raises(InputError, match="connector 0, name"):
        merge(State(), told({**entry, "unvalidated": []}))
    assert "unvalidated" not in render_item(SCAN)
    halved = merge(State(), told({**entry, "name": f"{name}\ud800"})).connectors[0].name
    assert halved == f"{name}\ufffd", "what UTF-8 cannot encode can be sent nowhere"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"banner": ODD_TEXT, "unvalidated": ["banner"]}, "connector 'New', banner"),
        ({"name": " New", "unvalidated": ["name"]}, "connector ' New', name"),
    ],
)
def test_a_bundled_relay_takes_none(entry: dict[str, Any], says: str) -> None:
    before = State()
    task = {"name": "New", "bindings": ["0.0.0.0:25"], "remote_ip_ranges": ["10.0.0.1"], **entry}
    wanted = merge(before, told(task))
    with pytest.raises(CapabilityError, match=f"{says}: backend aiosmtpd holds no value that cannot be read") as caught:
        within_capabilities("aiosmtpd", CAPABILITIES, before, wanted)
    assert caught.value.way_out
    assert within_capabilities("exchange", EVERYTHING, before, wanted) == wanted


def test_rules_about_numbers_and_capabilities_pass_over_odd_values() -> None:
    assert conflicts(SERVER) == []
    trusted = replace(
        ODD, auth_mechanism=("ExternalAuthoritative", "Tls"), permission_groups=("ExchangeServers",), extended_rights=()
    )
    assert conflicts(State((trusted, replace(ODD, name="B", chunking_enabled=False, bindings=OTHER.bindings)))) == []
    limited = replace(EVERYTHING, options={**EVERYTHING.options, "size_enabled": frozenset({"Enabled", "Disabled"})})
    other = replace(ODD, fqdn="x")
    assert within_capabilities("x", limited, SERVER, State((SERVER.connectors[0], other))).connectors[1] == other
    each = replace(EVERYTHING, per_binding=frozenset({"banner"}))
    assert binding_conflicts("x", each, State((replace(SCAN, name="A", banner="220 a"), ODD))) == []
    plain = State((replace(SCAN, comment="x"),))
    assert State((ODD,)).policy == plain.policy


def test_a_task_shows_odd_values_and_takes_them_back() -> None:
    """The whole way, as a user sees it."""
    backend = MemoryBackend(SERVER)
    guard = {"max_relay_addresses": None, "shared_sources": None, "allow_open_relay": False}
    params = {**guard, "allow_inbound_loss": False, "allow_expired_certificate": False, "purge": False}

    def task(*entries: Any) -> Mapping[str, Any]:
        return run("connectors", backend, {**params, "connectors": json.loads(json.dumps(entries))}, check=False).values

    first = task({"name": "Scan", "comment": "a"}, {"name": "Scan2", "state": "absent"})
    assert first["changed"]
    assert first["before"][0]["unvalidated"] == [row.option for row in LENIENT]
    assert first["before"][0]["comment"] == ODD_TEXT
    again = task(*first["before"])
    assert again["changed"]
    assert backend.state == SERVER
    assert task(*first["before"])["changed"] is False


@given(st.data())
def test_nothing_but_our_errors(data: st.DataObject) -> None:
    entry: dict[str, Any] = {
        "name": "Scan",
        "unvalidated": data.draw(st.lists(st.sampled_from([row.option for row in LENIENT]))),
    }
    for option in entry["unvalidated"]:
        entry[option] = data.draw(st.one_of(GIVEN, st.integers(), st.dictionaries(st.text(), st.integers())))
    try:
        found = merge(SERVER, Options(connectors=[entry]))
    except RelayError:
        return
    rendered = json.loads(json.dumps([render_item(item) for item in found.connectors], ensure_ascii=False).encode())
    assert merge(found, Options(connectors=rendered)) == found
