# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one server to the wanted state: read, merge, check capabilities, guard, plan, preflight, apply, read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from .._connector.errors import Conflict, Finding, RelayError, ServiceError, StoreError
from .._connector.model import Connector
from .._connector.properties import CONNECTOR_PROPERTIES
from .._connector.rights import is_server
from .._policy.compile import Policy
from .._policy.shadow import shadow_warnings
from .._policy.state import State
from .backend import ApplyError, Backend, Change, Reading
from .capabilities import Capabilities, binding_conflicts, within_capabilities
from .conflicts import new_conflicts
from .guard import Limits, guard, plaintext_passwords
from .merge import ENTRY_OPTIONS, Options, merge
from .operations import Operation, SetSettings, describe
from .plan import plan
from .service import ServiceFacts

_AGAIN = "Run the task again; if it happens twice, please report it."
_NO_RELAY = "Run the role relay_server first, or name its directory."


@dataclass(frozen=True)
class Outcome:
    """What was, what is (in check mode: what would be), and what led there."""

    changed: bool
    before: Reading
    after: State
    policy: Policy
    operations: tuple[Operation, ...]
    warnings: tuple[str, ...]
    service: ServiceFacts


def converge(backend: Backend, options: Options, *, check: bool, limits: Limits) -> Outcome:
    """The same plan in check mode, which stops before apply.

    :raises RelayError: nothing was changed, unless it is an ApplyError
    """
    with backend.transaction(read_only=check):
        before = backend.read()
        with _said_of(before):
            change, warnings = _prepared(backend, before, options, limits)
        if not check and backend.keeps_settings and change.wanted.settings is None:
            raise StoreError("there is no relay here", where=backend.location, way_out=_NO_RELAY)
        warnings += [_passed(finding, limits) for finding in backend.preflight(change)]
        changed = bool(change.operations or before.repairs)
        if changed and not check:
            after = backend.apply(change)
            _verify(change, after)
            return _outcome(change, after.state, after.service, warnings)
        service = backend.service.facts(change.wanted) if changed else before.service
        return _outcome(change, change.wanted, service, warnings)


@contextmanager
def _said_of(reading: Reading) -> Iterator[None]:
    """A refusal says what was odd about the server: it may be the reason."""
    try:
        yield
    except RelayError as error:
        error.warnings = tuple(notice.text for notice in reading.notices)
        raise


def _outcome(change: Change, after: State, service: ServiceFacts, warnings: list[str]) -> Outcome:
    changed = bool(change.operations or change.before.repairs)
    said = (*(notice.text for notice in change.before.notices), *warnings)
    return Outcome(changed, change.before, after, after.policy, change.operations, said, service)


def _prepared(backend: Backend, before: Reading, options: Options, limits: Limits) -> tuple[Change, list[str]]:
    """The change, judged, and what to warn of."""
    wanted = within_capabilities(backend.name, before.capabilities, before.state, merge(before.state, options))
    if wanted == before.state:  # keeps what was compiled
        wanted = before.state
        if not before.state.rights_known:
            return Change(before, wanted, ()), []
    for conflict in backend.validate(wanted, before.state):
        raise conflict.error()
    validate = _validator(backend, before.capabilities)
    warnings = guard(before, wanted, limits)
    planned = plan(before.state, wanted, validate=validate, atomic=before.capabilities.atomic)
    changed = [item for item in wanted.connectors if before.state.connector(item.name) != item]
    named = {str(entry.get("name")).lower() for entry in options.connectors or ()}
    warnings += [*planned.warnings, *plaintext_passwords(changed)]
    warnings += shadow_warnings(wanted, named | {item.key for item in changed})
    return Change(before, wanted, (*_settings_first(before.state, wanted), *planned.operations)), warnings


def _settings_first(before: State, wanted: State) -> list[Operation]:
    """They let nobody in, so they stand where they hinder nothing."""
    if wanted.settings is None or wanted.settings == before.settings:
        return []
    return [SetSettings(wanted.settings)]


def _validator(backend: Backend, can: Capabilities) -> Callable[[State, State], list[Conflict]]:
    """Every rule that a state of this server must keep, where ``before`` kept it."""

    def validate(state: State, before: State) -> list[Conflict]:
        known = set(binding_conflicts(backend.name, can, before))
        differing = (item for item in binding_conflicts(backend.name, can, state) if item not in known)
        return [*new_conflicts(state, before), *differing, *backend.validate(state, before)]

    return validate


def _passed(finding: Finding, limits: Limits) -> str:
    """The warning. A finding without a consent is one and no more."""
    if not finding.consent:
        return f"{finding.where}: {finding.what}. {finding.way_out}"
    if not getattr(limits, finding.consent):
        way_out = f"{finding.way_out.rstrip('.')}, or set {finding.consent}: true."
        raise ServiceError(finding.what, where=finding.where, way_out=way_out)
    return f"{finding.where}: {finding.what} (passed by {finding.consent})."


def _verify(change: Change, after: Reading) -> None:
    """What the task left to the server may be anything.

    :raises ApplyError: what reads back is something else than what was wanted
    """
    found = after.state
    expected = (_expected(change, item, found.connector(item.name) or item) for item in change.wanted.connectors)
    whole = replace(change.wanted, connectors=tuple(expected))
    if (
        found != replace(whole, built_in=found.built_in, template=found.template, unfinished=found.unfinished)
        or after.repairs
    ):
        what = "what was written reads back differently (the change was applied)"
        done = [describe(operation) for operation in change.operations]
        raise ApplyError(what, where="read back", way_out=_AGAIN, done=done, reading=after)


def _expected(change: Change, wanted: Connector, found: Connector) -> Connector:
    """``wanted`` with all that ``found`` may have in its place: what the task left to the server, the same entries in
    other groups, less from above a new connector."""
    theirs = [row.option for row in CONNECTOR_PROPERTIES if getattr(wanted, row.option) is None]
    if _same_entries(wanted, found):
        theirs += ENTRY_OPTIONS
    is_new = change.before.state.connector(wanted.name) is None
    if is_new and set(found.inherited_rights) <= set(wanted.inherited_rights):
        theirs.append("inherited_rights")
    return replace(wanted, **{name: getattr(found, name) for name in theirs})


def _same_entries(wanted: Connector, found: Connector) -> bool:
    """Which groups of servers a permission group names depends on the version: those may lack entries."""
    if wanted.extended_rights is None or found.extended_rights is None:
        return False
    missing = wanted.own_entries - found.own_entries
    return found.own_entries <= wanted.own_entries and all(map(is_server, missing))
