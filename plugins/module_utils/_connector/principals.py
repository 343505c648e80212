# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom rights are given to: well-known principals under their SIDs, English and localised names.

Sources: Microsoft, "Exchange 2013 deployment permissions reference" (the S-1-9 SIDs; also, in its translations, the
Italian, Portuguese and Russian names of ANONYMOUS LOGON). The other localised names are what Windows of that language
prints in public listings of permissions. Names of which we found no such listing are left out: SIDs always work.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

ANONYMOUS = "NT AUTHORITY\\ANONYMOUS LOGON"
AUTHENTICATED = "NT AUTHORITY\\Authenticated Users"
PARTNERS = "MS Exchange\\Partner Servers"
HUB_SERVERS = "MS Exchange\\Hub Transport Servers"
EDGE_SERVERS = "MS Exchange\\Edge Transport Servers"
EXTERNALLY_SECURED = "MS Exchange\\Externally Secured Servers"
EXCHANGE_SERVERS = "Exchange Servers"
LEGACY_SERVERS = "ExchangeLegacyInterop"
EVERYONE = "Everyone"
NETWORK = "NT AUTHORITY\\NETWORK"
USERS = "BUILTIN\\Users"
GUESTS = "BUILTIN\\Guests"
SERVERS = (EXCHANGE_SERVERS, HUB_SERVERS, EDGE_SERVERS, LEGACY_SERVERS)
"""Groups of servers: which of them a permission group names depends on the version."""
DOUBTFUL = (EVERYONE, NETWORK, USERS, GUESTS)
"""Whether a session without AUTH is one of these is not documented."""

_EXCHANGE_SID = "S-1-9-1419165041-1139599005-3936102811-1022490595"


class WellKnown(NamedTuple):
    """``name``: as we write it; ``localised``: names of Windows in other languages."""

    sid: str
    name: str
    localised: tuple[str, ...] = ()


WELL_KNOWN = (
    WellKnown(
        "S-1-5-7",
        ANONYMOUS,
        (
            "NT-AUTORITÄT\\ANONYMOUS-ANMELDUNG",
            "AUTORITE NT\\ANONYMOUS LOGON",
            "NT AUTHORITY\\ACCESSO ANONIMO",
            "AUTORIDADE NT\\LOGON ANÔNIMO",
            "NT AUTHORITY\\АНОНИМНЫЙ ВХОД",
        ),
    ),
    WellKnown(
        "S-1-5-11",
        AUTHENTICATED,
        (
            "NT-AUTORITÄT\\Authentifizierte Benutzer",
            "AUTORITE NT\\Utilisateurs authentifiés",
            "NT AUTHORITY\\Usuarios autentificados",
            "NT AUTHORITY\\Geverifieerde gebruikers",
            "AUTORIDADE NT\\Usuários autenticados",
            "ZARZĄDZANIE NT\\Użytkownicy uwierzytelnieni",
            "NT INSTANS\\Autentiserade användare",
            "NT AUTHORITY\\Прошедшие проверку",
        ),
    ),
    WellKnown(f"{_EXCHANGE_SID}-10", PARTNERS),
    WellKnown(f"{_EXCHANGE_SID}-21", HUB_SERVERS),
    WellKnown(f"{_EXCHANGE_SID}-22", EDGE_SERVERS),
    WellKnown(f"{_EXCHANGE_SID}-23", EXTERNALLY_SECURED),
    WellKnown("S-1-1-0", EVERYONE, ("Jeder", "Tout le monde")),
    WellKnown("S-1-5-2", NETWORK),
    WellKnown("S-1-5-32-545", USERS, ("VORDEFINIERT\\Benutzer", "BUILTIN\\Utilisateurs")),
    WellKnown("S-1-5-32-546", GUESTS),
)
_OF_THE_DOMAIN = (EXCHANGE_SERVERS, LEGACY_SERVERS)
"""Groups of the organisation: the same whatever the domain before them."""


@cache
def fold(text: str) -> str:
    """For comparison only: the same whatever the case and however an umlaut is encoded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _bare(name: str) -> str:
    return name.rpartition("\\")[2]


def _names(entry: WellKnown) -> tuple[str, ...]:
    """The two that matter most also without the authority; ``Users`` alone may be a group of somebody's own."""
    full = (entry.sid, entry.name, *entry.localised)
    return (*full, *map(_bare, full)) if entry.name in (ANONYMOUS, AUTHENTICATED) else full


_CANONICAL = {fold(name): entry.name for entry in WELL_KNOWN for name in _names(entry)}
_CANONICAL_OF_THE_DOMAIN = {fold(name): name for name in _OF_THE_DOMAIN}


def canonical(principal: str) -> str:
    """The name that we write for a well-known principal; any other stays as it is."""
    text = unicodedata.normalize("NFC", principal.strip())
    known = _CANONICAL.get(fold(text)) or _CANONICAL_OF_THE_DOMAIN.get(fold(_bare(text)))
    return known or text


def is_well_known(principal: str) -> bool:
    """A principal of the tables here, in any of its names."""
    name = fold(canonical(principal))
    return name in _CANONICAL or name in _CANONICAL_OF_THE_DOMAIN
