# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running relay says of itself (status.json), and what it would load now."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from .._connector.addresses import Binding, parse_binding
from .._connector.errors import RelayError, StoreError
from .._host.files import read_bytes
from .documents import parse_json, read_document, sha256
from .store import store_path

_KEYS = frozenset({"version", "pid", "started", "digest", "settings_digest", "program_digest", "listeners"})
_ODD = (RelayError, KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What walking through a document raises whose parts are not what they should be."""


class Status(NamedTuple):
    """:ivar alive: the daemon that wrote it is still there"""

    alive: bool
    listeners: tuple[Binding, ...]
    digest: Any
    settings_digest: Any
    program_digest: Any

    def has_loaded(self, directory: str, digest: Any, settings: str | None) -> bool:
        """Whether it has loaded this policy and these settings, by their digests, and the program that is there now."""
        program = _digest(os.path.join(directory, "smtp_relayd.pyz"))
        return (
            self.digest == digest
            and settings in (None, self.settings_digest)
            and program in (None, self.program_digest)
        )


class StoredPolicy(NamedTuple):
    """The stored policy, as far as it can be read: it may have been edited by hand.

    :ivar tls: bindings where some client has to begin with the TLS handshake
    """

    digest: Any = None
    bindings: tuple[Binding, ...] = ()
    tls: frozenset[Binding] = frozenset()

    @property
    def listeners(self) -> tuple[Binding, ...]:
        """The sockets that the relay opens: where a wildcard has the port, its socket serves the addresses too."""
        return tuple(item for item in self.bindings if not item.address or item.wildcard not in self.bindings)


def read_status(directory: str) -> Status | None:
    """``None`` if it says nothing that can be read."""
    try:
        document = read_document(os.path.join(directory, "status.json"), _KEYS)
        if document is None:
            return None
        digests = (document["digest"], document["settings_digest"], document["program_digest"])
        return Status(_is_alive(document["pid"]), _bindings(document["listeners"]), *digests)
    except _ODD:
        return None


def read_stored(directory: str) -> StoredPolicy:
    try:
        document = parse_json(read_bytes(store_path(directory)) or b"{}")
        policy = document["policy"]
        bindings = _bindings(policy["bindings"])
        rules = [item["implicit_tls"] is True for item in policy["rules"]]
        tls = [any(rules[rule] for _first, _last, rule in item["intervals"]) for item in policy["bindings"]]
        return StoredPolicy(
            document["digest"], bindings, frozenset(item for item, is_tls in zip(bindings, tls) if is_tls)
        )
    except _ODD:
        return StoredPolicy()


def _bindings(items: Iterable[Any]) -> tuple[Binding, ...]:
    """``[{address, port}]`` of the files as bindings."""
    return tuple(make_binding(item["address"], item["port"]) for item in items)


def make_binding(address: str, port: int) -> Binding:
    """As the files name a binding."""
    return parse_binding(f"[{address}]:{port}" if ":" in address else f"{address}:{port}", "listeners")


def _is_alive(pid: Any) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _digest(path: str) -> str | None:
    """``None``: there is no such file; it cannot be read: none that anybody has loaded."""
    try:
        content = read_bytes(path)
    except StoreError:
        return ""
    return None if content is None else sha256(content)
