# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot stand together in a state: options of one connector, and ranges of two.

Source: Microsoft, Set-ReceiveConnector, AuthMechanism, RequireTLS, DomainSecureEnabled, BinaryMimeEnabled,
ConnectionTimeout. The messages are ours: what the cmdlet says is not documented. That None stands alone in a list of
flags is seen where the list is read (:mod:`.._connector.property`).

A conflict is a value, so that two states can be compared: a server that breaks a rule already is still changed and
mended, one conflict after the other. Its text therefore holds the values that it is about. A value that cannot be read
breaks no rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._connector.addresses import AddressRange, Binding
from .._connector.errors import Conflict
from .._connector.model import Connector
from .._connector.odd import Odd
from .._policy.state import State

_TLS_OPTIONS = ("require_tls", "implicit_tls", "domain_secure_enabled")


def new_conflicts(state: State, before: State) -> list[Conflict]:
    """Those of ``state`` that ``before`` did not have."""
    found = conflicts(state)
    known = set(conflicts(before)) if found else set()
    return [item for item in found if item not in known]


def conflicts(state: State) -> list[Conflict]:
    """Everything in ``state`` that no server accepts; the same things in two states are equal."""
    found = [item for connector in state.connectors for item in _of_one(connector)]
    claims: dict[Binding, list[tuple[AddressRange, str]]] = {}
    for connector in state.connectors:
        for binding in connector.bindings:
            claims.setdefault(binding, []).extend((item, connector.name) for item in connector.remote_ip_ranges)
    found += [item for binding, ranges in claims.items() for item in _overlaps(binding, ranges)]
    return found


def _of_one(connector: Connector) -> Iterator[Conflict]:
    if not connector.bindings:
        way_out = "Give at least one address:port, or state: absent."
        yield _conflict(connector, "bindings", "a connector needs a binding", way_out)
    yield from _authentication(connector)
    yield from _tls(connector)
    if connector.binary_mime_enabled is True and connector.chunking_enabled is False:
        way_out = "Give chunking_enabled: true, or binary_mime_enabled: false."
        yield _conflict(connector, "binary_mime_enabled", "it needs chunking_enabled", way_out)
    longest, idle = connector.connection_timeout, connector.connection_inactivity_timeout
    if not isinstance(longest, Odd) and not isinstance(idle, Odd) and longest <= idle:
        what = f"{longest} s must exceed connection_inactivity_timeout, which is {idle} s"
        way_out = "Give both in one task, connection_timeout the longer one."
        yield _conflict(connector, "connection_timeout", what, way_out)


def _authentication(connector: Connector) -> Iterator[Conflict]:
    mechanisms = connector.auth_mechanism
    if "BasicAuthRequireTLS" in mechanisms and not {"Tls", "BasicAuth"} <= set(mechanisms):
        way_out = "Give Tls, BasicAuth and BasicAuthRequireTLS together."
        yield _conflict(connector, "auth_mechanism", "BasicAuthRequireTLS needs BasicAuth and Tls", way_out)
    if "ExternalAuthoritative" not in mechanisms:
        return
    for other in mechanisms:
        if other not in ("ExternalAuthoritative", "Tls"):
            what = f"ExternalAuthoritative may be joined by Tls only, not by {other}"
            yield _conflict(connector, "auth_mechanism", what, "Take the others away.")
    if "ExchangeServers" not in connector.permission_groups:
        way_out = "Add ExchangeServers to permission_groups in the same task."
        yield _conflict(connector, "permission_groups", "ExternalAuthoritative needs ExchangeServers", way_out)


def _tls(connector: Connector) -> Iterator[Conflict]:
    if "Tls" not in connector.auth_mechanism:
        for option in _TLS_OPTIONS:
            if getattr(connector, option) is True:
                yield _conflict(connector, option, "it needs Tls in auth_mechanism", "Add Tls to auth_mechanism.")
    if connector.domain_secure_enabled is True and "ExternalAuthoritative" in connector.auth_mechanism:
        way_out = "Take ExternalAuthoritative out of auth_mechanism."
        yield _conflict(connector, "domain_secure_enabled", "ExternalAuthoritative excludes it", way_out)
    if bool(connector.tls_certificate_file) != bool(connector.tls_key_file):
        option = "tls_key_file" if connector.tls_certificate_file else "tls_certificate_file"
        way_out = "Give both tls_certificate_file and tls_key_file."
        yield _conflict(connector, option, "a certificate and its key go together", way_out)


def _conflict(connector: Connector, option: str, what: str, way_out: str) -> Conflict:
    return Conflict(what, f"connector '{connector.name}', {option}", way_out)


def _overlaps(binding: Binding, claims: Iterable[tuple[AddressRange, str]]) -> Iterator[Conflict]:
    """The smallest range wins, so between two connectors one range must lie wholly inside the other or apart from
    it."""
    reaching: list[tuple[AddressRange, str]] = []
    for item, owner in sorted(claims, key=lambda claim: (claim[0].version, claim[0].low, -claim[0].high, claim[1])):
        reaching = [claim for claim in reaching if claim[0].version == item.version and claim[0].high >= item.low]
        for other, other_owner in reaching:
            if owner != other_owner and (other.high < item.high or other[1:] == item[1:]):
                how = "equals" if other == item else "partly overlaps"
                yield Conflict(
                    f"range {item} {how} {other} of connector '{other_owner}' on {binding}",
                    f"connector '{owner}', remote_ip_ranges",
                    "Let one lie wholly inside the other, or apart from it.",
                )
        reaching.append((item, owner))
