# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The aiosmtpd backend: every change is one swap of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from .._connector.errors import CapabilityError, Conflict, Finding, InputError, StoreError
from .._connector.settings import Settings
from .._engine.backend import Backend, Change, Notice, Reading
from .._host.certificates import certificate_finding
from .._host.locks import locked
from .._host.ports import refuse_unavailable
from .._policy.state import State
from .accounts import AccountsFile
from .options import CAPABILITIES
from .service import RelayProcess
from .settings import read_settings, settings_digest, settings_path, write_settings
from .store import read_store, store_path, write_store


class AiosmtpdBackend(Backend):
    """A relay directory on the machine this runs on."""

    name = "aiosmtpd"
    service: RelayProcess
    keeps_settings = True

    def __init__(self, directory: str) -> None:
        if "\0" in directory or not os.path.isabs(directory):
            way_out = "Give the directory as it is on the target, beginning with a slash."
            raise InputError("not an absolute path", where="directory", value=directory, way_out=way_out)
        self._directory = self.location = directory
        self.service = RelayProcess(directory)
        self.accounts = AccountsFile(directory)

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Readers need no lock: each file is only ever replaced as a whole. A directory without a relay is left as it
        is until there is one to make."""
        if read_only or read_settings(self._directory) is None:
            yield
            return
        with self._locked():
            yield

    def _locked(self) -> AbstractContextManager[None]:
        return locked(os.path.join(self._directory, "store.lock"))

    def read(self) -> Reading:
        return self._read(None)

    def _read(self, known: State | None) -> Reading:
        settings = read_settings(self._directory)
        server = State(settings=settings, built_in=() if settings is None else (f"Default {settings.name}",))
        stored = read_store(self._directory, server, known)
        if stored is None:
            if settings is not None:
                way_out = "Restore it from a backup, or remove the directory to start afresh."
                where = store_path(self._directory)
                raise StoreError("the connectors of this relay are gone", where=where, way_out=way_out)
            return Reading(server, self.service.facts_of(None, None), CAPABILITIES)
        return Reading(
            state=stored.state,
            service=self.service.facts_of(stored.digest, settings_digest(settings)),
            capabilities=CAPABILITIES,
            notices=tuple(map(Notice, filter(None, (stored.drift, self._settings_gone(settings))))),
            given=stored.given,
            repairs=("recompile policy",) if stored.drift else (),
        )

    def _settings_gone(self, settings: Settings | None) -> str:
        """What to say of connectors without the settings of their server."""
        if settings is not None:
            return ""
        return (
            f"{settings_path(self._directory)} is gone: which connector is built in and what may relay at most is not "
            "known. Restore it from a backup, or run the role relay_server to write it again."
        )

    def validate(self, state: State, before: State) -> list[Conflict]:
        return [*_domain_conflicts(state, before), *_certificate_conflicts(state, before)]

    def preflight(self, change: Change) -> list[Finding]:
        known = dict(change.before.policy.bindings)
        bindings = [binding for binding, _intervals in change.wanted.policy.bindings if binding not in known]
        refuse_unavailable(bindings, self.service.own_bindings())
        old = {item.key: item for item in change.before.state.connectors}
        changed = (item for item in change.wanted.connectors if old.get(item.key) != item)
        findings = (certificate_finding(item) for item in changed if item.tls_certificate_file)
        return [finding for finding in findings if finding is not None]

    def apply(self, change: Change) -> Reading:
        old, new = change.before.state, change.wanted
        if old.settings is None:
            return self._create(new)
        same = (old.connectors, old.accepted_domains) == (new.connectors, new.accepted_domains)
        if not same or change.before.repairs:
            write_store(self._directory, new)
        if new.settings is not None and new.settings != old.settings:
            write_settings(self._directory, new.settings)
        return self._read(new)

    def _create(self, state: State) -> Reading:
        """The settings last: without them there is no relay."""
        with self._locked():
            if state.settings is None or read_settings(self._directory) is not None:
                way_out = "Run the task again."
                raise StoreError("somebody made the relay meanwhile", where=self._directory, way_out=way_out)
            write_store(self._directory, state)
            write_settings(self._directory, state.settings)
            return self._read(state)


def _domain_conflicts(state: State, before: State) -> Iterator[Conflict]:
    for domain in (item for item in state.accepted_domains if before.domain(item.name) != item):
        if domain.type == "Authoritative" and not domain.next_hop:
            yield Conflict(
                "backend aiosmtpd stores no mail and must know where that of an authoritative domain goes",
                f"accepted domain '{domain.name}', next_hop",
                "Give next_hop as host:port.",
                CapabilityError,
            )
        if domain.name == "*":
            yield Conflict(
                "backend aiosmtpd has no accepted domain for the whole Internet",
                "accepted domain '*'",
                "List your domains. To relay anywhere, make a connector with ms-Exch-SMTP-Accept-Any-Recipient.",
                CapabilityError,
            )


def _certificate_conflicts(state: State, before: State) -> Iterator[Conflict]:
    for connector in (item for item in state.connectors if before.connector(item.name) != item):
        if "Tls" in connector.auth_mechanism and not connector.tls_certificate_file:
            yield Conflict(
                "backend aiosmtpd needs a certificate for TLS",
                f"connector '{connector.name}', tls_certificate_file",
                "Give tls_certificate_file and tls_key_file, or take Tls out of auth_mechanism.",
                CapabilityError,
            )
