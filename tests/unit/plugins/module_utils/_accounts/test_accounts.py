# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._accounts import scram
from ansible_collections.mailops.relay.plugins.module_utils._accounts.converge import (
    AccountsOutcome,
    AccountStore,
    converge_accounts,
)
from ansible_collections.mailops.relay.plugins.module_utils._accounts.merge import merge_accounts
from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import Account
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import (
    ConflictError,
    InputError,
    RelayError,
)

# the example of RFC 7677, section 3: password "pencil", 4096 iterations
RFC_7677 = (
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
ALICE = {"name": "alice", "password": "red pencil", "addresses": ["alice@corp.test"]}
BOB = {"name": "bob", "password_hash": RFC_7677, "addresses": ["bob@corp.test"]}


def test_the_example_of_the_rfc() -> None:
    salt = bytes.fromhex("5b6d99689d12358eeca04b141236fa81")
    assert scram.make_hash("pencil", salt, 4096) == RFC_7677
    assert scram.verify("pencil", RFC_7677)
    assert not scram.verify("Pencil", RFC_7677)


@settings(max_examples=20)
@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.text(min_size=0, max_size=3))
def test_a_hash_fits_its_password_only(password: str, other: str) -> None:
    hashed = scram.make_hash(password, iterations=4096)
    assert scram.parse_hash(hashed, "x") == hashed
    assert scram.verify(password, hashed)
    assert not scram.verify(password + "x" + other.encode("ascii", "ignore").decode(), hashed)


def test_every_hash_has_a_salt_of_its_own() -> None:
    assert scram.make_hash("a") != scram.make_hash("a")


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "pencil",
        "{PLAIN}pencil",
        "{SHA512-CRYPT}$6$x$y",
        "{SCRAM-SHA-256}x",
        RFC_7677.replace("4096", "1"),
        RFC_7677.replace("4096", "1000001"),
        RFC_7677.replace("4096", "99999999"),
        RFC_7677.replace("4096", "x"),
        RFC_7677[:-8],
        RFC_7677 + ",AAAA",
        RFC_7677.replace("WG5d", "!!!!"),
        RFC_7677.replace("4096", "\u00b2\u00b2\u00b2\u00b2"),
        RFC_7677.replace("4096", "\u0664\u0660\u0669\u0666"),
        RFC_7677.replace("4096", "04096"),
        RFC_7677.replace("4096", "+4096"),
        RFC_7677.replace("4096", "4" * 5000),
        RFC_7677.replace("W22Z", "\udc80\u00e4"),
        RFC_7677.replace("qY=,", "qZ=,"),
        RFC_7677.replace("gQ==", "gR=="),
        RFC_7677.replace("gQ==", "gQ===="),
        RFC_7677 + "\n",
    ],
)
def test_a_hash_that_is_none_is_refused_and_not_shown(hashed: str) -> None:
    assert not scram.verify("pencil", hashed)
    with pytest.raises(InputError) as caught:
        scram.parse_hash(hashed, "account 'a', password_hash")
    assert "account 'a', password_hash: not a password hash" in str(caught.value)
    assert not hashed or hashed not in str(caught.value)


def merge(*entries: dict[str, Any], actual: tuple[Account, ...] = (), purge: bool = False) -> tuple[Account, ...]:
    return merge_accounts(actual, entries, purge)


def test_a_password_that_fits_leaves_the_hash_alone() -> None:
    before = merge(ALICE)
    assert merge(ALICE, actual=before) == before
    assert merge({"name": "ALICE"}, actual=before) == before
    after = merge({**ALICE, "password": "another one"}, actual=before)
    assert after != before
    assert scram.verify("another one", after[0].hash)


def test_a_hash_is_taken_as_it_is() -> None:
    assert merge(BOB)[0].hash == RFC_7677
    assert merge({"name": "bob", "password_hash": RFC_7677}, actual=merge({**ALICE, "name": "bob"}))[0].hash == RFC_7677


def test_lists_of_an_account() -> None:
    before = merge({**ALICE, "allow_nets": ["10.0.0.1/8", "fd00::1"]})
    assert [str(item) for item in before[0].allow_nets] == ["10.0.0.0/8", "fd00::1"]
    after = merge({"name": "alice", "addresses": {"add": ["Sales@Corp.Test"]}, "allow_nets": []}, actual=before)
    assert after[0].addresses == ("alice@corp.test", "sales@corp.test")
    assert after[0].allow_nets == ()


def test_absent_and_purge() -> None:
    before = merge(ALICE, BOB)
    assert [item.name for item in merge({"name": "bob", "state": "absent"}, actual=before)] == ["alice"]
    assert [item.name for item in merge({"name": "bob"}, actual=before, purge=True)] == ["bob"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "new"}, "account 'new': a new account needs a password"),
        ({**ALICE, "password_hash": RFC_7677}, "account 'alice': both a password and its hash"),
        ({"name": "x", "password_hash": "{MD5}abc"}, "account 'x', password_hash: not a password hash"),
        ({"name": "x", "password_hash": [RFC_7677]}, "account 'x', password_hash: not a password hash"),
        ({**ALICE, "password": ""}, "account 'alice', password: a password that is too short"),
        ({**ALICE, "password": "secret2"}, "account 'alice', password: a password that is too short (value hidden)"),
        ({**ALICE, "name": "My.Secret", "password": "mY.sECRET"}, "a password that is the name of the account"),
        ({**ALICE, "password": True}, "account 'alice', password: a password that is not text (value hidden)"),
        ({**ALICE, "password": ["a secret list"]}, "a password that is not text (value hidden). Quote it in YAML"),
        ({**ALICE, "password": {"secret": 1}}, "a password that is not text (value hidden)"),
        ({**ALICE, "password": 1234567890}, "a password that is not text (value hidden)"),
        ({**ALICE, "password": "secret half \ud800"}, "password that no client could send (value hidden)"),
        ({**ALICE, "password": "secret\nline"}, "password that no client could send (value hidden)"),
        ({**ALICE, "password": "secret\0"}, "password that no client could send (value hidden)"),
        ({**ALICE, "name": "a:b"}, "account 0, name: not a login name, got 'a:b'"),
        ({**ALICE, "name": "a b"}, "not a login name"),
        ({**ALICE, "name": ""}, "not a login name"),
        ({**ALICE, "addresses": ["corp.test"]}, "account 'alice', addresses[0]: not a mail address, got 'corp.test'"),
        ({**ALICE, "addresses": ["a@*.corp.test"]}, "not a mail address"),
        ({**ALICE, "addresses": ["*@*.corp.test"]}, "not a mail address"),
        ({**ALICE, "addresses": ["*@*"]}, "not a mail address"),
        ({**ALICE, "addresses": ["*"]}, "not a mail address, got '*'. Write user@example.com, or *@example.com"),
        ({**ALICE, "addresses": ["*@"]}, "not a domain"),
        ({**ALICE, "addresses": []}, "account 'alice', addresses: an account that may send as nobody. List"),
        ({"name": "new", "password": "a good one"}, "account 'new', addresses: an account that may send as nobody"),
        ({**ALICE, "addresses": ["a b@corp.test"]}, "not a mail address or domain, got 'a b@corp.test'"),
        ({**ALICE, "allow_nets": ["office"]}, "account 'alice', allow_nets[0]: not an IP address, got 'office'"),
        ({**ALICE, "allow_nets": ["10.0.0.0/33"]}, "not a prefix length"),
    ],
)
def test_bad_input(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        merge(entry)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value).lower().replace("'my.secret'", "")


def test_an_account_has_one_entry() -> None:
    with pytest.raises(ConflictError, match="account 'alice': two entries for one account"):
        merge(ALICE, {**ALICE, "name": "Alice"})


@pytest.mark.parametrize(
    ("alice", "bob", "says"),
    [
        ("a@corp.test", "A@CORP.test", "account 'alice' owns this address already, got 'a@corp.test'"),
        ("*@corp.test", "*@corp.test", "account 'alice' owns this address already, got '*@corp.test'"),
        ("a@corp.test", "*@corp.test", "account 'alice' owns 'a@corp.test' already, got '*@corp.test'"),
        ("*@corp.test", "a@corp.test", "account 'alice' owns '*@corp.test' already, got 'a@corp.test'"),
        ("*@corp.test", "a@sub.corp.test", ""),
        ("*@corp.test", "*@sub.corp.test", ""),
        ("a@corp.test", "b@corp.test", ""),
    ],
)
def test_two_accounts_share_no_address(alice: str, bob: str, says: str) -> None:
    first, second = {**ALICE, "addresses": [alice]}, {**BOB, "addresses": [bob]}
    stored = merge(first)
    for entries, actual in (([first, second], ()), ([second], stored)):
        if not says:
            assert [item.addresses for item in merge(*entries, actual=actual)] == [(alice,), (bob,)]
            continue
        with pytest.raises(ConflictError) as caught:
            merge(*entries, actual=actual)
        assert str(caught.value).startswith(f"account 'bob', addresses: {says}")
    assert [item.name for item in merge(second, actual=stored, purge=True)] == ["bob"]


def test_an_account_may_own_an_address_and_its_whole_domain() -> None:
    both = merge({**ALICE, "addresses": ["*@Corp.test", "alice@corp.test"]})
    assert both[0].addresses == ("*@corp.test", "alice@corp.test")


def test_accounts_that_the_task_does_not_name_never_fail_it() -> None:
    """Edited by hand: two share an address, one has none."""
    stored = tuple(
        Account(name, RFC_7677, addresses)
        for name, addresses in (("a", ("x@corp.test", "*@corp.test")), ("b", ("x@corp.test",)), ("c", ()))
    )
    other = merge({**ALICE, "addresses": ["alice@other.test"]}, actual=stored)
    assert [item.name for item in other] == ["a", "alice", "b", "c"]
    assert merge({"name": "c", "state": "absent"}, actual=stored) == stored[:2]
    with pytest.raises(InputError, match="account 'c', addresses: an account that may send as nobody"):
        merge({"name": "c"}, actual=stored)
    with pytest.raises(ConflictError, match="account 'b', addresses: account 'a' owns this address already"):
        merge({"name": "b"}, actual=stored)
    assert merge({"name": "b", "addresses": ["b@other.test"]}, actual=stored)[1].addresses == ("b@other.test",)


def test_an_entry_that_is_to_be_absent_needs_its_name_only() -> None:
    odd = {"state": "absent", "password": True, "password_hash": 1, "addresses": 5, "allow_nets": "x"}
    assert merge({"name": "Alice", **odd}, actual=merge(ALICE)) == ()


TEXTS = st.text(max_size=12) | st.sampled_from(["\ud800", RFC_7677, "*@corp.test", "10.0.0.0/8"])
COUNTS = st.integers(0, 6000).map(lambda digits: RFC_7677.replace("4096", "4" * digits))
RAW = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | COUNTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.sampled_from(["add", "set"]), inner),
    max_leaves=4,
)


ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "password": RAW | TEXTS.map(lambda text: f"my secret {text}"),
        **{key: RAW for key in ("name", "password_hash", "addresses", "allow_nets")},
    },
)


@settings(max_examples=300, deadline=None)
@given(ENTRIES)
def test_whatever_an_entry_holds_is_read_or_one_error(entry: dict[str, Any]) -> None:
    said = ""
    try:
        merge({"name": "alice", "addresses": ["alice@corp.test"], **entry})
    except RelayError as error:
        said = str(error)
    assert "my secret" not in said


class MemoryStore(AccountStore):
    def __init__(self) -> None:
        self.accounts: tuple[Account, ...] = ()
        self.broken: tuple[str, ...] = ()
        self.writes = 0

    def transaction(self, read_only: bool) -> Any:
        return pytest.MonkeyPatch.context()

    def read(self) -> tuple[Account, ...]:
        return self.accounts

    def repairs(self) -> tuple[str, ...]:
        return self.broken

    def write(self, accounts: Any) -> None:
        self.accounts, self.broken, self.writes = tuple(accounts), (), self.writes + 1


def test_converge_writes_once_and_says_what() -> None:
    store = MemoryStore()

    def run(*entries: dict[str, Any], check: bool = False, purge: bool = False) -> AccountsOutcome:
        return converge_accounts(store, entries, purge=purge, check=check)

    assert run(ALICE, check=True).commands == ("create account alice",)
    assert store.writes == 0
    assert run(ALICE).commands == ("create account alice",)
    assert run(ALICE).commands == ()
    assert store.writes == 1
    changed = run({**ALICE, "password": "another one", "addresses": ["a@corp.test"]})
    assert changed.commands == ("set account alice: addresses, password",)
    store.broken = ("repair mode",)
    assert run({"name": "alice"}, check=True).commands == ("repair mode",)
    assert store.writes == 2
    assert run({"name": "alice"}).commands == ("repair mode",)
    assert run({"name": "alice"}).commands == ()
    assert store.writes == 3
    assert run(purge=True).commands == ("delete account alice",)
    assert store.accounts == ()


def test_a_hash_is_not_in_the_repr_of_an_account() -> None:
    assert RFC_7677 not in repr(merge(BOB))
