# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The aiosmtpd backend: every plan is one swap of the store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from .._connector.addresses import Binding
from .._connector.errors import InputError, StoreError
from .._connector.model import Connector
from .._connector.rights import ANONYMOUS, ANY_RECIPIENT, ANY_SENDER, AUTHENTICATED, AUTHORITATIVE_SENDER, SUBMIT
from .._engine.backend import Backend, Capabilities
from .._engine.operations import Operation, apply_operation
from .._host.certificates import check_certificate
from .._host.locks import locked
from .._host.ports import refuse_unavailable
from .._policy.state import State
from .accounts import AccountsFile
from .options import FIXED, OPTIONS
from .service import RelayProcess
from .store import read_settings, read_store, write_store


class AiosmtpdBackend(Backend):
    """A relay directory on the machine this runs on."""

    name = "aiosmtpd"
    service: RelayProcess
    capabilities = Capabilities(
        options=OPTIONS,
        fixed=FIXED,
        permission_groups=frozenset({"AnonymousUsers", "ExchangeUsers"}),
        auth_mechanisms=frozenset({"Tls", "BasicAuth", "BasicAuthRequireTLS"}),
        principals=frozenset({ANONYMOUS, AUTHENTICATED}),
        rights=frozenset({SUBMIT, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER}),
        domains_need_next_hop=True,
        catch_all_domain=False,
        certificate_files=True,
        atomic=True,
    )

    def __init__(self, directory: str) -> None:
        if "\0" in directory or not os.path.isabs(directory):
            way_out = "Give the directory as it is on the target, beginning with a slash."
            raise InputError("not an absolute path", where="directory", value=directory, way_out=way_out)
        self._directory = directory
        self.service = RelayProcess(directory)
        self.accounts = AccountsFile(directory)

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Readers need no lock: the store is only ever replaced as a whole."""
        if read_only:
            yield
            return
        if read_settings(self._directory) is None:
            way_out = "Run the role relay_server first, or name its directory."
            raise StoreError("there is no relay here", where=self._directory, way_out=way_out)
        with locked(os.path.join(self._directory, "store.lock")):
            yield

    def read(self) -> State:
        settings = read_settings(self._directory)
        built_in = () if settings is None else (f"Default {settings['server_name']}",)
        return replace(read_store(self._directory), built_in=built_in)

    def preflight(self, bindings: Sequence[Binding], changed: Sequence[Connector]) -> list[str]:
        refuse_unavailable(bindings, self.service.own_bindings())
        found = (check_certificate(connector) for connector in changed if connector.tls_certificate_file)
        return [dates for dates in found if dates]

    def apply(self, operations: Sequence[Operation]) -> None:
        state = read_store(self._directory)
        for operation in operations:
            state = apply_operation(state, operation)
        write_store(self._directory, state)
