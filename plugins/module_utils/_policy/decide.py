# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a policy what a session may do, and why. The stages and replies are those of docs/relay-smtp.md."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .._connector.addresses import Binding
from .._connector.model import AcceptedDomain
from .._connector.rights import ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, SUBMIT
from .compile import Policy
from .mailbox import Mailbox, covers, parse_path
from .rule import Rule

NO_CONNECTOR = "554 5.7.1 No connector accepts connections from this address"
BAD_SENDER = "550 5.1.7 Invalid address"
BAD_RECIPIENT = "501 5.1.3 Invalid address"
NO_POSTMASTER = "550 5.1.1 User unknown"
NO_SUBMIT = "530 5.7.1 Client was not authenticated"
NOT_YOUR_SENDER = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
NO_RELAY = "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"
TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"
AUTH_NEEDS_TLS = "538 5.7.11 Encryption required for requested authentication mechanism"
AUTH_NOT_OFFERED = "504 5.7.4 Unrecognized authentication type"
SENDER_OK = "250 2.1.0 Sender OK"
RECIPIENT_OK = "250 2.1.5 Recipient OK"


class Peer(NamedTuple):
    """The far end of a session as a number; IPv4-mapped addresses are unwrapped by whoever makes this."""

    version: int
    number: int


@dataclass(frozen=True)
class Session:
    """One sender and one recipient offered by ``peer`` to the local address ``local``; paths in angle brackets.

    :ivar tls: the session is encrypted
    :ivar account: after AUTH, the addresses that the account may send as (lower case, ``*@domain``: all of a domain);
        ``None``: no AUTH
    """

    local: Binding
    peer: Peer
    sender: str
    recipient: str
    tls: bool = False
    account: frozenset[str] | None = None


class Decision(NamedTuple):
    """``reply`` to the last command a client gets to; ``right`` that allowed or is missing (empty: none is asked
    for). ``allowed`` is ``None``, without a reply, where the server may hold that a session has ``right`` or not."""

    allowed: bool | None
    reply: str
    connector: str
    right: str


def rule_for(policy: Policy, local: Binding, peer: Peer) -> Rule | None:
    """The rule of the connector that takes this session, ``None``: no connector does."""
    number = _rule_number(policy, local, peer)
    return None if number is None else policy.rules[number]


def _rule_number(policy: Policy, local: Binding, peer: Peer) -> int | None:
    intervals = policy.at(local)
    index = bisect.bisect_right(intervals, (peer.version, peer.number, 1 << 129, 0)) - 1
    if index < 0:
        return None
    found = intervals[index]
    return found.rule if found.version == peer.version and found.high >= peer.number else None


def decide(policy: Policy, session: Session) -> Decision:
    number = _rule_number(policy, session.local, session.peer)
    if number is None:
        return Decision(False, NO_CONNECTOR, "", "")
    decision = _judge(policy, policy.rules[number], session)
    perhaps = policy.perhaps.get(number)
    if not decision.allowed and perhaps is not None and _judge(policy, perhaps, session).allowed:
        return decision._replace(allowed=None, reply="")
    return decision


def _judge(policy: Policy, rule: Rule, session: Session) -> Decision:
    if rule.require_tls and not session.tls:
        return Decision(False, TLS_FIRST, rule.connector, "")
    if session.account is not None:
        refusal = _refuse_account(rule, session, session.account)
    else:
        refusal = _refuse_sender(policy, rule, session.sender)
    return refusal or _decide_recipient(policy, rule, session)


def _refuse_account(rule: Rule, session: Session, addresses: frozenset[str]) -> Decision | None:
    """An account sends as its own addresses and never as nobody."""
    if rule.auth == "never":
        return Decision(False, AUTH_NOT_OFFERED, rule.connector, SUBMIT)
    if rule.auth == "after_tls" and not session.tls:
        return Decision(False, AUTH_NEEDS_TLS, rule.connector, "")
    sender = parse_path(session.sender)
    if sender is None and session.sender != "<>":
        return Decision(False, BAD_SENDER, rule.connector, "")
    if sender is None or not covers(addresses, sender):
        return Decision(False, NOT_YOUR_SENDER, rule.connector, ANY_SENDER)
    return None


def _refuse_sender(policy: Policy, rule: Rule, path: str) -> Decision | None:
    sender = None if path == "<>" else parse_path(path)
    if sender is None and path != "<>":
        return Decision(False, BAD_SENDER, rule.connector, "")
    if not rule.anonymous_submit:
        return Decision(False, NO_SUBMIT, rule.connector, SUBMIT)
    if sender is None:
        return None
    missing = _missing_sender_right(policy, rule, sender)
    return Decision(False, NOT_YOUR_SENDER, rule.connector, missing) if missing is not None else None


def _missing_sender_right(policy: Policy, rule: Rule, sender: Mailbox) -> str | None:
    """The right that an anonymous session lacks to use this sender."""
    if not rule.anonymous_any_sender:
        return ANY_SENDER
    domain = accepted_domain(policy.domains_by_name, sender.domain)
    if domain is not None and domain.type == "Authoritative" and not rule.anonymous_authoritative_domain_sender:
        return AUTHORITATIVE_SENDER
    return None


def _decide_recipient(policy: Policy, rule: Rule, session: Session) -> Decision:
    if session.recipient.lower() == "<postmaster>":
        if policy.postmaster is None:
            return Decision(False, NO_POSTMASTER, rule.connector, "")
        return Decision(True, RECIPIENT_OK, rule.connector, SUBMIT)
    recipient = parse_path(session.recipient)
    if recipient is None:
        return Decision(False, BAD_RECIPIENT, rule.connector, "")
    if accepted_domain(policy.domains_by_name, recipient.domain) is not None:
        return Decision(True, RECIPIENT_OK, rule.connector, SUBMIT)
    if session.account is None:
        return _judge_device(rule, parse_path(session.sender), recipient)
    relays = rule.account_any_recipient
    return Decision(relays, RECIPIENT_OK if relays else NO_RELAY, rule.connector, ANY_RECIPIENT)


def _judge_device(rule: Rule, sender: Mailbox | None, recipient: Mailbox) -> Decision:
    """Beyond the accepted domains only what the connector allows its devices. ``None`` is the null sender."""
    if not (rule.anonymous_any_recipient and matches(rule.allowed_recipients, recipient)):
        return Decision(False, NO_RELAY, rule.connector, ANY_RECIPIENT)
    if sender is not None and not matches(rule.allowed_senders, sender):
        return Decision(False, NOT_YOUR_SENDER, rule.connector, "")
    return Decision(True, RECIPIENT_OK, rule.connector, ANY_RECIPIENT)


def matches(patterns: tuple[str, ...] | None, mailbox: Mailbox) -> bool:
    """``None`` is everybody; else ``user@domain``, ``domain`` or ``*.domain`` must match, whatever the case."""
    if patterns is None:
        return True
    address = f"{mailbox.local_part}@{mailbox.domain}".lower()
    labels = mailbox.domain.split(".")
    parents = (f"*.{'.'.join(labels[depth:])}" for depth in range(1, len(labels)))
    return not {address, mailbox.domain, *parents}.isdisjoint(patterns)


def accepted_domain(by_name: Mapping[str, AcceptedDomain], domain: str) -> AcceptedDomain | None:
    """The accepted domain that ``domain`` (lower case) belongs to: exact before wildcard, longer wildcard before
    shorter, ``*`` last."""
    if domain in by_name:
        return by_name[domain]
    _label, dot, parent = domain.partition(".")
    while dot:
        if f"*.{parent}" in by_name:
            return by_name[f"*.{parent}"]
        _label, dot, parent = parent.partition(".")
    return by_name.get("*")
