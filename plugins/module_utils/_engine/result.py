# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of the modules, the same on every backend."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .._accounts.converge import AccountsOutcome
from .._accounts.model import render_account
from .._connector.model import AcceptedDomain, Connector
from .._connector.properties import render_absent, render_item
from .._connector.settings import render_settings
from .._policy.compile import Policy
from .._policy.state import State
from .._policy.surface import Surface
from .converge import Outcome
from .operations import describe
from .service import ServiceFacts, ServiceOutcome

Rendered = tuple[dict[str, Any], dict[str, str]]
"""The keys of a task result, and the diff."""


def render_outcome(backend: str, outcome: Outcome, kind: str, names: Iterable[str]) -> Rendered:
    """:param kind: ``connectors``, ``accepted_domains`` or ``settings``; :param names: those the task named"""
    before, after = _both(outcome, kind, names)
    opens, closes = _change(outcome.before.policy, outcome.policy)
    values = {
        "changed": outcome.changed,
        "backend": backend,
        "before": before,
        "after": after,
        "commands": [describe(operation) for operation in outcome.operations] or list(outcome.before.repairs),
        **render_policy(outcome.policy),
        "listeners": policy_listeners(outcome.policy),
        "surface_change": {"opens": _changed(opens), "closes": _changed(closes)},
        "restart_required": outcome.service.restart_required,
    }
    return values, {
        "before": _to_do(outcome.before.repairs) + _text(before),
        "after": _text(after),
        **_words(opens, closes),
    }


def _both(outcome: Outcome, kind: str, names: Iterable[str]) -> tuple[Any, Any]:
    """What the task is about, before and after, in the shape of its options."""
    if kind == "settings":
        return render_settings(outcome.before.state.settings), render_settings(outcome.after.settings)
    touched = _touched(outcome, kind, names)
    states = outcome.before.state, outcome.after
    before, after = ([_render(state, kind, name) for name in touched] for state in states)
    return before, after


def render_state(state: State) -> dict[str, Any]:
    """The whole of a server, in the shape of the options."""
    return {
        "connectors": [render_item(item) for item in state.connectors],
        "accepted_domains": [render_item(item) for item in state.accepted_domains],
    }


def render_policy(policy: Policy) -> dict[str, Any]:
    """Where rights are not known there is no surface: an empty one would say that the server is closed."""
    return {"relay_surface": None if policy.unknown else policy.surface.render()}


def policy_listeners(policy: Policy) -> list[dict[str, Any]]:
    """What the server should listen on, for a firewall."""
    return render_listeners((binding.host, binding.port) for binding, _intervals in policy.bindings)


def render_listeners(listeners: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"address": address, "port": port} for address, port in listeners]


def _change(was: Policy, now: Policy) -> tuple[Surface, Surface]:
    """What it opens and what it closes; nothing is closed of which it is not known. Where rights are not known nothing
    was changed."""
    if was.unknown or now.unknown:
        return Surface({}), Surface({})
    return now.surface.minus(was.surface), was.surface.minus(now.surface.at_most)


def _changed(part: Surface) -> list[dict[str, Any]]:
    """Without the bindings that are only listed because nothing changes there."""
    return [entry for entry in part.render() if entry["addresses"]]


def _words(opens: Surface, closes: Surface) -> dict[str, str]:
    """What ``--diff`` shows below the lines."""
    sentences = [*opens.words("opens"), *closes.words("closes")]
    return {"prepared": "".join(f"relay surface: {sentence}\n" for sentence in sentences)} if sentences else {}


def _touched(outcome: Outcome, kind: str, names: Iterable[str]) -> list[str]:
    """Every name the task gave, and every one that changed; as the server spells it where it has it."""
    found = {name.lower(): name for name in names}
    before = outcome.before.state
    for state, other in ((outcome.after, before), (before, outcome.after)):
        for item in _items(state, kind):
            if item.key in found or _find(other, kind, item.name) != item:
                found[item.key] = item.name
    return [found[key] for key in sorted(found)]


def _items(state: State, kind: str) -> tuple[Connector, ...] | tuple[AcceptedDomain, ...]:
    return state.connectors if kind == "connectors" else state.accepted_domains


def _find(state: State, kind: str, name: str) -> Connector | AcceptedDomain | None:
    return state.connector(name) if kind == "connectors" else state.domain(name)


def _render(state: State, kind: str, name: str) -> dict[str, Any]:
    item = _find(state, kind, name)
    if item is None:
        return render_absent(name) if kind == "connectors" else {"name": name, "state": "absent"}
    return render_item(item)


def _text(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


def render_service(backend: str, outcome: ServiceOutcome) -> Rendered:
    before, after = _service(outcome.before), _service(outcome.after)
    values = {
        "changed": bool(outcome.commands),
        "backend": backend,
        "before": before,
        "after": after,
        "commands": list(outcome.commands),
        "reasons": list(outcome.before.reasons),
        "listeners": render_listeners(outcome.after.listeners or ()),
        "restart_required": outcome.after.restart_required,
    }
    return values, {"before": _text(before), "after": _text(after)}


def _service(facts: ServiceFacts) -> dict[str, Any]:
    return {
        "state": "started" if facts.running else "stopped",
        "restart_required": facts.restart_required,
        "silent": [{"address": address, "port": port} for address, port in facts.silent],
    }


def render_accounts(backend: str, outcome: AccountsOutcome, names: Iterable[str]) -> Rendered:
    """Neither a password nor a hash is in it, so it does not undo."""
    before, after = (
        {account.name: render_account(account) for account in accounts} for accounts in (outcome.before, outcome.after)
    )
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    touched = sorted({name.lower() for name in names} | changed)
    old, new = ([found.get(name, {"name": name, "state": "absent"}) for name in touched] for found in (before, after))
    values = {
        "changed": bool(outcome.commands),
        "backend": backend,
        "before": old,
        "after": new,
        "commands": list(outcome.commands),
    }
    return values, {"before": _to_do(outcome.repairs) + _text(old), "after": _text(new)}


def _to_do(repairs: Iterable[str]) -> str:
    return "".join(f"to do: {line}\n" for line in repairs)
