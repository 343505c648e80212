# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection manages: connectors, accepted domains, and the state of one server."""

from __future__ import annotations

from dataclasses import dataclass

from .addresses import AddressRange, Binding
from .rights import ANONYMOUS, AUTHENTICATED, ExtendedRight, effective_rights


@dataclass(frozen=True)
class Connector:
    """One receive connector. Field names are the option names; values are normalised (see :mod:`.properties`).

    Sizes in bytes, times in seconds, counts ``-1`` for unlimited. ``allowed_senders`` empty: the accepted domains.
    """

    name: str
    enabled: bool = True
    bindings: tuple[Binding, ...] = ()
    remote_ip_ranges: tuple[AddressRange, ...] = ()
    permission_groups: tuple[str, ...] = ()
    extended_rights: tuple[ExtendedRight, ...] = ()
    fqdn: str = ""
    banner: str = ""
    max_message_size: int = 36 << 20
    comment: str = ""
    auth_mechanism: tuple[str, ...] = ()
    require_tls: bool = False
    implicit_tls: bool = False
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    max_recipients_per_message: int = 200
    max_inbound_connection: int = 5000
    max_inbound_connection_per_source: int = 20
    max_protocol_errors: int = 5
    connection_timeout: int = 600
    connection_inactivity_timeout: int = 300
    tarpit_interval: int = 0
    allowed_senders: tuple[str, ...] = ()
    allowed_recipients: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names are the same whatever their case, as in Exchange."""
        return self.name.lower()

    @property
    def anonymous_rights(self) -> frozenset[str]:
        return effective_rights(ANONYMOUS, self.permission_groups, self.extended_rights)

    @property
    def account_rights(self) -> frozenset[str]:
        return effective_rights(AUTHENTICATED, self.permission_groups, self.extended_rights)


@dataclass(frozen=True)
class AcceptedDomain:
    """A domain that is ours. ``next_hop``: ``host:port`` its mail goes to, empty for the smarthost (bundled relays
    only)."""

    name: str
    type: str = "Authoritative"
    next_hop: str = ""

    @property
    def key(self) -> str:
        return self.name


@dataclass(frozen=True)
class State:
    """Everything the collection knows of one server.

    :ivar connectors: sorted by name, names unique whatever their case
    :ivar domains: sorted by name, names unique
    :ivar built_in: names of connectors that came with the server
    :ivar drift: what the server would act on does not follow from these definitions
    """

    connectors: tuple[Connector, ...] = ()
    domains: tuple[AcceptedDomain, ...] = ()
    built_in: tuple[str, ...] = ()
    drift: bool = False

    def connector(self, name: str) -> Connector | None:
        return next((item for item in self.connectors if item.key == name.lower()), None)

    def domain(self, name: str) -> AcceptedDomain | None:
        return next((item for item in self.domains if item.key == name.lower()), None)

    def is_built_in(self, name: str) -> bool:
        return name.lower() in {item.lower() for item in self.built_in}
