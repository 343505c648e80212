# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.backend import AiosmtpdBackend
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.module_utils._connector.merge import Options
from ansible_collections.mailops.relay.plugins.module_utils._engine.converge import converge
from ansible_collections.mailops.relay.plugins.module_utils._engine.guard import Limits
from support.modules import write_settings

CONNECTOR = {"name": "A", "bindings": ["127.0.0.1:2525"], "remote_ip_ranges": ["127.0.0.11"]}


class ForgetfulBackend(AiosmtpdBackend):
    """Leaves the last operation out."""

    def apply(self, operations: Any) -> None:
        super().apply(operations[:-1])


def test_what_reads_back_differently_is_an_error(tmp_path: Path) -> None:
    write_settings(tmp_path)
    backend = ForgetfulBackend(str(tmp_path))
    with pytest.raises(StoreError, match="what was written reads back differently"):
        converge(backend, Options(connectors=[CONNECTOR]), check=False, limits=Limits())


def test_only_new_bindings_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(tmp_path)
    backend = AiosmtpdBackend(str(tmp_path))
    tried: list[list[str]] = []

    def preflight(bindings: Any, _changed: Any) -> list[str]:
        tried.append([str(item) for item in bindings])
        return []

    monkeypatch.setattr(backend, "preflight", preflight)
    converge(backend, Options(connectors=[CONNECTOR]), check=False, limits=Limits())
    more = {"name": "A", "bindings": {"add": ["127.0.0.2:2525"]}}
    converge(backend, Options(connectors=[more]), check=False, limits=Limits())
    assert tried == [["127.0.0.1:2525"], ["127.0.0.2:2525"]]
