# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relayd import policy as policies
from smtp_relayd import replies
from smtp_relayd.policy import AcceptedDomain, Binding, Policy, Rule, ip, rank
from support import relay_files
from support.decisions import DOMAINS, POSTMASTER, RECIPIENT_OK, RECIPIENTS, RULES, SENDER_OK, SENDERS


def rule(name: str = "r", **changes: Any) -> Rule:
    """As relay_files writes it: accepted domains from everybody."""
    fields = relay_files.rule(name, **changes)
    for key in ("allowed_senders", "allowed_recipients"):
        fields[key] = None if fields[key] is None else frozenset(fields[key])
    return Rule(**fields)


def binding(*intervals: tuple[str, str, Rule]) -> Binding:
    return Binding(
        tuple(rank(ipaddress.ip_address(first)) for first, _last, _rule in intervals),
        tuple(rank(ipaddress.ip_address(last)) for _first, last, _rule in intervals),
        tuple(rule for _first, _last, rule in intervals),
    )


def policy(postmaster: str | None = None, *names: str, **bindings: Binding) -> Policy:
    kinds = {name: AcceptedDomain(name, "Authoritative", None) for name in names}
    return Policy({}, kinds, postmaster, "")


A, B, C = rule("a"), rule("b"), rule("c")
V4 = ipaddress.IPv4Address
V6 = ipaddress.IPv6Address


@given(st.lists(st.integers(0, 60), min_size=2, max_size=12, unique=True).map(sorted), st.integers(0, 60))
def test_look_up_finds_the_interval_that_contains_the_peer(borders: list[int], peer: int) -> None:
    pairs = list(zip(borders[::2], borders[1::2], strict=False))
    rules = {pair: rule(str(pair)) for pair in pairs}
    found = binding(*((str(V4(first)), str(V4(last)), rules[first, last]) for first, last in pairs)).rule_for(V4(peer))
    assert found == next((rules[pair] for pair in pairs if pair[0] <= peer <= pair[1]), None)


def test_families_do_not_mix() -> None:
    only_v6 = binding(("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", A))
    only_v4 = binding(("0.0.0.0", "255.255.255.255", A))
    assert only_v6.rule_for(V4("10.0.0.1")) is None
    assert only_v4.rule_for(V6("::a00:1")) is None
    assert binding().rule_for(V4("10.0.0.1")) is None


@pytest.mark.parametrize(
    ("local", "port", "peer", "expected"),
    [
        ("10.0.0.1", 25, "10.0.0.9", A),
        ("10.0.0.2", 25, "10.0.0.9", B),
        ("10.0.0.1", 26, "10.0.0.9", None),
        ("::ffff:10.0.0.1", 25, "::ffff:10.0.0.9", A),
        ("fe80::1%eth0", 25, "fe80::9%eth0", C),
        ("10.0.0.1", 25, "11.0.0.1", None),
    ],
)
def test_exact_local_address_before_the_wildcard(local: str, port: int, peer: str, expected: Rule | None) -> None:
    bindings = {
        (V4("10.0.0.1"), 25): binding(("10.0.0.0", "10.0.0.255", A)),
        (V4("0.0.0.0"), 25): binding(("0.0.0.0", "255.255.255.255", B)),
        (V6("::"), 25): binding(("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", C)),
    }
    assert Policy(bindings, {}, None, "").rule_for(local, port, peer) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1", "127.0.0.1"), ("::ffff:1.2.3.4", "1.2.3.4"), ("fe80::1%2", "fe80::1"), ("::1", "::1")],
)
def test_ip(text: str, expected: str) -> None:
    assert str(ip(text)) == expected


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("corp.test", "corp.test"),
        ("CORP.test", "corp.test"),
        ("a.corp.test", "a.corp.test"),
        ("b.corp.test", "*.corp.test"),
        ("x.b.corp.test", "*.corp.test"),
        ("x.deep.corp.test", "*.deep.corp.test"),
        ("deep.corp.test", "*.corp.test"),
        ("only.test", None),
        ("x.only.test", "*.only.test"),
        ("xcorp.test", None),
        ("test", None),
        ("corp.test.other", None),
    ],
)
def test_accepted_domain(domain: str, expected: str | None) -> None:
    names = ("corp.test", "*.corp.test", "a.corp.test", "*.deep.corp.test", "*.only.test")
    found = policy(None, *names).accepted_domain(domain)
    assert (found and found.name) == expected


ALL_RIGHTS = rule(anonymous_any_recipient=True)
DECIDING = Policy({}, {name: AcceptedDomain(name, kind, None) for name, kind in DOMAINS}, POSTMASTER, "")


@pytest.mark.parametrize(("connector", "sender", "expected"), SENDERS)
def test_senders(connector: str, sender: str, expected: str) -> None:
    refusal = policies.refuse_sender(DECIDING, rule(**RULES[connector]), sender)
    assert str(refusal or SENDER_OK) == expected


@pytest.mark.parametrize(("connector", "recipient", "expected"), RECIPIENTS)
def test_recipients(connector: str, recipient: str, expected: str) -> None:
    refusal = policies.refuse_recipient(DECIDING, rule(**RULES[connector]), recipient, "")
    assert str(refusal or RECIPIENT_OK) == expected


def test_postmaster() -> None:
    with_one, without = policy("pm@corp.test", "corp.test"), policy(None, "corp.test")
    assert with_one.recipient("<POSTMASTER>") == "pm@corp.test"
    assert with_one.recipient("<postmaster@corp.test>") == "postmaster@corp.test"
    assert policies.refuse_recipient(without, ALL_RIGHTS, "<postmaster>", "") == replies.USER_UNKNOWN


# -- devices -----------------------------------------------------------------------------------------------------------

PATTERNS = ["corp.test", "*.branch.test", "s+x@partner.test"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@corp.test", True),
        ("A@CORP.TEST", True),
        ("a@x.corp.test", False),
        ("a@branch.test", False),
        ("a@x.branch.test", True),
        ("a@y.x.Branch.test", True),
        ("s+x@partner.test", True),
        ("S+X@Partner.Test", True),
        ("s@partner.test", False),
        ("a@xcorp.test", False),
        ("corp.test@other.test", False),
        ("a@test", False),
    ],
)
def test_patterns(address: str, expected: bool) -> None:
    assert policies.matches(frozenset(PATTERNS), address) is expected
    assert policies.matches(None, address)
    assert not policies.matches(frozenset(), address)
    device = rule(anonymous_any_recipient=True, allowed_senders=PATTERNS, allowed_recipients=PATTERNS)
    assert policies.refuse_sender(policy(), device, f"<{address}>") is None
    as_sender = policies.refuse_recipient(policy(), device, "<s+x@partner.test>", address)
    assert as_sender == (None if expected else replies.CANNOT_SEND_AS)
    as_recipient = policies.refuse_recipient(policy(), device, f"<{address}>", "")
    assert as_recipient == (None if expected else replies.CANNOT_RELAY)
    as_both = policies.refuse_recipient(policy(), device, f"<{address}>", address)
    assert as_both == as_recipient


def test_what_is_not_limited_by_patterns() -> None:
    """The null sender, mail to accepted domains and to the postmaster; a right that is missing comes first."""
    device = rule(anonymous_any_recipient=True, allowed_senders=[], allowed_recipients=[])
    ours = policy("pm@corp.test", "corp.test")
    for sender in ("", "a@x.test"):
        assert policies.refuse_sender(ours, device, f"<{sender}>") is None
        assert policies.refuse_recipient(ours, device, "<a@corp.test>", sender) is None
        assert policies.refuse_recipient(ours, device, "<postmaster>", sender) is None
    anywhere = replace(device, allowed_recipients=None)
    assert policies.refuse_recipient(ours, anywhere, "<a@x.test>", "") is None
    assert policies.refuse_recipient(ours, anywhere, "<a@x.test>", "a@x.test") == replies.CANNOT_SEND_AS
    closed = rule(anonymous_submit=False, anonymous_any_recipient=True, allowed_senders=["x.test"])
    assert policies.refuse_sender(ours, closed, "<a@x.test>") == replies.NOT_AUTHENTICATED
    strict = rule(anonymous_any_sender=False, anonymous_any_recipient=True, allowed_senders=["x.test"])
    assert policies.refuse_sender(ours, strict, "<a@x.test>") == replies.CANNOT_SEND_AS


# -- accounts ----------------------------------------------------------------------------------------------------------

ALICE = frozenset({"alice@corp.test", "info@other.test"})
# no anonymous right, nor any limit of devices, has a say
FOR_ACCOUNTS = rule(
    auth="always", anonymous_submit=False, anonymous_any_sender=False, allowed_senders=[], account_any_recipient=True
)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("<alice@corp.test>", None),
        ("<ALICE@Corp.Test>", None),
        ("<info@other.test>", None),
        ("<bob@corp.test>", replies.CANNOT_SEND_AS),
        ("<alice@corp.test.other.test>", replies.CANNOT_SEND_AS),
        ("<alice@x.corp.test>", replies.CANNOT_SEND_AS),
        ("<>", replies.CANNOT_SEND_AS),
        ("<alice>", replies.INVALID_SENDER),
        ("alice@corp.test", replies.INVALID_SENDER),
        ("", replies.INVALID_SENDER),
    ],
)
def test_account_sends_as_its_own_addresses(sender: str, expected: replies.Reply | None) -> None:
    assert policies.refuse_sender(policy(), FOR_ACCOUNTS, sender, ALICE) == expected
    assert policies.refuse_sender(policy(), FOR_ACCOUNTS, sender, frozenset()) == (expected or replies.CANNOT_SEND_AS)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("<Anybody@Corp.test>", None),
        ("<*@corp.test>", None),
        ("<a@x.corp.test>", replies.CANNOT_SEND_AS),
        ("<a@xcorp.test>", replies.CANNOT_SEND_AS),
        ("<>", replies.CANNOT_SEND_AS),
        ("<@corp.test>", replies.INVALID_SENDER),
    ],
)
def test_account_sends_as_everybody_of_its_domain(sender: str, expected: replies.Reply | None) -> None:
    assert policies.refuse_sender(policy(), FOR_ACCOUNTS, sender, frozenset({"*@corp.test"})) == expected


@pytest.mark.parametrize(
    ("recipient", "anywhere", "expected"),
    [
        ("<v@corp.test>", False, None),
        ("<postmaster>", False, None),
        ("<v@x.test>", True, None),
        ("<v@x.test>", False, replies.CANNOT_RELAY),
        ("<v@[10.0.0.1]>", True, replies.INVALID_RECIPIENT),
    ],
)
def test_recipients_of_an_account(recipient: str, anywhere: bool, expected: replies.Reply | None) -> None:
    ours = policy("pm@corp.test", "corp.test")
    changed = replace(
        FOR_ACCOUNTS,
        account_any_recipient=anywhere,
        anonymous_any_recipient=not anywhere,
        allowed_recipients=frozenset({"nobody.test"}),
    )
    assert policies.refuse_recipient(ours, changed, recipient, "alice@corp.test", ALICE) == expected


@pytest.mark.parametrize(
    ("auth", "require_tls", "encrypted", "expected"),
    [
        ("never", False, False, replies.AUTH_NOT_OFFERED),
        ("never", False, True, replies.AUTH_NOT_OFFERED),
        ("never", True, False, replies.TLS_FIRST),
        ("after_tls", False, False, replies.AUTH_NEEDS_TLS),
        ("after_tls", True, False, replies.TLS_FIRST),
        ("after_tls", True, True, None),
        ("always", False, False, None),
        ("always", True, False, replies.TLS_FIRST),
    ],
)
def test_when_a_password_may_be_asked_for(
    auth: str, require_tls: bool, encrypted: bool, expected: replies.Reply | None
) -> None:
    asked = rule(auth=auth, require_tls=require_tls)
    assert policies.refuse_auth(asked, is_encrypted=encrypted) == expected
