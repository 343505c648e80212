# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a connector say and the server may not do: sentences for a reader."""

from __future__ import annotations

from collections.abc import Iterator

from .._connector.model import Connector
from .._connector.principals import DOUBTFUL, fold
from .._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ANY_SENDER,
    AUTHORITATIVE_SENDER,
    EVERY_RIGHT,
    SUBMIT,
    ExtendedRight,
)

_SENDERS = (ANY_SENDER, AUTHORITATIVE_SENDER)
_RELAYING = (SUBMIT, ANY_RECIPIENT, *_SENDERS, *EVERY_RIGHT)


def doubts(connector: Connector) -> Iterator[str]:
    """Whole sentences; none where the rights are not known."""
    if connector.extended_rights is None:
        return
    held = [entry for entry in _all(connector) if not entry.deny and entry.right in _RELAYING]
    for name in DOUBTFUL:
        rights = sorted({entry.right for entry in held if fold(entry.principal) == fold(name)})
        if rights:
            yield (
                f"connector '{connector.name}': {name} holds {', '.join(rights)}. Whether anonymous sessions carry "
                "this is not documented, so what they may do there is not known. Remove it, and grant ANONYMOUS LOGON "
                "or Authenticated Users what is meant."
            )
    gone = [entry.right for entry in connector.removed_rights if entry.principal == ANONYMOUS]
    unenforced = [right for right in _SENDERS if right in gone]
    if unenforced and connector.transport_role == "FrontendTransport":
        yield (
            f"connector '{connector.name}': anonymous senders lack {', '.join(unenforced)}, but Exchange since 2013 is "
            "reported not to enforce that on a connector with transport_role FrontendTransport."
        )


def _all(connector: Connector) -> tuple[ExtendedRight, ...]:
    return (*connector.own_entries, *connector.full_control, *connector.inherited_rights)
