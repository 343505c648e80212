# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a policy as people write them, and answers in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._connector.addresses import format_address, parse_binding, parse_range
from .._connector.errors import InputError
from .._connector.rights import ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, SUBMIT
from .._connector.values import parse_bool, parse_key, parse_text
from . import decide as d
from .compile import Policy
from .mailbox import parse_path
from .rule import Rule

_NEEDED = ("binding", "client", "sender", "recipient")
_KEYS = (*_NEEDED, "tls", "account")
_FORM = "Give binding, client, sender and recipient, and tls and account where they matter."
_ANONYMOUS = "sessions without AUTH"
_LACK = "Connector '{connector}' does not grant {who} {right}"
_REFUSALS = {
    (d.NO_CONNECTOR, ""): "No enabled connector on {binding} has a range that holds {client}.",
    (d.TLS_FIRST, ""): "Connector '{connector}' requires TLS and the session is not encrypted.",
    (d.AUTH_NEEDS_TLS, ""): "Connector '{connector}' offers AUTH after TLS only and the session is not encrypted.",
    (d.AUTH_NOT_OFFERED, SUBMIT): "Connector '{connector}' offers no AUTH: that needs BasicAuth in auth_mechanism and "
    "{right} for accounts.",
    (d.BAD_SENDER, ""): "The sender {sender} is not an address of the form local@domain.",
    (d.BAD_RECIPIENT, ""): "The recipient {recipient} is not an address of the form local@domain.",
    (d.NO_POSTMASTER, ""): "No authoritative accepted domain has a postmaster.",
    (d.NO_SUBMIT, SUBMIT): f"{_LACK}.",
    (d.NOT_YOUR_SENDER, ""): "The sender {sender} matches none of the allowed_senders of connector '{connector}' (by "
    "default the accepted domains), and the domain of {recipient} is no accepted domain.",
    (d.NOT_YOUR_SENDER, ANY_SENDER): f"{_LACK}.",
    (d.NOT_YOUR_SENDER, AUTHORITATIVE_SENDER): f"{_LACK}, and the domain of {{sender}} is one of ours.",
    (d.NO_RELAY, ANY_RECIPIENT): f"{_LACK}, and the domain of {{recipient}} is no accepted domain.",
}
_NOT_ITS_ADDRESS = "The sender {sender} is none of the addresses of the account."
_NOT_AN_ALLOWED_RECIPIENT = (
    "Connector '{connector}' grants {who} {right}, but {recipient} matches none of its allowed_recipients."
)
_TAKEN_BY_A_WIDE_DOMAIN = (
    "Connector '{connector}' grants {who} {right}, and the accepted domain '{domain}' takes {recipient}."
)
_NOT_DOCUMENTED = (
    "Connector '{connector}' grants {right} to a group such as Everyone: whether {who} carry this is not documented, "
    "so the server may take the session or refuse it."
)
_ALLOWED = {
    SUBMIT: "Connector '{connector}' grants {who} {right}, and {recipient} is a recipient of ours.",
    ANY_RECIPIENT: "Connector '{connector}' grants {who} {right}, so {recipient} may be of any domain.",
}


def parse_peer(value: Any, where: str) -> d.Peer:
    """:raises InputError: not one address"""
    client = parse_range(value, where)
    if client.size != 1:
        raise InputError("one address is needed", where=where, value=value, way_out="Give one.")
    return d.Peer(client.version, client.low)


def parse_session(value: Any, where: str) -> d.Session:
    """``{binding, client, sender, recipient, tls, account}``; the last two are optional, so are angle brackets.

    :raises InputError: something else
    """
    if not isinstance(value, Mapping):
        raise InputError("not a session", where=where, value=value, way_out=_FORM)
    for key in value:
        parse_key(key, _KEYS, f"{where}, key")
    for key in _NEEDED:
        if value.get(key) is None:
            raise InputError("a session needs this", where=f"{where}, {key}", way_out=_FORM)
    tls = value.get("tls")
    return d.Session(
        local=parse_binding(value["binding"], f"{where}, binding"),
        peer=parse_peer(value["client"], f"{where}, client"),
        sender=_parse_path(value["sender"], f"{where}, sender"),
        recipient=_parse_path(value["recipient"], f"{where}, recipient"),
        tls=tls is not None and parse_bool(tls, f"{where}, tls"),
        account=_parse_account(value.get("account"), f"{where}, account"),
    )


def _parse_path(value: Any, where: str) -> str:
    text = parse_text(value, where).strip(" ")
    return text if text.startswith("<") else f"<{text}>"


def _parse_account(value: Any, where: str) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        way_out = "Give the addresses that the account may send as, or leave it out for a session without AUTH."
        raise InputError("not a list of addresses", where=where, value=value, way_out=way_out)
    return frozenset(parse_text(address, where).strip().lower() for address in value)


def answer(policy: Policy, session: d.Session) -> dict[str, Any]:
    """``{allowed, reply, connector, right, reason}``; connector and right are ``None`` where there is none. ``allowed``
    is ``unknown``, which no condition takes for false, where the server does not document it; then there is no reply.
    """
    decision = d.decide(policy, session)
    rule = d.rule_for(policy, session.local, session.peer)
    wide = _wide_domain(policy, session)
    template = _TAKEN_BY_A_WIDE_DOMAIN if decision.allowed and wide else _template(decision, rule, session)
    return {
        "allowed": "unknown" if decision.allowed is None else decision.allowed,
        "reply": decision.reply or None,
        "connector": decision.connector or None,
        "right": decision.right or None,
        "reason": template.format(
            connector=decision.connector,
            right=decision.right,
            who=_ANONYMOUS if session.account is None else "accounts",
            binding=session.local,
            client=format_address(*session.peer),
            sender=session.sender,
            recipient=session.recipient,
            domain=wide,
        ),
    }


def _wide_domain(policy: Policy, session: d.Session) -> str:
    """The accepted domain of the recipient, if it is a whole part of the Internet."""
    recipient = parse_path(session.recipient)
    domain = None if recipient is None else d.accepted_domain(policy.domains_by_name, recipient.domain)
    return domain.name if domain is not None and domain.is_wide else ""


def _template(decision: d.Decision, rule: Rule | None, session: d.Session) -> str:
    if decision.allowed is None:
        return _NOT_DOCUMENTED
    if decision.allowed:
        return _ALLOWED[decision.right]
    if session.account is not None:
        return _NOT_ITS_ADDRESS if decision.reply == d.NOT_YOUR_SENDER else _REFUSALS[decision.reply, decision.right]
    if decision.reply == d.NO_RELAY and rule is not None and rule.anonymous_any_recipient:
        return _NOT_AN_ALLOWED_RECIPIENT
    return _REFUSALS[decision.reply, decision.right]
