# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and rights out of what Get-ADPermission prints."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import Reading
from ansible_collections.mailops.relay.plugins.module_utils._engine.definitions import parse_definitions
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import ask
from support import exchange as x
from support.exchange import SCAN, read, rights

ANONYMOUS = "NT AUTHORITY\\ANONYMOUS LOGON"
ANY, SUBMIT = "ms-Exch-SMTP-Accept-Any-Recipient", "ms-Exch-SMTP-Submit"


def every(word: Any, **entry: Any) -> Connector:
    return rights({"User.SecurityIdentifier": "S-1-5-7", "User": "x", "AccessRights": word, **entry})


@pytest.mark.parametrize(
    ("access", "word"),
    [
        ("GenericAll", "GenericAll"),
        ("{GenericAll}", "GenericAll"),
        (["genericall"], "GenericAll"),
        ("ReadProperty, GenericAll", "GenericAll"),
        (["ReadProperty", "GenericAll"], "GenericAll"),
        ("ExtendedRight", "ExtendedRight"),
        ("{ReadProperty, ExtendedRight}", "ExtendedRight"),
    ],
)
def test_full_control_counts_as_every_right_and_is_none_of_the_added(access: Any, word: str) -> None:
    for listed in (None, [], "{}"):
        found = every(access, ExtendedRights=listed)
        assert {SUBMIT, ANY} <= found.anonymous_rights
        assert (found.extended_rights, found.full_control) == ((), (ExtendedRight(ANONYMOUS, word),))
    above = every(access, IsInherited=True)
    assert {SUBMIT, ANY} <= above.anonymous_rights
    assert (above.full_control, above.inherited_rights) == ((), (ExtendedRight(ANONYMOUS, word),))


@pytest.mark.parametrize(
    "access", ["GenericRead", "ReadProperty", "WriteProperty, GenericExecute", None, "CreateChild"]
)
def test_other_access_rights_are_no_rights_to_send(access: Any) -> None:
    found = every(access)
    assert (found.full_control, ANY in found.anonymous_rights) == ((), False)


def test_a_named_right_is_not_every_right() -> None:
    found = every("ExtendedRight", ExtendedRights=["ms-Exch-SMTP-Accept-Exch50"])
    assert found.full_control == ()
    assert found.extended_rights == (ExtendedRight(ANONYMOUS, "ms-Exch-SMTP-Accept-Exch50"),)


def test_full_control_of_an_administrator_says_nothing_about_mail() -> None:
    found = rights({"User": "CORP\\Organization Management", "AccessRights": "GenericAll", "IsInherited": True})
    assert (found.full_control, found.inherited_rights) == ((), ())


def test_full_control_goes_through_the_filters() -> None:
    held = (ExtendedRight(ANONYMOUS, "GenericAll"),)
    connector = replace(SCAN, extended_rights=(), full_control=held)
    plain = {"for": "0", "Identity": "EX1/Scan", "Deny": False, "IsInherited": False}
    rows = [{**row, "Identity": "EX1/Scan"} for row in x.right_rows(0, connector)]
    rows.append({**plain, "User": ANONYMOUS, "AccessRights": "GenericAll"})
    result = x.info(ask(lambda _arguments: x.answers([SCAN], rights=x.table("rights", rows)), "remote"))
    assert result["full_control"] == [
        {"connector": "Scan", "principal": ANONYMOUS, "right": "GenericAll", "deny": False}
    ]
    assert parse_definitions(result).connectors == (connector,)
    assert result["relay_surface"] == parse_definitions(result).policy.surface.render() != []


@pytest.mark.parametrize(
    ("columns", "principal"),
    [
        ({"User": "x", "User.RawIdentity": ANONYMOUS}, ANONYMOUS),
        ({"User": ANONYMOUS, "User.RawIdentity": "x"}, ANONYMOUS),
        ({"User": None, "User.RawIdentity": "CORP\\svc"}, "CORP\\svc"),
        ({"User": "CORP\\svc", "User.RawIdentity": "CORP\\other"}, "CORP\\svc"),
        ({"User": "", "User.RawIdentity": "", "User.SecurityIdentifier": "S-1-5-21-1"}, "S-1-5-21-1"),
        ({"User": ANONYMOUS, "User.SecurityIdentifier": "S-1-1-0"}, "Everyone"),
    ],
)
def test_who_it_is_by_sid_then_name_then_what_the_name_was_made_of(columns: dict[str, Any], principal: str) -> None:
    assert rights({**columns, "ExtendedRights": [ANY]}).extended_rights == (ExtendedRight(principal, ANY),)


def less(*gone: str, groups: str, **row: Any) -> Reading:
    """A server whose connector lost these rights of anonymous sessions."""
    removed = tuple(sorted(ExtendedRight(ANONYMOUS, right) for right in gone))
    connector = replace(SCAN, removed_rights=removed)
    printed = {**x.connector_row(random.Random(0), connector), "PermissionGroups": groups, **row}
    return read(x.answers([connector], connectors=x.table("connectors", [printed])))


def test_the_groups_follow_from_the_entries() -> None:
    """What is printed after an entry was removed is not documented."""
    for groups in ("AnonymousUsers", "AnonymousUsers, Custom", "Custom", "None"):
        found = less(SUBMIT, groups=groups).state.connectors[0]
        assert found == replace(SCAN, removed_rights=(ExtendedRight(ANONYMOUS, SUBMIT),))
        assert not State((found,)).policy.surface


def test_a_removed_sender_right_on_a_frontend_connector_is_a_notice() -> None:
    found = less("ms-Exch-SMTP-Accept-Any-Sender", groups="Custom", TransportRole="FrontendTransport")
    assert "is reported not to enforce that on a connector with transport_role FrontendTransport" in str(found.notices)
    assert less("ms-Exch-SMTP-Accept-Any-Sender", groups="Custom", TransportRole="HubTransport").notices == ()


@pytest.mark.parametrize("sid", ["S-1-1-0", "S-1-5-2", "S-1-5-32-545", "S-1-5-32-546"])
def test_what_a_group_holds_that_anonymous_sessions_may_belong_to_is_a_notice_and_not_closed(sid: str) -> None:
    entry = {"User": "x", "User.SecurityIdentifier": sid, "ExtendedRights": [ANY], "IsInherited": sid == "S-1-1-0"}
    plain = {"for": "0", "Identity": "EX1/Scan", "Deny": False, **entry}
    rows = [*x.right_rows(0, replace(SCAN, extended_rights=())), plain]
    answers = x.answers([SCAN], rights=x.table("rights", [{**row, "Identity": "EX1/Scan"} for row in rows]))
    result = x.info(ask(lambda _arguments: answers, "remote"))
    assert "Whether anonymous sessions carry this is not documented" in result["warnings"][0]
    assert {item["reach"] for item in result["relay_surface"] if item["ranges"]} == {"unknown"}
    assert parse_definitions(result).policy.surface.render() == result["relay_surface"]


def lacking(group: str, principal: str, *mechanisms: str) -> bool:
    """Whether the rights are known of a connector that has the group, and of whose principal no entry was read."""
    connector = replace(SCAN, permission_groups=("ExchangeUsers", group), auth_mechanism=mechanisms, extended_rights=())
    rows = [row for row in x.right_rows(0, connector) if row["User"] != principal]
    return read(x.answers([connector], rights=x.table("rights", rows))).state.rights_known


def test_a_group_that_says_nothing_about_anonymous_sessions_never_makes_rights_unknown() -> None:
    secured = "MS Exchange\\Externally Secured Servers"
    assert lacking("Partners", "MS Exchange\\Partner Servers")
    assert lacking("ExchangeServers", secured, "Tls", "ExchangeServer")
    assert lacking("AnonymousUsers", ANONYMOUS), "others are read, so they have none"
    empty = x.answers([SCAN], rights=x.table("rights", []))
    assert not read(empty).state.rights_known
    partners = replace(SCAN, permission_groups=("Partners",), extended_rights=())
    assert read(x.answers([partners], rights=x.table("rights", []))).state.rights_known


def test_a_trusted_server_of_which_nothing_was_read_is_not_known() -> None:
    trusting = replace(
        SCAN, permission_groups=("ExchangeServers",), auth_mechanism=("ExternalAuthoritative",), extended_rights=()
    )
    assert not read(x.answers([trusting], rights=x.table("rights", []))).state.rights_known
    assert read(x.answers([trusting])).state.rights_known


def test_what_a_new_connector_would_inherit_is_what_the_others_do() -> None:
    above = [ExtendedRight(ANONYMOUS, right) for right in (ANY, SUBMIT)]
    connectors = [replace(SCAN, name=f"C{number}", inherited_rights=(right,)) for number, right in enumerate(above)]
    assert read(x.answers(connectors)).state.template.inherited_rights == tuple(sorted(above))


def test_a_failure_about_one_connector_leaves_the_rights_of_the_others_known() -> None:
    gone = {"message": "The operation couldn't be performed because object 'x' couldn't be found on 'DC1'.", "id": "x"}
    connectors = [replace(SCAN, name="A"), replace(SCAN, name="B")]
    rows = [row for row in x.right_rows(1, connectors[1]) if row["for"] == "1"]
    table = {**x.table("rights", rows), "problems": [{"for": "0", "stage": "rights", **gone}]}
    found = read(x.answers(connectors, rights=table))
    assert [item.extended_rights is None for item in found.state.connectors] == [True, False]
    [notice] = [notice.text for notice in found.notices if "are not known" in notice.text]
    assert notice.startswith("The rights of 'A' are not known:")
