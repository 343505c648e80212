# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of the bundled relay: one file of mode 0600 (docs/relay-files.md), read by the daemon when it
changes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .._accounts.converge import AccountStore
from .._accounts.model import Account, merge_accounts, render_account
from .._connector.errors import RelayError, StoreError
from .._host.files import replace_file
from .._host.locks import locked
from .documents import VERSION, read_document
from .settings import read_settings

_KEYS = frozenset({"version", "accounts"})
_FIELDS = {"name", "hash", "addresses", "allow_nets"}


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
        where = f"{self._path}, accounts"
        way_out = "Restore the file from a backup, or remove it and run the task again."
        if not isinstance(items, list) or not all(isinstance(item, dict) and set(item) == _FIELDS for item in items):
            raise StoreError("not a list of accounts", where=where, way_out=way_out)
        entries = [{**item, "password_hash": item["hash"]} for item in items]
        try:
            return merge_accounts((), entries, purge=True)
        except RelayError as error:
            raise StoreError(str(error), where=where, way_out=way_out) from error

    def write(self, accounts: Sequence[Account]) -> None:
        items = []
        for account in accounts:
            rendered = render_account(account)
            del rendered["state"]
            items.append({**rendered, "hash": account.hash})
        content = json.dumps({"version": VERSION, "accounts": items}, indent=1) + "\n"
        replace_file(self._path, content.encode(), mode=0o600)
