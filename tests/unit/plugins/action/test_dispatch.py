# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import shell_loader
from winrm.exceptions import WSManFaultError

from ansible_collections.mailops.relay.plugins.module_utils._connector.addresses import parse_range
from ansible_collections.mailops.relay.plugins.module_utils._connector.model import AcceptedDomain
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import HOST, READ
from support import exchange

ROOT = Path(__file__).resolve().parents[4]
NAMES = sorted(path.stem for path in (ROOT / "plugins/action").glob("*.py"))
SECRET = "correct horse"
CONNECTORS = {"connectors": [{"name": "A", "enabled": True}, {"name": "B", "enabled": False}]}


def run(
    name: str,
    *,
    windows: bool = False,
    check: bool = False,
    folder: Path | None = None,
    answer: dict[str, Any] | Exception | list[Any] | None = None,
    **args: Any,
) -> tuple[Any, mock.Mock]:
    """The result of the action plugin and the stand-in for the call of the module."""
    action_class = importlib.import_module(f"ansible_collections.mailops.relay.plugins.action.{name}").ActionModule
    task, connection, loader = (
        mock.Mock(args=args, async_val=0, diff=False, check_mode=check),
        mock.Mock(),
        DataLoader(),
    )
    task.get_search_path.return_value = [str(folder)]
    connection._shell = shell_loader.get("powershell" if windows else "sh")
    action = action_class(task, connection, mock.Mock(), loader, mock.Mock(), mock.Mock())
    failure = answer if isinstance(answer, (Exception, list)) else None
    result = dict(answer or {"changed": False}) if not isinstance(answer, (Exception, list)) else None
    action._execute_module = mock.Mock(return_value=result, side_effect=failure)
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


@pytest.mark.parametrize(
    ("name", "option"), [("receive_connectors", "connectors"), ("accepted_domains", "accepted_domains")]
)
def test_a_null_option_of_an_entry_is_as_good_as_none(name: str, option: str) -> None:
    entries: list[Any] = [
        {"name": "A", "type": None, "usage": None, 1: 2},
        "no entry",
        {"name": "B", "remove": {"add": None}},
    ]
    _result, execute = run(name, backend="aiosmtpd", directory=None, **{option: entries})
    assert execute.call_args.kwargs["module_args"] == {
        "backend": "aiosmtpd",
        "directory": None,
        option: [{"name": "A", "1": 2}, "no entry", {"name": "B", "remove": {"add": None}}],
    }


INF = float("inf")


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        (
            "receive_connectors",
            {"max_relay_addresses": INF},
            "max_relay_addresses: not a number, got inf. Give a whole",
        ),
        ("receive_connectors", {"max_relay_addresses": " -Infinity"}, "max_relay_addresses: not a number, got ' -Inf"),
        ("receive_connectors", {"max_relay_addresses": "1e999999999"}, "max_relay_addresses: not a number, got '1e9"),
        ("relay_settings", {"max_relay_addresses": [0, 1, 1 << 63]}, "max_relay_addresses: not a number, got [0, 1"),
        ("relay_settings", {"max_relay_addresses": [0, [5], 0]}, "max_relay_addresses: not a number, got [0, [5], 0]"),
        ("relay_settings", {"smarthost": {"port": -INF}}, "smarthost, port: not a number, got -inf. Give a whole"),
        ("relay_settings", {"smarthost": [None]}, "smarthost: not a dictionary of options. Give options, such as host"),
        ("relay_settings", {"smarthost": [SECRET, 1]}, "smarthost: not a dictionary of options. Give options, such as"),
        ("relay_settings", {"smarthost": 25}, "smarthost: not a dictionary of options"),
        ("receive_connectors_info", {"connector_for": [None]}, "connector_for: not a dictionary of options. Give"),
    ],
)
@pytest.mark.parametrize("backend", ["aiosmtpd", "exchange"])
def test_what_ends_in_a_traceback_of_ansible_does_not_reach_it(
    name: str, options: dict[str, Any], says: str, backend: str
) -> None:
    result, execute = run(name, windows=backend == "exchange", backend=backend, **options)
    assert (result["failed"], result["error"]) == (True, "input")
    assert result["msg"].startswith(says)
    assert SECRET not in result["msg"]
    assert not execute.called


@pytest.mark.parametrize(
    "options",
    [
        {"max_relay_addresses": "20", "smarthost": None},
        {"max_relay_addresses": 10**5000, "smarthost": {"host": "h.test", "port": "25"}},
        {"max_relay_addresses": 20.0, "smarthost": "host=h.test"},
        {"max_relay_addresses": "many", "shared_sources": [INF]},
    ],
)
def test_what_ansible_can_judge_reaches_it(options: dict[str, Any]) -> None:
    _result, execute = run("relay_settings", backend="aiosmtpd", **options)
    assert execute.call_args.kwargs["module_args"] == {"backend": "aiosmtpd", **options}


def test_names_of_options_that_are_no_text_are_refused_and_not_joined() -> None:
    """Ansible joins unknown names to one text and fails on a number."""
    question = {"binding": "0.0.0.0:25", "client": "10.0.0.1", 1: 2, None: 3}
    result, execute = run("receive_connectors_info", windows=True, backend="exchange", connector_for=question)
    assert (result["failed"], result["error"]) == (True, "input")
    assert "connector_for.1, connector_for.None" in result["msg"]
    assert not execute.called


PASSWORD = {"name": "a", "password": SECRET}


@pytest.mark.parametrize(
    ("accounts", "says"),
    [
        ([[PASSWORD]], "account 0: not a dictionary of options (value hidden)"),
        ([PASSWORD, SECRET], "account 1: not a dictionary of options (value hidden)"),
        ({"a": PASSWORD}, "accounts: not a list of accounts (value hidden)"),
        (SECRET, "accounts: not a list of accounts (value hidden)"),
        ([{"name": "a", "passwort": SECRET}], "account 'a', passwort: an option that is not known (value hidden)"),
        ([{"name": "a", "password": {SECRET: None}}], "account 'a', password: a password that is not text (value"),
        ([{"name": 5, "password": [SECRET]}], "account 0, password: a password that is not text (value hidden)"),
        ([{"name": "a", "password_hash": {SECRET: 1}}], "account 'a', password_hash: not a password hash of a scheme"),
    ],
)
def test_accounts_that_ansible_would_show_do_not_reach_it(accounts: Any, says: str) -> None:
    """It shows the keys of a dictionary, options that it does not know, and what it cannot convert."""
    result, execute = run("relay_accounts", backend="aiosmtpd", accounts=accounts)
    assert (result["failed"], result["error"]) == (True, "input")
    assert says in result["msg"]
    assert SECRET not in str(result)
    assert not execute.called


def test_accounts_as_they_should_be_reach_the_module() -> None:
    accounts = [{"name": 5, "state": "absent"}, {"name": "b", "password": None, "password_hash": SECRET}]
    _result, execute = run("relay_accounts", backend="aiosmtpd", accounts=accounts)
    assert execute.call_args.kwargs["module_args"]["accounts"] == [
        {"name": 5, "state": "absent"},
        {"name": "b", "password_hash": SECRET},
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["aiosmtpd", "postfix", None])
def test_a_windows_host_takes_exchange_only(name: str, backend: str | None) -> None:
    result, execute = run(name, windows=True, backend=backend)
    assert (result["failed"], result["error"]) == (True, "capability")
    seen = f"a Windows host takes 'exchange' only, got {backend!r}" if backend else "takes 'exchange' only. Set backend"
    assert seen in result["msg"]
    assert not execute.called


def test_a_connection_that_is_lost_while_it_writes_leaves_the_outcome_unknown() -> None:
    change = [{"name": exchange.SCAN.name, "comment": "another"}]
    read = exchange.answers([exchange.SCAN])
    args = {"windows": True, "backend": "exchange", "connectors": change}
    result, execute = run("receive_connectors", answer=[read, ConnectionResetError("reset")], **args)
    assert (result["error"], execute.call_count) == ("apply", 2)
    assert "nobody knows how far it came" in result["msg"]
    assert "The outcome is unknown" in result["msg"]
    with pytest.raises(AnsibleConnectionFailure, match="The outcome is unknown"):  # the host is unreachable
        run("receive_connectors", answer=[read, AnsibleConnectionFailure("timed out")], **args)


def test_connectors_that_are_as_they_should_be_are_no_write() -> None:
    answer, task = exchange.answers([exchange.SCAN]), [{"name": exchange.SCAN.name, "enabled": True}]
    result, _execute = run("receive_connectors", windows=True, answer=answer, backend="exchange", connectors=task)
    assert (result["changed"], result["before"]) == (False, result["after"])


@pytest.mark.parametrize("windows", [True, False])
@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("relay_accounts", {"accounts": []}, "backend exchange has no accounts of its own"),
        ("relay_settings", {}, "backend exchange has no settings of its own here"),
    ],
)
def test_what_exchange_does_not_have_is_refused_without_asking(
    name: str, args: dict[str, Any], says: str, windows: bool
) -> None:
    result, execute = run(name, windows=windows, backend="exchange", **args)
    assert (result["failed"], result["error"]) == (True, "capability")
    assert says in result["msg"]
    assert not execute.called


def test_the_limits_of_a_task_on_exchange_are_its_own_or_256() -> None:
    """Nothing of ours is stored there."""
    ranges = parse_range("10.0.0.0/22", "x")
    answer = exchange.answers([replace(exchange.SCAN, remote_ip_ranges=(ranges,))])
    task = {"backend": "exchange", "connectors": [{"name": exchange.SCAN.name, "comment": exchange.SCAN.comment}]}
    for limits, allowed in (({}, 256), ({"max_relay_addresses": 5}, 5), ({"max_relay_addresses": 1000}, 1000)):
        result, _execute = run("receive_connectors", windows=True, answer=answer, **task, **limits)
        assert f"1024 addresses could relay anywhere without AUTH, {allowed} are allowed" in result["warnings"][0]
    assert "warnings" not in run("receive_connectors", windows=True, answer=answer, **task, max_relay_addresses=1024)[0]
    shared, _execute = run(
        "receive_connectors", windows=True, answer=answer, **task, max_relay_addresses=1024, shared_sources=["10.0.1.1"]
    )
    assert "shared_sources: addresses that many clients arrive from could relay (10.0.1.1)" in shared["warnings"][0]


def test_an_unvalidated_value_passes_the_validation_of_ansible() -> None:
    """It would refuse a word that is no choice, and make one text of a list."""
    odd = {"SizeEnabled": "Sometimes", "ChunkingEnabled": "perhaps", "Banner": ["one", "two"], "MaxHopCount": "900"}
    row = {**exchange.connector_row(random.Random(0), exchange.SCAN), **odd}
    answer = exchange.answers([exchange.SCAN], connectors=exchange.table("connectors", [row]))
    task = {"backend": "exchange", "allow_open_relay": True, "max_relay_addresses": 10**6}
    info, _execute = run("receive_connectors_info", windows=True, answer=answer, backend="exchange")
    result, _execute = run("receive_connectors", windows=True, answer=answer, connectors=info["connectors"], **task)
    assert (result.get("msg"), result["changed"]) == (None, False)
    assert result["before"] == info["connectors"]
    assert info["connectors"][0]["unvalidated"] == ["banner", "max_hop_count", "chunking_enabled", "size_enabled"]
    (entry,) = info["connectors"]
    for other in ({**entry, "enabled": "perhaps"}, {**entry, "unvalidated": [], "size_enabled": "Sometimes"}):
        refused, _execute = run("receive_connectors", windows=True, answer=answer, connectors=[other], **task)
        assert refused["error"] == "input"


@pytest.mark.parametrize("unvalidated", ["banner", 7, ["banner", ["x"]], {"a": 1}])
def test_unvalidated_that_is_no_list_of_names_is_refused_or_read(unvalidated: Any) -> None:
    entry = {"name": "New", "unvalidated": unvalidated}
    answer = exchange.answers([exchange.SCAN])
    result, _execute = run("receive_connectors", windows=True, answer=answer, backend="exchange", connectors=[entry])
    assert (result["failed"], result["error"]) == (True, "input")


READERS = [("receive_connectors_info", {}), ("accepted_domains", {"accepted_domains": [{"name": "corp.test"}]})]


@pytest.mark.parametrize(("name", "args"), READERS)
def test_exchange_is_read_in_one_execution_of_the_internal_module(name: str, args: dict[str, Any]) -> None:
    answer = exchange.answers([], [AcceptedDomain("corp.test")])
    result, execute = run(name, windows=True, answer=answer, backend="exchange", exchange_session="snapin", **args)
    assert result["backend"] == "exchange"
    assert result["changed"] is False
    assert "diff" not in result
    assert execute.call_count == 1
    call = execute.call_args.kwargs
    assert call["module_name"] == "mailops.relay.exchange_cmdlets"
    assert call["module_args"] == {"schema": 2, "calls": [*READ, *HOST], "session": "snapin", "write": False}


@pytest.mark.parametrize(("name", "args"), READERS)
def test_exchange_needs_a_windows_host(name: str, args: dict[str, Any]) -> None:
    result, _execute = run(name, backend="exchange", **args)
    assert (result["failed"], result["error"]) == (True, "capability")
    assert re.search(r"'exchange' needs a Windows host .* this one is none.*from a snapshot", result["msg"])


def test_a_query_is_applied_to_what_exchange_said() -> None:
    answer = exchange.answers([], [AcceptedDomain("corp.test")])
    query = {"query": "accepted_domains[].name"}
    assert run("receive_connectors_info", windows=True, answer=answer, backend="exchange", **query)[0][
        "query_result"
    ] == ["corp.test"]


def test_the_options_are_validated_on_the_controller() -> None:
    result, execute = run("receive_connectors_info", windows=True, backend="exchange", exchange_session="x")
    assert (result["failed"], result["error"]) == (True, "input")
    assert "exchange_session must be one of: remote, snapin, got: x" in result["msg"]
    assert not execute.called


def test_a_change_of_accepted_domains_is_refused() -> None:
    answer, task = exchange.answers([]), [{"name": "new.test"}]
    result, _execute = run("accepted_domains", windows=True, answer=answer, backend="exchange", accepted_domains=task)
    assert result["failed"]
    assert result["error"] == "capability"
    assert "belong to the organisation" in result["msg"]


@pytest.mark.parametrize(
    "failure",
    [
        AnsibleError("winrm send_input failed; \nstdout: \nstderr "),
        WSManFaultError(500, "(extended fault data: {'wsmanfault_code': 170})", "", ""),
    ],
)
def test_a_failure_on_the_way_is_explained(failure: Exception) -> None:
    result, _execute = run("receive_connectors_info", windows=True, answer=failure, backend="exchange")
    assert result["failed"]
    assert result["error"] == "exchange"
    assert "the server is busy" in result["msg"]


def test_an_unreachable_host_stays_unreachable_with_an_explanation() -> None:
    failure = AnsibleConnectionFailure("winrm connection error: Read timed out.")
    with pytest.raises(AnsibleConnectionFailure, match=r"the connection was lost or not made.*Read timed out"):
        run("receive_connectors_info", windows=True, answer=failure, backend="exchange")


def test_a_bug_is_not_explained_away() -> None:
    with pytest.raises(ZeroDivisionError):
        run("receive_connectors_info", windows=True, answer=ZeroDivisionError(), backend="exchange")


@pytest.mark.parametrize("windows", [True, False])
def test_a_snapshot_is_read_without_any_connection(tmp_path: Path, windows: bool) -> None:
    path = tmp_path / "snapshot.txt"
    path.write_text("nothing")
    args = {"backend": "exchange", "snapshot": str(path)}
    result, execute = run("receive_connectors_info", windows=windows, **args)
    assert result["failed"]
    assert "not a snapshot, got 'nothing'" in result["msg"]
    assert not execute.called


def test_only_exchange_has_snapshots() -> None:
    result, _execute = run("receive_connectors_info", backend="aiosmtpd", snapshot="x")
    assert "snapshot: only Exchange has snapshots" in result["msg"]


def test_a_relative_path_of_a_snapshot_is_looked_up_as_ansible_looks_up_files(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/server.txt").write_text("nothing")
    found, _execute = run("receive_connectors_info", folder=tmp_path, backend="exchange", snapshot="server.txt")
    assert f"snapshot {tmp_path}/files/server.txt: not a snapshot" in found["msg"]
    with pytest.raises(AnsibleError, match=r"Could not find or access 'other.txt'"):
        run("receive_connectors_info", folder=tmp_path, backend="exchange", snapshot="other.txt")


def test_a_query_is_applied_on_the_controller() -> None:
    result, execute = run("receive_connectors_info", answer=CONNECTORS, query="connectors[?enabled].name")
    assert result == {**CONNECTORS, "query_result": ["A"]}
    assert execute.called


def test_a_failure_is_passed_on_without_a_query_result() -> None:
    failed = {"failed": True, "msg": "x"}
    assert run("receive_connectors_info", answer=failed, query="connectors")[0] == failed


@pytest.mark.parametrize("query", ["connectors[", 7])
def test_a_query_that_is_none_fails_before_anything_is_asked(query: Any) -> None:
    result, execute = run("receive_connectors_info", answer=CONNECTORS, query=query)
    assert (result["failed"], result["error"]) == (True, "input")
    assert "query: not a JMESPath expression, got" in result["msg"]
    assert not execute.called


def test_a_query_that_does_not_fit() -> None:
    result, _execute = run("receive_connectors_info", answer=CONNECTORS, query="abs(connectors)")
    assert "query: it does not fit the result" in result["msg"]


def test_a_controller_without_jmespath_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("ansible_collections.mailops.relay.plugins.action.receive_connectors_info")
    monkeypatch.setattr(module, "jmespath", None)
    result, _execute = run("receive_connectors_info", query="connectors")
    assert "the controller lacks the Python package jmespath" in result["msg"]
