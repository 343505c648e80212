# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.loader import shell_loader

ROOT = Path(__file__).resolve().parents[4]
NAMES = sorted(path.stem for path in (ROOT / "plugins/action").glob("*.py"))
CONNECTORS = {"connectors": [{"name": "A", "enabled": True}, {"name": "B", "enabled": False}]}


def run(
    name: str, *, windows: bool = False, answer: dict[str, Any] | None = None, **args: Any
) -> tuple[Any, mock.Mock]:
    """The result of the action plugin and the stand-in for the call of the module."""
    action_class = importlib.import_module(f"ansible_collections.mailops.relay.plugins.action.{name}").ActionModule
    task, connection = mock.Mock(args=args, async_val=0), mock.Mock()
    connection._shell = shell_loader.get("powershell" if windows else "sh")
    action = action_class(task, connection, mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock())
    action._execute_module = mock.Mock(return_value=dict(answer or {"changed": False}))
    return action.run(task_vars={}), action._execute_module


def test_every_module_has_its_action() -> None:
    assert sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_other_hosts_get_the_module_of_that_name(name: str) -> None:
    result, execute = run(name, backend="aiosmtpd", answer={"changed": True})
    assert result == {"changed": True}
    call = execute.call_args.kwargs
    assert call["module_name"] == f"mailops.relay.{name}"
    assert call["module_args"] == {"backend": "aiosmtpd"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["aiosmtpd", "postfix", None])
def test_a_windows_host_takes_exchange_only(name: str, backend: str | None) -> None:
    with pytest.raises(AnsibleActionFail, match=f"a Windows host takes 'exchange' only, got {backend!r}"):
        run(name, windows=True, backend=backend)


def test_exchange_is_not_built_yet() -> None:
    with pytest.raises(AnsibleActionFail, match="'exchange' is not built yet"):
        run("receive_connectors", windows=True, backend="exchange")


def test_a_query_is_applied_on_the_controller() -> None:
    result, execute = run("receive_connectors_info", answer=CONNECTORS, query="connectors[?enabled].name")
    assert result == {**CONNECTORS, "query_result": ["A"]}
    assert execute.called


def test_a_failure_is_passed_on_without_a_query_result() -> None:
    failed = {"failed": True, "msg": "x"}
    assert run("receive_connectors_info", answer=failed, query="connectors")[0] == failed


@pytest.mark.parametrize("query", ["connectors[", 7])
def test_a_query_that_is_none_fails_before_anything_is_asked(query: Any) -> None:
    with pytest.raises(AnsibleActionFail, match="query: not a JMESPath expression, got"):
        run("receive_connectors_info", answer=CONNECTORS, query=query)


def test_a_query_that_does_not_fit() -> None:
    with pytest.raises(AnsibleActionFail, match="query: it does not fit the result"):
        run("receive_connectors_info", answer=CONNECTORS, query="abs(connectors)")


def test_a_controller_without_jmespath_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("ansible_collections.mailops.relay.plugins.action.receive_connectors_info")
    monkeypatch.setattr(module, "jmespath", None)
    with pytest.raises(AnsibleActionFail, match="the controller lacks the Python package jmespath"):
        run("receive_connectors_info", query="connectors")
