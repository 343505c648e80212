# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Exchange server can express in its version."""

from __future__ import annotations

import re
from typing import Any

from ...module_utils._connector.properties import CONNECTOR_PROPERTIES
from ...module_utils._engine.capabilities import Capabilities

_VERSIONS = ("07", "07s", "10", "10s", "13", "16")
"""As :attr:`.Property.since` has them, the oldest first."""
_OURS: dict[str, frozenset[Any]] = {
    "implicit_tls": frozenset({False}),
    "tls_certificate_file": frozenset({""}),
    "tls_key_file": frozenset({""}),
    "allowed_senders": frozenset({"*"}),
    "allowed_recipients": frozenset(),
}
"""Options of bundled relays, and what Exchange always does there."""

_DOMAINS_ELSEWHERE = (
    "accepted domains of Exchange are only read here: they belong to the organisation, not to one server, and a change "
    "bites on all of its servers at once",
    "Change them in Exchange (New-, Set-, Remove-AcceptedDomain), or make the task say what is there.",
)


def capabilities(version: str) -> Capabilities:
    """:param version: AdminDisplayVersion, such as ``Version 15.1 (Build 2507.6)``; a text of another form counts as
    the newest
    """
    newest = _VERSIONS.index(_since(version))
    options = (row.option for row in CONNECTOR_PROPERTIES if row.exchange and _VERSIONS.index(row.since) <= newest)
    return Capabilities(
        options={**dict.fromkeys((*options, "extended_rights", "removed_rights")), **_OURS},
        principals=None,
        rights=None,
        domains_elsewhere=_DOMAINS_ELSEWHERE,
        odd_values=True,
    )


def has_roles(version: str) -> bool:
    """Whether an Exchange of this version, if it is no Edge server, has connectors of two transport roles."""
    return _VERSIONS.index(_since(version)) >= _VERSIONS.index("13")


def _since(version: str) -> str:
    """Source: Microsoft, "Exchange Server build numbers and release dates"."""
    match = re.search(r"([0-9]{1,3})\.([0-9]{1,3})", version)
    major, minor = (int(match[1]), int(match[2])) if match else (99, 0)
    if major <= 8:
        return "07" if minor == 0 else "07s"
    if major <= 14:
        return "10" if minor < 2 else "10s"
    return "13" if (major, minor) == (15, 0) else "16"
