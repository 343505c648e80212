# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP AUTH accounts of the bundled relays: who may log in, from where, and as whom they may send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._connector.addresses import AddressRange
from .._connector.errors import InputError
from .._connector.fields import entries, properties, ranges
from .._connector.property import Property
from .._connector.values import parse_address_pattern, parse_text
from . import scram

EVERYBODY = "*@"


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
        way_out = "Write user@example.com, or *@example.com for everybody there."
        raise InputError("not a mail address", where=where, value=value, way_out=way_out)
    return address


@dataclass(frozen=True)
class Account:
    """:ivar addresses: sender addresses it may use, lower case; ``*@domain``: all of that domain
    :ivar allow_nets: client addresses it may log in from; empty: from anywhere
    """

    name: str
    hash: str = field(default="", repr=False)
    addresses: tuple[str, ...] = entries("", (), _parse_address)
    allow_nets: tuple[AddressRange, ...] = ranges("", (), empty_allows="every client address")


ACCOUNT_PROPERTIES = properties(Account)


def render_account(account: Account) -> dict[str, Any]:
    """Everything but the hash."""
    return {
        "name": account.name,
        "state": "present",
        "addresses": list(account.addresses),
        "allow_nets": [str(item) for item in account.allow_nets],
    }


def parse_account(fields: Mapping[str, Any], where: str) -> Account:
    """An account as it is stored: ``name``, ``hash`` and two lists of texts. Less is asked of it than of a task.

    :raises InputError: a value of another type or form
    """
    name = parse_account_name(fields["name"], f"{where}, name")
    where = f"account '{name}'"
    hashed = scram.parse_hash(fields["hash"], f"{where}, hash")
    addresses, allow_nets = (_parse_texts(fields, row, f"{where}, {row.option}") for row in ACCOUNT_PROPERTIES)
    return Account(name, hashed, addresses, allow_nets)


def _parse_texts(fields: Mapping[str, Any], row: Property, where: str) -> tuple[Any, ...]:
    texts = fields[row.option]
    if not isinstance(texts, list):
        raise InputError("not a list", where=where, value=texts, way_out="Write a list of texts.")
    return tuple(sorted({row.parse(text, f"{where}[{number}]") for number, text in enumerate(texts)}))
