# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""That the reader and the daemon take the same documents is tested in tests/contract."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._policy.document import (
    parse_policy_document,
    policy_document,
)
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import relay_files
from support.strategies import bundled, states


def example(*intervals: tuple[str, str, int]) -> dict[str, Any]:
    bindings = [
        relay_files.binding("::", 25, ("::1", "::2", 0)),
        relay_files.binding("0.0.0.0", 25, *(intervals or [("10.0.0.1", "10.0.0.9", 1)])),
    ]
    rules = [relay_files.rule(), relay_files.rule("scan", allowed_senders=["corp.test", "s@x.test"])]
    domains = [relay_files.domain("corp.test", "[::1]:2527"), relay_files.domain("*.a.test", "", "InternalRelay")]
    return relay_files.policy(bindings, rules, domains, "postmaster@corp.test")


@given(states())
def test_what_is_rendered_is_read_back(state: State) -> None:
    policy = bundled(state).policy
    assert parse_policy_document(json.loads(json.dumps(policy_document(policy))), "x") == policy


def test_unknown_rights_are_not_in_it() -> None:
    policy = parse_policy_document(example(), "x")
    assert parse_policy_document(policy_document(replace(policy, unknown=("scan",))), "x") == policy
    assert policy.unknown == ()


def test_a_policy_edited_by_hand_is_read_as_it_acts() -> None:
    policy = parse_policy_document(example(("10.0.0.1", "10.0.0.4", 1), ("10.0.0.5", "10.0.0.9", 1)), "x")
    assert [str(binding) for binding, _intervals in policy.bindings] == ["0.0.0.0:25", "[::]:25"]
    assert [item.name for item in policy.accepted_domains] == ["*.a.test", "corp.test"]
    assert len(policy.bindings[0][1]) == 2, "intervals are not merged"
    assert policy.rules[1].allowed_senders == ("corp.test", "s@x.test")
    assert policy.rules[0].allowed_senders is None
    document = example(("10.0.0.1", "10.0.0.9", 1), ("::", "::ffff", 1))
    assert parse_policy_document(document, "x") == parse_policy_document(example(), "x"), "no such peer ever comes"


def test_the_surface_of_a_document_is_that_of_the_policy() -> None:
    document = example()
    document["rules"][1]["anonymous_any_recipient"] = True
    assert [str(item) for item in parse_policy_document(document, "x").surface.addresses] == [
        "10.0.0.1-10.0.0.9",
        "::1-::2",
    ]


def put(value: Any, *path: Any) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        for key in path[:-1]:
            root = root[key]
        root[path[-1]] = value

    return change


SECOND = ("bindings", 1, "intervals")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda root: root.pop("rules"), "f, policy: a key is missing or unknown, got 'rules'."),
        (put(1, "more"), "f, policy: a key is missing or unknown, got 'more'."),
        (put({}, "rules"), "f, policy.rules: not a list, got {}."),
        (put([], "rules", 0), "f, policy.rules[0]: not an object, got []."),
        (put("1", "rules", 0, "max_recipients"), "f, policy.rules[0].max_recipients: not a whole number from 1 to"),
        (put(True, "rules", 0, "tarpit_interval"), "f, policy.rules[0].tarpit_interval: not a whole number from 0 to"),
        (put(1, "rules", 0, "require_tls"), "f, policy.rules[0].require_tls: not true or false, got 1."),
        (
            put("maybe", "rules", 0, "auth"),
            "f, policy.rules[0].auth: not one of never, after_tls, always, got 'maybe'.",
        ),
        (put("x", "rules", 0, "allowed_senders"), "f, policy.rules[0].allowed_senders: not a list, got 'x'."),
        (put(["X.test"], "rules", 1, "allowed_senders"), "f, policy.rules[1].allowed_senders[0]: not user@domain,"),
        (put(True, "rules", 0, "starttls"), "f, policy.rules[0].certificate_file: needed where TLS is offered"),
        (put("10.0.0.0/8", "bindings", 1, "address"), "f, policy.bindings[1].address: not an IP address"),
        (put("::", "bindings", 1, "address"), "f, policy.bindings[1]: it stands there twice"),
        (put(["10.0.0.1", "10.0.0.2"], *SECOND, 0), "f, policy.bindings[1].intervals[0]: not [first address,"),
        (put(["10.0.0.2", "10.0.0.1", 0], *SECOND, 0), "intervals[0]: it does not go from an address to a higher"),
        (put(["10.0.0.1", "10.0.0.1", 2], *SECOND, 0), "intervals[0][2]: not a whole number from 0 to 1, got 2."),
        (put([["10.0.0.1", "10.0.0.1", 0]] * 2, *SECOND), "intervals[1]: it overlaps the interval before it"),
        (put("*", "accepted_domains", 0, "name"), "f, policy.accepted_domains[0].name: neither a domain name nor"),
        (put("*.A.test", "accepted_domains", 0, "name"), "f, policy.accepted_domains[1]: it stands there twice"),
        (put("host", "accepted_domains", 0, "next_hop"), "f, policy.accepted_domains[0].next_hop: not host:port"),
        (put("", "postmaster"), "f, policy.postmaster: not local-part@domain, got ''."),
    ],
)
def test_a_document_that_is_none(change: Callable[[Any], None], says: str) -> None:
    document = example()
    change(document)
    with pytest.raises(StoreError) as caught:
        parse_policy_document(document, "f, policy")
    assert says in str(caught.value)
    assert str(caught.value).endswith("or remove the directory of the relay to start afresh.")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, st.integers(0, 1 << 32))
def test_whatever_stands_there_is_read_or_a_store_error(value: Any, place: int) -> None:
    assert refusal(value).startswith("x: ")
    assert refusal(_with(example(), value, place))[:1] in ("x", "")


def refusal(document: Any) -> str:
    """Empty: it is read."""
    try:
        parse_policy_document(document, "x")
    except StoreError as error:
        return str(error)
    return ""


def _with(document: Any, value: Any, place: int) -> Any:
    """``value`` somewhere in the document."""
    node = document = copy.deepcopy(document)
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        place, index = divmod(place, len(keys))
        child = node[keys[index]]
        if place % 4 == 0 or not isinstance(child, (dict, list)) or not child:
            node[keys[index]] = value
            return document
        node = child
