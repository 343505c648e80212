# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one form of mail address a relay takes: ``<dot-atom@domain>``.

A subset of RFC 5321, 4.1.2: no source routes, quoted strings, literals or routing characters (``%``, ``!``),
because each of
them has been used to talk a relay into relaying.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import NamedTuple

_ATOM = r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class Mailbox(NamedTuple):
    local_part: str
    domain: str


def parse_path(path: str) -> Mailbox | None:
    """Read ``<local@domain>``, the domain in lower case; ``None`` for everything else."""
    if len(path) < 2 or path[0] != "<" or path[-1] != ">":
        return None
    local, _at, domain = path[1:-1].partition("@")
    is_mailbox = len(local) <= 64 and is_local_part(local) and is_domain(domain)
    return Mailbox(local, domain.lower()) if is_mailbox else None


def is_local_part(text: str) -> bool:
    """Atoms joined by single dots, however long: a longer one in a list of patterns is just never met."""
    return _LOCAL_PART.fullmatch(text) is not None


def is_domain(text: str) -> bool:
    """Up to 255 characters; the last label is no number."""
    return len(text) <= 255 and _DOMAIN.fullmatch(text) is not None and not text.rpartition(".")[2].isdigit()


def covers(addresses: AbstractSet[str], mailbox: Mailbox) -> bool:
    """Whether ``mailbox`` is one of ``addresses`` (lower case): ``user@domain``, or ``*@domain``, all of a domain."""
    return not {f"{mailbox.local_part}@{mailbox.domain}".lower(), f"*@{mailbox.domain}"}.isdisjoint(addresses)
