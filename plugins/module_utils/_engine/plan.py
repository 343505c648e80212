# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the actual to the wanted state: an ordered list of operations.

What closes comes before what opens: new domains (so that no mail is lost), revoke, disable, delete, set, grant,
create, enable;
domains go last.
"""

from __future__ import annotations

from .._connector.model import Connector, State
from .._connector.properties import CONNECTOR_PROPERTIES
from .operations import (
    APART,
    Create,
    Delete,
    Disable,
    Enable,
    Grant,
    Operation,
    RemoveDomain,
    Revoke,
    Set,
    SetDomain,
)


def plan(actual: State, wanted: State) -> list[Operation]:
    """Operations that turn ``actual`` into ``wanted`` when applied in this order; none if they are equal."""
    pairs = [(old, new) for new in wanted.connectors for old in [actual.connector(new.name)] if old is not None]
    created = [item for item in wanted.connectors if actual.connector(item.name) is None]
    operations: list[Operation] = [SetDomain(item) for item in wanted.domains if actual.domain(item.name) != item]
    for old, new in pairs:
        operations += _closing(old, new)
    operations += [Delete(item.name) for item in actual.connectors if wanted.connector(item.name) is None]
    for old, new in pairs:
        operations += _setting(old, new)
    for old, new in pairs:
        operations += _opening(old, new)
    for item in created:
        operations += _creating(item)
    operations += [RemoveDomain(item.name) for item in actual.domains if wanted.domain(item.name) is None]
    return operations


def _closing(old: Connector, new: Connector) -> list[Operation]:
    denies: list[Operation] = [
        Grant(old.name, entry) for entry in new.extended_rights if entry.deny and entry not in old.extended_rights
    ]
    gone: list[Operation] = [
        Revoke(old.name, entry) for entry in old.extended_rights if not entry.deny and entry not in new.extended_rights
    ]
    disable: list[Operation] = [Disable(old.name)] if old.enabled and not new.enabled else []
    return [*denies, *gone, *disable]


def _setting(old: Connector, new: Connector) -> list[Operation]:
    options = [row.option for row in CONNECTOR_PROPERTIES if row.option not in APART]
    changes = tuple(
        (option, getattr(new, option)) for option in options if getattr(old, option) != getattr(new, option)
    )
    return [Set(old.name, changes)] if changes else []


def _opening(old: Connector, new: Connector) -> list[Operation]:
    gone: list[Operation] = [
        Revoke(old.name, entry) for entry in old.extended_rights if entry.deny and entry not in new.extended_rights
    ]
    allows: list[Operation] = [
        Grant(old.name, entry) for entry in new.extended_rights if not entry.deny and entry not in old.extended_rights
    ]
    enable: list[Operation] = [Enable(old.name)] if new.enabled and not old.enabled else []
    return [*gone, *allows, *enable]


def _creating(new: Connector) -> list[Operation]:
    bare = Connector(**{**vars(new), "enabled": False, "extended_rights": ()})
    grants: list[Operation] = [Grant(new.name, entry) for entry in new.extended_rights]
    enable: list[Operation] = [Enable(new.name)] if new.enabled else []
    return [Create(bare), *grants, *enable]
