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
    apply(run, ALICE, {"name": "bob", "password": PASSWORD})
    assert triplet(run, {"name": "alice"}, purge=True)["commands"] == ["delete account bob"]


def test_no_secret_is_in_a_result(run: Runner) -> None:
    hashed = (
        "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    result = apply(run, ALICE, {"name": "bob", "password_hash": hashed})
    text = json.dumps(result)
    assert PASSWORD not in text
    assert "SCRAM" not in text
    assert stored(run)["bob"]["hash"] == hashed


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ({"name": "new"}, "account 'new': a new account needs a password. Give password or password_hash."),
        (
            {**ALICE, "password": "a\nb"},
            "account 'alice', password: a password that no client could send (value hidden)",
        ),
        ({"name": "x", "password_hash": "$6$abc"}, "account 'x', password_hash: not a password hash"),
        ({**ALICE, "allow_nets": ["x"]}, "account 'alice', allow_nets[0]: not an IP address"),
        ({**ALICE, "name": "bob"}, "account 'bob' owns this address already, got 'alice@corp.test'"),
    ],
)
def test_bad_input_is_one_clear_error_and_touches_nothing(run: Runner, account: dict[str, Any], says: str) -> None:
    apply(run, {**ALICE, "name": "carol"})
    untouched = run.snapshot()
    if account["name"] != "bob":
        account = {**account, "addresses": []}
    with pytest.raises(ModuleFailed) as caught:
        apply(run, account)
    assert says in caught.value.result["msg"]
    assert PASSWORD not in json.dumps(caught.value.result)
    assert run.snapshot() == untouched


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda document: document.update(version=2), "written by a newer release"),
        (lambda document: document["accounts"][0].update(hash="x"), "accounts: account 'alice', password_hash"),
        (lambda document: document["accounts"][0].pop("addresses"), "not a list of accounts"),
        (lambda document: document.update(accounts={}), "not a list of accounts"),
    ],
)
def test_a_file_that_was_broken_by_hand(run: Runner, change: Any, says: str) -> None:
    apply(run, ALICE)
    path = run.directory / "accounts.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ModuleFailed, match=says):
        apply(run, ALICE)


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
