# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wire modules to the engine: the one place where errors and outcomes become task results."""

from __future__ import annotations

from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._backends import make_backend
from ._connector.errors import RelayError
from ._connector.merge import Options
from ._engine.converge import converge
from ._engine.guard import Limits
from ._engine.result import render_outcome, render_service
from ._engine.service import converge_service


def run_converge(module: AnsibleModule, kind: str, options: Options) -> NoReturn:
    """:param kind: ``connector`` or ``domain``, which the result is about"""
    limits = Limits(module.params["max_relay_addresses"], module.params["allow_open_relay"])
    entries = (options.connectors if kind == "connector" else options.domains) or ()
    try:
        outcome = converge(make_backend(module.params), options, check=module.check_mode, limits=limits)
    except RelayError as error:
        _fail(module, error)
    for warning in outcome.warnings:
        module.warn(warning)
    _exit(module, render_outcome(module.params["backend"], outcome, kind, [entry["name"] for entry in entries]))


def run_service(module: AnsibleModule) -> NoReturn:
    try:
        service = make_backend(module.params).service
        outcome = converge_service(
            service, module.params["state"], only_if_required=module.params["only_if_required"], check=module.check_mode
        )
    except RelayError as error:
        _fail(module, error)
    _exit(module, render_service(module.params["backend"], outcome))


def _fail(module: AnsibleModule, error: RelayError) -> NoReturn:
    module.fail_json(msg=str(error), error=error.kind)
    raise AssertionError("fail_json returned")


def _exit(module: AnsibleModule, result: dict[str, Any]) -> NoReturn:
    if not module._diff:
        del result["diff"]
    module.exit_json(**result)
    raise AssertionError("exit_json returned")
