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
from .._connector.model import State
from .._connector.rights import ANONYMOUS, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, SUBMIT
from .._engine.backend import Backend, Capabilities
from .._engine.operations import Operation, apply_operation
from .files import locked
from .ports import refuse_unavailable
from .service import RelayProcess
from .store import read_settings, read_store, write_store


class AiosmtpdBackend(Backend):
    """A relay directory on the machine this runs on."""

    name = "aiosmtpd"
    service: RelayProcess
    capabilities = Capabilities(
        permission_groups=frozenset({"AnonymousUsers"}),
        principals=frozenset({ANONYMOUS}),
        rights=frozenset({SUBMIT, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER}),
        domains_need_next_hop=True,
        catch_all_domain=False,
    )

    def __init__(self, directory: str) -> None:
        if "\0" in directory or not os.path.isabs(directory):
            way_out = "Give the directory as it is on the target, beginning with a slash."
            raise InputError("not an absolute path", where="directory", value=directory, way_out=way_out)
        self._directory = directory
        self.service = RelayProcess(directory)

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

    def preflight(self, bindings: Sequence[Binding]) -> None:
        refuse_unavailable(bindings, self.service.own_bindings())

    def apply(self, operations: Sequence[Operation]) -> None:
        state = read_store(self._directory)
        for operation in operations:
            state = apply_operation(state, operation)
        write_store(self._directory, state)
