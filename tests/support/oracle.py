# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The naive oracle: which connector takes a session and what it may do, by asking every connector in turn.

It knows nothing of compile: no intervals, no sweep, no tables of rights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._policy.decide import Session
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State

ANYBODY = "NT AUTHORITY\\ANONYMOUS LOGON"
ACCOUNTS = "NT AUTHORITY\\Authenticated Users"
TRUSTED = "MS Exchange\\Externally Secured Servers"
GROUP_OF = {
    ANYBODY: ("AnonymousUsers", {"submit", "any-sender", "authoritative-domain-sender"}),
    ACCOUNTS: ("ExchangeUsers", {"submit", "any-recipient"}),
    TRUSTED: ("ExchangeServers", {"submit", "any-recipient", "any-sender", "authoritative-domain-sender"}),
}
RIGHT_NAMES = {
    "submit": "ms-Exch-SMTP-Submit",
    "any-recipient": "ms-Exch-SMTP-Accept-Any-Recipient",
    "any-sender": "ms-Exch-SMTP-Accept-Any-Sender",
    "authoritative-domain-sender": "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender",
}


def owner(state: State, session: Session) -> Connector | None:
    """The connector that takes the session; of several with equal ranges the most open one."""
    best: tuple[int, int] | None = None
    winners: list[Connector] = []
    for connector in state.connectors:
        if not connector.enabled:
            continue
        for binding in connector.bindings:
            if (binding.version, binding.port) != (session.local.version, session.local.port):
                continue
            if binding.address not in (session.local.address, 0):
                continue
            for item in connector.remote_ip_ranges:
                if (
                    binding.version == item.version == session.peer.version
                    and item.low <= session.peer.number <= item.high
                ):
                    score = (int(binding.address != session.local.address), item.high - item.low)
                    if best is None or score < best:
                        best, winners = score, [connector]
                    elif score == best:
                        winners.append(connector)
    return max(winners, key=lambda item: openness(state, item), default=None)


def openness(state: State, connector: Connector) -> tuple[bool, ...]:
    """How much it lets strangers do, the weightiest first: the first of those that let most wins."""
    submits = may(connector, "submit")
    relays = submits and may(connector, "any-recipient")
    senders = connector.allowed_senders or tuple(item.name for item in state.accepted_domains)
    return (
        relays,
        not relays or "*" in (connector.allowed_recipients or ("*",)),
        not relays or "*" in senders,
        submits,
        may(connector, "any-sender"),
        not connector.require_tls and not (connector.implicit_tls and "Tls" in connector.auth_mechanism),
        may(connector, "any-recipient", ACCOUNTS),
    )


def may(connector: Connector, right: str, principal: str = ANYBODY) -> bool:
    """The first step that says anything decides. Without AUTH, ExternalAuthoritative takes anybody for a server."""
    if principal == ANYBODY and "ExternalAuthoritative" in connector.auth_mechanism:
        principal = TRUSTED
    group, grants = GROUP_OF[principal]
    by_group = group in connector.permission_groups and right in grants

    def listed(entries: Iterable[tuple[str, str, bool]], deny: bool) -> bool:
        return (principal, RIGHT_NAMES[right], deny) in [tuple(entry) for entry in entries]

    if listed(connector.known_rights, deny=True):
        return False
    if (by_group and not listed(connector.removed_rights, deny=False)) or listed(connector.known_rights, deny=False):
        return True
    return listed(connector.inherited_rights, deny=False) and not listed(connector.inherited_rights, deny=True)


def domain_of(state: State, domain: str) -> AcceptedDomain | None:
    def matching(item: AcceptedDomain) -> bool:
        wild = item.name.startswith("*.") and domain.endswith(item.name[1:])
        return wild or item.name in (domain, "*")

    found = sorted(
        filter(matching, state.accepted_domains), key=lambda item: (item.name.startswith("*"), -len(item.name))
    )
    return found[0] if found else None


def is_mailbox_of_ours(state: State, domain: str) -> bool:
    """Nobody has all of the Internet, or all of a top level domain, in mailboxes of his own."""
    item = domain_of(state, domain)
    return item is not None and item.type == "Authoritative" and len(item.name.replace("*.", "").split(".")) > 1


def address_domain(path: str) -> str | None:
    """The domain of a well-formed path, judged character by character."""
    if not (path.startswith("<") and path.endswith(">") and path.count("@") == 1):
        return None
    local, domain = path[1:-1].split("@")
    atext = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#$&'*+-/=?^_`{|}~")
    if not 1 <= len(local) <= 64 or not all(atom and set(atom) <= atext for atom in local.split(".")):
        return None
    labels = domain.split(".")
    if len(domain) > 255 or not all(re.fullmatch("[A-Za-z0-9-]{1,63}", label) for label in labels):
        return None
    if any(label[0] == "-" or label[-1] == "-" for label in labels) or labels[-1].isdigit():
        return None
    return domain.lower()


def pattern_matches(pattern: str, address: str) -> bool:
    domain = address.rpartition("@")[2]
    if "@" in pattern:
        return address == pattern
    return pattern in ("*", domain) or (pattern.startswith("*.") and domain.endswith(pattern[1:]))


def verdict(state: State, session: Session) -> str:
    """The first three digits and the enhanced code of the reply the session ends with."""
    connector = owner(state, session)
    if connector is None:
        return "554 5.7.1"
    if connector.require_tls and not session.tls:
        return "530 5.7.0"
    if session.account is None:
        refusal = _anonymous_sender(state, connector, session.sender)
    else:
        refusal = _account_sender(connector, session)
    return refusal or _recipient(state, connector, session)


def reaches(state: State, session: Session, mailbox: str) -> bool:
    """Whether somebody may send to ``mailbox`` from there with all that needs no account: TLS and the null sender."""
    anonymous = replace(session, sender="<>", recipient=f"<{mailbox}>", tls=True, account=None)
    return verdict(state, anonymous) == "250 2.1.5"


def _account_sender(connector: Connector, session: Session) -> str:
    if "BasicAuth" not in connector.auth_mechanism or not may(connector, "submit", ACCOUNTS):
        return "504 5.7.4"
    if "BasicAuthRequireTLS" in connector.auth_mechanism and not session.tls:
        return "538 5.7.11"
    if session.sender != "<>" and address_domain(session.sender) is None:
        return "550 5.1.7"
    return (
        "" if any(is_of(pattern, session.sender[1:-1].lower()) for pattern in session.account or ()) else "550 5.7.60"
    )


def is_of(pattern: str, address: str) -> bool:
    """Whether an account with this address may send as that one."""
    return address.rpartition("@")[1:] == ("@", pattern[2:]) if pattern.startswith("*@") else address == pattern


def _anonymous_sender(state: State, connector: Connector, path: str) -> str:
    domain = address_domain(path)
    if domain is None and path != "<>":
        return "550 5.1.7"
    if not may(connector, "submit"):
        return "530 5.7.1"
    if domain is None:
        return ""
    accepted = domain_of(state, domain)
    ours = accepted is not None and accepted.type == "Authoritative"
    if not may(connector, "any-sender") or (ours and not may(connector, "authoritative-domain-sender")):
        return "550 5.7.60"
    return ""


def _recipient(state: State, connector: Connector, session: Session) -> str:
    path = session.recipient
    if path.lower() == "<postmaster>":
        real = [
            item for item in state.accepted_domains if item.type == "Authoritative" and not item.name.startswith("*")
        ]
        return "250 2.1.5" if real else "550 5.1.1"
    domain = address_domain(path)
    if domain is None:
        return "501 5.1.3"
    if domain_of(state, domain) is not None:
        return "250 2.1.5"
    if session.account is not None:
        return "250 2.1.5" if may(connector, "any-recipient", ACCOUNTS) else "550 5.7.54"
    if not may(connector, "any-recipient") or not _is_meant(connector.allowed_recipients or ("*",), path):
        return "550 5.7.54"
    senders = connector.allowed_senders or tuple(item.name for item in state.accepted_domains)
    return "250 2.1.5" if session.sender == "<>" or _is_meant(senders, session.sender) else "550 5.7.60"


def _is_meant(patterns: Iterable[str], path: str) -> bool:
    return any(pattern_matches(pattern, path[1:-1].lower()) for pattern in patterns)
