# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property table against the documented parameters of New- and Set-ReceiveConnector."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ConflictError, InputError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain, Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    CONNECTOR_PROPERTIES,
    DOMAIN_PROPERTIES,
    NOT_OPTIONS,
    USAGE,
    render_item,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import (
    Property,
    parse_list,
    render_value,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.strategies import exchange_connectors

ROOT = Path(__file__).resolve().parents[5]
CMDLETS = json.loads((ROOT / "tests/exchange_lab/exchange_cmdlets.json").read_text())["cmdlets"]
NEW = CMDLETS["New-ReceiveConnector"]["parameters"]
SET = CMDLETS["Set-ReceiveConnector"]["parameters"]
OURS = [row for row in CONNECTOR_PROPERTIES if not row.exchange]
THEIRS = [row for row in (*CONNECTOR_PROPERTIES, USAGE) if row.exchange]
ROWS = {row.option: row for row in THEIRS}
LISTS = ("MultiValuedProperty", "AuthMechanisms", "PermissionGroups", "MessageRateSourceFlags")
# The facts know neither 2007 nor service packs: what is older than 2013 is said to be in 2010.
APPLIES_FROM = {"07": "2010", "07s": "2010", "10": "2010", "10s": "2010", "13": "2013", "16": "2016"}
# Microsoft, help of each version: names that the version brought
BROUGHT = {
    "07s": "EnableAuthGSSAPI LongAddressesEnabled OrarEnabled",
    "10": "AdvertiseClientSettings MaxAcknowledgementDelay MessageRateSource SuppressXAnonymousTls "
    "TlsDomainCapabilities",
    "10s": "BareLinefeedRejectionEnabled ExtendedProtectionPolicy",
    "13": "TransportRole TlsCertificateName ServiceDiscoveryFqdn SmtpUtf8Enabled",
    "16": "AuthTarpitInterval RejectReservedTopLevelRecipientDomains RejectReservedSecondLevelRecipientDomains "
    "RejectSingleLabelRecipientDomains",
}
# No limits are documented for these.
LIMITS_OF_OURS = {"tarpit_interval", "auth_tarpit_interval", "max_acknowledgement_delay"}


def facts(row: Property) -> dict[str, Any]:
    found: dict[str, Any] = {**SET.get(row.exchange, {}), **NEW.get(row.exchange, {})}
    return found


def read(option: str, value: Any) -> Any:
    row = ROWS[option]
    return parse_list(row, (), value, "x") if row.is_list else row.parse(value, "x")


def snake_case(name: str) -> str:
    """A word begins with a capital after a small letter or digit, and with the last capital before a small letter."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def test_the_rule_of_names() -> None:
    names = {
        "RemoteIPRanges": "remote_ip_ranges",
        "EnableAuthGSSAPI": "enable_auth_gssapi",
        "SuppressXAnonymousTls": "suppress_x_anonymous_tls",
        "EightBitMimeEnabled": "eight_bit_mime_enabled",
        "SmtpUtf8Enabled": "smtp_utf8_enabled",
        "RequireEHLODomain": "require_ehlo_domain",
    }
    assert {name: snake_case(name) for name in names} == names
    assert [row.option for row in THEIRS] == [snake_case(row.exchange) for row in THEIRS]


def test_every_parameter_is_a_row_or_said_to_be_none() -> None:
    names = [row.exchange for row in THEIRS]
    assert len(names) == len(set(names))
    assert {*names, *NOT_OPTIONS} == {*NEW, *SET}
    assert not set(names) & set(NOT_OPTIONS)
    assert all(NOT_OPTIONS.values())


def test_every_field_is_a_row() -> None:
    rows = [row.option for row in CONNECTOR_PROPERTIES]
    assert [field.name for field in dataclasses.fields(Connector)] == [
        "name",
        *rows,
        "inherited_rights",
        "full_control",
    ]
    rows = [row.option for row in DOMAIN_PROPERTIES]
    assert [field.name for field in dataclasses.fields(AcceptedDomain)] == ["name", *rows]
    assert [row.option for row in THEIRS if not row.readable] == ["usage"]


@pytest.mark.parametrize("row", THEIRS, ids=lambda row: row.option)
def test_a_row_agrees_with_the_documentation(row: Property) -> None:
    documented = facts(row)
    kind = documented["type"]
    assert row.type == ("bool" if kind == "Boolean" else "raw" if kind in LISTS else "str")
    assert (row.in_new, row.in_set) == (row.exchange in NEW, row.exchange in SET)
    assert documented["applies_to"][0] == APPLIES_FROM[row.since]
    words = documented["accepted_values"] or []
    if words != ["$true", "$false"]:
        assert {*row.choices, *row.aliases} == set(words)
        assert all(read(row.option, word.swapcase()) == read(row.option, word) for word in words)


@pytest.mark.parametrize("row", [row for row in THEIRS if row.least is not None], ids=lambda row: row.option)
def test_the_ends_of_a_range(row: Property) -> None:
    limits = facts(row)["range"]
    if row.option in LIMITS_OF_OURS:
        assert limits is None
        limits = {"min": "00:00:00", "max": "1.00:00:00", "unlimited_allowed": False}
    assert row.least is not None
    assert row.most is not None
    for end, number in ((limits["min"], row.least), (limits["max"], row.most)):
        assert row.parse(end, "x") == number
        assert row.parse(number, "x") == number
        assert row.parse(row.render(number), "x") == number
    for beyond in (row.least - 1, row.most + 1):
        with pytest.raises(InputError):
            row.parse(beyond, "x")
    assert row.unlimited == limits["unlimited_allowed"]
    if row.unlimited:
        assert {row.parse(text, "x") for text in ("Unlimited", "unlimited", "UNLIMITED")} == {-1}
    else:
        with pytest.raises(InputError):
            row.parse("Unlimited", "x")


def test_every_documented_range_is_in_the_table() -> None:
    assert {row.option for row in THEIRS if facts(row)["range"]} == {
        row.option for row in THEIRS if row.least is not None
    } - LIMITS_OF_OURS


def test_since_when() -> None:
    brought = {name: version for version, names in BROUGHT.items() for name in names.split()}
    assert {row.exchange: row.since for row in THEIRS} == {
        row.exchange: brought.get(row.exchange, "07") for row in THEIRS
    }


def test_our_own_options_are_few() -> None:
    assert [row.option for row in OURS] == [
        "extended_rights",
        "removed_rights",
        "implicit_tls",
        "tls_certificate_file",
        "tls_key_file",
        "allowed_senders",
        "allowed_recipients",
    ]


THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
SPELLINGS: list[tuple[str, Any, list[Any]]] = [
    ("max_message_size", 37748736, ["36 MB (37,748,736 bytes)", "36MB", "36 mb", "36864KB", 37748736, "37748736B"]),
    ("max_header_size", 6672, ["6672B", "6672 b", 6672, "6672", "6.516 KB (6,672 bytes)"]),
    ("max_header_size", 131072, ["128KB", "128 KB (131,072 bytes)", "131072"]),
    ("max_header_size", 1, ["1", 1, "1B", "1 B (1 bytes)"]),
    ("max_inbound_connection", -1, ["Unlimited", "unlimited", " UNLIMITED "]),
    ("message_rate_limit", 600, ["600", 600]),
    ("max_local_hop_count", 0, ["0", 0]),
    ("connection_timeout", 86400, ["1.00:00:00", "24:00:00", 86400]),
    ("auth_tarpit_interval", 5, ["00:00:05", "0.00:00:05", 5, "0:0:5"]),
    ("max_acknowledgement_delay", 0, ["00:00:00", 0]),
    ("size_enabled", "EnabledwithoutValue", ["EnabledwithoutValue", "EnabledWithoutValue", "enabledwithoutvalue"]),
    ("protocol_logging_level", "None", ["None", "none"]),
    ("extended_protection_policy", "Require", ["Require", "require"]),
    ("transport_role", "FrontendTransport", ["FrontendTransport", "FrontEndTransport"]),
    (
        "message_rate_source",
        ("IPAddress", "User"),
        ["All", "all", "IPAddress, User", "User, IPAddress", ["User", "IPAddress"], ["All"], ["All", "User"]],
    ),
    ("message_rate_source", (), ["None", ["None"], [], ""]),
    ("message_rate_source", ("User",), ["User", ["user"], "{User}"]),
    (
        "auth_mechanism",
        ("Tls", "Integrated", "BasicAuth"),
        ["Tls, Integrated, BasicAuth", "BasicAuth,Tls,integrated", ["Integrated", "BasicAuth", "Tls", "TLS"]],
    ),
    (
        "permission_groups",
        ("AnonymousUsers", "Partners"),
        ["AnonymousUsers, Partners, Custom", "{Partners, AnonymousUsers}", ["Partners", "AnonymousUsers"]],
    ),
    ("permission_groups", (), ["None", "Custom", "None, Custom", "{}", "{ }", []]),
    ("enabled", True, [True, "True", "true"]),
    ("chunking_enabled", False, [False, "False", "false"]),
    ("service_discovery_fqdn", "find.corp.test", ["find.corp.test", "Find.Corp.Test"]),
    ("default_domain", "corp.test", ["corp.test", " corp.test "]),
    (
        "tls_certificate_name",
        THUMBPRINT,
        [
            THUMBPRINT,
            THUMBPRINT.lower(),
            "\u200e01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67",
            "01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67\u200e ",
        ],
    ),
    (
        "tls_certificate_name",
        "<I>CN=CA, O=Ca Inc.<S>CN=mail.corp.test",
        ["<I>CN=CA, O=Ca Inc.<S>CN=mail.corp.test", "<i> CN=CA, O=Ca Inc. <s> CN=mail.corp.test "],
    ),
    ("tls_certificate_name", "", ["", " ", "\u200e"]),
    (
        "tls_domain_capabilities",
        ("a.test:AcceptCloudServicesMail,AcceptOorgProtocol", "b.test:AcceptOorgProtocol"),
        [
            "a.test:AcceptCloudServicesMail,AcceptOorgProtocol,b.test:AcceptOorgProtocol",
            "{b.test:AcceptOorgProtocol, A.test:AcceptOorgProtocol, AcceptCloudServicesMail}",
            ["b.test:acceptoorgprotocol", "a.test:AcceptOorgProtocol,AcceptCloudServicesMail,AcceptOorgProtocol"],
        ],
    ),
    ("tls_domain_capabilities", ("NO-TLS:AcceptCloudServicesMail",), ["no-tls:AcceptCloudServicesMail"]),
    ("tls_domain_capabilities", ("a.test:AcceptNewThing",), ["a.test:AcceptNewThing", "{a.test:AcceptNewThing}"]),
    ("bindings", read("bindings", ["[::]:25", "0.0.0.0:25"]), ["[::]:25, 0.0.0.0:25", "{0.0.0.0:25, [::]:25}"]),
    (
        "remote_ip_ranges",
        read("remote_ip_ranges", ["10.0.0.0/24", "::/0"]),
        ["{::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 10.0.0.0-10.0.0.255}", "10.0.0.7/24,::/0"],
    ),
    ("usage", "Internet", ["Internet", "internet"]),
]


@pytest.mark.parametrize(("option", "normal", "spellings"), SPELLINGS, ids=lambda value: str(value)[:40])
def test_every_spelling_is_read_to_one_form(option: str, normal: Any, spellings: list[Any]) -> None:
    assert [read(option, spelling) for spelling in spellings] == [normal] * len(spellings)
    rendered = render_value(ROWS[option], normal)
    assert read(option, rendered) == normal


REFUSED: list[tuple[str, Any, str]] = [
    ("max_header_size", "0B", "It must be 1B to 2GB less one byte"),
    ("max_header_size", "2GB", "the size is out of range"),
    ("max_hop_count", "501", "Give 1 to 500."),
    ("max_logon_failures", "Unlimited", "Give 0 to 10."),
    ("message_rate_limit", "0", "Give 1 to 2147483647 or Unlimited."),
    ("auth_tarpit_interval", "-00:00:01", "not a time span"),
    ("size_enabled", "Enabeld", "Did you mean Enabled?"),
    ("transport_role", "Frontend", "Did you mean FrontendTransport?"),
    ("extended_protection_policy", "", "no such value"),
    ("chunking_enabled", "yes", "true or false is needed"),
    ("message_rate_source", "IP", "Choose from IPAddress, User, None, All."),
    ("message_rate_source", ["User", ""], "no such value"),
    ("tls_certificate_name", THUMBPRINT[1:], "not the name of a certificate"),
    ("tls_certificate_name", THUMBPRINT + "0", "not the name of a certificate"),
    ("tls_certificate_name", "CN=mail.corp.test", "not the name of a certificate"),
    ("tls_certificate_name", "<I> <S>CN=a", "not the name of a certificate"),
    ("tls_certificate_name", "<I>CN=a", "not the name of a certificate"),
    ("tls_certificate_name", "<I>a\n<S>b", "a line break"),
    ("tls_domain_capabilities", "a.test", "not the capabilities of a domain"),
    ("tls_domain_capabilities", "a.test:", "not the capabilities of a domain"),
    ("tls_domain_capabilities", "a.test:AcceptCloudServicesMail,", "not the capabilities of a domain"),
    ("tls_domain_capabilities", "{a.test:AcceptCloudServicesMail...}", "not the capabilities of a domain"),
    ("tls_domain_capabilities", "a b:AcceptCloudServicesMail", "not a domain"),
    ("tls_domain_capabilities", [["a.test:X"]], "text is needed"),
    ("service_discovery_fqdn", "a_b", "not a host name"),
    ("default_domain", 7, "text is needed"),
    ("remote_ip_ranges", "{10.0.0.1, 10.0.0.2...}", "not an IP address"),
    ("usage", "Relay", "Choose from Client, Custom, Internal, Internet, Partner."),
]


@pytest.mark.parametrize(("option", "value", "says"), REFUSED)
def test_what_cannot_be_read(option: str, value: Any, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        read(option, value)


@pytest.mark.parametrize("option", ["auth_mechanism", "permission_groups", "message_rate_source"])
def test_none_stands_alone(option: str) -> None:
    word = ROWS[option].choices[0]
    for value in (["None", word], [word, "none"], f"None, {word}", {"set": ["None", word]}, {"add": ["None"]}):
        with pytest.raises(ConflictError, match=r"x.*: None stands alone, got .*\. Give None or \[\] for nothing"):
            read(option, value)
    with pytest.raises(ConflictError, match="None stands alone"):
        read(option, {"remove": "None"})
    assert read(option, {"set": "None"}) == ()


def test_all_is_added_and_removed_as_what_it_stands_for() -> None:
    row = ROWS["message_rate_source"]
    assert parse_list(row, ("User",), {"add": ["All"]}, "x") == ("IPAddress", "User")
    assert parse_list(row, ("User",), {"remove": ["All"]}, "x") == ()


def test_a_list_that_is_not_known_cannot_be_changed() -> None:
    row = ROWS["message_rate_source"]
    with pytest.raises(InputError, match="x: there is no list yet that could be changed"):
        parse_list(row, None, {"add": ["User"]}, "x")
    assert parse_list(row, None, {"set": None}, "x") is None
    assert parse_list(row, None, ["User"], "x") == ("User",)


def read_back(connector: Connector, **options: Any) -> Connector:
    """``connector`` after a task that says ``options``."""
    (after,) = merge(State((connector,)), Options(connectors=[{"name": connector.name, **options}])).connectors
    return after


@given(exchange_connectors())
def test_what_is_rendered_is_read_back(connector: Connector) -> None:
    rendered = render_item(connector)
    assert merge(State(), Options(connectors=[rendered])).connectors == (connector,)
    assert merge(State((connector,)), Options(connectors=[rendered])).connectors == (connector,)
    absent = {row.option for row in CONNECTOR_PROPERTIES if getattr(connector, row.option) is None}
    assert {row.option for row in CONNECTOR_PROPERTIES} - set(rendered) == absent


def as_exchange_prints(row: Property, value: Any) -> Any:
    rendered = render_value(row, value)
    if row.is_flags:
        return ", ".join(rendered) or "None"
    if row.is_list:
        return "{" + ", ".join(rendered) + "}"
    if row.exchange.endswith("Size"):
        unit, size = ("KB", value / 1024) if value < 1 << 20 else ("MB", value / (1 << 20))
        return f"{size:.3f} {unit} ({value:,} bytes)".replace(".000", "")
    return str(rendered)


@given(exchange_connectors())
def test_what_exchange_prints_is_no_change(connector: Connector) -> None:
    for row in CONNECTOR_PROPERTIES:
        value = getattr(connector, row.option)
        if row.exchange and value is not None:
            assert read_back(connector, **{row.option: as_exchange_prints(row, value)}) == connector


def test_smtputf8_is_changed_as_microsoft_advises_for_old_clients() -> None:
    there = Connector("A", bindings=read("bindings", "0.0.0.0:25"), smtp_utf8_enabled=True)
    assert read_back(there, smtp_utf8_enabled=False) == dataclasses.replace(there, smtp_utf8_enabled=False)


COMBINATIONS: list[tuple[dict[str, Any], str]] = [
    ({"domain_secure_enabled": True}, "domain_secure_enabled: it needs Tls in auth_mechanism. Add Tls"),
    (
        {
            "domain_secure_enabled": True,
            "auth_mechanism": ["Tls", "ExternalAuthoritative"],
            "permission_groups": ["ExchangeServers"],
        },
        "domain_secure_enabled: ExternalAuthoritative excludes it. Take ExternalAuthoritative out",
    ),
    (
        {"binary_mime_enabled": True, "chunking_enabled": False},
        "binary_mime_enabled: it needs chunking_enabled. Give chunking_enabled: true",
    ),
]


@pytest.mark.parametrize(("options", "says"), COMBINATIONS)
def test_combinations(options: dict[str, Any], says: str) -> None:
    there = Connector("A", bindings=read("bindings", "0.0.0.0:25"))
    with pytest.raises(ConflictError, match=re.escape(f"connector 'A', {says}")):
        read_back(there, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"domain_secure_enabled": True, "auth_mechanism": ["Tls"]},
        {"domain_secure_enabled": False},
        {"binary_mime_enabled": True},
        {"binary_mime_enabled": True, "chunking_enabled": True},
        {"chunking_enabled": False},
    ],
)
def test_what_fits_together(options: dict[str, Any]) -> None:
    there = Connector("A", bindings=read("bindings", "0.0.0.0:25"))
    assert read_back(there, **options) != there
