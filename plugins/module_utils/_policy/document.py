# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""temporary"""

from __future__ import annotations

from typing import Any

from .._connector.addresses import format_address, parse_binding, parse_range
from .._connector.errors import StoreError
from .._connector.model import AcceptedDomain
from .compile import Policy
from .rule import Interval, Rule


def policy_document(policy: Policy) -> dict[str, Any]:
    """The policy as the daemon reads it (docs/relay-files.md)."""
    return {
        "bindings": [
            {
                "address": binding.host,
                "port": binding.port,
                "intervals": [
                    [format_address(item.version, item.low), format_address(item.version, item.high), item.rule]
                    for item in intervals
                ],
            }
            for binding, intervals in policy.bindings
        ],
        "rules": [_rule_document(rule) for rule in policy.rules],
        "accepted_domains": [dict(vars(domain)) for domain in policy.accepted_domains],
        "postmaster": policy.postmaster,
    }


def _rule_document(rule: Rule) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(rule).items()}


def parse_policy_document(document: Any, where: str) -> Policy:
    try:
        return Policy(
            tuple(
                (
                    parse_binding(
                        f"[{b['address']}]:{b['port']}" if ":" in b["address"] else f"{b['address']}:{b['port']}", "x"
                    ),
                    tuple(Interval(*parse_range(f"{a}-{z}", "x"), r) for a, z, r in b["intervals"]),
                )
                for b in document["bindings"]
            ),
            tuple(Rule(**{k: tuple(v) if isinstance(v, list) else v for k, v in r.items()}) for r in document["rules"]),
            tuple(AcceptedDomain(**d) for d in document["accepted_domains"]),
            document["postmaster"],
        )
    except Exception as error:
        raise StoreError("x", where=where) from error
