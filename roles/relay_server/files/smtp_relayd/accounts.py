# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may log in: accounts.json (docs/relay-files.md), read again when it changes, and the check of a password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smtp_relayd import address, json_file
from smtp_relayd.auth import Credentials
from smtp_relayd.json_file import Node
from smtp_relayd.policy import Rank, ip, rank

_REMEDY = "let the module mailops.relay.relay_accounts write it again"
_SCHEME = "{SCRAM-SHA-256}"
_LEAST_ITERATIONS, _MOST_ITERATIONS = 4096, 1_000_000
_NAME = re.compile(r"[!-+\--9;-~]{1,128}")

# what tells two states of a file apart
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Hash:
    """The part of RFC 5802's verifier that a password in the clear is compared with."""

    iterations: int
    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)

    def fits(self, password: bytes) -> bool:
        salted = hashlib.pbkdf2_hmac("sha256", password, self.salt, self.iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        return hmac.compare_digest(hashlib.sha256(client_key).digest(), self.stored_key)


@dataclass(frozen=True)
class Account:
    """`addresses` it may send as, in lower case (`*@domain`: all of a domain); `nets` it may log in from, none: from
    anywhere."""

    name: str
    hash: Hash
    addresses: frozenset[str]
    nets: tuple[tuple[Rank, Rank], ...]

    def admits(self, peer: str) -> bool:
        place = rank(ip(peer))
        return not self.nets or any(first <= place <= last for first, last in self.nets)


@dataclass(frozen=True)
class Verdict:
    """`account` if the client is it, else why not (for the log, never for the client)."""

    account: Account | None
    reason: str = ""


class Accounts:
    """The accounts of one state of the file."""

    def __init__(self, accounts: Mapping[bytes, Account]) -> None:
        self.by_name = accounts
        self._secret = secrets.token_bytes(32)
        self._iterations = [account.hash.iterations for account in accounts.values()] or [_LEAST_ITERATIONS]

    def check(self, credentials: Credentials, peer: str) -> Verdict:
        """Takes as long for a name that nobody has as for one that somebody has."""
        account, dummy = self.by_name.get(credentials.name), self._dummy(credentials.name)
        fits = (account.hash if account else dummy).fits(credentials.password)
        if account is None:
            return Verdict(None, "unknown account")
        if not fits or not credentials.password:
            return Verdict(None, "wrong password")
        return Verdict(account) if account.admits(peer) else Verdict(None, "address not allowed")

    def _dummy(self, name: bytes) -> Hash:
        """A hash that costs what that of one of the accounts costs; for one name always the same."""
        digest = hmac.digest(self._secret, name, "sha256")
        iterations = self._iterations[int.from_bytes(digest[:8], "big") % len(self._iterations)]
        return Hash(iterations, digest[:16], digest)


class AccountsFile:
    """Used by several threads."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "accounts.json"
        self._lock = threading.Lock()
        self._loaded: tuple[Stamp | None, Accounts] | None = None

    def current(self) -> Accounts:
        """The accounts as of now; ConfigError if the file cannot be used."""
        with self._lock:
            stamp = file_stamp(self._file)
            if self._loaded is None or self._loaded[0] != stamp:
                self._loaded = None
                self._loaded = stamp, Accounts(load(self._file) if stamp else {})
            return self._loaded[1]


def file_stamp(file: str | Path) -> Stamp | None:
    """None if there is no such file."""
    try:
        facts = os.stat(file)
    except FileNotFoundError:
        return None
    except OSError:
        return (0, 0, 0)  # opening it tells why
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def load(file: Path) -> dict[bytes, Account]:
    root, _content = json_file.read(file, _REMEDY, is_secret=True)
    fields = root.fields(("version", "accounts"))
    fields["version"].version(1)
    accounts: dict[bytes, Account] = {}
    for item in fields["accounts"].items():
        account = _account(item)
        name = account.name.lower().encode("ascii")
        if name in accounts:
            raise item.error("has the name of another one")
        accounts[name] = account
    return accounts


def _account(node: Node) -> Account:
    fields = node.fields(("name", "hash", "addresses", "allow_nets"))
    return Account(
        name=fields["name"].parsed(_name),
        hash=fields["hash"].parsed(_hash),
        addresses=frozenset(item.parsed(_address) for item in fields["addresses"].items()),
        nets=tuple(item.parsed(_net) for item in fields["allow_nets"].items()),
    )


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("is not a login name")
    return text


def _hash(text: str) -> Hash:
    """`{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey`, the last three in base64."""
    words = text[len(_SCHEME) :].split(",") if text.startswith(_SCHEME) else []
    try:
        number, *encoded = words
        salt, stored_key, server_key = map(_octets, encoded)
    except (ValueError, binascii.Error):
        raise ValueError(f"is not a hash of the scheme {_SCHEME}") from None
    is_counted = re.fullmatch("[1-9][0-9]{3,6}", number) and _LEAST_ITERATIONS <= int(number) <= _MOST_ITERATIONS
    if not is_counted or not salt or (len(stored_key), len(server_key)) != (32, 32):
        raise ValueError(f"is not a hash of the scheme {_SCHEME}")
    return Hash(int(number), salt, stored_key)


def _octets(text: str) -> bytes:
    """Base64 in the one spelling that encoding yields."""
    octets = base64.b64decode(text, validate=True)
    if base64.b64encode(octets).decode("ascii") != text:
        raise ValueError("is not base64")
    return octets


def _address(text: str) -> str:
    if not address.has_mailbox_form(text):
        raise ValueError("is not local-part@domain")
    return text.lower()


def _net(text: str) -> tuple[Rank, Rank]:
    """One address, CIDR or first-last."""
    first, dash, last = text.partition("-")
    try:
        if dash:
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
        else:
            net = ipaddress.ip_network(text)
            low, high = net[0], net[-1]
    except ValueError:
        raise ValueError("is not an address, a network or first-last") from None
    if low.version != high.version or rank(low) > rank(high):
        raise ValueError("does not go from an address to a higher one of its family")
    return rank(low), rank(high)
