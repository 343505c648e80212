# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the accounts of one relay to the wanted state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from .merge import merge_accounts
from .model import Account


class AccountStore(ABC):
    """Where a backend keeps its accounts."""

    @abstractmethod
    def transaction(self, read_only: bool) -> AbstractContextManager[None]:
        """Keep others from changing the accounts meanwhile."""

    @abstractmethod
    def read(self) -> tuple[Account, ...]:
        """:raises StoreError: they cannot be read"""

    @abstractmethod
    def repairs(self) -> tuple[str, ...]:
        """What :meth:`write` would mend beside the accounts, one line each: secrets that others may read.

        :raises StoreError: nobody can say
        """

    @abstractmethod
    def write(self, accounts: Sequence[Account]) -> None:
        """Replace all of them or, with an error, none; they bite without a restart.

        :raises StoreError: they cannot be written
        """


class AccountsOutcome(NamedTuple):
    before: tuple[Account, ...]
    after: tuple[Account, ...]
    commands: tuple[str, ...]
    repairs: tuple[str, ...] = ()


def converge_accounts(
    store: AccountStore, entries: Sequence[Mapping[str, Any]], *, purge: bool, check: bool
) -> AccountsOutcome:
    """:raises RelayError: nothing was changed"""
    with store.transaction(read_only=check):
        before = store.read()
        after = merge_accounts(before, entries, purge)
        repairs = store.repairs()
        commands = (*_commands(before, after), *repairs)
        if commands and not check:
            store.write(after)
    return AccountsOutcome(before, after, commands, repairs)


def _commands(before: Sequence[Account], after: Sequence[Account]) -> tuple[str, ...]:
    """One line for each account that changes. Whether it is the password is said, the password is not."""
    old, new = ({account.name: account for account in accounts} for accounts in (before, after))
    lines = [f"delete account {name}" for name in old if name not in new]
    for name, account in new.items():
        if name not in old:
            lines.append(f"create account {name}")
        elif account != old[name]:
            parts = [part for part in ("addresses", "allow_nets") if getattr(account, part) != getattr(old[name], part)]
            parts += ["password"] if account.hash != old[name].hash else []
            lines.append(f"set account {name}: {', '.join(parts)}")
    return tuple(lines)
