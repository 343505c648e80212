# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._accounts import scram
from ansible_collections.mailops.relay.plugins.module_utils._accounts.merge import merge_accounts
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.accounts import AccountsFile as WrittenAccounts
from smtp_relayd import accounts
from smtp_relayd.accounts import Accounts, AccountsFile, Hash
from smtp_relayd.auth import Credentials
from smtp_relayd.json_file import ConfigError
from support import relay_files

# RFC 7677, 3: user "user", password "pencil"
PENCIL = (
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)


def write(directory: Path, *items: dict[str, Any]) -> Path:
    relay_files.write_accounts(directory, *items)
    return directory / "accounts.json"


def check(loaded: Accounts, name: str, password: str | bytes, peer: str = "192.0.2.1") -> str:
    secret = password.encode() if isinstance(password, str) else password
    verdict = loaded.check(Credentials(name.encode(), secret), peer)
    assert (verdict.account is None) == bool(verdict.reason)
    return verdict.reason


# -- passwords ---------------------------------------------------------------------------------------------------------


def test_hash_of_the_rfc(tmp_path: Path) -> None:
    loaded = AccountsFile(write(tmp_path, relay_files.account("user", hash=PENCIL)).parent).current()
    assert check(loaded, "user", "pencil") == ""
    assert check(loaded, "user", "Pencil") == "wrong password"
    assert check(loaded, "nobody", "pencil") == "unknown account"
    assert check(loaded, "", "pencil") == "unknown account"


def test_what_the_module_writes_is_what_is_loaded(tmp_path: Path) -> None:
    entries = [
        {
            "name": "Alice",
            "password": "s3cret \u00fc",
            "addresses": ["Alice@corp.test", "info@corp.test", "x" * 70 + "@corp.test", "*@other.test"],
            "allow_nets": ["10.0.0.0/8", "192.0.2.1", "198.51.100.7-198.51.100.9", "2001:db8::/32", "fd00::1-fd00::3"],
        },
        {"name": "scan+er@corp.test;9", "password": "x" * 8, "addresses": ["scan@corp.test"]},
    ]
    WrittenAccounts(str(tmp_path)).write(merge_accounts((), entries, purge=True))
    loaded = AccountsFile(tmp_path).current()
    assert set(loaded.by_name) == {b"alice", b"scan+er@corp.test;9"}
    assert loaded.by_name[b"alice"].addresses >= {"alice@corp.test", "info@corp.test", "*@other.test"}
    assert check(loaded, "alice", "s3cret \u00fc", "10.255.255.255") == ""
    assert check(loaded, "alice", "s3cret \u00fc".encode("latin-1"), "10.255.255.255") == "wrong password"
    assert check(loaded, "scan+er@corp.test;9", "x" * 8) == ""


@pytest.mark.parametrize(
    ("peer", "reason"),
    [
        ("10.0.0.0", ""),
        ("10.255.255.255", ""),
        ("11.0.0.0", "address not allowed"),
        ("192.0.2.1", ""),
        ("192.0.2.2", "address not allowed"),
        ("198.51.100.6", "address not allowed"),
        ("198.51.100.7", ""),
        ("198.51.100.9", ""),
        ("198.51.100.10", "address not allowed"),
        ("2001:db8:ffff::1", ""),
        ("2001:db9::", "address not allowed"),
    ],
)
def test_networks(tmp_path: Path, peer: str, reason: str) -> None:
    nets = ["10.0.0.0/8", "192.0.2.1", "198.51.100.7-198.51.100.9", "2001:db8::/32"]
    loaded = AccountsFile(write(tmp_path, relay_files.account(allow_nets=nets)).parent).current()
    assert check(loaded, "alice", "s3cret", peer) == reason
    assert check(loaded, "alice", "wrong", peer) == "wrong password"


def test_empty_password_is_never_right(tmp_path: Path) -> None:
    hashed = scram.make_hash("", iterations=4096)
    loaded = AccountsFile(write(tmp_path, relay_files.account(hash=hashed)).parent).current()
    assert check(loaded, "alice", "") == "wrong password"


def test_name_that_nobody_has_costs_as_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One derivation whoever asks, with the iterations that the accounts have; for one name always the same."""
    costs: list[int] = []
    original = Hash.fits

    def counted(hash: Hash, password: bytes) -> bool:
        costs.append(hash.iterations)
        return original(hash, password)

    monkeypatch.setattr(Hash, "fits", counted)
    hashes = [scram.make_hash("s3cret", iterations=count) for count in (4096, 5000)]
    items = [relay_files.account(f"a{number}", hash=hashed) for number, hashed in enumerate(hashes)]
    loaded = AccountsFile(write(tmp_path, *items).parent).current()
    for name in ("a0", "a1"):
        check(loaded, name, "wrong")
    assert costs == [4096, 5000]
    per_name = []
    for number in range(60):
        costs.clear()
        for _time in range(2):
            assert check(loaded, f"nobody{number}", "s3cret") == "unknown account"
        assert len(costs) == 2
        per_name.append(set(costs))
    assert per_name.count({4096}) + per_name.count({5000}) == 60
    assert 5 < per_name.count({4096}) < 55
    costs.clear()
    assert check(Accounts({}), "a0", "s3cret") == "unknown account"
    assert costs == [4096]


# -- the file ----------------------------------------------------------------------------------------------------------


def test_no_file_means_no_accounts(tmp_path: Path) -> None:
    assert AccountsFile(tmp_path).current().by_name == {}


def test_read_again_when_it_changed(tmp_path: Path) -> None:
    file = AccountsFile(tmp_path)
    assert file.current().by_name == {}
    path = write(tmp_path, relay_files.account())
    first = file.current()
    assert set(first.by_name) == {b"alice"}
    assert file.current() is first
    os.utime(path, ns=(0, 0))
    assert file.current() is not first
    path.write_text("{")
    for _time in range(2):
        with pytest.raises(ConfigError):
            file.current()
    write(tmp_path, relay_files.account("bob"))
    assert set(file.current().by_name) == {b"bob"}
    path.unlink()
    assert file.current().by_name == {}


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        AccountsFile(tmp_path).current()
    with pytest.raises(ConfigError, match="cannot be read"):
        AccountsFile(tmp_path / "accounts.json" / ("x" * 300)).current()


Change = Callable[[dict[str, Any]], object]
HASH = json.loads(json.dumps(relay_files.account()))["hash"]


@pytest.mark.parametrize(
    ("field", "value", "seen"),
    [
        ("name", "", "login name"),
        ("name", "a b", "login name"),
        ("name", "a:b", "login name"),
        ("name", "a,b", "login name"),
        ("name", "\u00e4", "login name"),
        ("name", "x" * 129, "login name"),
        ("name", 1, "not a text"),
        ("name", "BOB", "name of another"),
        ("hash", "", "scheme"),
        ("hash", "s3cret", "scheme"),
        ("hash", "{PLAIN}s3cret", "scheme"),
        ("hash", HASH.replace("SHA-256", "SHA-1"), "scheme"),
        ("hash", HASH.replace("4096", "4095"), "scheme"),
        ("hash", HASH.replace("4096", "1000001"), "scheme"),
        ("hash", HASH.replace("4096", "+4096"), "scheme"),
        ("hash", HASH.replace("4096", "\u0664096"), "scheme"),
        ("hash", HASH.replace("4096", "\u00b2" * 4), "scheme"),
        ("hash", HASH.replace("4096", "04096"), "scheme"),
        ("hash", HASH.replace("4096", "4" * 5000), "scheme"),
        ("hash", PENCIL.replace("qY=,", "qZ=,"), "scheme"),
        ("hash", PENCIL.replace("gQ==", "gR=="), "scheme"),
        ("hash", 5, "not a text"),
        ("hash", HASH + ",AAAA", "scheme"),
        ("hash", HASH[:-4], "scheme"),
        ("hash", HASH.replace("4096,", "4096,!"), "scheme"),
        ("hash", None, "not a text"),
        ("addresses", "alice@corp.test", "not a list"),
        ("addresses", ["corp.test"], "local-part@domain"),
        ("addresses", ["a b@corp.test"], "local-part@domain"),
        ("addresses", ["*@*.corp.test"], "local-part@domain"),
        ("addresses", ["*"], "local-part@domain"),
        ("addresses", [None], "not a text"),
        ("addresses", None, "not a list"),
        ("allow_nets", ["10.0.0.1/8"], "a network"),
        ("allow_nets", ["10.0.0"], "a network"),
        ("allow_nets", ["10.0.0.2-10.0.0.1"], "higher one"),
        ("allow_nets", ["10.0.0.2-::1"], "its family"),
        ("allow_nets", [5], "not a text"),
        ("other", 1, "has an unknown key"),
        (HASH, 1, "has an unknown key"),
    ],
)
def test_loaded_strictly_and_without_a_secret_in_the_error(
    tmp_path: Path, field: str, value: object, seen: str
) -> None:
    item = {**copy.deepcopy(relay_files.account(hash=HASH)), field: value}
    path = write(tmp_path, relay_files.account("bob", hash=HASH), item)
    with pytest.raises(ConfigError) as caught:
        accounts.load(path)
    error = str(caught.value)
    assert error.startswith(f"{path}: accounts[1]")
    assert seen in error
    assert error.endswith("let the module mailops.relay.relay_accounts write it again")
    for secret in (HASH, HASH[20:40], HASH[-20:], "s3cret", "bob"):
        assert secret not in error
    assert "\n" not in error


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"version": 2, "accounts": []}',
        '{"version": true, "accounts": []}',
        '{"version": 1, "accounts": {}}',
        '{"version": 1, "accounts": [], "s3cret": 1, "s3cret": 2}',
        '{"version": 1, "accounts": ["s3cret"]}',
        '"s3cret',
        "[" * 100000,
        '{"version": 1, "accounts": ' + "9" * 5000 + "}",
    ],
)
def test_files_that_are_no_accounts(tmp_path: Path, content: str) -> None:
    path = tmp_path / "accounts.json"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        accounts.load(path)
    assert "s3cret" not in str(caught.value)


def test_nothing_shows_a_hash(tmp_path: Path) -> None:
    loaded = accounts.load(write(tmp_path, relay_files.account(hash=PENCIL)))
    stored = loaded[b"alice"].hash
    shown = repr(loaded)
    assert repr(stored.salt) not in shown
    assert repr(stored.stored_key) not in shown
