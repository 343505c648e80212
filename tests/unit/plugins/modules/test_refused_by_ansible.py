# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible's own validation refuses names its sort, as every error of ours does."""

from __future__ import annotations

from typing import Any

import pytest

from support.modules import ModuleFailed, Runner

MODULES: dict[str, dict[str, Any]] = {
    "receive_connectors": {"connectors": []},
    "accepted_domains": {"accepted_domains": []},
    "receive_connectors_info": {},
    "relay_accounts": {"accounts": []},
    "relay_settings": {},
    "transport_service": {"state": "stopped"},
}
REQUIRED = {name: next(iter(options)) for name, options in MODULES.items() if options}


def refused(run: Runner, module: str, **options: Any) -> str:
    untouched = run.snapshot()
    with pytest.raises(ModuleFailed) as caught:
        run(module, **options)
    assert caught.value.result["error"] == "input"
    assert run.snapshot() == untouched
    return str(caught.value.result["msg"])


@pytest.mark.parametrize("module", MODULES)
def test_an_option_that_is_not_known(run: Runner, module: str) -> None:
    assert "colour" in refused(run, module, **MODULES[module], colour="red")


@pytest.mark.parametrize("module", MODULES)
def test_a_backend_that_there_is_not(run: Runner, module: str) -> None:
    assert "value of backend must be one of" in refused(run, module, **MODULES[module], backend="sendmail")


@pytest.mark.parametrize(("module", "option"), REQUIRED.items())
def test_an_option_that_is_missing(run: Runner, module: str, option: str) -> None:
    assert f"missing required arguments: {option}" in refused(run, module)


@pytest.mark.parametrize(
    ("module", "options", "says"),
    [
        ("receive_connectors", {"connectors": {"name": "A"}}, "'connectors' is of type dict"),
        ("receive_connectors", {"connectors": [{"name": "A", "enabled": "perhaps"}]}, "'enabled' is of type str"),
        ("receive_connectors", {"connectors": [], "max_relay_addresses": "many"}, "unable to convert to int"),
        ("accepted_domains", {"accepted_domains": [{"type": "InternalRelay"}]}, "missing required arguments: name"),
        ("relay_settings", {"smarthost": {"port": "smtp"}}, "'port' is of type str"),
        ("transport_service", {"state": "reloaded"}, "value of state must be one of"),
    ],
)
def test_a_value_of_another_type(run: Runner, module: str, options: dict[str, Any], says: str) -> None:
    assert says in refused(run, module, **options)
