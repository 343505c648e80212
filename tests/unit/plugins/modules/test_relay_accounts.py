# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from support.modules import ModuleFailed, Runner

PASSWORD = "correct horse battery staple"
ALICE = {"name": "alice", "password": PASSWORD, "addresses": ["alice@corp.test"]}


def apply(run: Runner, *accounts: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run("relay_accounts", accounts=list(accounts), **options)


def triplet(run: Runner, *accounts: dict[str, Any], **options: Any) -> dict[str, Any]:
    untouched = run.snapshot()
    predicted = apply(run, *accounts, check=True, **options)
    assert run.snapshot() == untouched
    done = apply(run, *accounts, **options)
    assert predicted == done
    assert done["changed"] is True
    settled = run.snapshot()
    again = apply(run, *accounts, **options)
    assert run.snapshot() == settled
    assert (again["changed"], again["before"]) == (False, again["after"])
    return done


def stored(run: Runner) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((run.directory / "accounts.json").read_text())
    return {item["name"]: item for item in document["accounts"]}


def test_an_account_comes_changes_and_goes(run: Runner) -> None:
    created = triplet(run, ALICE)
    assert created["before"] == [{"name": "alice", "state": "absent"}]
    assert created["after"] == [
        {"name": "alice", "state": "present", "addresses": ["alice@corp.test"], "allow_nets": []}
    ]
    hashed = stored(run)["alice"]["hash"]
    assert hashed.startswith("{SCRAM-SHA-256}15000,")
    assert stat.S_IMODE((run.directory / "accounts.json").stat().st_mode) == 0o600
    changed = triplet(run, {"name": "Alice", "addresses": {"add": ["sales@corp.test"]}, "allow_nets": ["10.0.0.1/24"]})
    assert changed["after"][0]["allow_nets"] == ["10.0.0.0/24"]
    assert stored(run)["alice"]["hash"] == hashed
    secret = triplet(run, {"name": "alice", "password": "new " + PASSWORD})
    assert secret["commands"] == ["set account alice: password"]
    assert secret["before"] == secret["after"]
    assert triplet(run, {"name": "alice", "state": "absent"})["after"] == [{"name": "alice", "state": "absent"}]


def test_purge(run: Runner) -> None:
    apply(run, ALICE, {**ALICE, "name": "bob", "addresses": ["bob@corp.test"]})
    assert triplet(run, {"name": "alice"}, purge=True)["commands"] == ["delete account bob"]


def test_no_secret_is_in_a_result(run: Runner) -> None:
    hashed = (
        "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    result = apply(run, ALICE, {"name": "bob", "password_hash": hashed, "addresses": ["*@bob.test"]})
    text = json.dumps(result)
    assert PASSWORD not in text
    assert "SCRAM" not in text
    assert stored(run)["bob"]["hash"] == hashed


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ({"name": "new"}, "account 'new': a new account needs a password. Give password or password_hash."),
        (
            {**ALICE, "password": f"{PASSWORD}\n"},
            "account 'alice', password: a password that no client could send (value hidden)",
        ),
        ({**ALICE, "password": PASSWORD[:7]}, "account 'alice', password: a password that is too short (value hidden)"),
        ({**ALICE, "password": True}, "account 'alice', password: a password that is not text (value hidden)"),
        ({**ALICE, "password": [PASSWORD]}, "account 'alice', password: a password that is not text (value hidden)"),
        ({**ALICE, "password": {"a": PASSWORD}}, "account 'alice', password: a password that is not text"),
        ({**ALICE, "addresses": []}, "account 'alice', addresses: an account that may send as nobody. List the"),
        ({**ALICE, "addresses": ["*@corp.test"]}, "account 'carol' owns 'alice@corp.test' already, got '*@corp.test'"),
        ({"name": "x", "password_hash": "$6$abc"}, "account 'x', password_hash: not a password hash"),
        ({**ALICE, "allow_nets": ["x"]}, "account 'alice', allow_nets[0]: not an IP address"),
        ({**ALICE, "name": "bob"}, "account 'bob', addresses: account 'carol' owns this address already, got 'alice@"),
    ],
)
def test_bad_input_is_one_clear_error_and_touches_nothing(run: Runner, account: dict[str, Any], says: str) -> None:
    apply(run, {**ALICE, "name": "carol"})
    untouched = run.snapshot()
    with pytest.raises(ModuleFailed) as caught:
        apply(run, account)
    assert says in caught.value.result["msg"]
    text = json.dumps(caught.value.result)
    assert PASSWORD not in text
    assert "Traceback" not in text
    assert run.snapshot() == untouched


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda document: document.update(version=2), "written by a newer release"),
        (lambda document: document["accounts"][0].update(hash="x"), "accounts: account 'alice', hash: not a password"),
        (lambda document: document["accounts"][0].pop("addresses"), "not a list of accounts"),
        (lambda document: document.update(accounts={}), "not a list of accounts"),
        (lambda document: document.update(accounts=[None]), "not a list of accounts"),
        (lambda document: document["accounts"].append(document["accounts"][0]), "two accounts of one name"),
        *[
            (lambda document, key=key, value=value: document["accounts"][0].update({key: value}), f"{key}[]0[]*: ")
            for key in ("name", "hash", "addresses", "allow_nets")
            for value in (None, 5, True, {}, {"add": []}, [5], [None], [["x"]], "a, b")
            if not (value == "a, b" and key == "name")
        ],
        (lambda document: document["accounts"][0].update(name="\ud800"), "half of a surrogate pair stands alone"),
    ],
)
def test_a_file_that_was_broken_by_hand(run: Runner, change: Any, says: str) -> None:
    apply(run, ALICE)
    secret = stored(run)["alice"]["hash"]
    path = run.directory / "accounts.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ModuleFailed, match=says) as caught:
        apply(run, ALICE)
    assert caught.value.result["error"] == "store"
    assert secret not in caught.value.result["msg"]


def test_no_error_shows_a_hash_that_stands_in_the_wrong_place(run: Runner) -> None:
    apply(run, ALICE)
    path = run.directory / "accounts.json"
    document = json.loads(path.read_text())
    secret = document["accounts"][0]["hash"]
    for key in ("name", "addresses", "allow_nets"):
        path.write_text(json.dumps({**document, "accounts": [{**document["accounts"][0], key: secret}]}))
        with pytest.raises(ModuleFailed) as caught:
            apply(run, ALICE)
        assert secret[20:40] not in caught.value.result["msg"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o400])
def test_another_mode_of_the_file_is_repaired(run: Runner, mode: int) -> None:
    apply(run, ALICE)
    path = run.directory / "accounts.json"
    content = path.read_bytes()
    path.chmod(mode)
    for accounts in ([ALICE], []):
        path.chmod(mode)
        done = triplet(run, *accounts)
        assert done["commands"] == ["repair mode of accounts.json"]
        assert done["before"] == done["after"]
        assert done["diff"]["before"] == "to do: repair mode of accounts.json\n" + done["diff"]["after"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes() == content
    path.chmod(mode)
    both = triplet(run, {"name": "alice", "allow_nets": ["::1"]})
    assert both["commands"] == ["set account alice: allow_nets", "repair mode of accounts.json"]


def test_an_account_that_nobody_names_may_be_odd(run: Runner) -> None:
    """The file of an earlier time, or of somebody with an editor."""
    apply(run, {**ALICE, "name": "carol"})
    path = run.directory / "accounts.json"
    document = json.loads(path.read_text())
    document["accounts"][0]["addresses"] = []
    path.write_text(json.dumps(document))
    assert triplet(run, ALICE)["changed"]
    assert stored(run)["carol"]["addresses"] == []


def test_a_directory_without_a_relay(run: Runner) -> None:
    (run.directory / "settings.json").unlink()
    with pytest.raises(ModuleFailed, match=r"there is no relay here\. Run the role relay_server first"):
        apply(run, ALICE)
    assert apply(run, ALICE, check=True)["changed"]


@pytest.mark.parametrize(
    ("backend", "told"),
    [("postfix", "this backend is not built yet"), ("exchange", "this backend is no business of the target")],
)
def test_a_backend_that_a_module_does_not_have_says_so(run: Runner, backend: str, told: str) -> None:
    with pytest.raises(ModuleFailed, match=f"backend: {told}, got '{backend}'"):
        apply(run, ALICE, backend=backend)
