# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random states with rights of groups such as Everyone."""

from __future__ import annotations

import random
from dataclasses import replace

from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.principals import DOUBTFUL, EVERYONE
from ansible_collections.mailops.relay.plugins.module_utils._connector.rights import ANONYMOUS, ExtendedRight
from ansible_collections.mailops.relay.plugins.module_utils._policy.state import State
from support.strategies import RIGHTS


def with_doubts(rng: random.Random, state: State) -> State:
    """With entries of groups of which it is not documented whether sessions without AUTH belong to them."""

    def entry(rng: random.Random) -> ExtendedRight:
        return ExtendedRight(rng.choice(DOUBTFUL), rng.choice(RIGHTS), rng.random() < 0.2)

    def doubtful(item: Connector) -> Connector:
        own, above = ({entry(rng) for _number in range(rng.randint(0, most))} for most in (3, 2))
        every = tuple(ExtendedRight(name, "GenericAll") for name in (EVERYONE, ANONYMOUS) if rng.random() < 0.05)
        return replace(
            item,
            extended_rights=tuple(sorted({*item.known_rights, *own})),
            inherited_rights=tuple(sorted({*item.inherited_rights, *above})),
            full_control=every,
            allowed_recipients=(),
        )

    return replace(state, connectors=tuple(doubtful(item) if rng.random() < 0.6 else item for item in state.connectors))
