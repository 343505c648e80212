# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the collection: what failed, where, the value seen, and the way out.

Nothing below the modules and action plugins knows Ansible; they turn these errors into one task failure each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_LONGEST_VALUE = 200


class RelayError(Exception):
    """Base of every error this collection raises on purpose.

    :ivar what: what is wrong, a clause without a full stop
    :ivar where: the option, connector or file it is about
    :ivar value: the value seen (``None``: there is none to show)
    :ivar way_out: what to do, a whole sentence
    :ivar warnings: what was seen before that may be the reason, whole sentences
    """

    kind = "error"
    warnings: tuple[str, ...] = ()

    def __init__(self, what: str, *, where: str = "", value: Any = None, way_out: str = "") -> None:
        self.what = what
        self.where = where
        self.value = value
        self.way_out = way_out
        super().__init__(self._message())

    def _message(self) -> str:
        parts = f"{self.where}: {self.what}" if self.where else self.what
        if self.value is not None:
            seen = _shown(self.value)
            parts += f", got {seen if len(seen) <= _LONGEST_VALUE else seen[:_LONGEST_VALUE] + '...'}"
        stop = "" if parts.endswith("?") else "."
        return f"{parts}{stop} {self.way_out}".rstrip()


def _shown(value: Any) -> str:
    """Python prints no number of thousands of digits, and no list in a list in a list a thousand times over."""
    try:
        return repr(value)
    except (ValueError, RecursionError):
        return f"a value of type {type(value).__name__} that cannot be shown"


class InputError(RelayError):
    """An option value that cannot be read."""

    kind = "input"


class ConflictError(RelayError):
    """Values that are fine one by one and cannot stand together."""

    kind = "conflict"


@dataclass(frozen=True)
class Conflict:
    """What a :class:`ConflictError` says, as a value; two are equal if they say the same."""

    what: str
    where: str
    way_out: str
    raises: type[RelayError] = ConflictError

    def error(self) -> RelayError:
        """To raise it."""
        return self.raises(self.what, where=self.where, way_out=self.way_out)


class Finding(NamedTuple):
    """Something that speaks against a change and may be passed.

    :ivar consent: the option that lets it pass, empty: it is only a warning
    """

    what: str
    where: str
    way_out: str
    consent: str


class CapabilityError(RelayError):
    """Something the chosen backend cannot express."""

    kind = "capability"


class GuardError(RelayError):
    """A change that would make the server an open relay, or take away a protected connector."""

    kind = "guard"


class UnknownRightsError(RelayError):
    """A question whose answer depends on rights that nobody let us read."""

    kind = "rights"

    def __init__(self, connectors: Sequence[str]) -> None:
        names = ", ".join(repr(name) for name in connectors)
        super().__init__(
            "the rights of these connectors could not be read, so nothing can be said to be closed",
            where=f"connectors {names}",
            way_out="Read the server as somebody who may run Get-ADPermission there (Organization Management).",
        )


class StoreError(RelayError):
    """State that cannot be read or written."""

    kind = "store"


class ServiceError(RelayError):
    """The transport service did not do as it was told."""

    kind = "service"
