# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The compiled policy and every decision that follows from it. Pure: no files, no sockets, no clock."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Union

from smtp_relayd import address, replies
from smtp_relayd.replies import Reply

IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
WILDCARDS: Mapping[int, IPAddress] = {4: ipaddress.IPv4Address("0.0.0.0"), 6: ipaddress.IPv6Address("::")}  # noqa: S104
# where an address stands among all: IPv4 before IPv6
Rank = tuple[int, int]


class Route(NamedTuple):
    """A next hop."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Rule:
    """The answer to every question about a session. Sizes in octets, times in seconds, counts -1 for unlimited."""

    connector: str
    fqdn: str
    banner: str
    max_message_size: int
    max_recipients: int
    max_connections: int
    max_connections_per_source: int
    max_protocol_errors: int
    connection_timeout: int
    inactivity_timeout: int
    tarpit_interval: int
    starttls: bool
    implicit_tls: bool
    require_tls: bool
    certificate_file: str
    key_file: str
    auth: str
    anonymous_submit: bool
    anonymous_any_recipient: bool
    anonymous_any_sender: bool
    anonymous_authoritative_domain_sender: bool
    allowed_senders: frozenset[str] | None
    allowed_recipients: frozenset[str] | None
    account_any_recipient: bool

    @property
    def has_tls(self) -> bool:
        return self.starttls or self.implicit_tls


@dataclass(frozen=True)
class Binding:
    """Which rule takes which peer: `firsts`, `lasts` and `rules` of disjoint intervals, ascending."""

    firsts: tuple[Rank, ...]
    lasts: tuple[Rank, ...]
    rules: tuple[Rule, ...]

    def rule_for(self, peer: IPAddress) -> Rule | None:
        place = rank(peer)
        index = bisect_right(self.firsts, place) - 1
        return self.rules[index] if index >= 0 and place <= self.lasts[index] else None


@dataclass(frozen=True)
class AcceptedDomain:
    name: str
    type: str
    next_hop: Route | None


@dataclass(frozen=True)
class Policy:
    bindings: Mapping[tuple[IPAddress, int], Binding]
    domains: Mapping[str, AcceptedDomain]
    postmaster: str | None
    digest: str
    rules: tuple[Rule, ...] = ()

    def rule_for(self, local: str, port: int, peer: str) -> Rule | None:
        """The rule for a session from `peer` that arrived at `local`, None if nobody takes it."""
        arrived = ip(local)
        binding = self.bindings.get((arrived, port)) or self.bindings.get((WILDCARDS[arrived.version], port))
        return binding.rule_for(ip(peer)) if binding else None

    def accepted_domain(self, domain: str) -> AcceptedDomain | None:
        """The entry for a domain: its own, else the longest wildcard above it."""
        names = (domain.lower(), *address.wildcards_above(domain.lower()))
        return next((self.domains[name] for name in names if name in self.domains), None)

    def recipient(self, path: str) -> str:
        """The mailbox of an accepted RCPT argument: `<postmaster>` goes where the policy says."""
        mailbox = path[1:-1]
        return self.postmaster if self.postmaster and mailbox.lower() == "postmaster" else mailbox


def rank(value: IPAddress) -> Rank:
    return value.version, int(value)


def ip(text: str) -> IPAddress:
    """The address of a socket: without the IPv6 scope, IPv4-mapped ones as IPv4."""
    value = ipaddress.ip_address(text.partition("%")[0])
    return getattr(value, "ipv4_mapped", None) or value


# of an authenticated session: the addresses that its account may send as, in lower case; `*@domain`: all of that domain
Addresses = frozenset[str]


def refuse_before_tls(rule: Rule, *, is_encrypted: bool) -> Reply | None:
    """The refusal of AUTH, MAIL, RCPT, DATA and VRFY where encryption is missing."""
    return replies.TLS_FIRST if rule.require_tls and not is_encrypted else None


def refuse_auth(rule: Rule, *, is_encrypted: bool) -> Reply | None:
    """The refusal of AUTH, None if a password may be asked for at this moment."""
    if refusal := refuse_before_tls(rule, is_encrypted=is_encrypted):
        return refusal
    if rule.auth == "never":
        return replies.AUTH_NOT_OFFERED
    return replies.AUTH_NEEDS_TLS if rule.auth == "after_tls" and not is_encrypted else None


def refuse_sender(policy: Policy, rule: Rule, path: str, account: Addresses | None = None) -> Reply | None:
    """The refusal of `MAIL FROM:path`, None if it is accepted. `account` is None in an anonymous session."""
    sender = address.inside_brackets(path)
    if sender is None or (sender and not address.is_mailbox(sender)):
        return replies.INVALID_SENDER
    if account is not None:
        own = (sender.lower(), f"*@{address.domain_of(sender)}")
        return replies.CANNOT_SEND_AS if account.isdisjoint(own) else None
    if not rule.anonymous_submit:
        return replies.NOT_AUTHENTICATED
    return replies.CANNOT_SEND_AS if sender and not _may_send_as(policy, rule, sender) else None


def _may_send_as(policy: Policy, rule: Rule, sender: str) -> bool:
    if not rule.anonymous_any_sender:
        return False
    accepted = policy.accepted_domain(address.domain_of(sender))
    ours = accepted is not None and accepted.type == "Authoritative"
    return rule.anonymous_authoritative_domain_sender or not ours


def refuse_recipient(
    policy: Policy, rule: Rule, path: str, sender: str, account: Addresses | None = None
) -> Reply | None:
    """The refusal of `RCPT TO:path` in a transaction of the mailbox `sender` (empty: the null sender), None if it is
    accepted."""
    recipient = address.inside_brackets(path)
    if recipient is not None and recipient.lower() == "postmaster":
        return None if policy.postmaster else replies.USER_UNKNOWN
    if recipient is None or not address.is_mailbox(recipient):
        return replies.INVALID_RECIPIENT
    if policy.accepted_domain(address.domain_of(recipient)) is not None:
        return None
    if account is not None:
        return None if rule.account_any_recipient else replies.CANNOT_RELAY
    return _refuse_device(rule, sender, recipient)


def _refuse_device(rule: Rule, sender: str, recipient: str) -> Reply | None:
    """Beyond the accepted domains only what the connector allows its devices."""
    if not (rule.anonymous_any_recipient and matches(rule.allowed_recipients, recipient)):
        return replies.CANNOT_RELAY
    return replies.CANNOT_SEND_AS if sender and not matches(rule.allowed_senders, sender) else None


def matches(patterns: frozenset[str] | None, mailbox: str) -> bool:
    """Whether a mailbox is meant by `user@domain`, `domain` or `*.domain` (below it); None means every mailbox."""
    domain = address.domain_of(mailbox)
    return patterns is None or not patterns.isdisjoint((mailbox.lower(), domain, *address.wildcards_above(domain)))
