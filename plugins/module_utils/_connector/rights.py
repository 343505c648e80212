# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permission groups, principals and extended rights of a receive connector.

Source: Microsoft, "Receive connectors" (permission groups and what each grants to whom). The content of a group is
fixed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .errors import InputError
from .values import parse_bool, parse_choice, parse_text

ANONYMOUS = "NT AUTHORITY\\ANONYMOUS LOGON"
AUTHENTICATED = "NT AUTHORITY\\Authenticated Users"
PARTNERS = "MS Exchange\\Partner Servers"
EXTERNALLY_SECURED = "MS Exchange\\Externally Secured Servers"

SUBMIT = "ms-Exch-SMTP-Submit"
ANY_RECIPIENT = "ms-Exch-SMTP-Accept-Any-Recipient"
ANY_SENDER = "ms-Exch-SMTP-Accept-Any-Sender"
AUTHORITATIVE_SENDER = "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender"
AUTHENTICATION_FLAG = "ms-Exch-SMTP-Accept-Authentication-Flag"
EXCH50 = "ms-Exch-SMTP-Accept-Exch50"
HEADERS_ROUTING = "ms-Exch-Accept-Headers-Routing"
HEADERS_ORGANIZATION = "ms-Exch-Accept-Headers-Organization"
HEADERS_FOREST = "ms-Exch-Accept-Headers-Forest"
BYPASS_ANTI_SPAM = "ms-Exch-Bypass-Anti-Spam"
BYPASS_SIZE_LIMIT = "ms-Exch-Bypass-Message-Size-Limit"
RIGHTS = (
    SUBMIT,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHORITATIVE_SENDER,
    AUTHENTICATION_FLAG,
    EXCH50,
    HEADERS_ROUTING,
    HEADERS_ORGANIZATION,
    HEADERS_FOREST,
    BYPASS_ANTI_SPAM,
    BYPASS_SIZE_LIMIT,
)

_SERVERS = (SUBMIT, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, AUTHENTICATION_FLAG, EXCH50, HEADERS_ROUTING)
_TRUSTED = (*_SERVERS, BYPASS_ANTI_SPAM, BYPASS_SIZE_LIMIT)
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "AnonymousUsers": {ANONYMOUS: (SUBMIT, ANY_SENDER, AUTHORITATIVE_SENDER, HEADERS_ROUTING)},
    "ExchangeUsers": {AUTHENTICATED: (SUBMIT, ANY_RECIPIENT, HEADERS_ROUTING, BYPASS_ANTI_SPAM)},
    "ExchangeServers": {
        "Exchange Servers": RIGHTS,
        "MS Exchange\\Edge Transport Servers": RIGHTS,
        "MS Exchange\\Hub Transport Servers": RIGHTS,
        EXTERNALLY_SECURED: _TRUSTED,
    },
    "ExchangeLegacyServers": {"ExchangeLegacyInterop": _TRUSTED},
    "Partners": {PARTNERS: (SUBMIT, HEADERS_ROUTING)},
}
_PRINCIPALS = {
    "anonymous logon": ANONYMOUS,
    "nt authority\\anonymous logon": ANONYMOUS,
    "s-1-5-7": ANONYMOUS,
    "authenticated users": AUTHENTICATED,
    "nt authority\\authenticated users": AUTHENTICATED,
    "s-1-5-11": AUTHENTICATED,
}


class ExtendedRight(NamedTuple):
    """One access control entry beyond what the permission groups grant."""

    principal: str
    right: str
    deny: bool = False

    def __str__(self) -> str:
        return f"{'deny' if self.deny else 'allow'} {self.principal} {self.right}"


def parse_extended_right(value: Any, where: str) -> ExtendedRight:
    if not isinstance(value, dict) or not {"principal", "right"} <= set(value) <= {"principal", "right", "deny"}:
        way_out = "Write {principal: ..., right: ..., deny: false}."
        raise InputError("not an extended right", where=where, value=value, way_out=way_out)
    principal = parse_text(value["principal"], f"{where}.principal").strip()
    if not principal:
        raise InputError(
            "a principal is needed", where=f"{where}.principal", value="", way_out=f"For example {ANONYMOUS}."
        )
    deny = value.get("deny")
    return ExtendedRight(
        _PRINCIPALS.get(principal.lower(), principal),
        parse_choice(value["right"], RIGHTS, f"{where}.right"),
        False if deny is None else parse_bool(deny, f"{where}.deny"),
    )


def parse_permission_group(value: Any, where: str) -> str:
    """A group name; ``None`` and the output-only marker ``Custom`` come back as ``''``."""
    group = parse_choice(value, (*GROUPS, "None", "Custom"), where)
    return "" if group in ("None", "Custom") else group


def effective_rights(principal: str, groups: Iterable[str], extended: Iterable[ExtendedRight]) -> frozenset[str]:
    """What ``principal`` may do: granted by a group or an entry, and not denied (deny wins)."""
    entries = [entry for entry in extended if entry.principal.lower() == principal.lower()]
    granted = {right for group in groups for right in GROUPS[group].get(principal, ())}
    granted |= {entry.right for entry in entries if not entry.deny}
    return frozenset(granted - {entry.right for entry in entries if entry.deny})
