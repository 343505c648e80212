# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says of options, examples and results is what the code has."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from generate_docs import CAPABILITIES, PAGES

from ansible_collections.mailops.relay.plugins.module_utils import _argument_spec as spec
from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.options import OPTIONS
from ansible_collections.mailops.relay.plugins.module_utils._backends import BACKENDS
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import (
    CONNECTOR_PROPERTIES,
    USAGE,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.property import Property
from support.modules import Runner

ROOT = Path(__file__).resolve().parents[4]
KINDS = {
    "receive_connectors": "connectors",
    "accepted_domains": "accepted_domains",
    "receive_connectors_info": "info",
    "relay_accounts": "accounts",
    "relay_settings": "settings",
    "transport_service": "service",
}
SPECS = {name: spec.argument_spec(kind) for name, kind in KINDS.items()}
TASKS: dict[str, dict[str, Any]] = {
    "receive_connectors": {"connectors": []},
    "accepted_domains": {"accepted_domains": []},
    "receive_connectors_info": {},
    "relay_accounts": {"accounts": []},
    "relay_settings": {"max_relay_addresses": 20},
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


def told(options: dict[str, Any]) -> dict[str, Any]:
    """What documentation or argument spec say of options that a user can see: type, choices, default, below them."""
    return {
        name: {
            **{key: option[key] for key in ("choices", "default", "elements") if key in option},
            "type": option["type"],
            "required": option.get("required", False),
            "options": told(option.get("suboptions") or option.get("options") or {}),
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", SPECS)
def test_every_option_is_documented_as_it_is(name: str) -> None:
    documentation = yaml.safe_load(module(name).DOCUMENTATION)
    fragments = {"mailops.relay.backend": spec.backend_spec(), "mailops.relay.guard": spec.guard_spec()}
    shared = {key for name in documentation["extends_documentation_fragment"] for key in fragments.get(name, {})}
    own = {key: option for key, option in SPECS[name].items() if key not in shared}
    assert told(documentation.get("options") or {}) == told(own)


@pytest.mark.parametrize("row", [*CONNECTOR_PROPERTIES, USAGE], ids=lambda row: row.option)
def test_ansible_itself_refuses_a_word_that_is_no_choice(row: Property) -> None:
    options = spec.connectors_spec()["connectors"]["options"]
    assert options[row.option].get("choices", []) == ([] if row.is_list else list(row.choices))


SINCE = {"07s": "2007 SP1", "10": "2010", "10s": "2010 SP2", "13": "2013", "16": "2016"}
ROWS = (*CONNECTOR_PROPERTIES, USAGE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.option)
def test_a_row_is_documented_with_versions_and_values(row: Property) -> None:
    documentation = yaml.safe_load(module("receive_connectors").DOCUMENTATION)
    documented = documentation["options"]["connectors"]["suboptions"][row.option]
    text = " ".join(str(documented["description"]).split())
    assert documented["type"] == row.type
    assert re.findall(r"Exchange (20\d\d(?: SP\d)?) and newer", text) == [
        SINCE[key] for key in SINCE if key == row.since
    ]
    assert all(f"V({choice})" in text for choice in row.choices)
    assert not re.search("|".join(BACKENDS), text.replace("O(backend=exchange)", ""))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    assert path.read_text() == PAGES[path](), "run: make generate"


def test_the_table_says_of_every_option_what_the_relay_does() -> None:
    lines = [line.strip("| ").split(" | ") for line in CAPABILITIES.read_text().splitlines() if line[:3] == "| `"]
    told = {option.strip("`"): relay for option, _values, relay, _exchange in lines}
    assert list(told) == [row.option for row in CONNECTOR_PROPERTIES]
    assert told["enabled"] == "yes"
    assert told["auth_mechanism"] == "`Tls`, `BasicAuth`, `BasicAuthRequireTLS`"
    assert told["default_domain"] == "always `''`"
    assert told["message_rate_source"] == "always `[]`"
    assert told["chunking_enabled"] == "always `false`"
    assert told["transport_role"] == "no"


# some rule is about them
WITH_RULES = {"domain_secure_enabled", "chunking_enabled", "binary_mime_enabled", "transport_role"}


@pytest.fixture(scope="module")
def shipped() -> dict[str, str]:
    """The text of every file that users run, and of the generated ones, by its path."""
    folders = [ROOT / name for name in ("plugins", "roles", "playbooks", "meta")]
    run = (path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".yml", ".ps1"))
    return {str(path.relative_to(ROOT)): path.read_text() for path in (*run, *PAGES)}


@pytest.mark.parametrize(
    "row", [row for row in CONNECTOR_PROPERTIES if row.option not in OPTIONS | WITH_RULES], ids=lambda row: row.option
)
def test_an_option_that_only_exchange_has_is_said_in_two_files(row: Property, shipped: dict[str, str]) -> None:
    """Beside the generated ones, the backend that always does the same, and roles that make use of it."""
    names = re.compile(rf"\b({row.option}|{row.exchange})\b")
    found = {path for path, text in shipped.items() if names.search(text) and not path.startswith("roles/")}
    generated = {"docs/capabilities.md", "docs/exchange-snapshot.ps1"}
    assert found - {"plugins/module_utils/_aiosmtpd/options.py"} == {
        "plugins/module_utils/_connector/model.py",
        "plugins/modules/receive_connectors.py",
        *generated,
    }
