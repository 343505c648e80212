# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON files of a relay directory (docs/relay-files.md): versioned, with exactly the keys that are known."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .._connector.errors import StoreError
from .._host.files import read_bytes

VERSION = 1


def read_document(path: str, keys: frozenset[str]) -> dict[str, Any] | None:
    """A versioned JSON object with exactly ``keys``, ``None`` when there is no such file.

    :raises StoreError: not JSON, not of a version known here, keys missing or unknown
    """
    content = read_bytes(path)
    if content is None:
        return None
    try:
        document: dict[str, Any] = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f"not JSON: {error}", where=path, way_out="Restore it from a backup, or remove it to start afresh."
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
    return document


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
