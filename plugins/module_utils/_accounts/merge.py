# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task says of accounts, merged with those that are there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._connector.errors import ConflictError, InputError
from .._connector.property import read_options
from . import scram
from .model import ACCOUNT_PROPERTIES, EVERYBODY, Account, parse_account_name

SHORTEST_PASSWORD = 8
_OPTIONS = ("name", "state", "password", "password_hash", *(row.option for row in ACCOUNT_PROPERTIES))
_SECRETS = "Give password or password_hash."


def merge_accounts(actual: Sequence[Account], entries: Sequence[Mapping[str, Any]], purge: bool) -> tuple[Account, ...]:
    """The wanted accounts, sorted by name. A password that fits the stored hash leaves it alone.

    Only the accounts that ``entries`` want present are judged; the others stay as they are.

    :raises InputError: a value that cannot be read, a new account without password, an account without addresses
    :raises ConflictError: two entries for one account, an address of two accounts
    """
    known = {account.name: account for account in actual}
    wanted = {} if purge else dict(known)
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        name = parse_account_name(entry.get("name"), f"account {number}, name")
        if name in seen:
            raise ConflictError("two entries for one account", where=f"account '{name}'", way_out="Keep one of them.")
        seen.add(name)
        if entry.get("state") == "absent":
            wanted.pop(name, None)
        else:
            wanted[name] = _wanted(known.get(name), name, entry)
    accounts = tuple(wanted[name] for name in sorted(wanted))
    _refuse_shared_addresses(accounts, seen)
    return accounts


def refuse_odd_entries(entries: Any) -> None:
    """Refuse accounts in which a secret may stand anywhere, before Ansible shows them in an error or an invocation.

    :raises InputError: no list of dictionaries, an option that is not known, a secret that is not text; no value is
        shown
    """
    way_out = "Write a list of dictionaries, each with name and password."
    if not isinstance(entries, list):
        raise InputError("not a list of accounts (value hidden)", where="accounts", way_out=way_out)
    for number, entry in enumerate(entries):
        where = f"account {number}"
        if not isinstance(entry, Mapping):
            raise InputError("not a dictionary of options (value hidden)", where=where, way_out=way_out)
        name = entry.get("name")
        where = f"account '{name}'" if isinstance(name, str) else where
        odd = [option for option in entry if option not in _OPTIONS]
        if odd:
            known = f"An account has {', '.join(_OPTIONS)}."
            raise InputError("an option that is not known (value hidden)", where=f"{where}, {odd[0]}", way_out=known)
        _refuse_odd_secrets(entry, where)


def _refuse_odd_secrets(entry: Mapping[str, Any], where: str) -> None:
    if not isinstance(entry.get("password"), (str, type(None))):
        raise _not_text(f"{where}, password")
    if not isinstance(entry.get("password_hash"), (str, type(None))):
        scram.parse_hash(entry["password_hash"], f"{where}, password_hash")


def _wanted(current: Account | None, name: str, entry: Mapping[str, Any]) -> Account:
    where = f"account '{name}'"
    account = replace(current or Account(name), hash=_wanted_hash(current, name, entry))
    account = replace(account, **read_options(ACCOUNT_PROPERTIES, account, entry, f"{where}, "))
    if not account.addresses:
        way_out = "List the addresses that it may send as (*@example.com: all of a domain), or give state: absent."
        raise InputError("an account that may send as nobody", where=f"{where}, addresses", way_out=way_out)
    return account


def _wanted_hash(current: Account | None, name: str, entry: Mapping[str, Any]) -> str:
    where = f"account '{name}'"
    password, hashed = entry.get("password"), entry.get("password_hash")
    if password is not None and hashed is not None:
        raise InputError("both a password and its hash", where=where, way_out=_SECRETS)
    if hashed is not None:
        return scram.parse_hash(hashed, f"{where}, password_hash")
    if password is not None:
        text = _parse_password(password, name, f"{where}, password")
        fits = current is not None and scram.verify(text, current.hash)
        return current.hash if current is not None and fits else scram.make_hash(text)
    if current is None:
        raise InputError("a new account needs a password", where=where, way_out=_SECRETS)
    return current.hash


def _parse_password(value: Any, name: str, where: str) -> str:
    """The value is never shown."""
    if not isinstance(value, str):
        raise _not_text(where)
    if re.search(r"[\0\r\n\ud800-\udfff]", value):
        way_out = "Leave out line breaks, NUL and halves of characters."
        raise InputError("a password that no client could send (value hidden)", where=where, way_out=way_out)
    if len(value) < SHORTEST_PASSWORD:
        way_out = f"Give at least {SHORTEST_PASSWORD} characters."
        raise InputError("a password that is too short (value hidden)", where=where, way_out=way_out)
    if value.lower() == name:
        raise InputError("a password that is the name of the account", where=where, way_out="Give another one.")
    return value


def _not_text(where: str) -> InputError:
    way_out = "Quote it in YAML: unquoted, yes is a truth value and 0123 a number."
    return InputError("a password that is not text (value hidden)", where=where, way_out=way_out)


def _refuse_shared_addresses(accounts: Sequence[Account], named: Collection[str]) -> None:
    """Accounts that the task does not name come first: they are not judged among themselves."""
    owners: dict[str, dict[str, str]] = {}  # domain to address to account
    for account in sorted(accounts, key=lambda item: item.name in named):
        for address in account.addresses if account.name in named else ():
            domain = owners.get(address.rpartition("@")[2], {})
            taken = _taken(address, domain)
            if taken is not None:
                raise _shared(account, address, taken, domain[taken])
        for address in account.addresses:
            owners.setdefault(address.rpartition("@")[2], {})[address] = account.name


def _taken(address: str, domain: Mapping[str, str]) -> str | None:
    """Which address of ``domain``, where others have theirs, is or covers ``address``, or is covered by it."""
    if address.startswith(EVERYBODY):
        return next(iter(domain), None)
    return next((own for own in (address, EVERYBODY + address.rpartition("@")[2]) if own in domain), None)


def _shared(account: Account, address: str, taken: str, owner: str) -> ConflictError:
    what = f"account '{owner}' owns {'this address' if taken == address else repr(taken)} already"
    way_out = "Give it to one of them." if taken == address else "No two accounts may send as the same address."
    return ConflictError(what, where=f"account '{account.name}', addresses", value=address, way_out=way_out)
