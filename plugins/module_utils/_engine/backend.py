# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine asks of a backend. A backend reads and applies; it decides nothing."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .._accounts.converge import AccountStore
from .._connector.addresses import Binding
from .._connector.errors import CapabilityError
from .._connector.model import AcceptedDomain, Connector
from .._connector.properties import CONNECTOR_PROPERTIES, render_value
from .._policy.state import State
from .operations import Operation
from .service import Service as Service
from .service import ServiceFacts as ServiceFacts
from .service import ServicePart as ServicePart


@dataclass(frozen=True)
class Capabilities:
    """What a backend can express, as data.

    :ivar options: connector options that it has
    :ivar fixed: options that it has not, where it always does what one value says: that (normalised) value is accepted
    :ivar permission_groups: groups that mean something there
    :ivar auth_mechanisms: mechanisms it has
    :ivar principals: whose extended rights it knows
    :ivar rights: extended rights it acts on
    :ivar domains_need_next_hop: it stores no mail, so an authoritative domain must name where its mail goes
    :ivar catch_all_domain: ``*`` can be an accepted domain
    :ivar certificate_files: certificates are files on the target, and TLS needs one
    :ivar atomic: it applies all operations at once
    """

    options: frozenset[str]
    fixed: Mapping[str, Any]
    permission_groups: frozenset[str]
    auth_mechanisms: frozenset[str]
    principals: frozenset[str]
    rights: frozenset[str]
    domains_need_next_hop: bool
    catch_all_domain: bool
    certificate_files: bool
    atomic: bool


class Backend(ABC):
    name: str
    capabilities: Capabilities
    service: Service
    accounts: AccountStore

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Keep others from changing what is read until it is applied."""
        yield

    @abstractmethod
    def read(self) -> State:
        """:raises StoreError: it cannot be read"""

    @abstractmethod
    def preflight(self, bindings: Sequence[Binding], changed: Sequence[Connector]) -> list[str]:
        """Find out before the change whether the service could listen on new bindings and use the certificates.

        :param changed: connectors that are new or changed
        :returns: certificates that cannot be used now for their dates only, a sentence each
        :raises ServiceError: for example a busy port
        """

    @abstractmethod
    def apply(self, operations: Sequence[Operation]) -> None:
        """Carry out all of them or, with an error, none. An empty sequence repairs drift.

        :raises StoreError: it cannot be written
        """


def express(backend: Backend, actual: State, wanted: State) -> State:
    """``wanted`` without the option values that mean nothing there because the backend always does what they say.

    :raises CapabilityError: a changed connector or domain needs what the backend does not have
    """
    wanted = replace(wanted, connectors=tuple(_express(backend, actual, item) for item in wanted.connectors))
    for connector in wanted.connectors:
        if actual.connector(connector.name) != connector:
            _refuse_connector(backend, connector)
    for domain in wanted.accepted_domains:
        if actual.domain(domain.name) != domain:
            _refuse_domain(backend, domain)
    return wanted


def _express(backend: Backend, actual: State, wanted: Connector) -> Connector:
    can = backend.capabilities
    before = actual.connector(wanted.name) or Connector(wanted.name)
    given = {
        row.option: getattr(wanted, row.option)
        for row in CONNECTOR_PROPERTIES
        if row.option not in can.options and getattr(wanted, row.option) != getattr(before, row.option)
    }
    odd = [option for option, value in given.items() if option not in can.fixed or can.fixed[option] != value]
    if odd:
        _refuse_options(backend, wanted, odd)
    return replace(wanted, **{option: getattr(before, option) for option in given})


def _refuse_options(backend: Backend, connector: Connector, odd: Sequence[str]) -> None:
    rows = {row.option: row for row in CONNECTOR_PROPERTIES}
    seen = {option: render_value(rows[option], getattr(connector, option)) for option in odd}
    fixed = backend.capabilities.fixed
    always = [f"{item} is always {json.dumps(render_value(rows[item], fixed[item]))}" for item in odd if item in fixed]
    way_out = f"Leave {'it' if len(odd) == 1 else 'them'} out."
    raise CapabilityError(
        f"backend {backend.name} cannot express this",
        where=f"connector '{connector.name}', {', '.join(odd)}",
        value=seen if len(odd) > 1 else seen[odd[0]],
        way_out=f"{way_out} On this backend {', '.join(always)}." if always else way_out,
    )


def _refuse_domain(backend: Backend, domain: AcceptedDomain) -> None:
    can = backend.capabilities
    if can.domains_need_next_hop and domain.type == "Authoritative" and not domain.next_hop:
        raise CapabilityError(
            f"backend {backend.name} stores no mail and must know where that of an authoritative domain goes",
            where=f"accepted domain '{domain.name}', next_hop",
            way_out="Give next_hop as host:port.",
        )
    if domain.name == "*" and not can.catch_all_domain:
        raise CapabilityError(
            f"backend {backend.name} has no accepted domain for the whole Internet",
            where="accepted domain '*'",
            way_out="List your domains. To relay anywhere, make a connector with ms-Exch-SMTP-Accept-Any-Recipient.",
        )


def _refuse_connector(backend: Backend, connector: Connector) -> None:
    can = backend.capabilities
    entries = [("permission_groups", group, can.permission_groups) for group in connector.permission_groups]
    entries += [("auth_mechanism", mechanism, can.auth_mechanisms) for mechanism in connector.auth_mechanism]
    for entry in connector.entries:
        entries += [("extended_rights", entry.principal, can.principals), ("extended_rights", entry.right, can.rights)]
    for option, value, known in entries:
        if value not in known:
            raise CapabilityError(
                f"backend {backend.name} cannot express this",
                where=f"connector '{connector.name}', {option}",
                value=value,
                way_out=f"It knows {', '.join(sorted(known))}.",
            )
    if can.certificate_files and "Tls" in connector.auth_mechanism and not connector.tls_certificate_file:
        raise CapabilityError(
            f"backend {backend.name} needs a certificate for TLS",
            where=f"connector '{connector.name}', tls_certificate_file",
            way_out="Give tls_certificate_file and tls_key_file, or take Tls out of auth_mechanism.",
        )
