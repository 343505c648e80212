# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that only Exchange has, as conflicts: values that hold what they are about, so that two states compare.

Source: Microsoft, "Receive connectors" and New-ReceiveConnector (TransportRole). That bindings of two transport roles
must not meet, whatever the ranges, is what Exchange says itself in public reports ("Receive connectors assigned to
different Transport roles on a single server must listen on unique local IP address & port bindings").
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ...module_utils._connector.addresses import Binding
from ...module_utils._connector.errors import CapabilityError, Conflict
from ...module_utils._connector.model import Connector
from ...module_utils._policy.state import State

FRONTEND, HUB = "FrontendTransport", "HubTransport"
FRONTEND_PORTS = (25, 587, 717)
"""What the Front End Transport service listens on by its own connectors."""


def exchange_conflicts(state: State, *, has_roles: bool, is_edge: bool = False) -> list[Conflict]:
    """Everything in ``state`` that no Exchange server accepts, or that would not work there.

    :param has_roles: the server has transport roles: 2013 and newer, and no Edge server
    """
    found = [*_empty(state), *(_groups_of_the_domain(state) if is_edge else ())]
    if not has_roles:
        return [*found, *(_without_roles(item) for item in state.connectors if item.transport_role is not None)]
    return [*found, *role_conflicts(state), *_on_frontend_ports(state)]


def new_exchange_conflicts(state: State, before: State, *, has_roles: bool, is_edge: bool = False) -> list[Conflict]:
    """Those of ``state`` that ``before`` did not have."""
    found = exchange_conflicts(state, has_roles=has_roles, is_edge=is_edge)
    known = set(exchange_conflicts(before, has_roles=has_roles, is_edge=is_edge)) if found else set()
    return [item for item in found if item not in known]


def role_conflicts(state: State) -> list[Conflict]:
    """Connectors of two transport roles, enabled or not, that would listen on one address and port. IPv4 and IPv6 are
    apart, the wildcards too."""
    return [
        Conflict(
            f"its binding {binding} ({one.transport_role}) meets {other_binding} of connector '{other.name}' "
            f"({other.transport_role}): two services cannot listen on one address and port",
            f"connector '{one.name}', transport_role",
            "Give both the same transport_role, or bind one of them to another address or port.",
        )
        for one, other, binding, other_binding in role_meetings(state)
    ]


def role_meetings(state: State) -> Iterator[tuple[Connector, Connector, Binding, Binding]]:
    """Two connectors of different transport roles and bindings of theirs that meet."""
    places: dict[tuple[int, int], list[tuple[Connector, Binding]]] = {}
    for connector in (item for item in state.connectors if item.transport_role is not None):
        for binding in connector.bindings:
            places.setdefault((binding.version, binding.port), []).append((connector, binding))
    for found in places.values():
        for (one, binding), (other, other_binding) in combinations(found, 2):
            if one.transport_role != other.transport_role and _meet(binding, other_binding):
                yield one, other, binding, other_binding


def _meet(one: Binding, other: Binding) -> bool:
    """Of one IP version and port."""
    return one.address == other.address or 0 in (one.address, other.address)


def _on_frontend_ports(state: State) -> Iterator[Conflict]:
    """A server without any Frontend connector has the Mailbox role alone (2013): port 25 belongs to its hub."""
    if not any(item.transport_role == FRONTEND for item in state.connectors):
        return
    for item in state.connectors:
        if item.transport_role == HUB and not state.is_built_in(item.name):
            for port in sorted({binding.port for binding in item.bindings} & set(FRONTEND_PORTS)):
                yield Conflict(
                    f"clients that reach port {port} are served by the Front End Transport service, and this connector "
                    "belongs to the Transport service",
                    f"connector '{item.name}', transport_role",
                    "Give transport_role: FrontendTransport, or another port.",
                )


def _empty(state: State) -> Iterator[Conflict]:
    """Source: Microsoft, New-ReceiveConnector: Usage Custom needs both."""
    for item in state.connectors:
        for option, held in (("bindings", item.bindings), ("remote_ip_ranges", item.remote_ip_ranges)):
            if not held:
                way_out = "Give one, or say state: absent."
                yield Conflict("Exchange needs at least one", f"connector '{item.name}', {option}", way_out)


def _groups_of_the_domain(state: State) -> Iterator[Conflict]:
    for item in state.connectors:
        for group in ("ExchangeUsers", "ExchangeLegacyServers"):
            if group in item.permission_groups:
                yield Conflict(
                    f"an Edge server has no group {group}",
                    f"connector '{item.name}', permission_groups",
                    "Take it out.",
                    CapabilityError,
                )


def _without_roles(connector: Connector) -> Conflict:
    return Conflict(
        f"this server has no transport roles (Edge, Exchange 2010 and older), and {connector.transport_role} is one",
        f"connector '{connector.name}', transport_role",
        "Leave it out.",
        CapabilityError,
    )
