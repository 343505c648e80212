# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module as a front of the task runner, on the target."""

from __future__ import annotations

from typing import NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._backends import make_backend
from ._connector.errors import RelayError
from ._engine.task import failure, run


def run_module(module: AnsibleModule, kind: str) -> NoReturn:
    """:param kind: of the task, see :func:`._engine.task.run`"""
    try:
        result = run(kind, make_backend(module.params), module.params, check=module.check_mode)
    except RelayError as error:
        for warning in error.warnings:
            module.warn(warning)
        module.fail_json(**failure(module.params["backend"], error))
        raise AssertionError("fail_json returned") from error
    for warning in result.warnings:
        module.warn(warning)
    module.exit_json(**result.shown(module._diff))
    raise AssertionError("exit_json returned")
