# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module of this collection as Ansible would, in this process."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.store import write_store
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.relay_files import settings

Snapshot = dict[str, tuple[int, int, int, int, bytes]]


class ModuleFailed(Exception):
    """The module called fail_json; ``result`` is what it said."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result
        super().__init__(result["msg"])


class Runner:
    """Calls modules with ``backend: aiosmtpd`` and one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, module: str, *, check: bool = False, diff: bool = True, **options: Any) -> dict[str, Any]:
        name = f"ansible_collections.mailops.relay.plugins.modules.{module}"
        arguments = {"backend": "aiosmtpd", "directory": str(self.directory), **options}
        main: Callable[[], None] = importlib.import_module(name).main
        warnings: list[str] = []
        output = io.StringIO()
        with (
            contextlib.redirect_stdout(output),
            # no_log: nothing of the tests comes into the syslog of this machine
            patch_module_args(
                {**arguments, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_no_log": True}
            ),
            # ansible-core shows each warning once in a process, and tests share one
            mock.patch.object(AnsibleModule, "warn", lambda _module, text: warnings.append(text)),
            pytest.raises(SystemExit),
        ):
            main()
        result: dict[str, Any] = {**json.loads(output.getvalue()), "warnings": warnings}
        if result.get("failed"):
            raise ModuleFailed(result)
        return result

    def snapshot(self) -> Snapshot:
        """Everything in the directory that a change could touch."""
        found: Snapshot = {}
        for root, _folders, files in os.walk(self.directory):
            for path in [root, *(os.path.join(root, name) for name in files)]:
                facts = os.stat(path)
                content = b"" if os.path.isdir(path) else Path(path).read_bytes()
                found[path] = (facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_mode, content)
        return found


def write_settings(directory: Path, **changes: Any) -> None:
    """A relay that has settings and nothing else, as the module ``relay_settings`` leaves it."""
    (directory / "settings.json").write_text(json.dumps(settings(**changes)))
    if not (directory / "store.json").exists():
        write_store(str(directory), State())
