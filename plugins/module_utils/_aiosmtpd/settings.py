# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""settings.json of a relay directory: who the server is, where external mail goes, and its limits
(docs/relay-files.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .._connector.errors import RelayError, StoreError
from .._connector.settings import SETTINGS_PROPERTIES, Settings, merge_settings, render_settings
from .._host.files import read_bytes, replace_file
from .documents import VERSION, canonical, parse_json, read_document, sha256

_KEYS = frozenset({"version", *(row.option for row in SETTINGS_PROPERTIES)})
_LOADED = ("name", "fqdn", "smarthost")
"""What the daemon acts on. The limits are for the modules."""


def settings_path(directory: str) -> str:
    return os.path.join(directory, "settings.json")


def read_settings(directory: str) -> Settings | None:
    """``None``: there is no relay yet.

    :raises StoreError: a file that cannot be read
    """
    path = settings_path(directory)
    document = read_document(path, _KEYS)
    if document is None:
        return None
    try:
        return merge_settings(None, {key: value for key, value in document.items() if key != "version"})
    except RelayError as error:
        way_out = "Restore it from a backup, or remove it and let the role relay_server write it again."
        raise StoreError(str(error), where=path, way_out=way_out) from error


def write_settings(directory: str, settings: Settings) -> None:
    """Replace the file.

    :raises StoreError: it could not be written and is as it was
    """
    document = {"version": VERSION, **render_settings(settings)}
    replace_file(settings_path(directory), (json.dumps(document, indent=1) + "\n").encode())


def settings_digest(settings: Settings | None) -> str | None:
    """Of what the daemon acts on, as the daemon makes it; ``None``: there is nothing."""
    if settings is None:
        return None
    return _digest(render_settings(settings))


def stored_settings_digest(directory: str) -> str | None:
    """The same of the file, which may have been edited by hand: empty if it cannot be read."""
    try:
        document = parse_json(read_bytes(settings_path(directory)) or b"null")
        return None if document is None else _digest(document)
    except (RelayError, ValueError, TypeError, KeyError):
        return ""


def _digest(document: Mapping[str, Any]) -> str:
    return sha256(canonical({key: document[key] for key in _LOADED}))
