# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what Exchange prints to the state of a server."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    InputError,
    StoreError,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import CONNECTOR_PROPERTIES
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._engine.definitions import parse_definitions
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import HOST, READ, ask
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.errors import ExchangeError
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.state import read_server
from support import exchange as x
from support.exchange import SCAN, read, rights, some

ANONYMOUS, AUTHENTICATED = "NT AUTHORITY\\ANONYMOUS LOGON", "NT AUTHORITY\\Authenticated Users"
ANY = "ms-Exch-SMTP-Accept-Any-Recipient"
SUBMIT = "ms-Exch-SMTP-Submit"
ROWS = {row.exchange: row for row in CONNECTOR_PROPERTIES}
SEEDS = st.integers(0, (1 << 32) - 1)
DENIED = {
    "stage": "rights",
    "message": "...",
    "id": "CommandNotFoundException",
    "category": "ObjectNotFound",
    "type": "x",
}


def one(connector: Connector = SCAN, **row: Any) -> Connector:
    """The only connector of a server, with these properties as they are printed; ``...``: not there."""
    printed = {**x.connector_row(random.Random(0), connector), **row}
    printed = {key: value for key, value in printed.items() if value is not ...}
    found = read(x.answers([connector], connectors=x.table("connectors", [printed])))
    return found.state.connectors[0]


# -- one execution -----------------------------------------------------------------------------------------------------


def test_everything_is_asked_in_one_execution_and_nothing_is_written() -> None:
    executions: list[dict[str, Any]] = []

    def execute(arguments: dict[str, Any]) -> dict[str, Any]:
        executions.append(arguments)
        return x.answers([SCAN])

    ask(execute, "snapin")
    assert executions == [{"calls": [*READ, *HOST], "session": "snapin", "write": False}]
    assert all(call["cmdlet"].startswith(("Get-", "Resolve-")) for call in (*READ, *HOST))


def test_every_readable_parameter_of_exchange_is_asked_for_and_printed_here() -> None:
    wanted = {row.exchange for row in CONNECTOR_PROPERTIES if row.exchange and row.readable}
    assert wanted == set(x.OPTIONS.values())
    assert wanted <= set(next(call for call in READ if call["id"] == "connectors")["select"])


# -- properties --------------------------------------------------------------------------------------------------------


@given(SEEDS)
def test_what_exchange_prints_is_read_to_what_it_was(seed: int) -> None:
    rng = random.Random(seed)
    connector = some(rng, rng.choice(("A", "it's \u201cx\u201d $(y) `z`", "Süd 漢字")))
    names = rng.choice(({}, x.GERMAN, x.FRENCH))
    found = read(x.answers([connector], rng=rng, names=names, deserialised=rng.random() < 0.5))
    assert found.state.rights_known, found.notices
    (again,) = found.state.connectors
    assert x.in_words_of(connector, again) == x.as_read(connector)


@given(SEEDS)
def test_info_is_read_back_by_the_filters_to_the_same_surface(seed: int) -> None:
    rng = random.Random(seed)
    connector = some(rng, "A")
    answers = ask(lambda _arguments: x.answers([connector], [AcceptedDomain("corp.test", "InternalRelay")]), "remote")
    result = x.info(answers)
    state = read_server(answers).state
    again = parse_definitions(result)
    assert again.connectors == state.connectors
    assert again.accepted_domains == state.accepted_domains
    assert again.policy.surface.render() == result["relay_surface"]
    assert merge(state, Options(connectors=result["connectors"], purge=True)) == state


@pytest.mark.parametrize(
    ("name", "printed", "option", "value"),
    [
        ("MaxMessageSize", "36 MB (37,748,736 bytes)", "max_message_size", 37748736),
        ("MaxMessageSize", "36 MB (37.748.736 Bytes)", "max_message_size", 37748736),
        ("MaxMessageSize", "36 Mo (37\u00a0748\u00a0736 octets)", "max_message_size", 37748736),
        ("MaxMessageSize", "1.465 MB (1,536,000 bytes)", "max_message_size", 1536000),
        ("MaxMessageSize", "66720B", "max_message_size", 66720),
        ("MaxHeaderSize", "128 KB (131,072 bytes)", "max_header_size", 131072),
        ("MaxHeaderSize", "1 B (1 bytes)", "max_header_size", 1),
        ("ConnectionTimeout", "1.00:00:00", "connection_timeout", 86400),
        ("TarpitInterval", "00:00:05", "tarpit_interval", 5),
        ("MaxInboundConnection", "Unlimited", "max_inbound_connection", -1),
        ("MaxInboundConnection", "unlimited", "max_inbound_connection", -1),
        ("PermissionGroups", "AnonymousUsers, Custom", "permission_groups", ("AnonymousUsers",)),
        ("PermissionGroups", ["AnonymousUsers", "Custom"], "permission_groups", ("AnonymousUsers",)),
        ("AuthMechanism", "None", "auth_mechanism", ()),
        (
            "AuthMechanism",
            "Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExchangeServer",
            "auth_mechanism",
            ("Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer"),
        ),
        ("SizeEnabled", "EnabledWithoutValue", "size_enabled", "EnabledwithoutValue"),
        ("MessageRateSource", "All", "message_rate_source", ("IPAddress", "User")),
        (
            "TlsCertificateName",
            "<I>CN=R3, O=X<S>CN=*.corp.test",
            "tls_certificate_name",
            "<I>CN=R3, O=X<S>CN=*.corp.test",
        ),
        ("TlsCertificateName", None, "tls_certificate_name", ""),
        (
            "TlsDomainCapabilities",
            ["a.test:AcceptCloudServicesMail,AcceptOorgProtocol"],
            "tls_domain_capabilities",
            ("a.test:AcceptCloudServicesMail,AcceptOorgProtocol",),
        ),
        ("Banner", None, "banner", ""),
        ("Enabled", "False", "enabled", False),
        ("AuthTarpitInterval", ..., "auth_tarpit_interval", None),
        ("TransportRole", ..., "transport_role", None),
        ("TlsDomainCapabilities", ..., "tls_domain_capabilities", None),
    ],
)
def test_a_printed_value(name: str, printed: Any, option: str, value: Any) -> None:
    assert getattr(one(**{name: printed}), option) == value


@pytest.mark.parametrize("name", [name for name in x.OPTIONS.values() if ROWS[name].since == "07"])
def test_a_property_that_every_exchange_has_cannot_be_missing(name: str) -> None:
    with pytest.raises(StoreError, match=rf"connector 'Scan', {ROWS[name].option} \({name}\): every Exchange has this"):
        one(**{name: ...})


@pytest.mark.parametrize(
    ("entry", "says"),
    [("home", "not an IP address"), ("10.0.0.0(255.0.255.0)", r"the mask 255\.0\.255\.0 is no prefix")],
)
def test_a_value_that_cannot_be_read_names_connector_option_and_value(entry: str, says: str) -> None:
    place = r"connector 'Scan', remote_ip_ranges \(RemoteIPRanges\)\[1\]"
    with pytest.raises(StoreError, match=rf"{place}: cannot be read \({says}\), got '{re.escape(entry)}'.*report it"):
        one(RemoteIPRanges=["63.128.21.0(255.255.255.0)", entry])


# -- rights ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "principal"),
    [
        ("NT-AUTORITÄT\\ANONYMOUS-ANMELDUNG", ANONYMOUS),
        ("AUTORITE NT\\ANONYMOUS LOGON", ANONYMOUS),
        ("AUTORITE NT\\Utilisateurs authentifiés", AUTHENTICATED),
        ("S-1-5-7", ANONYMOUS),
        ("CORP\\svc", "CORP\\svc"),
    ],
)
def test_a_principal_by_name(user: str, principal: str) -> None:
    assert rights({"User": user, "ExtendedRights": [ANY]}).extended_rights == (ExtendedRight(principal, ANY),)


def test_a_well_known_sid_beats_the_name_and_any_other_does_not() -> None:
    entries = (
        {"User": "日本\\匿名", "User.SecurityIdentifier": "S-1-5-7", "ExtendedRights": [ANY]},
        {"User": "CORP\\svc", "User.SecurityIdentifier": "S-1-5-21-1-2-3-1104", "ExtendedRights": [ANY]},
        {"User": None, "User.SecurityIdentifier": "S-1-5-21-1-2-3-9999", "ExtendedRights": [ANY]},
    )
    found = rights(*entries).extended_rights
    assert {item.principal for item in found} == {ANONYMOUS, "CORP\\svc", "S-1-5-21-1-2-3-9999"}


def test_a_language_that_is_not_known_here_is_asked_of_the_server() -> None:
    host = x.table("host", [{"Name": "EX1", "Anonymous": "日本\\匿名", "Authenticated": "日本\\認証済"}])
    entry = {"User": "日本\\匿名", "ExtendedRights": [ANY]}
    assert rights(entry, host=host).extended_rights == (x.RELAY,)


def test_several_rights_in_one_row_and_a_right_in_another_spelling() -> None:
    rows = (
        {"User": "CORP\\svc", "ExtendedRights": [ANY, "Ms-Exch-SMTP-Submit"]},
        {"User": "CORP\\other", "ExtendedRights": "{ms-Exch-SMTP-Submit, ms-Exch-Accept-Exch50}"},
    )
    found = {(item.principal, item.right) for item in rights(*rows).extended_rights}
    assert found == {
        ("CORP\\svc", ANY),
        ("CORP\\svc", SUBMIT),
        ("CORP\\other", SUBMIT),
        ("CORP\\other", "ms-Exch-SMTP-Accept-Exch50"),
    }


def test_deny_and_inherited_entries_are_told_apart() -> None:
    rows = (
        {"User": ANONYMOUS, "ExtendedRights": [ANY], "Deny": True},
        {"User": ANONYMOUS, "ExtendedRights": [ANY], "IsInherited": True},
        {"User": ANONYMOUS, "ExtendedRights": ["ms-Exch-SMTP-Accept-XShadow"]},
    )
    found = rights(*rows)
    assert found.extended_rights == (ExtendedRight(ANONYMOUS, ANY, True),)
    assert found.inherited_rights == (ExtendedRight(ANONYMOUS, ANY),)


def test_what_groups_grant_is_no_extended_right_and_who_may_send_is_not_limited() -> None:
    assert rights().extended_rights == ()
    assert SCAN.allowed_senders == rights().allowed_senders == ("*",)


def test_inherited_rights_are_in_the_result_and_count() -> None:
    above = (ExtendedRight(ANONYMOUS, ANY),)
    connector = replace(SCAN, extended_rights=(), inherited_rights=above)
    result = x.info(ask(lambda _arguments: x.answers([connector]), "remote"))
    assert result["inherited_rights"] == [
        {"connector": "Scan", "principal": ANONYMOUS, "right": ANY, "deny": False},
    ]
    assert result["connectors"][0]["extended_rights"] == []
    assert result["relay_surface"]
    assert parse_definitions(result).connectors[0].inherited_rights == above


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ("x", "inherited_rights: not a list"),
        ([7], r"inherited_rights\[0\]: not a dictionary"),
        ([{"connector": "B", "principal": "x", "right": ANY}], "there is no such connector, got 'B'"),
        ([{"connector": "Scan", "right": ANY}], "not an extended right"),
    ],
)
def test_inherited_rights_that_cannot_be_read(entries: Any, told: str) -> None:
    result = x.info(ask(lambda _arguments: x.answers([SCAN]), "remote"))
    with pytest.raises(InputError, match=told):
        parse_definitions({**result, "inherited_rights": entries})


# -- rights that nobody lets us read -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (DENIED, "there is no cmdlet Get-ADPermission"),
        ({**DENIED, "id": "x", "message": "Access is denied."}, "access to them is denied"),
    ],
)
def test_without_rights_nothing_is_said_to_be_closed(problem: dict[str, str], why: str) -> None:
    answers = ask(lambda _arguments: x.answers([SCAN], rights={"id": "rights", "problem": problem}), "remote")
    result = x.info(answers)
    assert result["rights_known"] is False
    assert result["relay_surface"] is None
    assert "extended_rights" not in result["connectors"][0]
    assert len(result["warnings"]) == 1
    assert why in result["warnings"][0]
    with pytest.raises(InputError, match="rights_known: the rights of these connectors could not be read"):
        parse_definitions(result)


def test_entries_that_lack_what_a_group_is_made_of_are_not_believed() -> None:
    """An anonymous principal in a language that nobody knows would look like a closed server."""
    names = {ANONYMOUS: "日本\\匿名"}
    server = read(x.answers([SCAN], names=names))
    assert not server.state.rights_known
    assert "no entry was read of AnonymousUsers on connector 'Scan'" in server.notices[0].text


def test_rights_that_fail_for_another_reason_are_an_error() -> None:
    problem = {**DENIED, "id": "x", "message": "The LDAP server is unavailable."}
    with pytest.raises(ExchangeError, match="finds no domain controller"):
        read(x.answers([SCAN], rights={"id": "rights", "problem": problem}))


# -- exchange.md, defects of other readers -----------------------------------------------------------------------------


def test_defect_3_no_allow_entry_at_all_is_not_taken_for_the_wanted_ones() -> None:
    assert rights({"User": ANONYMOUS, "ExtendedRights": [ANY], "Deny": True}).anonymous_rights.isdisjoint({ANY})


def test_defect_4_principals_and_rights_are_compared_whole() -> None:
    rows = (
        {"User": "CORP\\svc2", "ExtendedRights": [ANY]},
        {"User": "NT AUTHORITY\\ANONYMOUS LOGONS", "ExtendedRights": [ANY]},
        {"User": ANONYMOUS, "ExtendedRights": [f"{ANY}-Of-Mine"]},
    )
    found = rights(*rows)
    assert {item.principal for item in found.extended_rights} == {"CORP\\svc2", "NT AUTHORITY\\ANONYMOUS LOGONS"}
    assert ANY not in found.anonymous_rights


def test_defect_5_rights_are_asked_for_by_distinguished_name() -> None:
    call = next(call for call in READ if call["cmdlet"] == "Get-ADPermission")
    assert (call["foreach"], call["as"]) == ("connectors.DistinguishedName", "Identity")


def test_defect_6_ranges_and_bindings_in_any_spelling_are_the_same() -> None:
    ranges = ["192.168.1.7/24", "FE80::1%11", "10.0.0.1-10.0.0.1", "0.0.0.0-255.255.255.255"]
    other = ["0.0.0.0/0", "fe80:0::1", "192.168.1.0-192.168.1.255", "10.0.0.1"]
    assert one(RemoteIPRanges=ranges).remote_ip_ranges == one(RemoteIPRanges=other).remote_ip_ranges
    bindings = "[::]:25, 0.0.0.0:25"
    masked = ["192.168.1.0(255.255.255.0)", "fe80::1", "10.0.0.1", "0.0.0.0 (0.0.0.0)"]
    assert one(RemoteIPRanges=masked).remote_ip_ranges == one(RemoteIPRanges=other).remote_ip_ranges
    assert one(Bindings=":::25, 0.0.0.0:25").bindings == one(Bindings=bindings).bindings
    assert one(Bindings=bindings).bindings == one(Bindings=["0.0.0.0:25", "[0:0::0]:25"]).bindings


def test_defect_7_a_stored_wildcard_matches_nothing_but_itself() -> None:
    stored, wanted = (one(TlsCertificateName=f"<I>CN=R3<S>CN={name}.corp.test") for name in ("*", "mail"))
    assert stored != wanted


def test_defect_9_sizes_and_spans_are_text_of_whatever_type() -> None:
    result = x.answers([SCAN], deserialised=True)
    table = next(answer for answer in x.unpacked(result)["answers"] if answer["id"] == "connectors")
    assert not [value for value in table["rows"][0] if isinstance(value, (int, float)) and not isinstance(value, bool)]
    assert read(result).state.connectors == (SCAN,)


def test_defect_10_an_error_is_not_absence_and_absent_connectors_are_not_probed() -> None:
    call = next(call for call in READ if call["cmdlet"] == "Get-ReceiveConnector")
    assert [entry["as"] for entry in call["take"]] == ["Server", "DomainController"]
    problem = {**DENIED, "stage": "connectors", "id": "x", "message": "The operation could not be performed."}
    with pytest.raises(
        ExchangeError, match=r"Exchange, connectors: .* It said: The operation could not be performed\."
    ):
        read(x.answers([], connectors={"id": "connectors", "problem": problem}))


# -- whether it is what was asked for ----------------------------------------------------------------------------------


def test_a_connector_of_another_server_is_refused() -> None:
    with pytest.raises(
        StoreError, match="connector 'Scan': a connector of another server than EX1 came back, got 'EX2'"
    ):
        one(Server="EX2")


@pytest.mark.parametrize("rows", [[], [{"Name": "EX1"}, {"Name": "EX2"}]])
def test_anything_but_one_server_is_refused(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(StoreError, match="not the one server that was asked for"):
        read(x.answers([], server=x.table("server", rows)))


def test_another_server_is_refused() -> None:
    with pytest.raises(StoreError, match="another server than EX1 came back, got 'EX2'"):
        read(x.answers([], server=x.table("server", [{"Name": "EX2"}])))


def test_rights_of_everything_where_those_of_one_were_asked_for() -> None:
    rows = [*x.right_rows(0, SCAN), {**x.right_rows(0, SCAN)[0], "Identity": "EX1/Other"}]
    with pytest.raises(StoreError, match="the rights of several objects came back"):
        read(x.answers([SCAN], rights=x.table("rights", rows)))


def test_rights_of_one_object_for_two_connectors() -> None:
    rows = [*x.right_rows(0, SCAN), *x.right_rows(1, SCAN)]
    with pytest.raises(StoreError, match="came back twice"):
        read(x.answers([SCAN, replace(SCAN, name="B")], rights=x.table("rights", rows)))


def test_an_answer_of_another_version_shows_what_was_said() -> None:
    with pytest.raises(ExchangeError, match="It said: The module wrapper broke"):
        ask(lambda _arguments: {"failed": True, "msg": "The module wrapper broke"}, "remote")
