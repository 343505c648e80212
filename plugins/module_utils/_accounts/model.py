# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP AUTH accounts of the bundled relays: who may log in, from where, and as whom they may send."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._connector.addresses import AddressRange, parse_range
from .._connector.errors import ConflictError, InputError
from .._connector.property import Property, parse_list
from .._connector.values import parse_address_pattern, parse_text
from . import scram


@dataclass(frozen=True)
class Account:
    """:ivar addresses: sender addresses it may use, lower case
    :ivar allow_nets: client addresses it may log in from; empty: from anywhere
    """

    name: str
    hash: str = field(default="", repr=False)
    addresses: tuple[str, ...] = ()
    allow_nets: tuple[AddressRange, ...] = ()


def parse_account_name(value: Any, where: str) -> str:
    """A login name, in lower case: visible ASCII without ``:`` and ``,``."""
    text = parse_text(value, where).lower()
    if not re.fullmatch(r"[!-9;-~]{1,128}", text) or "," in text:
        way_out = "Use up to 128 visible ASCII characters other than ':' and ','."
        raise InputError("not a login name", where=where, value=value, way_out=way_out)
    return text


def _parse_address(value: Any, where: str) -> str:
    address = parse_address_pattern(value, where)
    if "@" not in address:
        raise InputError("not a mail address", where=where, value=value, way_out="Write user@example.com.")
    return address


ACCOUNT_PROPERTIES = (
    Property("addresses", "", "raw", _parse_address),
    Property(
        "allow_nets",
        "",
        "raw",
        parse_range,
        str,
        holds=AddressRange.holds,
        meets=AddressRange.meets,
        empty_allows="every client address",
    ),
)


def render_account(account: Account) -> dict[str, Any]:
    """Everything but the hash."""
    return {
        "name": account.name,
        "state": "present",
        "addresses": list(account.addresses),
        "allow_nets": [str(item) for item in account.allow_nets],
    }


def merge_accounts(actual: Sequence[Account], entries: Sequence[Mapping[str, Any]], purge: bool) -> tuple[Account, ...]:
    """The wanted accounts, sorted by name. A password that fits the stored hash leaves it alone.

    :raises InputError: a value that cannot be read, a new account without password
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
    _refuse_shared_addresses(accounts)
    return accounts


def _wanted(current: Account | None, name: str, entry: Mapping[str, Any]) -> Account:
    where = f"account '{name}'"
    account = replace(current or Account(name), hash=_wanted_hash(current, entry, where))
    changes: dict[str, Any] = {}
    for row in ACCOUNT_PROPERTIES:
        if entry.get(row.option) is not None:
            place = f"{where}, {row.option}"
            changes[row.option] = parse_list(row, getattr(account, row.option), entry[row.option], place)
    return replace(account, **changes)


def _wanted_hash(current: Account | None, entry: Mapping[str, Any], where: str) -> str:
    password, hashed = entry.get("password"), entry.get("password_hash")
    if password is not None and hashed is not None:
        raise InputError("both a password and its hash", where=where, way_out="Give password or password_hash.")
    if hashed is not None:
        return scram.parse_hash(hashed, f"{where}, password_hash")
    if password is not None:
        _check_password(password, f"{where}, password")
        fits = current is not None and scram.verify(password, current.hash)
        return current.hash if current is not None and fits else scram.make_hash(password)
    if current is None:
        raise InputError("a new account needs a password", where=where, way_out="Give password or password_hash.")
    return current.hash


def _check_password(password: str, where: str) -> None:
    """The value is never shown."""
    if not password or re.search(r"[\0\r\n]", password):
        way_out = "Give at least one character, and neither line breaks nor NUL."
        raise InputError("a password that no client could send (value hidden)", where=where, way_out=way_out)


def _refuse_shared_addresses(accounts: Sequence[Account]) -> None:
    owner: dict[str, str] = {}
    for account in accounts:
        for address in account.addresses:
            if address in owner:
                where = f"account '{account.name}', addresses"
                what = f"account '{owner[address]}' owns this address already"
                raise ConflictError(what, where=where, value=address, way_out="Give it to one of them.")
            owner[address] = account.name
