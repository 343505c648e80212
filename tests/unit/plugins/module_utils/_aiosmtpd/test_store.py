# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.documents import canonical, sha256
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.options import OPTIONS
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.store import Stored, read_store, write_store
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._engine.merge import Options, merge
from ansible_collections.mailops.relay.plugins.module_utils._host import locks
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.strategies import states


def example() -> State:
    connector = {
        "name": "A",
        "bindings": ["127.0.0.1:25"],
        "remote_ip_ranges": ["10.0.0.1"],
        "permission_groups": ["AnonymousUsers"],
    }
    return merge(
        State(), Options(connectors=[connector], accepted_domains=[{"name": "corp.test", "next_hop": "192.0.2.1:25"}])
    )


def stored(directory: Path) -> Stored:
    found = read_store(str(directory), State())
    assert found is not None
    return found


def edit(path: Path, change: Any) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_the_file_has_the_options_of_this_backend_only(tmp_path: Path) -> None:
    write_store(str(tmp_path), example())
    (connector,) = json.loads((tmp_path / "store.json").read_text())["definitions"]["connectors"]
    assert set(connector) == {"name", "state", *OPTIONS}
    edit(tmp_path / "store.json", lambda document: document["definitions"]["connectors"][0].update(orar_enabled=False))
    with pytest.raises(StoreError, match="a key or state that means nothing here, got 'orar_enabled'"):
        stored(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states())
def test_what_is_written_is_read(tmp_path: Path, state: State) -> None:
    write_store(str(tmp_path), state)
    assert stored(tmp_path).state == state
    assert (stored(tmp_path).given, stored(tmp_path).drift) == (None, "")


def test_no_file_is_nothing(tmp_path: Path) -> None:
    assert read_store(str(tmp_path), State()) is None


def test_what_was_just_written_is_not_compiled_again(tmp_path: Path) -> None:
    state = example()
    write_store(str(tmp_path), state)
    again = read_store(str(tmp_path), State(), state)
    assert again is not None
    assert again.state is state


def test_the_same_state_is_the_same_bytes(tmp_path: Path) -> None:
    write_store(str(tmp_path), example())
    first = (tmp_path / "store.json").read_bytes()
    write_store(str(tmp_path), example())
    assert (tmp_path / "store.json").read_bytes() == first
    assert stat.S_IMODE((tmp_path / "store.json").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["policy"]["rules"][0].update(anonymous_any_recipient=True),
        lambda document: document["policy"]["bindings"][0]["intervals"].clear(),
        lambda document: document.update(digest="0" * 64),
        lambda document: document["definitions"]["connectors"][0].update(remote_ip_ranges=["10.0.0.2"]),
        lambda document: document.update(policy=None),
    ],
)
def test_a_policy_that_does_not_follow_is_drift(tmp_path: Path, change: Any) -> None:
    write_store(str(tmp_path), example())
    assert not stored(tmp_path).drift
    edit(tmp_path / "store.json", change)
    assert stored(tmp_path).drift
    assert stored(tmp_path).given is not None


def test_a_policy_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    write_store(str(tmp_path), example())
    edit(tmp_path / "store.json", lambda document: document["policy"].pop("rules"))
    found = stored(tmp_path)
    assert found.given is not None
    assert (found.given.bindings, found.given.accepted_domains) == ((), ())
    assert "cannot be read, no relay starts with it" in found.drift


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(digest="0" * 64),
        lambda document: document["policy"]["rules"][0].update(anonymous_any_recipient=True),
    ],
)
def test_a_policy_that_is_not_that_of_the_digest_was_never_run(tmp_path: Path, change: Any) -> None:
    """The daemon refuses it, so what it would let in was not so before."""
    write_store(str(tmp_path), example())
    edit(tmp_path / "store.json", change)
    found = stored(tmp_path)
    assert found.given is not None
    assert (found.given.bindings, found.given.accepted_domains) == ((), ())
    assert "is not the digest of the policy beside it, no relay starts with it" in found.drift


def test_a_policy_that_somebody_edited_with_its_digest_is_what_runs(tmp_path: Path) -> None:
    def widen(document: Any) -> None:
        document["policy"]["rules"][0].update(anonymous_any_recipient=True)
        document["digest"] = sha256(canonical(document["policy"]))

    write_store(str(tmp_path), example())
    edit(tmp_path / "store.json", widen)
    found = stored(tmp_path)
    assert found.given is not None
    assert [str(item) for item in found.given.surface.addresses] == ["10.0.0.1"]
    assert "does not follow from the definitions" in found.drift


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda document: document.update(version=2),
            "version: written by a newer release, got 2. This collection knows version 1",
        ),
        (lambda document: document.update(version="1"), "version: not a file of this collection, got '1'"),
        (lambda document: document.pop("digest"), "a key is missing or unknown, got 'digest'"),
        (lambda document: document.update(extra=1), "a key is missing or unknown, got 'extra'"),
        (
            lambda document: document["definitions"].pop("connectors"),
            "definitions: connectors and accepted_domains are expected",
        ),
        (
            lambda document: document["definitions"].update(connectors=[1]),
            "definitions.connectors: a list of objects is expected",
        ),
        (lambda document: document["definitions"]["connectors"][0].update(bindings=["x"]), "connector 'A', bindings"),
        (lambda document: document["definitions"]["connectors"].append({"name": "a"}), "two entries for one connector"),
    ],
)
def test_a_store_that_cannot_be_read_is_one_clear_error(tmp_path: Path, change: Any, says: str) -> None:
    write_store(str(tmp_path), example())
    edit(tmp_path / "store.json", change)
    with pytest.raises(StoreError) as caught:
        stored(tmp_path)
    assert says in str(caught.value)
    assert str(tmp_path / "store.json") in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
def test_a_store_that_is_no_document(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(StoreError):
        stored(tmp_path)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be written: No such file or directory\. Nothing was changed"):
        write_store(str(tmp_path / "gone"), example())
    with (
        pytest.raises(StoreError, match="Run the role relay_server first"),
        locks.locked(str(tmp_path / "gone" / "lock")),
    ):
        pass


DISK_FULL = """
import resource, sys
from ansible_collections.mailops.relay.plugins.module_utils._host.files import replace_file
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    replace_file(sys.argv[1], b"x" * 5000)
except StoreError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    """The kernel refuses the write half way, as it does when the disk is full."""
    target = tmp_path / "store.json"
    target.write_bytes(b"old")
    command = [sys.executable, "-c", DISK_FULL, str(target)]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert "cannot be written: File too large. Nothing was changed." in run.stdout
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["store.json"]


def test_the_lock_keeps_a_second_writer_out(tmp_path: Path) -> None:
    lock = str(tmp_path / "store.lock")
    entered = threading.Event()

    def second() -> None:
        with locks.locked(lock):
            entered.set()

    with locks.locked(lock):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join()
