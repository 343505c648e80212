# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from support.modules import ModuleFailed, Runner

SCAN = {
    "name": "Scan",
    "bindings": ["127.0.0.1:2525"],
    "remote_ip_ranges": ["127.0.0.11", "127.0.0.20-127.0.0.22"],
    "permission_groups": ["AnonymousUsers"],
    "extended_rights": [{"principal": "S-1-5-7", "right": "ms-Exch-SMTP-Accept-Any-Recipient"}],
    "comment": "two\nlines",
    "tarpit_interval": 5,
}
DEFAULT = {
    "name": "Default relay",
    "bindings": ["127.0.0.1:2525"],
    "remote_ip_ranges": ["0.0.0.0/0"],
    "permission_groups": ["AnonymousUsers"],
}
DOMAIN = {"name": "corp.test", "next_hop": "192.0.2.1:25"}


@pytest.fixture
def info(run: Runner) -> dict[str, Any]:
    run("receive_connectors", connectors=[SCAN, DEFAULT])
    run("accepted_domains", accepted_domains=[DOMAIN])
    return run("receive_connectors_info")


def test_what_is_read_changes_nothing_when_it_is_applied(run: Runner, info: dict[str, Any]) -> None:
    untouched = run.snapshot()
    assert not run("receive_connectors", connectors=info["connectors"], purge=True)["changed"]
    assert not run("accepted_domains", accepted_domains=info["accepted_domains"], purge=True)["changed"]
    assert run("receive_connectors_info", check=True) == info
    assert run.snapshot() == untouched


def test_the_rest_of_the_result(info: dict[str, Any]) -> None:
    assert [item["name"] for item in info["connectors"]] == ["Default relay", "Scan"]
    assert info["built_in"] == ["Default relay"]
    assert info["relay_surface"] == [
        {
            "binding": "127.0.0.1:2525",
            "reach": "any",
            "ranges": ["127.0.0.11", "127.0.0.20/31", "127.0.0.22"],
            "addresses": 4,
        }
    ]
    assert (info["listeners"], info["expected_listeners"]) == ([], [{"address": "127.0.0.1", "port": 2525}])
    assert info["service"] == {"state": "stopped", "restart_required": False}
    assert info["selected"] is None


@pytest.mark.parametrize(
    ("binding", "client", "selected"),
    [
        ("127.0.0.1:2525", "127.0.0.11", "Scan"),
        ("127.0.0.1:2525", "198.51.100.1", "Default relay"),
        ("127.0.0.1:2525", "2001:db8::1", None),
        ("0.0.0.0:587", "198.51.100.1", None),
    ],
)
def test_which_connector_takes_a_session(
    run: Runner, info: dict[str, Any], binding: str, client: str, selected: str | None
) -> None:
    assert run("receive_connectors_info", connector_for={"binding": binding, "client": client})["selected"] == selected


@pytest.mark.parametrize(
    ("binding", "client", "says"),
    [
        ("587", "198.51.100.1", "connector_for, binding: not a binding, got '587'"),
        ("0.0.0.0:587", "outside", "connector_for, client: not an IP address, got 'outside'"),
        ("0.0.0.0:587", "10.0.0.0/8", "connector_for, client: one address is needed, got '10.0.0.0/8'"),
    ],
)
def test_a_question_that_is_none(run: Runner, binding: str, client: str, says: str) -> None:
    with pytest.raises(ModuleFailed) as caught:
        run("receive_connectors_info", connector_for={"binding": binding, "client": client})
    assert says in caught.value.result["msg"]


def test_a_directory_without_a_relay(run: Runner) -> None:
    (run.directory / "settings.json").unlink()
    assert run("receive_connectors_info")["connectors"] == []
