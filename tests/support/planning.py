# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests of the planner: short connectors, a backend with a rule of its own, and the steps that refusals name."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_binding, parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import Conflict
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import (
    ANONYMOUS,
    ANY_RECIPIENT,
    ExtendedRight,
)
from ansible_collections.mailops.relay.plugins.module_utils._engine.conflicts import new_conflicts
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.strategies import random_pair

RELAY = ExtendedRight(ANONYMOUS, ANY_RECIPIENT)


def connector(name: str, *ranges: str, relay: bool = False, port: int = 25, anonymous: bool = True) -> Connector:
    return Connector(
        name,
        bindings=(parse_binding(f"0.0.0.0:{port}", "x"),),
        remote_ip_ranges=tuple(sorted(parse_range(item, "x") for item in ranges)),
        permission_groups=("AnonymousUsers",) if anonymous else (),
        extended_rights=(RELAY,) if relay else (),
    )


SCAN = connector("Scan", "10.0.0.1", relay=True)
EVERYBODY = connector("Default", "0.0.0.0/0")


def swapped(one: Connector, other: Connector) -> tuple[Connector, Connector]:
    """Each with the other's ranges."""
    return (
        replace(one, remote_ip_ranges=other.remote_ip_ranges),
        replace(other, remote_ip_ranges=one.remote_ip_ranges),
    )


def numbered_pair(seed: int) -> tuple[State, State]:
    """Always the same two states for a seed."""
    return random_pair(random.Random(seed))


def never_empty(state: State, before: State) -> list[Conflict]:
    """The rules of a backend where a connector needs a range."""
    had = {item.key for item in before.connectors if not item.remote_ip_ranges}
    empty = [item.name for item in state.connectors if not item.remote_ip_ranges and item.key not in had]
    return [*new_conflicts(state, before), *(Conflict("no range", name, "Give one.") for name in empty)]


def after_step(state: State, refusal: str) -> State:
    """What the step makes of ``state`` that a refusal names: ``Delete 'A' and 'b'``, or ``Give 'A' only the range``."""
    step = refusal.partition("safe at every step. ")[2].partition(" in a task of its own")[0]
    done = re.match(r"(Delete|Give) ('\w+'(?: and '\w+')*)(?: only the ranges? (\S+(?: and \S+)*?))?(?:,| \(|$)", step)
    assert done is not None, refusal
    names = [name.strip("'") for name in done[2].split(" and ")]
    if done[1] == "Delete":
        return replace(state, connectors=tuple(item for item in state.connectors if item.name not in names))
    ranges = dict(zip(names, [(parse_range(text, "step"),) for text in done[3].split(" and ")], strict=True))
    given = (replace(item, remote_ip_ranges=ranges.get(item.name, item.remote_ip_ranges)) for item in state.connectors)
    return replace(state, connectors=tuple(given))
