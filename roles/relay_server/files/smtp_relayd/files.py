# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loading settings.json and store.json strictly (docs/relay-files.md)."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smtp_relayd import address
from smtp_relayd.json_file import ConfigError, Node, read
from smtp_relayd.policy import AcceptedDomain, Binding, IPAddress, Policy, Rank, Route, Rule, rank

VERSION = 1
DOMAIN_TYPES = ("Authoritative", "InternalRelay", "ExternalRelay")
_SETTINGS_REMEDY = "let the module mailops.relay.relay_settings write it again"
_LOADED = ("name", "fqdn", "smarthost")
_STORE_REMEDY = "let a module of mailops.relay write it again"
_ROUTE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", re.ASCII)
# Exchange's own limit for a banner line; printable, so that it stays one line
_BANNER = re.compile(r"220 [\x20-\x7e]{1,500}")
_MAX_NUMBER = 2**31 - 1
AUTH_CHOICES = ("never", "after_tls", "always")
# the rest of a rule by type; numbers with the least that they may be
_TEXTS = ("certificate_file", "key_file")
_NUMBERS = {
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

__all__ = ["ConfigError", "Settings", "load_policy", "load_settings"]


@dataclass(frozen=True)
class Settings:
    """``digest``: of what the daemon acts on; the limits in the file are for the modules."""

    name: str
    fqdn: str
    smarthost: Route | None
    digest: str


def load_settings(directory: Path) -> Settings:
    root, _content = read(directory / "settings.json", _SETTINGS_REMEDY)
    fields = root.fields(("version", *_LOADED, "max_relay_addresses", "shared_sources"))
    fields["version"].version(VERSION)
    name = fields["name"].text()
    if not name:
        raise fields["name"].error("is empty")
    return Settings(
        name=name,
        fqdn=fields["fqdn"].parsed(_domain),
        smarthost=_smarthost(fields["smarthost"]),
        digest=_canonical_digest({key: fields[key].value for key in _LOADED}),
    )


def _smarthost(node: Node) -> Route | None:
    """An empty object: there is none."""
    if node.value == {}:
        return None
    fields = node.fields(("host", "port"))
    host, port = fields["host"].text(), fields["port"].number(1, 65535)
    try:
        return _route(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except ValueError as error:
        raise fields["host"].error(str(error)) from None


def load_policy(directory: Path) -> Policy:
    root, _content = read(directory / "store.json", _STORE_REMEDY)
    fields = root.fields(("version", "definitions", "policy", "digest"))
    fields["version"].version(VERSION)
    fields["definitions"].fields(("connectors", "accepted_domains"))
    digest = fields["digest"].text()
    if digest != _canonical_digest(fields["policy"].value):
        raise fields["digest"].error("is not the digest of the policy beside it")
    return _policy(fields["policy"], digest)


def _canonical_digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _policy(node: Node, digest: str) -> Policy:
    fields = node.fields(("bindings", "rules", "accepted_domains", "postmaster"))
    rules = [_rule(item) for item in fields["rules"].items()]
    postmaster = fields["postmaster"]
    return Policy(
        bindings=_bindings(fields["bindings"], rules),
        domains=_domains(fields["accepted_domains"]),
        postmaster=None if postmaster.value is None else postmaster.parsed(_mailbox),
        digest=digest,
        rules=tuple(rules),
    )


def _rule(node: Node) -> Rule:
    single = ("connector", "fqdn", "banner", "auth", "allowed_senders", "allowed_recipients")
    fields = node.fields((*single, *_TEXTS, *_NUMBERS, *_FLAGS))
    rest: dict[str, Any] = {
        **{name: fields[name].parsed(_path) for name in _TEXTS},
        **{name: fields[name].number(low, _MAX_NUMBER) for name, low in _NUMBERS.items()},
        **{flag: fields[flag].flag() for flag in _FLAGS},
    }
    rule = Rule(
        connector=fields["connector"].text(),
        fqdn=fields["fqdn"].parsed(_domain) if fields["fqdn"].value != "" else "",
        banner=fields["banner"].parsed(_banner),
        auth=fields["auth"].one_of(AUTH_CHOICES),
        allowed_senders=_patterns(fields["allowed_senders"]),
        allowed_recipients=_patterns(fields["allowed_recipients"]),
        **rest,
    )
    _check_tls(rule, fields)
    return rule


def _check_tls(rule: Rule, fields: Mapping[str, Node]) -> None:
    if rule.starttls and rule.implicit_tls:
        raise fields["implicit_tls"].error("excludes starttls")
    if rule.has_tls and not rule.certificate_file:
        raise fields["certificate_file"].error("is empty where TLS is offered")


def _patterns(node: Node) -> frozenset[str] | None:
    return None if node.value is None else frozenset(item.parsed(_pattern) for item in node.items())


def _bindings(node: Node, rules: list[Rule]) -> dict[tuple[IPAddress, int], Binding]:
    bindings: dict[tuple[IPAddress, int], Binding] = {}
    for item in node.items():
        fields = item.fields(("address", "port", "intervals"))
        key = fields["address"].parsed(_ip), fields["port"].number(1, 65535)
        if key in bindings:
            raise item.error("stands twice among the bindings")
        bindings[key] = _binding(fields["intervals"], rules)
    return bindings


def _binding(node: Node, rules: list[Rule]) -> Binding:
    firsts: list[Rank] = []
    lasts: list[Rank] = []
    chosen: list[Rule] = []
    for item in node.items():
        first, last, index = _interval(item, len(rules))
        if lasts and first <= lasts[-1]:
            raise item.error("overlaps the interval before it or should stand before it")
        firsts.append(first)
        lasts.append(last)
        chosen.append(rules[index])
    return Binding(tuple(firsts), tuple(lasts), tuple(chosen))


def _interval(node: Node, rules: int) -> tuple[Rank, Rank, int]:
    parts = node.items()
    if len(parts) != 3:
        raise node.error("is not [first address, last address, index of a rule]")
    first, last = (rank(part.parsed(_ip)) for part in parts[:2])
    if first[0] != last[0] or first > last:
        raise node.error("does not go from an address to a higher one of its family")
    return first, last, parts[2].number(0, rules - 1)


def _domains(node: Node) -> dict[str, AcceptedDomain]:
    domains: dict[str, AcceptedDomain] = {}
    for item in node.items():
        fields = item.fields(("name", "type", "next_hop"))
        name = fields["name"].parsed(_domain_pattern)
        if name in domains:
            raise fields["name"].error("stands twice among the accepted domains")
        hop = fields["next_hop"]
        domains[name] = AcceptedDomain(
            name, fields["type"].one_of(DOMAIN_TYPES), None if hop.value == "" else hop.parsed(_route)
        )
    return domains


def _ip(text: str) -> IPAddress:
    try:
        return ipaddress.ip_address(text.replace("%", " "))  # no IPv6 scope: ranges have none
    except ValueError:
        raise ValueError("is not an IP address") from None


def _domain(text: str) -> str:
    if not address.is_domain(text):
        raise ValueError("is not a domain name")
    return text


def _domain_pattern(text: str) -> str:
    if not address.is_domain(text.removeprefix("*.")):
        raise ValueError("is neither a domain name nor *. and a domain name")
    return text.lower()


def _path(text: str) -> str:
    if text and (not os.path.isabs(text) or "\0" in text):
        raise ValueError("is not an absolute path")
    return text


def _pattern(text: str) -> str:
    if text != text.lower() or not (address.is_domain(text.removeprefix("*.")) or address.has_mailbox_form(text)):
        raise ValueError("is not user@domain, domain or *.domain in lower case")
    return text


def _mailbox(text: str) -> str:
    if not address.is_mailbox(text):
        raise ValueError("is not local-part@domain")
    return text


def _banner(text: str) -> str:
    if text and not _BANNER.fullmatch(text):
        raise ValueError("is not a greeting line: 220, a space and up to 500 printable ASCII characters")
    return text


def _route(text: str) -> Route:
    found = _ROUTE.fullmatch(text)
    if not found or not 1 <= int(found.group("port")) <= 65535:
        raise ValueError("is not host:port or [IPv6]:port")
    if found.group("v6"):
        _ip(found.group("v6"))
    return Route(found.group("v6") or found.group("host"), int(found.group("port")))
