# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd about a server that was read: sentences for the user, from the state alone.

Sources: Microsoft, "Receive connectors" (roles), and public reports of servers in the field: two roles on one port,
internal mail that a relay connector takes (5.7.3), host names with underscores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ...module_utils._connector.addresses import AddressRange, intersect
from ...module_utils._connector.model import Connector
from ...module_utils._connector.odd import Odd
from ...module_utils._connector.properties import odd_options
from ...module_utils._connector.rights import ANY_RECIPIENT, SUBMIT
from ...module_utils._policy.state import State
from ...module_utils._policy.surface import listed
from .rules import role_meetings

_SHOWN = 5
_LONGEST = 60


def notices(
    state: State,
    own_addresses: Iterable[AddressRange] = (),
    other_servers: Mapping[str, Iterable[AddressRange]] | None = None,
    shared_sources: Iterable[AddressRange] = (),
) -> list[str]:
    """
    :param own_addresses: of the server itself
    :param other_servers: names of other Exchange servers and their addresses
    :param shared_sources: addresses that many clients arrive from
    """
    own, shared = tuple(own_addresses), tuple(shared_sources)
    relays = [item for item in state.connectors if _relays(item)]
    return [
        *_odd_values(state),
        *_underscores(state),
        *_roles(state),
        *(text for item in relays for text in _inside(item, own, other_servers or {}, shared)),
    ]


def _odd_values(state: State) -> Iterator[str]:
    """One sentence for the whole server."""
    found = [
        f"connector {quoted(item.name)}, {option}: {quoted(_held(item, option))}"
        for item in state.connectors
        for option in odd_options(item)
        if option != "fqdn" or not _has_underscore(item)
    ]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield (
            f"The server holds values that cannot be read: {'; '.join(found[:_SHOWN])}{more}. They are kept as they "
            "are, and compared only with a task that sets the same option."
        )


def _held(connector: Connector, option: str) -> object:
    value = getattr(connector, option)
    return value.rendered if isinstance(value, Odd) else value


def quoted(value: object) -> str:
    """As Python writes it, cut off where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _has_underscore(connector: Connector) -> bool:
    """It would be a host name but for its underscores."""
    held = _held(connector, "fqdn")
    return isinstance(held, str) and "_" in held and bool(re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", held))


def _underscores(state: State) -> Iterator[str]:
    names = [
        f"{quoted(_held(item, 'fqdn'))} of connector {quoted(item.name)}"
        for item in state.connectors
        if _has_underscore(item)
    ]
    if names:
        yield (
            f"An fqdn with an underscore is no host name: {listed(names, _SHOWN)}. Exchange takes it; other servers "
            "may refuse the name, and no certificate holds it."
        )


def _roles(state: State) -> Iterator[str]:
    found = {(one.name, other.name, binding.port): (one, other) for one, other, binding, _other in role_meetings(state)}
    for (name, other_name, port), (one, other) in found.items():
        yield (
            f"Connectors {quoted(name)} ({one.transport_role}) and {quoted(other_name)} ({other.transport_role}) are "
            f"both bound to port {port}. Exchange refuses this today: two services want the port, so mail may stop "
            "hours or days later, and a cumulative update may fail. Give both one transport_role, or bind them apart."
        )


def _relays(connector: Connector) -> bool:
    return connector.enabled and {SUBMIT, ANY_RECIPIENT} <= connector.anonymous_rights


def _inside(
    connector: Connector,
    own: tuple[AddressRange, ...],
    others: Mapping[str, Iterable[AddressRange]],
    shared: tuple[AddressRange, ...],
) -> Iterator[str]:
    where = f"Connector {quoted(connector.name)} lets"
    mine = intersect(connector.remote_ip_ranges, own)
    if mine:
        yield f"{where} the server's own address relay ({_list(mine)}): whatever runs on the server may send anywhere."
    for name in sorted(others):
        theirs = intersect(connector.remote_ip_ranges, others[name])
        if theirs:
            yield (
                f"{where} the Exchange server {quoted(name)} relay ({_list(theirs)}): internal mail from it ends on "
                "this connector and fails with 5.7.3 (authentication). Leave its address out of remote_ip_ranges."
            )
    many = intersect(connector.remote_ip_ranges, shared)
    if many:
        yield f"{where} addresses relay that many clients arrive from ({_list(many)}): each of them may send anywhere."


def _list(ranges: tuple[AddressRange, ...]) -> str:
    return listed(ranges, _SHOWN)
