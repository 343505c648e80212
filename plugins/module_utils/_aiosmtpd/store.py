# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of the aiosmtpd backend: definitions, the policy compiled from them, and its digest, in one JSON file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from .._connector.errors import RelayError, StoreError
from .._connector.properties import DOMAIN_PROPERTIES, render_item
from .._engine.merge import Options, merge
from .._host.files import replace_file
from .._policy.compile import Policy
from .._policy.document import parse_policy_document, policy_document
from .._policy.state import State
from .documents import VERSION, canonical, read_document, sha256
from .options import OPTIONS

_KEYS = frozenset({"version", "definitions", "policy", "digest"})
_WAY_OUT = "Restore the file from a backup, or remove the directory of the relay to start afresh."

_NOBODY = Policy((), (), (), None)


def policy_digest(policy: Policy) -> str:
    return sha256(canonical(policy_document(policy)))


def store_path(directory: str) -> str:
    return os.path.join(directory, "store.json")


@dataclass(frozen=True)
class Stored:
    """:ivar given: the policy in the file, which the daemon runs, where it does not follow from the definitions
    :ivar digest: of the policy, as the file has it
    :ivar drift: what is odd, in words; empty: the file is as it was written
    """

    state: State
    given: Policy | None
    digest: Any
    drift: str


def read_store(directory: str, server: State, known: State | None = None) -> Stored | None:
    """``None``: there is no such file.

    :param server: what is known of the server without it
    :param known: what was just written: found again, it need not be compiled again
    :raises StoreError: a file that cannot be read
    """
    path = store_path(directory)
    document = read_document(path, _KEYS)
    if document is None:
        return None
    state = _parse_definitions(document["definitions"], path, server)
    if known is not None and state == known:
        state = known
    expected = canonical(policy_document(state.policy))
    found, digest = canonical(document["policy"]), document["digest"]
    is_whole = digest == sha256(found)
    if found == expected and is_whole:
        return Stored(state, None, digest, "")
    given, drift = _given(document["policy"], is_whole, path)
    return Stored(state, given, digest, drift)


def _given(document: Any, is_whole: bool, path: str) -> tuple[Policy, str]:
    """A policy that cannot be read, or of which the digest is not, lets nobody in: no daemon starts with it."""
    try:
        policy = parse_policy_document(document, f"{path}, policy")
    except StoreError as error:
        return _NOBODY, f"The compiled policy cannot be read, no relay starts with it: {error}"
    if not is_whole:
        return _NOBODY, (
            f"The digest in {path} is not the digest of the policy beside it, no relay starts with it: one of the two "
            "was edited by hand. The next change writes both again."
        )
    return policy, (
        f"The policy in {path} does not follow from the definitions beside it: one of the two was edited by hand. What "
        "is said of the relay here is of the policy, which it runs; the next change writes it again."
    )


def _parse_definitions(definitions: Any, path: str, server: State) -> State:
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
        return merge(server, Options(definitions["connectors"], definitions["accepted_domains"]))
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
