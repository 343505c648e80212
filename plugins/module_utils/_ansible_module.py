# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module as a front of the task runner, on the target."""

from __future__ import annotations

from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._argument_spec import argument_spec
from ._backends import make_backend
from ._connector.errors import InputError, RelayError
from ._engine.task import failure, run


class RelayModule(AnsibleModule):
    """What Ansible itself refuses, such as a wrong type or an unknown option, names its sort too."""

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        super().fail_json(msg, **{"error": InputError.kind, **kwargs})
        raise AssertionError("fail_json returned")


def run_module(kind: str) -> NoReturn:
    """:param kind: of the task, see :func:`._engine.task.run`"""
    module = RelayModule(argument_spec=argument_spec(kind), supports_check_mode=True)
    try:
        result = run(kind, make_backend(module.params), module.params, check=module.check_mode)
    except RelayError as error:
        for warning in error.warnings:
            module.warn(warning)
        module.fail_json(**failure(module.params["backend"], error))
    for warning in result.warnings:
        module.warn(warning)
    module.exit_json(**result.shown(module._diff))
    raise AssertionError("exit_json returned")
