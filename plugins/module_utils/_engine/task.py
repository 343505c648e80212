# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One runner for the tasks of all modules: from validated options to a result, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable

from .._accounts.converge import converge_accounts
from .._connector.errors import CapabilityError, RelayError
from .backend import ApplyError, Backend
from .converge import converge
from .guard import Limits, parse_limits
from .info import connector_for, render_info
from .merge import Options
from .result import render_accounts, render_outcome, render_service, render_state
from .service import Wish, converge_service

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """``values``: keys of the task result; ``diff`` stands apart, because it is shown on request only."""

    values: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    diff: Mapping[str, str] | None = None

    def shown(self, diff: bool) -> dict[str, Any]:
        """The keys of the task result."""
        return {**self.values, "diff": dict(self.diff)} if diff and self.diff is not None else dict(self.values)


def run(kind: str, backend: Backend, params: Params, *, check: bool) -> Result:
    """:param kind: ``connectors``, ``accepted_domains``, ``settings``, ``accounts``, ``service`` or ``info``

    :raises RelayError: nothing was changed, unless it is an ApplyError
    """
    return _RUNNERS[kind](backend, params, check)


def failure(backend: str, error: RelayError) -> dict[str, Any]:
    """The keys of the result of a task that failed."""
    result: dict[str, Any] = {"msg": str(error), "error": error.kind}
    if isinstance(error, ApplyError):
        result.update(changed=True, backend=backend, commands=list(error.done))
        result["after"] = None if error.reading is None else render_state(error.reading.state)
    return result


def _connectors(backend: Backend, params: Params, check: bool) -> Result:
    options = Options(connectors=params["connectors"], purge=params["purge"])
    consents = {"allow_expired_certificate": params["allow_expired_certificate"]}
    return _converged(backend, "connectors", options, check, replace(_limits(params), **consents))


def _accepted_domains(backend: Backend, params: Params, check: bool) -> Result:
    entries = params["accepted_domains"]
    options = Options(accepted_domains=entries, purge=params["purge"])
    given_up = tuple(str(entry["name"]).strip().lower() for entry in entries if entry.get("state") == "absent")
    return _converged(backend, "accepted_domains", options, check, replace(_limits(params), given_up=given_up))


def _limits(params: Params) -> Limits:
    return replace(
        parse_limits(params["max_relay_addresses"], params["shared_sources"]),
        allow_open_relay=params["allow_open_relay"],
        allow_inbound_loss=params["allow_inbound_loss"],
    )


def _settings(backend: Backend, params: Params, check: bool) -> Result:
    if not backend.keeps_settings:
        raise CapabilityError(
            f"backend {backend.name} has no settings of its own here",
            where="backend",
            value=backend.name,
            way_out="They belong to the server: its name, its send connectors and its limits are managed there. "
            "Give the limits to receive_connectors.",
        )
    return _converged(backend, "settings", Options(settings=params), check, Limits())


def _converged(backend: Backend, kind: str, options: Options, check: bool, limits: Limits) -> Result:
    outcome = converge(backend, options, check=check, limits=limits)
    entries = options.connectors if kind == "connectors" else options.accepted_domains
    values, diff = render_outcome(backend.name, outcome, kind, [str(entry["name"]) for entry in entries or ()])
    return Result(values, outcome.warnings, diff)


def _accounts(backend: Backend, params: Params, check: bool) -> Result:
    if backend.accounts is None:
        raise CapabilityError(
            f"backend {backend.name} has no accounts of its own",
            where="backend",
            value=backend.name,
            way_out="Its accounts are users of the directory; ExchangeUsers in permission_groups lets them submit.",
        )
    entries, purge = params["accounts"], params["purge"]
    outcome = converge_accounts(backend.accounts, entries, purge=purge, check=check)
    values, diff = render_accounts(backend.name, outcome, [str(entry["name"]) for entry in entries])
    return Result(values, (), diff)


def _service(backend: Backend, params: Params, check: bool) -> Result:
    wish = Wish(params["state"], params["only_if_required"], params["restart_in_maintenance"])
    outcome = converge_service(backend.service, wish, check=check)
    values, diff = render_service(backend.name, outcome)
    return Result(values, outcome.warnings, diff)


def _info(backend: Backend, params: Params, check: bool) -> Result:
    with backend.transaction(read_only=True):
        reading = backend.read()
    selected = connector_for(reading, params["connector_for"])
    warnings = tuple(notice.text for notice in reading.notices)
    return Result({"changed": False, **render_info(backend.name, reading, selected)}, warnings)


_RUNNERS: Mapping[str, Callable[[Backend, Params, bool], Result]] = {
    "connectors": _connectors,
    "accepted_domains": _accepted_domains,
    "settings": _settings,
    "accounts": _accounts,
    "service": _service,
    "info": _info,
}
