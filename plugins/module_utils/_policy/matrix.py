# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access matrix: a policy as one table, so that somebody can read who may do what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._connector.addresses import BITS, AddressRange, Binding, cidrs, subtract
from .compile import Policy
from .rule import Rule, as_range


def access_matrix(policy: Policy) -> list[dict[str, Any]]:
    """A row for each interval of each binding, in order. The last row of a binding is everybody else, who is not
    served: no clients, no connector."""
    return [
        row
        for binding, intervals in policy.bindings
        for row in (
            *(_served(binding, as_range(item), item.rule, policy) for item in intervals),
            *_everybody_else(binding, map(as_range, intervals)),
        )
    ]


def _everybody_else(binding: Binding, served: Iterable[AddressRange]) -> list[dict[str, Any]]:
    everybody = AddressRange(binding.version, 0, (1 << BITS[binding.version]) - 1)
    rest = subtract([everybody], served)
    closed = {
        "binding": str(binding),
        "clients": [],
        "addresses": sum(item.size for item in rest),
        "connector": None,
        "anonymous": {"own_domains": False, "any_domain": False},
        "account": {"auth": "never", "any_domain": False},
        "tls": "none",
    }
    return [closed] if rest else []


def _served(binding: Binding, clients: AddressRange, number: int, policy: Policy) -> dict[str, Any]:
    rule = policy.rules[number]
    account_any_domain = rule.account_any_recipient or policy.accepts_any_domain
    return {
        "binding": str(binding),
        "clients": [str(block) for block in cidrs(clients)],
        "addresses": clients.size,
        "connector": rule.connector,
        "anonymous": _anonymous(rule, policy.perhaps.get(number, rule), policy),
        "account": {"auth": rule.auth, "any_domain": rule.auth != "never" and account_any_domain},
        "tls": _tls(rule),
    }


def _anonymous(rule: Rule, perhaps: Rule, policy: Policy) -> dict[str, Any]:
    """``unknown`` where it is not documented which of the two rules holds, and they differ."""
    known, other = (
        {"own_domains": each.anonymous_submit, "any_domain": _any_domain(each, policy)} for each in (rule, perhaps)
    )
    return {key: value if value == other[key] else "unknown" for key, value in known.items()}


def _any_domain(rule: Rule, policy: Policy) -> bool | list[str]:
    """A list: external recipients must match one of these patterns."""
    if policy.accepts_any_domain:
        return rule.anonymous_submit
    if rule.anonymous_relay and rule.allowed_recipients is not None:
        return list(rule.allowed_recipients)
    return rule.anonymous_relay


def _tls(rule: Rule) -> str:
    if rule.implicit_tls:
        return "implicit"
    if rule.require_tls:
        return "required"
    return "offered" if rule.starttls else "none"
