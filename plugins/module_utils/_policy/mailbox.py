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
_PATH = re.compile(rf"<({_ATOM}(?:\.{_ATOM})*)@({_LABEL}(?:\.{_LABEL})*)>")


class Mailbox(NamedTuple):
    local_part: str
    domain: str


def parse_path(path: str) -> Mailbox | None:
    """Read ``<local@domain>``, the domain in lower case; ``None`` for everything else."""
    match = _PATH.fullmatch(path)
    if match is None or len(match[1]) > 64 or len(match[2]) > 255 or match[2].rpartition(".")[2].isdigit():
        return None
    return Mailbox(match[1], match[2].lower())


def covers(addresses: AbstractSet[str], mailbox: Mailbox) -> bool:
    """Whether ``mailbox`` is one of ``addresses`` (lower case): ``user@domain``, or ``*@domain``, all of a domain."""
    return not {f"{mailbox.local_part}@{mailbox.domain}".lower(), f"*@{mailbox.domain}"}.isdisjoint(addresses)
