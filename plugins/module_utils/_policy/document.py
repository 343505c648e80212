# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as a document of JSON values, as docs/relay-files.md describes it: written, and read back as it acts.

What the daemon takes is read, whoever wrote it, and nothing else; tests/contract compares the two.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from .._connector.addresses import Binding, format_address
from .._connector.errors import StoreError
from .._connector.model import AcceptedDomain
from .compile import Policy
from .mailbox import is_domain, is_local_part, parse_path
from .rule import Interval, Rule

T = TypeVar("T")
_WAY_OUT = "Restore the file from a backup, or remove the directory of the relay to start afresh."
_MOST = (1 << 31) - 1
_LEAST = {
    "max_message_size": 1,
    "max_recipients": 1,
    "max_connections": -1,
    "max_connections_per_source": -1,
    "max_protocol_errors": -1,
    "connection_timeout": 1,
    "inactivity_timeout": 1,
    "tarpit_interval": 0,
}
_FLAGS = (
    "starttls",
    "implicit_tls",
    "require_tls",
    "anonymous_submit",
    "anonymous_any_recipient",
    "anonymous_any_sender",
    "anonymous_authoritative_domain_sender",
    "account_any_recipient",
)
_AUTH = ("never", "after_tls", "always")
_TYPES = ("Authoritative", "InternalRelay", "ExternalRelay")
_BANNER = re.compile(r"220 [\x20-\x7e]{1,500}")
_NEXT_HOP = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


def policy_document(policy: Policy) -> dict[str, Any]:
    """The policy as the daemon reads it. ``unknown`` is not in it: such a policy is never written."""
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
    """What :func:`policy_document` made, also edited by hand: the order of bindings and domains does not matter, and
    intervals of the other IP version, which no session of the binding comes from, are left out.

    :raises StoreError: anything that the daemon would refuse
    """
    fields = _Node(document, where).members(("bindings", "rules", "accepted_domains", "postmaster"))
    rules = tuple(_parse_rule(item) for item in fields["rules"].items())
    bindings = [_parse_binding(item, len(rules)) for item in fields["bindings"].items()]
    domains = [_parse_domain(item) for item in fields["accepted_domains"].items()]
    fields["bindings"].refuse_twice(binding for binding, _intervals in bindings)
    fields["accepted_domains"].refuse_twice(item.name for item in domains)
    postmaster = fields["postmaster"]
    return Policy(
        bindings=tuple(sorted(bindings)),
        rules=rules,
        accepted_domains=tuple(sorted(domains, key=lambda item: item.key)),
        postmaster=None if postmaster.value is None else postmaster.text(_is_mailbox, "not local-part@domain"),
    )


class _Node(NamedTuple):
    """A value and where it stands."""

    value: Any
    where: str

    def error(self, what: str) -> StoreError:
        return StoreError(what, where=self.where, value=self.value, way_out=_WAY_OUT)

    def members(self, keys: Iterable[str]) -> dict[str, _Node]:
        """Of an object with exactly these keys."""
        if not isinstance(self.value, dict):
            raise self.error("not an object")
        odd = sorted(set(keys).symmetric_difference(self.value), key=repr)
        if odd:
            raise StoreError("a key is missing or unknown", where=self.where, value=odd[0], way_out=_WAY_OUT)
        return {key: _Node(value, f"{self.where}.{key}") for key, value in self.value.items()}

    def items(self) -> list[_Node]:
        if not isinstance(self.value, list):
            raise self.error("not a list")
        return [_Node(value, f"{self.where}[{number}]") for number, value in enumerate(self.value)]

    def text(self, is_valid: Callable[[str], object], what: str) -> str:
        if not isinstance(self.value, str) or not is_valid(self.value):
            raise self.error(what)
        return self.value

    def number(self, low: int, high: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            raise self.error(f"not a whole number from {low} to {high}")
        return int(self.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.error("not true or false")
        return self.value

    def refuse_twice(self, keys: Iterable[object]) -> None:
        seen: set[object] = set()
        for number, key in enumerate(keys):
            if key in seen:
                raise self.items()[number].error("it stands there twice")
            seen.add(key)


def _parse_rule(node: _Node) -> Rule:
    fields = node.members(Rule.__dataclass_fields__)
    numbers = {key: fields[key].number(least, _MOST) for key, least in _LEAST.items()}
    flags = {key: fields[key].flag() for key in _FLAGS}
    rest: dict[str, Any] = {**numbers, **flags}
    rule = Rule(
        connector=fields["connector"].text(lambda text: True, "not a text"),
        fqdn=fields["fqdn"].text(lambda text: not text or is_domain(text), "not a domain name"),
        banner=fields["banner"].text(lambda text: not text or _BANNER.fullmatch(text), "not a greeting line"),
        certificate_file=fields["certificate_file"].text(_is_path, "not an absolute path"),
        key_file=fields["key_file"].text(_is_path, "not an absolute path"),
        auth=fields["auth"].text(_AUTH.__contains__, f"not one of {', '.join(_AUTH)}"),
        allowed_senders=_parse_patterns(fields["allowed_senders"]),
        allowed_recipients=_parse_patterns(fields["allowed_recipients"]),
        **rest,
    )
    if rule.starttls and rule.implicit_tls:
        raise fields["implicit_tls"].error("excludes starttls")
    if (rule.starttls or rule.implicit_tls) and not rule.certificate_file:
        raise fields["certificate_file"].error("needed where TLS is offered")
    return rule


def _parse_patterns(node: _Node) -> tuple[str, ...] | None:
    if node.value is None:
        return None
    return tuple(item.text(_is_pattern, "not user@domain, domain or *.domain in lower case") for item in node.items())


def _parse_binding(node: _Node, rules: int) -> tuple[Binding, tuple[Interval, ...]]:
    fields = node.members(("address", "port", "intervals"))
    version, number = _parse_address(fields["address"])
    binding = Binding(version, number, fields["port"].number(1, 65535))
    intervals = [_parse_interval(item, rules) for item in fields["intervals"].items()]
    for item, before, after in zip(fields["intervals"].items()[1:], intervals, intervals[1:]):
        if (after.version, after.low) <= (before.version, before.high):
            raise item.error("it overlaps the interval before it or should stand before it")
    return binding, tuple(item for item in intervals if item.version == version)


def _parse_interval(node: _Node, rules: int) -> Interval:
    parts = node.items()
    if len(parts) != 3:
        raise node.error("not [first address, last address, index of a rule]")
    (version, low), (last_version, high) = map(_parse_address, parts[:2])
    if version != last_version or low > high:
        raise node.error("it does not go from an address to a higher one of its IP version")
    return Interval(version, low, high, parts[2].number(0, rules - 1))


def _parse_address(node: _Node) -> tuple[int, int]:
    text = node.text(_is_address, "not an IP address")
    address = ipaddress.ip_address(text)
    return address.version, int(address)


def _parse_domain(node: _Node) -> AcceptedDomain:
    fields = node.members(("name", "type", "next_hop"))
    return AcceptedDomain(
        name=fields["name"].text(_is_domain_pattern, "neither a domain name nor *. and a domain name").lower(),
        type=fields["type"].text(_TYPES.__contains__, f"not one of {', '.join(_TYPES)}"),
        next_hop=fields["next_hop"].text(_is_next_hop, "not host:port or [IPv6]:port"),
    )


def _is_path(text: str) -> bool:
    return not text or (text.startswith("/") and "\0" not in text)


def _is_mailbox(text: str) -> bool:
    return parse_path(f"<{text}>") is not None


def _is_domain_pattern(text: str) -> bool:
    return is_domain(text.removeprefix("*."))


def _is_pattern(text: str) -> bool:
    local, at, domain = text.partition("@")
    return text == text.lower() and (is_local_part(local) and is_domain(domain) if at else _is_domain_pattern(text))


def _is_address(text: str) -> bool:
    """Without an IPv6 scope: ranges have none."""
    try:
        ipaddress.ip_address(text.replace("%", " "))
    except ValueError:
        return False
    return True


def _is_next_hop(text: str) -> bool:
    found = _NEXT_HOP.fullmatch(text)
    if found is None:
        return not text
    return 1 <= int(found[2]) <= 65535 and (found[1] is None or _is_address(found[1]))
