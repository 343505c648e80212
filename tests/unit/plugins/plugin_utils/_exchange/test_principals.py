# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a server gives rights to, by the names that it has for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import ask
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.principals import check_principals, leftovers
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.seen import Seen
from support import exchange as x
from support.exchange import SCAN

ANY = "ms-Exch-SMTP-Accept-Any-Recipient"
SPANISH = {
    "Anonymous": "NT AUTHORITY\\INICIO DE SESI\u00d3N AN\u00d3NIMO",
    "Authenticated": "NT AUTHORITY\\Usuarios de hoy",
    "Everyone": "Todos",
    "Network": "NT AUTHORITY\\RED",
    "Users": "BUILTIN\\Usuarios",
    "Guests": "BUILTIN\\Invitados",
}


def check(name: str, **tables: object) -> None:
    host = x.table("host", [{"Name": "EX1", **SPANISH}])
    seen = Seen(ask(lambda _arguments: x.answers([SCAN], host=host, **tables), "remote"))
    wanted = replace(SCAN, extended_rights=(*SCAN.known_rights, ExtendedRight(name, ANY)))
    check_principals(State((SCAN,)), State((wanted,)), seen)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (SPANISH["Anonymous"], "NT AUTHORITY\\\\ANONYMOUS LOGON"),
        ("inicio de sesi\u00f3n an\u00f3nimo", "NT AUTHORITY\\\\ANONYMOUS LOGON"),
        (SPANISH["Authenticated"], "NT AUTHORITY\\\\Authenticated Users"),
        ("todos", "Everyone"),
        ("nt authority\\red", "NT AUTHORITY\\\\NETWORK"),
        ("BUILTIN\\Usuarios", "BUILTIN\\\\Users"),
        ("Invitados", "BUILTIN\\\\Guests"),
    ],
)
def test_a_well_known_principal_in_the_language_of_the_server_is_no_stranger(name: str, known: str) -> None:
    with pytest.raises(InputError, match=f"this server calls {known} so, got .* Write {known}."):
        check(name)


@pytest.mark.parametrize(
    "name",
    [
        "AN",  # in SDDL the anonymous logon
        "WD",
        "S-1-0x5-7",
        "S-1-5-07",
        "S-1-5-32-554",
        "CN=S-1-5-7,CN=ForeignSecurityPrincipals,DC=corp,DC=test",
        "NT AUTHORITY\\ ANONYMOUS LOGON",
        "NT AUTHORITY \\ANONYMOUS LOGON",
        "svc-scan",
        "svc-scan@corp.test",
        "CORP\\svc\\scan",
        "\\svc",
        "CORP\\",
    ],
)
def test_a_name_that_exchange_would_not_show_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"no name by which Exchange shows somebody, got .* Write DOMAIN\\name"):
        check(name)


@pytest.mark.parametrize(
    "name",
    [
        "CORP\\svc-scan",
        "CORP\\J\u00fcrgen M\u00fcller",
        "c\\s",
        "S-1-5-21-1-2-3-1104",
        "S-1-5-7",
        "Jeder",
        "Exchange Servers",
    ],
)
def test_other_names_pass(name: str) -> None:
    check(name)


def test_who_has_an_entry_is_known_by_the_name_that_was_read() -> None:
    rows = [*x.right_rows(0, SCAN), {**x.right_rows(0, SCAN)[0], "User": "oddly named", "ExtendedRights": [ANY]}]
    check("Oddly Named", rights=x.table("rights", rows))


def test_what_is_left_of_the_other_way_to_relay() -> None:
    trusted = replace(SCAN, auth_mechanism=("Tls", "ExternalAuthoritative"))
    assert SCAN.known_rights == (x.RELAY,)
    [there] = leftovers(State((SCAN,)), State((trusted,)))
    [back] = leftovers(State((trusted,)), State((SCAN,)))
    assert "it counts again when auth_mechanism changes back" in there.what
    assert "whoever connects may still relay" in back.what
    assert leftovers(State((SCAN,)), State((replace(trusted, extended_rights=()),))) == []
    assert leftovers(State((SCAN,)), State((replace(SCAN, comment="x"),))) == []
    assert leftovers(State(), State((trusted,))) == []
