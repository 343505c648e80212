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
            *(_row(binding, [as_range(item)], policy.rules[item.rule]) for item in intervals),
            *_everybody_else(binding, map(as_range, intervals)),
        )
    ]


def _everybody_else(binding: Binding, served: Iterable[AddressRange]) -> list[dict[str, Any]]:
    everybody = AddressRange(binding.version, 0, (1 << BITS[binding.version]) - 1)
    rest = subtract([everybody], served)
    return [{**_row(binding, rest, None), "clients": []}] if rest else []


def _row(binding: Binding, clients: Iterable[AddressRange], rule: Rule | None) -> dict[str, Any]:
    ranges = list(clients)
    return {
        "binding": str(binding),
        "clients": [str(block) for item in ranges for block in cidrs(item)],
        "addresses": sum(item.size for item in ranges),
        "connector": rule.connector if rule else None,
        "anonymous": {
            "own_domains": rule is not None and rule.anonymous_submit,
            "any_domain": _any_domain(rule) if rule else False,
        },
        "account": {
            "auth": rule.auth if rule else "never",
            "any_domain": rule is not None and rule.auth != "never" and rule.account_any_recipient,
        },
        "tls": _tls(rule) if rule else "none",
    }


def _any_domain(rule: Rule) -> bool | list[str]:
    """A list: external recipients must match one of these patterns."""
    if rule.anonymous_relay and rule.allowed_recipients is not None:
        return list(rule.allowed_recipients)
    return rule.anonymous_relay


def _tls(rule: Rule) -> str:
    if rule.implicit_tls:
        return "implicit"
    if rule.require_tls:
        return "required"
    return "offered" if rule.starttls else "none"
