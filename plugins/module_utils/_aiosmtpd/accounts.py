# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of the bundled relay: one file of mode 0600 (docs/relay-files.md), which the daemon reads when it
changes."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .._accounts.converge import AccountStore
from .._accounts.model import Account, parse_account, render_account
from .._connector.errors import RelayError, StoreError
from .._host.files import replace_file
from .._host.locks import locked
from .documents import VERSION, read_document
from .settings import read_settings

_KEYS = frozenset({"version", "accounts"})
_FIELDS = {"name", "hash", "addresses", "allow_nets"}
_MODE = 0o600
_WAY_OUT = "Restore the file from a backup, or remove it and run the task again."


class AccountsFile(AccountStore):
    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._path = os.path.join(directory, "accounts.json")

    def transaction(self, read_only: bool) -> AbstractContextManager[None]:
        if read_only:
            return nullcontext()
        if read_settings(self._directory) is None:
            way_out = "Run the role relay_server first, or name its directory."
            raise StoreError("there is no relay here", where=self._directory, way_out=way_out)
        return locked(os.path.join(self._directory, "accounts.lock"))

    def read(self) -> tuple[Account, ...]:
        document = read_document(self._path, _KEYS)
        return () if document is None else self._parse(document["accounts"])

    def _parse(self, items: Any) -> tuple[Account, ...]:
        """Of what is wrong no value is told: where a hash belongs nobody knows what stands."""
        where = f"{self._path}, accounts"
        if not isinstance(items, list) or not all(isinstance(item, dict) and set(item) == _FIELDS for item in items):
            raise StoreError("not a list of accounts", where=where, way_out=_WAY_OUT)
        try:
            accounts = [parse_account(item, f"account {number}") for number, item in enumerate(items)]
        except RelayError as error:
            raise StoreError(error.what, where=f"{where}: {error.where}", way_out=_WAY_OUT) from error
        if len({account.name for account in accounts}) != len(accounts):
            raise StoreError("two accounts of one name", where=where, way_out=_WAY_OUT)
        return tuple(sorted(accounts, key=lambda account: account.name))

    def repairs(self) -> tuple[str, ...]:
        try:
            mode = stat.S_IMODE(os.stat(self._path).st_mode)
        except FileNotFoundError:
            return ()
        except OSError as error:
            way_out = "Check owner and mode of the directory."
            raise StoreError(f"cannot be looked at: {error.strerror}", where=self._path, way_out=way_out) from error
        return ("repair mode of accounts.json",) if mode != _MODE else ()

    def write(self, accounts: Sequence[Account]) -> None:
        items = []
        for account in accounts:
            rendered = render_account(account)
            del rendered["state"]
            items.append({**rendered, "hash": account.hash})
        content = json.dumps({"version": VERSION, "accounts": items}, indent=1) + "\n"
        replace_file(self._path, content.encode(), mode=_MODE)
