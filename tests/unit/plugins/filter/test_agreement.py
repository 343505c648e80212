# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters say of random servers is what `decide` and the naive oracle say."""

from __future__ import annotations

import ipaddress
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given

from ansible_collections.mailops.relay.plugins.filter.access_matrix import FilterModule as Matrix
from ansible_collections.mailops.relay.plugins.filter.relay_decision import FilterModule as Decision
from ansible_collections.mailops.relay.plugins.filter.relay_surface import FilterModule as SurfaceFilter
from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import format_address
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import render_item
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Session, decide, rule_for
from ansible_collections.mailops.relay.plugins.module_utils._policy.explain import answer
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support import oracle
from support.scale import examples
from support.strategies import exchange_states, sessions, states

access_matrix: Callable[..., Any] = Matrix().filters()["access_matrix"]
relay_decision: Callable[..., Any] = Decision().filters()["relay_decision"]
relay_surface: Callable[..., Any] = SurfaceFilter().filters()["relay_surface"]


def rendered(state: State, rng: random.Random | None = None) -> dict[str, Any]:
    """As receive_connectors_info returns it, in random order."""
    both: dict[str, Any] = {
        "connectors": [render_item(item) for item in state.connectors],
        "accepted_domains": [render_item(item) for item in state.accepted_domains],
        "selected": None,
    }
    if rng is not None:
        rng.shuffle(both["connectors"])
        rng.shuffle(both["accepted_domains"])
    return both


def asked(session: Session, brackets: bool) -> dict[str, Any]:
    def path(text: str) -> str:
        strip = not brackets and text.startswith("<") and text.endswith(">")
        return text[1:-1] if strip else text

    return {
        "binding": str(session.local),
        "client": format_address(*session.peer),
        "sender": path(session.sender),
        "recipient": path(session.recipient),
        "tls": session.tls,
        "account": None if session.account is None else sorted(session.account),
    }


@examples(60)
@given(states(), sessions(20))
def test_answers_are_those_of_the_oracle(state: State, questions: list[Session]) -> None:
    forms = [asked(session, brackets=number % 2 == 0) for number, session in enumerate(questions)]
    answers = relay_decision(rendered(state, random.Random(1)), forms)
    assert len(answers) == len(questions)
    for session, found in zip(questions, answers, strict=True):
        in_brackets = {key: getattr(session, key) for key in ("sender", "recipient")}
        for key, text in in_brackets.items():
            in_brackets[key] = text if text.startswith("<") else f"<{text}>"
        session = replace(session, **in_brackets)
        owner = oracle.owner(state, session)
        assert found["reply"].startswith(oracle.verdict(state, session) + " ")
        assert found["allowed"] is found["reply"].startswith("250 ")
        assert found["connector"] == (owner.name if owner else None)
        assert (found["right"] is None) == (decide(state.policy, session).right == "")
    json.dumps(answers)


@examples(60)
@given(exchange_states(), sessions(20))
def test_every_decision_has_a_reason(state: State, questions: list[Session]) -> None:
    policy = state.policy
    for session in questions:
        found = answer(policy, session)
        reason = found["reason"]
        assert reason.endswith(".")
        assert "{" not in reason
        if found["right"] and "none of the addresses" not in reason:
            assert found["right"] in reason
            assert f"'{found['connector']}'" in reason


OUTSIDE = ("v@outside.test", "v@elsewhere.example")
"""One of them is of no accepted domain, unless that is ``*``."""


def holds(row: dict[str, Any], session: Session) -> bool:
    address = ipaddress.ip_address(format_address(*session.peer))
    return any(address in ipaddress.ip_network(block) for block in row["clients"])


@examples(60)
@given(states() | exchange_states(), sessions(20))
def test_the_matrix_says_what_decide_says(state: State, questions: list[Session]) -> None:
    shown = replace(state, connectors=tuple(replace(item, inherited_rights=()) for item in state.connectors))
    rows, policy = access_matrix(rendered(shown)), shown.policy
    listed = {row["binding"] for row in rows}
    outside = next((name for name in OUTSIDE if oracle.domain_of(state, name.partition("@")[2]) is None), OUTSIDE[-1])
    ours = f"<v@{state.accepted_domains[0].name.replace('*', 'a')}>" if state.accepted_domains else None
    for session in questions:
        binding = next((str(item) for item in (session.local, session.local.wildcard) if str(item) in listed), None)
        row = next((row for row in rows if row["binding"] == binding and holds(row, session)), None)
        assert (row["connector"] if row else None) == (rule.connector if (rule := owner_of(policy, session)) else None)
        if row is None:
            continue
        nobody = replace(session, sender="<>", tls=True, account=None)
        beyond = decide(policy, replace(nobody, recipient=f"<{outside}>"))
        any_domain = row["anonymous"]["any_domain"]
        patterns = any_domain if isinstance(any_domain, list) else ["*"] * any_domain
        assert beyond.allowed is any(oracle.pattern_matches(item, outside) for item in patterns)
        account = replace(nobody, sender="<a@b.test>", account=frozenset({"a@b.test"}), recipient=f"<{outside}>")
        assert decide(policy, account).allowed is row["account"]["any_domain"]
        if ours is not None:
            assert decide(policy, replace(nobody, recipient=ours)).allowed is row["anonymous"]["own_domains"]
        plain = decide(policy, replace(account, tls=False)).reply
        owner = owner_of(policy, session)
        assert owner is not None
        assert plain.startswith("530 5.7.0") is owner.require_tls


def owner_of(policy: Any, session: Session) -> Any:
    return rule_for(policy, session.local, session.peer)


@given(states())
def test_the_rows_of_a_binding_are_everybody_once(state: State) -> None:
    rows = access_matrix(rendered(state))
    for binding in {row["binding"] for row in rows}:
        version = 6 if binding.startswith("[") else 4
        mine = [row for row in rows if row["binding"] == binding]
        assert all((":" in block) == (version == 6) for row in mine for block in row["clients"])
        assert sum(row["addresses"] for row in mine) == 1 << (32 if version == 4 else 128)


@examples(60)
@given(states(), states())
def test_no_output_depends_on_the_order_of_the_input(state: State, other: State) -> None:
    for rng in (random.Random(1), random.Random(2)):
        mixed, minus = rendered(state, rng), rendered(other, rng)
        assert json.dumps(access_matrix(mixed)) == json.dumps(access_matrix(rendered(state)))
        assert json.dumps(relay_surface(mixed)) == json.dumps(relay_surface(rendered(state)))
        assert relay_surface(mixed, minus) == relay_surface(rendered(state), rendered(other))


@given(states())
def test_the_matrix_and_the_surface_name_the_same_addresses(state: State) -> None:
    anywhere = replace(state, connectors=tuple(replace(item, allowed_recipients=()) for item in state.connectors))
    both = rendered(anywhere)
    relaying: dict[str, int] = {}
    for row in access_matrix(both):
        if row["anonymous"]["any_domain"]:
            relaying[row["binding"]] = relaying.get(row["binding"], 0) + row["addresses"]
    found: dict[str, int] = {}
    for entry in relay_surface(both):
        if entry.get("reach", "any") == "any" and entry["ranges"]:
            found[entry["binding"]] = entry["addresses"]
    assert found == relaying


@examples(60)
@given(states(), states())
def test_a_surface_in_json_is_as_good_as_the_server(state: State, other: State) -> None:
    in_json = json.loads(json.dumps(relay_surface(rendered(other))))
    assert relay_surface(rendered(state), in_json) == relay_surface(rendered(state), rendered(other))
    assert relay_surface(rendered(other), in_json) == []
