# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says of options, examples and results is what the code has."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mailops.relay.plugins.module_utils import _spec as spec
from support.modules import Runner

ROOT = Path(__file__).resolve().parents[4]
BACKEND = spec.backend_spec()
SPECS = {
    "receive_connectors": {**BACKEND, **spec.guard_spec(), **spec.connectors_spec()},
    "accepted_domains": {**BACKEND, **spec.guard_spec(), **spec.domains_spec()},
    "receive_connectors_info": {**BACKEND, **spec.info_spec()},
    "relay_accounts": {**BACKEND, **spec.accounts_spec()},
    "transport_service": {**BACKEND, **spec.service_spec()},
}
TASKS: dict[str, dict[str, Any]] = {
    "receive_connectors": {"connectors": []},
    "accepted_domains": {"domains": []},
    "receive_connectors_info": {},
    "relay_accounts": {"accounts": []},
    "transport_service": {"state": "stopped"},
}


def module(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.mailops.relay.plugins.modules.{name}")


def test_every_module_is_looked_at() -> None:
    assert set(SPECS) == {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())
    assert set(SPECS) <= set(runtime["action_groups"]["all"])


@pytest.mark.parametrize("name", SPECS)
def test_examples_fit_the_argument_spec(name: str) -> None:
    tasks = yaml.safe_load(module(name).EXAMPLES)
    assert tasks
    for task in tasks:
        arguments = {
            key: value for key, value in task[f"mailops.relay.{name}"].items() if not str(value).startswith("{{")
        }
        needed = TASKS[name] if len(arguments) < len(task[f"mailops.relay.{name}"]) else {}
        result = ArgumentSpecValidator(SPECS[name]).validate({**needed, **arguments})
        assert not result.error_messages


@pytest.mark.parametrize("name", SPECS)
def test_results_are_documented(run: Runner, name: str) -> None:
    documented = yaml.safe_load(module(name).RETURN)
    result = run(name, diff=False, check=True, **TASKS[name])
    assert set(result) - {"changed", "invocation", "warnings"} == set(documented) - {"error", "query_result"}
