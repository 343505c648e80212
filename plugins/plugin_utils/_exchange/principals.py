# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is given rights, by the names of this server: what a well-known principal is called elsewhere is no stranger, and
what is left of one way to relay says so when a connector changes to the other.

Microsoft, "Allow anonymous relay on Exchange servers": one method or the other, not both at once. Exchange takes many
forms of a name, and shows ``DOMAIN\\name``: only of that is it known beforehand whom it means and how it reads back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...module_utils._connector.errors import Finding, InputError
from ...module_utils._connector.model import Connector
from ...module_utils._connector.principals import ANONYMOUS, EXTERNALLY_SECURED, is_well_known
from ...module_utils._connector.rights import ANY_RECIPIENT, ExtendedRight
from ...module_utils._policy.state import State
from .seen import Seen

_SHOWN = re.compile(r"[^\\\s]([^\\]*[^\\\s])?\\[^\\\s]([^\\]*[^\\\s])?|S-1-5-21(-[0-9]+){4}", re.IGNORECASE)


def check_principals(before: State, wanted: State, seen: Seen) -> None:
    """:raises InputError: a right for somebody of whom nobody can tell whom Exchange would give it to"""
    for connector in wanted.connectors:
        old = before.connector(connector.name)
        known = set(old.extended_rights or ()) if old else set()
        for entry in (item for item in connector.extended_rights or () if item not in known):
            _check(entry, f"connector '{connector.name}', extended_rights", seen)


def _check(entry: ExtendedRight, where: str, seen: Seen) -> None:
    name = entry.principal
    if is_well_known(name) or seen.shows(name):
        return
    known = seen.well_known(name)
    if known:
        raise InputError(f"this server calls {known} so", where=where, value=name, way_out=f"Write {known}.")
    if not _SHOWN.fullmatch(name):
        way_out = "Write DOMAIN\\name, as Exchange shows it."
        raise InputError("no name by which Exchange shows somebody", where=where, value=name, way_out=way_out)


def leftovers(before: State, wanted: State) -> list[Finding]:
    """Rights to relay that a connector keeps and that belong to the way of relaying that it leaves."""
    return [item for connector in wanted.connectors for item in _left(before.connector(connector.name), connector)]


def _left(old: Connector | None, new: Connector) -> Iterator[Finding]:
    if old is None or old.anonymous_principal == new.anonymous_principal:
        return
    for entry in sorted({*(old.extended_rights or ())} & {*(new.extended_rights or ())}):
        if entry.right == ANY_RECIPIENT and not entry.deny and entry.principal in (ANONYMOUS, EXTERNALLY_SECURED):
            counts = entry.principal == new.anonymous_principal
            now = "whoever connects may still relay" if counts else "it counts again when auth_mechanism changes back"
            yield Finding(
                f"{entry} is left from before ExternalAuthoritative was set or taken out: {now}",
                f"connector '{new.name}', extended_rights",
                "Remove it (extended_rights: {remove: [...]}) unless it is meant.",
                "",
            )
