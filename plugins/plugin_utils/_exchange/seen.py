# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last reading knows of a server that a state does not hold: by what names the server calls things."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from ...module_utils._connector.errors import StoreError
from ...module_utils._connector.odd import plain_text
from ...module_utils._connector.principals import (
    ANONYMOUS,
    AUTHENTICATED,
    EVERYONE,
    GUESTS,
    NETWORK,
    USERS,
    canonical,
    fold,
    is_well_known,
)
from .calls import Answer, Answers, Row
from .capabilities import has_roles
from .journal import Entry, is_fresh, read_journal
from .parse import read_principal, read_time

_ASKED = {
    "Anonymous": ANONYMOUS,
    "Authenticated": AUTHENTICATED,
    "Everyone": EVERYONE,
    "Network": NETWORK,
    "Users": USERS,
    "Guests": GUESTS,
}
"""Columns of the answer ``host``: what Windows there calls these."""


class Seen:
    """The names in the answers of one reading."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.server = self._first("server")
        self._connectors = {plain_text(row.get("Name")).lower(): row for row in self.rows("connectors")}

    @cached_property
    def _principals(self) -> dict[str, str]:
        return _principals(self.rows("rights"), local_names(self.answers))

    @cached_property
    def _aliases(self) -> dict[str, str]:
        return _aliases(self.answers, self._principals)

    def rows(self, name: str) -> tuple[Row, ...]:
        """Of an answer, none if there is no such answer."""
        return self.answers.get(name, Answer()).rows

    def _first(self, name: str) -> Row:
        rows = self.rows(name)
        return rows[0] if rows else {}

    @property
    def controller(self) -> str:
        """The domain controller that was read, empty on an Edge server, which has none."""
        return "" if self.is_edge else str(self.server.get("OriginatingServer") or "")

    @property
    def has_roles(self) -> bool:
        """Whether connectors belong to one of two transport services: 2013 and newer, not on Edge."""
        if not self._connectors:
            return not self.is_edge and has_roles(str(self.server.get("AdminDisplayVersion") or ""))
        return any("TransportRole" in row for row in self._connectors.values()) and not self.is_edge

    @property
    def is_edge(self) -> bool:
        return self.server.get("ServerRole") == "Edge"

    def guid(self, name: str) -> str:
        """Of a connector.

        :raises StoreError: the server did not say
        """
        return self._of_connector(name, "Guid")

    def dn(self, name: str) -> str:
        """The distinguished name of a connector: the only name by which its rights are found everywhere.

        :raises StoreError: the server did not say
        """
        return self._of_connector(name, "DistinguishedName")

    def printed_groups(self, name: str) -> frozenset[str]:
        """The permission groups of a connector as Exchange prints them."""
        text = str(self._connectors.get(name.lower(), {}).get("PermissionGroups") or "")
        return frozenset(word.strip().lower() for word in text.split(","))

    def principal(self, name: str) -> str:
        """What this server calls a principal, in its language."""
        return self._principals.get(fold(name), name)

    def well_known(self, name: str) -> str:
        """Whom this server calls so, if it is a well-known principal that we write otherwise; else empty."""
        return self._aliases.get(fold(name), "")

    def shows(self, name: str) -> bool:
        """Whether some entry that was read is about this principal, by this name."""
        return fold(name) in self._principals

    def _of_connector(self, name: str, column: str) -> str:
        found = self._connectors.get(name.lower(), {}).get(column)
        if not found:
            way_out = "Please report it, with a snapshot (docs/exchange.md)."
            raise StoreError(f"Exchange did not say its {column}", where=f"connector '{name}'", way_out=way_out)
        return str(found)

    @property
    def journal(self) -> list[Entry]:
        """What a change that was cut off has left, if that is not long ago."""
        return read_journal(str(self._first("journal").get("*") or "")) if self._is_fresh else []

    @property
    def _is_fresh(self) -> bool:
        written = read_time(self._first("journaled").get("LastWriteTimeUtc"), "journal")
        return is_fresh(written, read_time(self._first("host").get("Now"), "host, Now"))


def local_names(answers: Answers) -> dict[str, str]:
    """Folded name of a well-known principal in the language of the server to the name that we write."""
    rows = answers.get("host", Answer()).rows
    host = rows[0] if rows else {}
    return {fold(str(host[column])): name for column, name in _ASKED.items() if host.get(column)}


def _principals(rights: tuple[Row, ...], names: Mapping[str, str]) -> dict[str, str]:
    """By the folded name that we write."""
    found = {fold(ours): local for local, ours in names.items()}
    for row in rights:
        printed = str(row.get("User") or row.get("User.RawIdentity") or "")
        if printed and not printed.startswith("S-1-"):
            found[fold(read_principal(row, names))] = printed
    return found


def _aliases(answers: Answers, principals: Mapping[str, str]) -> dict[str, str]:
    """By every folded name of a well-known principal there, also without its authority, the name that we write."""
    read = {fold(printed): ours for ours, printed in principals.items()}
    known = {name: canonical(ours) for name, ours in {**read, **local_names(answers)}.items() if is_well_known(ours)}
    return {**{name.rpartition("\\")[2]: ours for name, ours in known.items()}, **known}
