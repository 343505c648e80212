# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import operator
import random
import unicodedata
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_binding, parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.principals import (
    EDGE_SERVERS,
    EVERYONE,
    EXCHANGE_SERVERS,
    USERS,
    WELL_KNOWN,
    canonical,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHENTICATED,
    BYPASS_ANTI_SPAM,
    EXCH50,
    EXTERNALLY_SECURED,
    GROUPS,
    INTERNAL_RIGHTS,
    RIGHTS,
    SUBMIT,
    Entry,
    ExtendedRight,
    beyond_groups,
    effective_rights,
    group_entries,
    is_server,
    own_entries,
    parse_extended_right,
    read_rights,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State

PRINCIPALS = ("CORP\\Müller", "S-1-5-21-1-2-3-1104", *sorted({name for table in GROUPS.values() for name in table}))
RELAY = ExtendedRight(ANONYMOUS, ANY_RECIPIENT)

_groups = st.lists(st.sampled_from(sorted(GROUPS)), unique=True)
_entries = st.lists(st.builds(ExtendedRight, st.sampled_from(PRINCIPALS), st.sampled_from(RIGHTS), st.booleans()))


def parse(principal: str = ANONYMOUS, right: str = ANY_RECIPIENT) -> ExtendedRight:
    return parse_extended_right({"principal": principal, "right": right}, "extended_rights[0]")


# -- principals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("S-1-5-7", ANONYMOUS),
        ("anonymous logon", ANONYMOUS),
        ("NT-AUTORITÄT\\ANONYMOUS-ANMELDUNG", ANONYMOUS),
        ("nt-autorität\\Anonymous-Anmeldung", ANONYMOUS),
        (unicodedata.normalize("NFD", "NT-AUTORITÄT\\ANONYMOUS-ANMELDUNG"), ANONYMOUS),
        ("AUTORITE NT\\ANONYMOUS LOGON", ANONYMOUS),
        ("Authentifizierte Benutzer", AUTHENTICATED),
        ("AUTORITE NT\\Utilisateurs authentifiés", AUTHENTICATED),
        ("NT AUTHORITY\\Прошедшие проверку", AUTHENTICATED),
        ("s-1-5-11", AUTHENTICATED),
        ("S-1-9-1419165041-1139599005-3936102811-1022490595-23", EXTERNALLY_SECURED),
        ("ms exchange\\externally secured servers", EXTERNALLY_SECURED),
        ("CORP\\Exchange Servers", "Exchange Servers"),
        ("other.example\\exchange servers", "Exchange Servers"),
        ("CORP\\ExchangeLegacyInterop", "ExchangeLegacyInterop"),
        ("CORP\\Authenticated Users", "CORP\\Authenticated Users"),
        ("CORP\\Partner Servers", "CORP\\Partner Servers"),
        ("Partner Servers", "Partner Servers"),
        ("S-1-1-0", EVERYONE),
        ("Jeder", EVERYONE),
        ("VORDEFINIERT\\Benutzer", USERS),
        ("Users", "Users"),
        ("S-1-5-2", "NT AUTHORITY\\NETWORK"),
        ("S-1-5-32-546", "BUILTIN\\Guests"),
        ("CORP\\Scanner", "CORP\\Scanner"),
    ],
)
def test_a_principal_by_any_of_its_names(given: str, name: str) -> None:
    assert parse(given).principal == name


def test_no_name_means_two_principals() -> None:
    names = [name.casefold() for entry in WELL_KNOWN for name in (entry.sid, entry.name, *entry.localised)]
    assert len(names) == len(set(names))


@given(st.text(max_size=8))
def test_canonical_names_are_stable(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_principals_are_the_same_whatever_their_case() -> None:
    one, other = parse("CORP\\Müller"), parse(unicodedata.normalize("NFD", "corp\\MÜLLER"))
    assert one == other
    assert not operator.ne(one, other)  # a tuple compares by itself
    assert len({one, other}) == 1
    assert one != parse("CORP\\Mueller")
    assert one != one._replace(deny=True)
    assert sorted([parse("b"), parse("A"), parse("C")]) == [parse("a"), parse("B"), parse("c")]


def test_an_entry_is_removed_by_a_name_in_another_case() -> None:
    app = {"principal": "CORP\\App", "right": SUBMIT}
    entry = {"name": "A", "bindings": ["0.0.0.0:25"], "remote_ip_ranges": []}
    with_app = merge(State(), Options(connectors=[{**entry, "extended_rights": [app]}]))
    again = merge(with_app, Options(connectors=[{"name": "A", "extended_rights": [{**app, "principal": "corp\\app"}]}]))
    assert again == with_app
    gone = {"remove": [{**app, "principal": "corp\\APP"}]}
    assert merge(with_app, Options(connectors=[{"name": "A", "extended_rights": gone}])).connectors[0] == Connector(
        "A", bindings=with_app.connectors[0].bindings
    )


# -- rights ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("Ms-Exch-SMTP-Submit", SUBMIT),
        ("s-Exch-SMTP-Accept-Any-Sender", ANY_SENDER),
        ("ms-Exch-Accept-Exch50", EXCH50),
        ("MS-EXCH-SMTP-ACCEPT-EXCH50", EXCH50),
        (" ms-exch-bypass-anti-spam ", BYPASS_ANTI_SPAM),
    ],
)
def test_a_right_in_any_spelling(given: str, right: str) -> None:
    assert parse(right=given).right == right


@pytest.mark.parametrize("right", INTERNAL_RIGHTS)
def test_an_internal_right_is_no_input(right: str) -> None:
    for spelling in (right, right.upper()):
        with pytest.raises(InputError, match=r"an internal right of Exchange.*it is never changed"):
            parse(right=spelling)


def test_a_right_that_does_not_exist_is_refused_with_one_near_it() -> None:
    with pytest.raises(InputError, match="Did you mean ms-Exch-SMTP-Submit"):
        parse(right="ms-Exch-SMTP-Summit")


# -- what groups grant -------------------------------------------------------------------------------------------------


def test_what_a_group_grants_is_no_extended_right() -> None:
    by_group = ExtendedRight(ANONYMOUS, SUBMIT)
    deny = ExtendedRight(ANONYMOUS, SUBMIT, deny=True)
    assert beyond_groups(["AnonymousUsers"], [by_group, RELAY, deny]) == (RELAY, deny)
    assert beyond_groups([], [by_group]) == (by_group,)
    assert beyond_groups(["ExchangeUsers"], [by_group]) == (by_group,)


def test_merge_takes_up_what_a_new_group_grants() -> None:
    entry: dict[str, Any] = {"name": "A", "bindings": ["0.0.0.0:25"], "remote_ip_ranges": ["10.0.0.1"]}
    rights = [{"principal": "S-1-5-7", "right": right} for right in (SUBMIT, ANY_RECIPIENT)]
    bare = merge(State(), Options(connectors=[{**entry, "extended_rights": rights}]))
    assert bare.connectors[0].extended_rights == (RELAY, ExtendedRight(ANONYMOUS, SUBMIT))
    with_group = merge(bare, Options(connectors=[{"name": "A", "permission_groups": ["AnonymousUsers"]}]))
    assert with_group.connectors[0].extended_rights == (RELAY,)
    assert bare.connectors[0].anonymous_rights < with_group.connectors[0].anonymous_rights


@given(_groups, _entries, _entries, st.lists(st.sampled_from(INTERNAL_RIGHTS)), st.randoms())
def test_entries_are_told_apart_whatever_their_order_and_spelling(
    groups: list[str], extended: list[ExtendedRight], above: list[ExtendedRight], inside: list[str], rng: random.Random
) -> None:
    def spelled(entry: ExtendedRight, inherited: bool) -> Entry:
        right = rng.choice((entry.right, entry.right.upper(), entry.right[1:], entry.right.replace("ms-", "Ms-", 1)))
        sids = {known.name: known.sid for known in WELL_KNOWN}
        domain = "CORP\\" if entry.principal in ("Exchange Servers", "ExchangeLegacyInterop") else ""
        name = rng.choice((sids.get(entry.principal, entry.principal), domain + entry.principal.lower()))
        return Entry(name, right, entry.deny, inherited)

    added = beyond_groups(groups, extended)
    internal = [Entry("CORP\\Exchange Servers", right, False, rng.random() < 0.5) for right in inside]
    read = [spelled(entry, False) for entry in (*added, *group_entries(groups))]
    read += [spelled(entry, True) for entry in above] + internal
    rng.shuffle(read)
    found = read_rights(groups, read)
    assert own_entries(found.groups, found.extended, found.removed) >= {*added, *group_entries(groups)}
    assert found.inherited == tuple(sorted(set(above)))
    assert found.internal == tuple(sorted(set(internal)))


def test_rights_of_the_directory_are_not_ours() -> None:
    other = Entry("CORP\\admin", "Send-As", False, True)
    assert read_rights([], [other]).internal == (other,)


def test_the_denies_of_exchangelegacyservers_are_not_ours() -> None:
    read = Entry("CORP\\ExchangeLegacyInterop", "ms-Exch-Accept-Headers-Forest", True, False)
    granted = [
        Entry(entry.principal, entry.right, entry.deny, False) for entry in group_entries(["ExchangeLegacyServers"])
    ]
    assert read_rights(["ExchangeLegacyServers"], granted).extended == ()
    assert read_rights([], [read]).extended == (ExtendedRight("ExchangeLegacyInterop", read.right, True),)


# -- groups read off the entries -------------------------------------------------------------------------------------


def printed_forms(groups: Iterable[str]) -> list[list[str]]:
    """What a server may print of these groups once an entry of theirs was removed."""
    return [list(groups), []]


def as_read(entries: Iterable[ExtendedRight]) -> list[Entry]:
    return [Entry(entry.principal, entry.right, entry.deny, False) for entry in entries]


@given(_groups, _entries, st.lists(st.sampled_from(sorted(group_entries(GROUPS))), max_size=8), _groups)
def test_the_entries_are_what_was_read_whatever_is_printed(
    groups: list[str], extended: list[ExtendedRight], removed: list[ExtendedRight], printed: list[str]
) -> None:
    there = own_entries(groups, extended, removed)
    found = read_rights(printed, as_read(there))
    said = own_entries(found.groups, found.extended, found.removed)
    assert there <= said
    assert all(map(is_server, said - there)), "only entries of groups of servers may be counted though they are missing"
    assert set(found.extended).isdisjoint(group_entries(found.groups))
    assert set(found.removed) <= group_entries(found.groups)


@pytest.mark.parametrize("gone", sorted(group_entries(["AnonymousUsers", "ExchangeUsers"])))
def test_a_group_that_lost_an_entry_reads_the_same_whatever_is_printed(gone: ExtendedRight) -> None:
    groups = ("AnonymousUsers", "ExchangeUsers")
    entries = as_read({*group_entries(groups), RELAY} - {gone})
    for printed in (*printed_forms(groups), ["AnonymousUsers"], ["ExchangeUsers"]):
        found = read_rights(printed, entries)
        assert (found.groups, found.extended, found.removed) == (groups, (RELAY,), (gone,))


def test_a_group_that_lost_more_than_half_of_its_entries_is_none() -> None:
    kept = [ExtendedRight(ANONYMOUS, SUBMIT), ExtendedRight(ANONYMOUS, ANY_SENDER)]
    for printed in printed_forms(["AnonymousUsers"]):
        assert read_rights(printed, as_read(kept)).groups == ("AnonymousUsers",)
        less = read_rights(printed, as_read(kept[:1]))
        assert (less.groups, less.extended, less.removed) == ((), (kept[0],), ())


def test_a_device_that_may_only_send_anywhere_is_in_no_group() -> None:
    for printed in printed_forms(["AnonymousUsers"]):
        found = read_rights(printed, as_read([RELAY]))
        assert (found.groups, found.extended, found.removed) == ((), (RELAY,), ())


def test_a_group_of_which_nobody_holds_anything_is_there_as_it_is_printed() -> None:
    assert read_rights(["Partners"], []).groups == ("Partners",)
    assert read_rights([], []).groups == ()


def test_groups_of_servers_that_a_version_does_not_name_lack_nothing() -> None:
    entries = [entry for entry in group_entries(["ExchangeServers"]) if entry.principal != EDGE_SERVERS]
    assert read_rights(["ExchangeServers"], as_read(entries)).removed == ()
    gone = ExtendedRight(EXCHANGE_SERVERS, SUBMIT)
    assert read_rights([], as_read(set(entries) - {gone})).removed == (gone,)
    assert read_rights([], as_read(entry for entry in entries if is_server(entry))).removed == tuple(
        sorted(entry for entry in entries if not is_server(entry))
    )


@pytest.mark.parametrize("word", ["GenericAll", "ExtendedRight"])
def test_every_right_at_once_is_counted_and_no_extended_right(word: str) -> None:
    held = ExtendedRight(ANONYMOUS, word)
    own = read_rights([], [Entry("S-1-5-7", word, False, False), Entry("CORP\\Admins", word, False, False)])
    assert (own.full_control, own.extended, [entry.principal for entry in own.internal]) == (
        (held,),
        (),
        ["CORP\\Admins"],
    )
    above = read_rights([], [Entry("S-1-5-7", word, False, True)])
    assert (above.inherited, above.extended, above.full_control) == ((held,), (), ())
    assert effective_rights(ANONYMOUS, [held]) == effective_rights(ANONYMOUS, (), [held]) == set(RIGHTS)
    denied = ExtendedRight(ANONYMOUS, ANY_RECIPIENT, deny=True)
    assert effective_rights(ANONYMOUS, [held, denied]) == set(RIGHTS) - {ANY_RECIPIENT}
    assert effective_rights(ANONYMOUS, [held], [denied]) == set(RIGHTS)
    assert effective_rights(ANONYMOUS, [held._replace(deny=True), RELAY]) == set()


# -- effective rights --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "own", "above", "may"),
    [
        ((), (), (), False),
        ((), (False,), (), True),
        (("ExchangeUsers",), (), (), True),
        (("ExchangeUsers",), (True,), (), False),
        ((), (False, True), (), False),
        ((), (), (False,), True),
        ((), (), (False, True), False),
        ((), (True,), (False,), False),
        ((), (False,), (True,), True),
        (("ExchangeUsers",), (), (True,), True),
    ],
)
def test_the_order_of_windows(
    groups: tuple[str, ...], own: tuple[bool, ...], above: tuple[bool, ...], may: bool
) -> None:
    def entries(denies: tuple[bool, ...]) -> list[ExtendedRight]:
        return [ExtendedRight(AUTHENTICATED, ANY_RECIPIENT, deny) for deny in denies]

    there = own_entries(groups, entries(own), ())
    assert (ANY_RECIPIENT in effective_rights(AUTHENTICATED, there, entries(above))) is may
    assert ANY_RECIPIENT not in effective_rights(ANONYMOUS, there, entries(above))


@given(_groups, _entries, _entries)
def test_the_normal_form_changes_no_effective_right(
    groups: list[str], extended: list[ExtendedRight], above: list[ExtendedRight]
) -> None:
    for principal in PRINCIPALS:
        plain = effective_rights(principal, own_entries(groups, extended, ()), above)
        normal = own_entries(groups, beyond_groups(groups, extended), ())
        assert effective_rights(principal, normal, above) == plain


def relaying(**changes: Any) -> int:
    """How many of two clients relay through a connector."""
    both = parse_range("10.0.0.0/31", "x")
    found = Connector("A", bindings=(parse_binding("0.0.0.0:25", "x"),), remote_ip_ranges=(both,), **changes)
    return sum(item.size for item in State((found,)).policy.surface.addresses)


def test_externally_secured_sessions_relay_without_any_extended_right() -> None:
    groups = ("AnonymousUsers", "ExchangeServers")
    assert relaying(permission_groups=groups) == 0
    assert relaying(permission_groups=groups, auth_mechanism=("ExternalAuthoritative",)) == 2


def test_inherited_rights_count_for_the_surface() -> None:
    assert relaying(permission_groups=("AnonymousUsers",)) == 0
    assert relaying(permission_groups=("AnonymousUsers",), inherited_rights=(RELAY,)) == 2
