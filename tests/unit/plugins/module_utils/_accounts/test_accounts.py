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
from ansible_collections.mailops.relay.plugins.module_utils._accounts.model import Account, merge_accounts
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import ConflictError, InputError

# the example of RFC 7677, section 3: password "pencil", 4096 iterations
RFC_7677 = (
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
ALICE = {"name": "alice", "password": "pencil", "addresses": ["alice@corp.test"]}


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
        RFC_7677.replace("4096", "99999999"),
        RFC_7677.replace("4096", "x"),
        RFC_7677[:-8],
        RFC_7677 + ",AAAA",
        RFC_7677.replace("WG5d", "!!!!"),
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
    after = merge({**ALICE, "password": "other"}, actual=before)
    assert after != before
    assert scram.verify("other", after[0].hash)


def test_a_hash_is_taken_as_it_is() -> None:
    before = merge({"name": "alice", "password_hash": RFC_7677})
    assert before[0].hash == RFC_7677
    assert merge({"name": "alice", "password": "pencil"}, actual=before) == before


def test_lists_of_an_account() -> None:
    before = merge({**ALICE, "allow_nets": ["10.0.0.1/8", "fd00::1"]})
    assert [str(item) for item in before[0].allow_nets] == ["10.0.0.0/8", "fd00::1"]
    after = merge({"name": "alice", "addresses": {"add": ["Sales@Corp.Test"]}, "allow_nets": []}, actual=before)
    assert after[0].addresses == ("alice@corp.test", "sales@corp.test")
    assert after[0].allow_nets == ()


def test_absent_and_purge() -> None:
    before = merge(ALICE, {**ALICE, "name": "bob", "addresses": []})
    assert [item.name for item in merge({"name": "bob", "state": "absent"}, actual=before)] == ["alice"]
    assert [item.name for item in merge({"name": "bob"}, actual=before, purge=True)] == ["bob"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "new"}, "account 'new': a new account needs a password"),
        ({**ALICE, "password_hash": RFC_7677}, "account 'alice': both a password and its hash"),
        ({"name": "x", "password_hash": "{MD5}abc"}, "account 'x', password_hash: not a password hash"),
        ({**ALICE, "password": ""}, "account 'alice', password: a password that no client could send"),
        ({**ALICE, "password": "secret\nline"}, "password that no client could send (value hidden)"),
        ({**ALICE, "password": "secret\0"}, "password that no client could send (value hidden)"),
        ({**ALICE, "name": "a:b"}, "account 0, name: not a login name, got 'a:b'"),
        ({**ALICE, "name": "a b"}, "not a login name"),
        ({**ALICE, "name": ""}, "not a login name"),
        ({**ALICE, "addresses": ["corp.test"]}, "account 'alice', addresses[0]: not a mail address, got 'corp.test'"),
        ({**ALICE, "addresses": ["a@*.corp.test"]}, "not a mail address"),
        ({**ALICE, "addresses": ["a b@corp.test"]}, "not a mail address or domain, got 'a b@corp.test'"),
        ({**ALICE, "allow_nets": ["office"]}, "account 'alice', allow_nets[0]: not an IP address, got 'office'"),
        ({**ALICE, "allow_nets": ["10.0.0.0/33"]}, "not a prefix length"),
    ],
)
def test_bad_input(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        merge(entry)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_has_one_owner() -> None:
    with pytest.raises(ConflictError, match="account 'bob', addresses: account 'alice' owns this address already"):
        merge(ALICE, {"name": "bob", "password": "x", "addresses": ["ALICE@corp.test"]})
    with pytest.raises(ConflictError, match="account 'alice': two entries for one account"):
        merge(ALICE, {**ALICE, "name": "Alice"})


class MemoryStore(AccountStore):
    def __init__(self) -> None:
        self.accounts: tuple[Account, ...] = ()
        self.writes = 0

    def transaction(self, read_only: bool) -> Any:
        return pytest.MonkeyPatch.context()

    def read(self) -> tuple[Account, ...]:
        return self.accounts

    def write(self, accounts: Any) -> None:
        self.accounts, self.writes = tuple(accounts), self.writes + 1


def test_converge_writes_once_and_says_what() -> None:
    store = MemoryStore()

    def run(*entries: dict[str, Any], check: bool = False, purge: bool = False) -> AccountsOutcome:
        return converge_accounts(store, entries, purge=purge, check=check)

    assert run(ALICE, check=True).commands == ("create account alice",)
    assert store.writes == 0
    assert run(ALICE).commands == ("create account alice",)
    assert run(ALICE).commands == ()
    assert store.writes == 1
    changed = run({**ALICE, "password": "other", "addresses": []})
    assert changed.commands == ("set account alice: addresses, password",)
    assert run(purge=True).commands == ("delete account alice",)
    assert store.accounts == ()


def test_a_hash_is_not_in_the_repr_of_an_account() -> None:
    assert RFC_7677 not in repr(merge({"name": "alice", "password_hash": RFC_7677}))
