# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The aiosmtpd backend: every plan is one swap of the store."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from .._connector.addresses import Binding, parse_binding
from .._connector.errors import ServiceError, StoreError
from .._connector.model import State
from .._connector.rights import ANONYMOUS, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER, SUBMIT
from .._engine.backend import Backend, Capabilities
from .._engine.operations import Operation, apply_operation
from .files import locked
from .service import RelayProcess
from .store import read_settings, read_store, write_store


class AiosmtpdBackend(Backend):
    """A relay directory on the machine this runs on."""

    name = "aiosmtpd"
    capabilities = Capabilities(
        permission_groups=frozenset({"AnonymousUsers"}),
        principals=frozenset({ANONYMOUS}),
        rights=frozenset({SUBMIT, ANY_RECIPIENT, ANY_SENDER, AUTHORITATIVE_SENDER}),
        domains_need_next_hop=True,
        catch_all_domain=False,
    )

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._read_only = True
        self.service = RelayProcess(directory)

    @contextmanager
    def transaction(self, read_only: bool) -> Iterator[None]:
        """Readers need no lock: the store is only ever replaced as a whole."""
        self._read_only = read_only
        if read_only:
            yield
            return
        with locked(os.path.join(self._directory, "store.lock")):
            yield

    def read(self) -> State:
        settings = read_settings(self._directory)
        if settings is None and not self._read_only:
            way_out = "Run the role relay_server first, or name its directory."
            raise StoreError("there is no relay here", where=self._directory, way_out=way_out)
        built_in = () if settings is None else (f"Default {settings['server_name']}",)
        return replace(read_store(self._directory), built_in=built_in)

    def preflight(self, bindings: Sequence[Binding]) -> None:
        ours = {_binding(address, port) for address, port in self.service.facts().listeners}
        for binding in bindings:
            if not any(_shares_socket(binding, other) for other in ours):
                _try_to_bind(binding)

    def apply(self, operations: Sequence[Operation]) -> None:
        state = read_store(self._directory)
        for operation in operations:
            state = apply_operation(state, operation)
        write_store(self._directory, state)


def _binding(address: str, port: int) -> Binding:
    return parse_binding(f"[{address}]:{port}" if ":" in address else f"{address}:{port}", "status.json, listeners")


def _shares_socket(binding: Binding, other: Binding) -> bool:
    """Our own daemon holds it, or the wildcard or a specific address that it will give up for it."""
    return other.wildcard == binding.wildcard and (other == binding or 0 in (other.address, binding.address))


def _try_to_bind(binding: Binding) -> None:
    family = socket.AF_INET if binding.version == 4 else socket.AF_INET6
    where = f"binding {binding}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if binding.version == 6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((binding.host, binding.port))
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServiceError(
                "the port is in use by another program", where=where, way_out="Stop it, or choose another port."
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            way_out = "Bindings are addresses of the relay itself, not of its clients: use one that this host has."
            raise ServiceError("this host does not have that address", where=where, way_out=way_out) from error
        way_out = "Ports below 1024 need root or a service manager that opens them."
        raise ServiceError(f"cannot listen: {error.strerror}", where=where, way_out=way_out) from error
