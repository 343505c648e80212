# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of the aiosmtpd backend: definitions, the policy compiled from them, and its digest, in one JSON file."""

from __future__ import annotations

import json
import os
from typing import Any

from .._connector.errors import RelayError, StoreError
from .._connector.properties import DOMAIN_PROPERTIES, render_item
from .._engine.merge import Options, merge
from .._host.files import replace_file
from .._policy.compile import Policy
from .._policy.document import policy_document
from .._policy.state import State
from .documents import VERSION, canonical, read_document, sha256
from .options import OPTIONS

_KEYS = frozenset({"version", "definitions", "policy", "digest"})
_WAY_OUT = "Restore the file from a backup, or remove it to start afresh."


def policy_digest(policy: Policy) -> str:
    return sha256(canonical(policy_document(policy)))


def store_path(directory: str) -> str:
    return os.path.join(directory, "store.json")


def read_store(directory: str) -> State:
    """The definitions; ``drift`` when the rest of the file does not follow from them. No file: an empty state.

    :raises StoreError: a file that cannot be read
    """
    path = store_path(directory)
    document = read_document(path, _KEYS)
    if document is None:
        return State()
    state = _parse_definitions(document["definitions"], path)
    expected = policy_document(state.policy)
    drift = canonical(document["policy"]) != canonical(expected) or document["digest"] != sha256(canonical(expected))
    return State(state.connectors, state.accepted_domains, drift=drift)


def _parse_definitions(definitions: Any, path: str) -> State:
    where = f"{path}, definitions"
    if not isinstance(definitions, dict) or set(definitions) != {"connectors", "accepted_domains"}:
        raise StoreError("connectors and accepted_domains are expected", where=where, way_out=_WAY_OUT)
    for key, items in definitions.items():
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise StoreError("a list of objects is expected", where=f"{where}.{key}", way_out=_WAY_OUT)
    known = {"connectors": OPTIONS, "accepted_domains": {row.option for row in DOMAIN_PROPERTIES}}
    for key, items in definitions.items():
        keys = {"name", "state", *known[key]}
        odd = [
            name for item in items for name in item if name not in keys or (name == "state" and item[name] != "present")
        ]
        if odd:
            raise StoreError(
                "a key or state that means nothing here", where=f"{where}.{key}", value=odd[0], way_out=_WAY_OUT
            )
    try:
        return merge(State(), Options(definitions["connectors"], definitions["accepted_domains"]))
    except RelayError as error:
        raise StoreError(str(error), where=where, way_out=_WAY_OUT) from error


def write_store(directory: str, state: State) -> None:
    """Replace the file.

    :raises StoreError: it could not be written and is as it was
    """
    policy = policy_document(state.policy)
    document = {
        "version": VERSION,
        "definitions": {
            "connectors": [render_item(item) for item in state.connectors],
            "accepted_domains": [render_item(item) for item in state.accepted_domains],
        },
        "policy": policy,
        "digest": sha256(canonical(policy)),
    }
    replace_file(store_path(directory), (json.dumps(document, indent=1) + "\n").encode())


def read_settings(directory: str) -> dict[str, Any] | None:
    """What the role ``relay_server`` wrote, ``None`` when it has not run yet."""
    return read_document(
        os.path.join(directory, "settings.json"), frozenset({"version", "server_name", "fqdn", "smarthost"})
    )
