# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only address grammar of this relay (docs/relay-smtp.md, "Address"), much narrower than RFC 5321 allows.

What another server might read in a second way (source routes, quoted strings, `%`, `!`, literals) is no address here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ATOM = r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.ASCII)
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}", re.ASCII)

MAX_LOCAL_PART = 64
MAX_DOMAIN = 255


def is_domain(text: str) -> bool:
    return len(text) <= MAX_DOMAIN and _DOMAIN.fullmatch(text) is not None


def is_mailbox(text: str) -> bool:
    """Whether `text` is local-part@domain."""
    return has_mailbox_form(text) and text.index("@") <= MAX_LOCAL_PART


def has_mailbox_form(text: str) -> bool:
    """The same, however long the local part is: such a one in a list of mailboxes is just never met."""
    local, at, domain = text.partition("@")
    return bool(at) and _LOCAL_PART.fullmatch(local) is not None and is_domain(domain)


def inside_brackets(path: str) -> str | None:
    """What stands between the angle brackets, or None without them."""
    return path[1:-1] if len(path) > 1 and path[0] == "<" and path[-1] == ">" else None


def domain_of(mailbox: str) -> str:
    """The domain of a mailbox, as it is compared."""
    return mailbox.rpartition("@")[2].lower()


def wildcards_above(domain: str) -> Iterator[str]:
    """`*.parent` for every parent of a domain, the nearest first."""
    _label, dot, parent = domain.partition(".")
    while dot:
        yield f"*.{parent}"
        _label, dot, parent = parent.partition(".")
