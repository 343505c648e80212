# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON files of a relay directory (docs/relay-files.md): versioned, with exactly the keys that are known."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from typing import Any

from .._connector.errors import StoreError
from .._host.files import read_bytes

VERSION = 1
_MOST_LEVELS = 50
_TOO_DEEP = "nested too deeply"


def read_document(path: str, keys: frozenset[str]) -> dict[str, Any] | None:
    """A versioned JSON object with exactly ``keys``, ``None`` when there is no such file.

    :raises StoreError: not JSON, not of a version known here, keys missing or unknown
    """
    content = read_bytes(path)
    if content is None:
        return None
    try:
        document = parse_json(content)
    except ValueError as error:
        raise StoreError(
            f"not JSON: {error}",
            where=path,
            way_out="Restore it from a backup, or remove the directory of the relay to start afresh.",
        ) from error
    version = document.get("version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StoreError(
            "not a file of this collection",
            where=f"{path}, version",
            value=version,
            way_out="Restore it from a backup.",
        )
    if version > VERSION:
        way_out = f"This collection knows version {VERSION}: update mailops.relay where you run it from."
        raise StoreError("written by a newer release", where=f"{path}, version", value=version, way_out=way_out)
    odd = sorted(keys.symmetric_difference(document))
    if odd:
        raise StoreError(
            "a key is missing or unknown", where=path, value=odd[0], way_out="Restore the file from a backup."
        )
    return dict(document)


def parse_json(content: bytes) -> Any:
    """What the daemon takes for JSON too: UTF-8, no key twice in one object, finite numbers, nested so far only that
    nobody who walks through it comes to the end of the stack.

    :raises ValueError: something else
    """
    try:
        value = json.loads(
            content.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8 from byte {error.start} on") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _refuse_deep(value)
    if b"\\ud" in content.lower():
        _refuse_half_pairs(value)
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _refuse_deep(value: Any) -> None:
    level = [value]
    for _depth in range(_MOST_LEVELS):
        level = [child for item in level if isinstance(item, (dict, list)) for child in _children(item)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _children(item: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return item.values() if isinstance(item, dict) else item


def _refuse_half_pairs(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair stands alone") from error


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
