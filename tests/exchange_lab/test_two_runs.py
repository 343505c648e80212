# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second run while the script of the first still writes, as after a connection that was cut."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import RelayError
from ansible_collections.mailops.relay.plugins.module_utils._engine.backend import ApplyError
from exchange_lab import state as lab
from exchange_lab.direct import SCRIPT, Direct, direct
from exchange_lab.test_changes import SCAN, check_steps, scanner, surface, whole, written

pytestmark = pytest.mark.timeout(900)
TASK: list[dict[str, Any]] = [{"name": "Scanner", "remote_ip_ranges": ["10.1.0.1"], "comment": "narrower"}, SCAN]


class Other(Direct):
    """Another way to the server of ``first``."""

    def __init__(self, pwsh: Path, folder: Path, first: Direct) -> None:
        super().__init__(pwsh, folder)
        self.first = first
        self.state, self.log = first.state, first.log

    def _loop(self) -> Path:
        loop = super()._loop()
        text = loop.read_text(encoding="utf-8")
        own, shared = (f"$env:ProgramData = '{folder}'" for folder in (loop.parent, self.first.state.parent))
        assert own in text
        loop.write_text(text.replace(own, shared), encoding="utf-8")
        return loop


@pytest.fixture(scope="module")
def engine(pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    with direct(pwsh, tmp_path_factory.mktemp("first"), whole()) as running:
        yield running


@pytest.fixture(scope="module")
def other(engine: Direct, pwsh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Other]:
    running = Other(pwsh, tmp_path_factory.mktemp("other"), engine)
    yield running
    running.close()


class First(threading.Thread):
    """The run whose script writes slowly. ``error``: how it ended."""

    def __init__(self, engine: Direct, *task: Mapping[str, Any]) -> None:
        super().__init__()
        self.engine, self.task, self.error = engine, task, ""

    def run(self) -> None:
        try:
            self.engine.connectors(*self.task)
        except RelayError as error:
            self.error = str(error)

    def wait_for_its_first_write(self) -> None:
        while not written(self.engine):
            assert self.is_alive(), self.error
            time.sleep(0.01)


def outcome(run: Callable[[], Any]) -> str:
    """The message of a failure that came before anything was written, empty: there was none."""
    try:
        run()
    except ApplyError:
        raise
    except RelayError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("slow", ["Set-ReceiveConnector", "New-ReceiveConnector", "Add-ADPermission"])
def test_the_second_waits_and_says_so_or_goes_on(engine: Direct, other: Other, slow: str) -> None:
    state = whole(scanner())
    engine.use({**state, "faults": [lab.fault(slow, "slow", times=1, message="3")]})
    before = surface(state)
    first = First(engine, *TASK)
    first.start()
    first.wait_for_its_first_write()
    said = outcome(lambda: other.connectors(*TASK))
    first.join()
    assert said == "" or "changed meanwhile by somebody else, so nothing was written. Run the task again." in said
    assert first.error == ""
    assert not other.connectors(*TASK)["changed"]
    check_steps(engine, before)


def test_the_second_wants_something_else(engine: Direct, other: Other) -> None:
    """It never undoes unseen what it did not know of."""
    state = whole(scanner())
    engine.use({**state, "faults": [lab.fault("Set-ReceiveConnector", "slow", times=1, message="3")]})
    first = First(engine, *TASK)
    first.start()
    first.wait_for_its_first_write()
    wide = {"name": "Scanner", "remote_ip_ranges": ["10.1.0.0/29"]}
    said = outcome(lambda: other.connectors(wide))
    assert said == "" or "changed meanwhile" in said
    first.join()
    other.connectors(wide)
    assert not other.connectors(wide, SCAN)["changed"]


def test_a_lock_that_is_never_free_is_told(engine: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was written, and that is what is said; of a restart too."""
    assert "$patience = 60" in SCRIPT.read_text(encoding="utf-8")
    engine.close()
    monkeypatch.setattr(Path, "write_text", _impatient(Path.write_text))
    engine.use(whole(scanner()))
    with (engine.state.parent / "mailops.relay.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as .NET takes it on Linux
        said = [outcome(lambda: engine.connectors(*TASK))]
        said += [outcome(lambda: engine.task("service", only_if_required=False))]
    engine.close()
    assert ["another run writes to this server, so nothing was written" in text for text in said] == [True, True], said
    assert written(engine) == []


def _impatient(write: Any) -> Any:
    """Scripts that are written now wait for a second."""
    return lambda path, text, **how: write(path, text.replace("$patience = 60", "$patience = 1"), **how)
