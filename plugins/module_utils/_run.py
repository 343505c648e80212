# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wire modules to the engine: the one place where errors and outcomes become task results."""

from __future__ import annotations

from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._accounts.converge import converge_accounts
from ._backends import make_backend
from ._connector.errors import RelayError
from ._engine.converge import converge
from ._engine.guard import Limits, parse_sources
from ._engine.info import render_info, select_connector
from ._engine.merge import Options
from ._engine.result import render_accounts, render_outcome, render_service
from ._engine.service import converge_service


def run_converge(module: AnsibleModule, kind: str, options: Options) -> NoReturn:
    """:param kind: ``connector`` or ``domain``, which the result is about"""
    entries = (options.connectors if kind == "connector" else options.accepted_domains) or ()
    try:
        limits = Limits(
            module.params["max_relay_addresses"],
            module.params["allow_open_relay"],
            module.params.get("allow_expired_certificate", False),
            parse_sources(module.params["shared_sources"]),
        )
        outcome = converge(make_backend(module.params), options, check=module.check_mode, limits=limits)
    except RelayError as error:
        _fail(module, error)
    for warning in outcome.warnings:
        module.warn(warning)
    _exit(module, render_outcome(module.params["backend"], outcome, kind, [entry["name"] for entry in entries]))


def run_service(module: AnsibleModule) -> NoReturn:
    try:
        service = make_backend(module.params).service
        state, only_if_required = module.params["state"], module.params["only_if_required"]
        outcome = converge_service(service, state, only_if_required=only_if_required, check=module.check_mode)
    except RelayError as error:
        _fail(module, error)
    _exit(module, render_service(module.params["backend"], outcome))


def run_accounts(module: AnsibleModule) -> NoReturn:
    entries, purge = module.params["accounts"], module.params["purge"]
    try:
        store = make_backend(module.params).accounts
        outcome = converge_accounts(store, entries, purge=purge, check=module.check_mode)
    except RelayError as error:
        _fail(module, error)
    _exit(module, render_accounts(module.params["backend"], outcome, [entry["name"] for entry in entries]))


def run_info(module: AnsibleModule) -> NoReturn:
    try:
        backend = make_backend(module.params)
        with backend.transaction(read_only=True):
            state = backend.read()
        selected = select_connector(state, module.params["connector_for"])
        result = render_info(backend.name, state, backend.service.facts(state.policy), selected)
    except RelayError as error:
        _fail(module, error)
    module.exit_json(changed=False, **result)
    raise AssertionError("exit_json returned")


def _fail(module: AnsibleModule, error: RelayError) -> NoReturn:
    module.fail_json(msg=str(error), error=error.kind)
    raise AssertionError("fail_json returned")


def _exit(module: AnsibleModule, result: dict[str, Any]) -> NoReturn:
    if not module._diff:
        del result["diff"]
    module.exit_json(**result)
    raise AssertionError("exit_json returned")
