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
from .._connector.properties import render_item
from .._policy.compile import Policy
from .._policy.state import State
from .._policy.surface import Surface
from .backend import ServiceFacts
from .converge import Outcome
from .operations import describe
from .service import ServiceOutcome


def render_outcome(backend: str, outcome: Outcome, kind: str, names: Iterable[str]) -> dict[str, Any]:
    """:param kind: ``connector`` or ``domain``; :param names: those the task named"""
    touched = _touched(outcome, kind, names)
    before = [_render(outcome.before, kind, name) for name in touched]
    after = [_render(outcome.after, kind, name) for name in touched]
    was, now = outcome.policy_before.surface, outcome.policy.surface
    opens, closes = now.minus(was), was.minus(now)
    return {
        "changed": outcome.changed,
        "backend": backend,
        "before": before,
        "after": after,
        "commands": [describe(operation) for operation in outcome.operations]
        or (["recompile policy"] if outcome.changed else []),
        **render_policy(outcome.policy),
        "surface_change": {"opens": _changed(opens), "closes": _changed(closes)},
        "restart_required": outcome.service.restart_required,
        "diff": {"before": _text(before, outcome.before.drift), "after": _text(after, False), **_words(opens, closes)},
    }


def render_policy(policy: Policy) -> dict[str, Any]:
    """Where rights are not known there is no surface: an empty one would say that the server is closed."""
    listeners = [{"address": binding.host, "port": binding.port} for binding, _intervals in policy.bindings]
    return {"relay_surface": None if policy.unknown else policy.surface.render(), "listeners": listeners}


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
    for state in (outcome.after, outcome.before):
        other = outcome.before if state is outcome.after else outcome.after
        for item in _items(state, kind):
            if item.key in found or _find(other, kind, item.name) != item:
                found[item.key] = item.name
    return [found[key] for key in sorted(found)]


def _items(state: State, kind: str) -> tuple[Connector, ...] | tuple[AcceptedDomain, ...]:
    return state.connectors if kind == "connector" else state.accepted_domains


def _find(state: State, kind: str, name: str) -> Connector | AcceptedDomain | None:
    return state.connector(name) if kind == "connector" else state.domain(name)


def _render(state: State, kind: str, name: str) -> dict[str, Any]:
    item = _find(state, kind, name)
    return {"name": name, "state": "absent"} if item is None else render_item(item)


def _text(items: list[dict[str, Any]], drift: bool) -> str:
    note = "the compiled policy does not follow from the definitions\n" if drift else ""
    return note + json.dumps(items, indent=2) + "\n"


def render_service(backend: str, outcome: ServiceOutcome) -> dict[str, Any]:
    before, after = _service(outcome.before), _service(outcome.after)
    return {
        "changed": bool(outcome.commands),
        "backend": backend,
        "before": before,
        "after": after,
        "commands": list(outcome.commands),
        "listeners": [{"address": address, "port": port} for address, port in outcome.after.listeners],
        "restart_required": outcome.after.restart_required,
        "diff": {"before": json.dumps(before, indent=2) + "\n", "after": json.dumps(after, indent=2) + "\n"},
    }


def _service(facts: ServiceFacts) -> dict[str, Any]:
    return {
        "state": "started" if facts.running else "stopped",
        "restart_required": facts.restart_required,
        "silent": [{"address": address, "port": port} for address, port in facts.silent],
    }


def render_accounts(backend: str, outcome: AccountsOutcome, names: Iterable[str]) -> dict[str, Any]:
    """Neither a password nor a hash is in it, so it does not undo."""
    before, after = (
        {account.name: render_account(account) for account in accounts} for accounts in (outcome.before, outcome.after)
    )
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    touched = sorted({name.lower() for name in names} | changed)
    old, new = ([found.get(name, {"name": name, "state": "absent"}) for name in touched] for found in (before, after))
    return {
        "changed": bool(outcome.commands),
        "backend": backend,
        "before": old,
        "after": new,
        "commands": list(outcome.commands),
        "diff": {"before": _text(old, False), "after": _text(new, False)},
    }
