# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where connectors listen on the machine: its own addresses, and ports that other programs hold.

Source: Microsoft, New-ReceiveConnector, Bindings: with an address that the server does not have, the transport service
may not start, which shows at its next restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...module_utils._connector.addresses import AddressRange, Binding, format_address, parse_address
from ...module_utils._connector.errors import Finding, InputError, ServiceError
from ...module_utils._policy.state import State
from .calls import Row
from .seen import Seen

TRANSPORT_PROGRAMS = frozenset({"msexchangefrontendtransport", "edgetransport", "msexchangetransport"})
"""Names of the processes that hold the sockets of connectors."""
_FREE = "Choose another address or port, or end that program."


class Socket(NamedTuple):
    """A TCP listener. ``owner``: name of the program, empty: not known."""

    address: tuple[int, int]
    port: int
    owner: str

    @property
    def is_ours(self) -> bool:
        return self.owner.lower() in TRANSPORT_PROGRAMS

    @property
    def place(self) -> tuple[str, int]:
        return format_address(*self.address), self.port


def sockets(seen: Seen) -> tuple[Socket, ...] | None:
    """What listens, ``None``: that could not be read."""
    answer = seen.answers.get("sockets")
    if answer is None or answer.problem is not None:
        return None
    programs = {str(row.get("Id")): str(row.get("ProcessName") or "") for row in seen.rows("programs")}
    return tuple(_sockets(answer.rows, programs))


def _sockets(rows: Iterable[Row], programs: dict[str, str]) -> Iterator[Socket]:
    for row in rows:
        address, port = _parsed(row.get("LocalAddress")), str(row.get("LocalPort"))
        if address is not None and port.isdigit():
            yield Socket(address, int(port), programs.get(str(row.get("OwningProcess")), ""))


def own_addresses(seen: Seen) -> frozenset[tuple[int, int]] | None:
    """IP version and number of each address of the machine, ``None``: they could not be read."""
    answer = seen.answers.get("addresses")
    if answer is None or answer.problem is not None or not answer.rows:
        return None
    found = (_parsed(row.get("IPAddress")) for row in answer.rows)
    return frozenset(address for address in found if address is not None)


def _parsed(text: object) -> tuple[int, int] | None:
    try:
        return parse_address(str(text or "").partition("%")[0], "address", "")
    except InputError:
        return None


def other_servers(seen: Seen) -> dict[str, list[AddressRange]]:
    """The addresses of each other Exchange server, as far as its name is found."""
    names = {str(number): str(row.get("Name")) for number, row in enumerate(seen.rows("servers"))}
    found: dict[str, list[AddressRange]] = {}
    for row in seen.rows("peers"):
        name, address = names.get(str(row.get("for")), ""), _parsed(row.get("IPAddress"))
        if address is not None and name.lower() != str(seen.server.get("Name")).lower():
            found.setdefault(name, []).append(AddressRange(*address, address[1]))
    return found


def check_places(before: State, wanted: State, seen: Seen) -> list[Finding]:
    """Refuse new bindings where the service could not listen.

    :returns: what could not be looked at, to be warned of
    :raises ServiceError: an address that is not the server's or may not be, or a port that another program holds
    """
    known = {binding for connector in before.connectors for binding in connector.bindings}
    opened = {binding for connector in before.connectors if connector.enabled for binding in connector.bindings}
    findings = []
    for connector in wanted.connectors:
        for binding in (item for item in connector.bindings if item not in (opened if connector.enabled else known)):
            where = f"connector '{connector.name}', bindings"
            refuse_place(binding, where, seen)
            if binding != binding.wildcard and own_addresses(seen) is None:
                what = "the addresses of the server could not be read"
                way_out = "Bind it to all addresses (0.0.0.0 or [::]), or let the user run Get-NetIPAddress there."
                raise ServiceError(what, where=where, value=str(binding), way_out=way_out)
            if sockets(seen) is None:
                what = f"whether another program listens on {binding} could not be read"
                findings.append(Finding(what, where, "Look there before the next restart.", ""))
    return findings


def refuse_place(binding: Binding, where: str, seen: Seen) -> None:
    """:raises ServiceError: the service could not listen there"""
    own = own_addresses(seen)
    if binding != binding.wildcard and own is not None and not _is_own(binding, own):
        raise ServiceError(
            "the server does not have this address, and its service may not start with it",
            where=where,
            value=str(binding),
            way_out=f"It has {', '.join(sorted(format_address(*item) for item in own))}.",
        )
    for socket in sockets(seen) or ():
        if socket.owner and not socket.is_ours and _meets(binding, socket):
            what = f"the program {socket.owner} listens there already"
            raise ServiceError(what, where=where, value=str(binding), way_out=_FREE)


def _is_own(binding: Binding, own: frozenset[tuple[int, int]]) -> bool:
    """Windows has all of 127.0.0.0/8 and shows one address of it."""
    is_loopback = binding.version == 4 and binding.address >> 24 == 127
    return is_loopback or (binding.version, binding.address) in own


def _meets(binding: Binding, socket: Socket) -> bool:
    same = socket.address == (binding.version, binding.address)
    any_address = socket.address[1] == 0 or binding == binding.wildcard
    return socket.port == binding.port and socket.address[0] == binding.version and (same or any_address)
