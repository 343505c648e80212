# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What receive_connectors_info has to say of a connector of the lab's state.

Worked out from the state by hand, not by the code that reads; `shape` brings what that returned into the same form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from exchange_lab import state as lab
from exchange_lab.entries import TABLE
from exchange_lab.smtp import USERS, to_binding, to_range
from support.exchange import FLAGS, OPTIONS, SIZES, SPANS

# what no Exchange has
FIXED: lab.Data = {
    "state": "present",
    "implicit_tls": False,
    "tls_certificate_file": "",
    "tls_key_file": "",
    "allowed_senders": ["*"],
    "allowed_recipients": [],
}
# of whom a session can be, and to which principals it matters that a right was taken away
SESSIONS = {**USERS, "PARTNERS": "MS Exchange\\Partner Servers"}
_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def expected(item: lab.Data) -> lab.Data:
    """Of a connector of the state, by option, in the form of `shape`."""
    values: lab.Data = {**item["properties"], "PermissionGroups": item["groups"]}
    if values.get("TransportRole", "") is None:  # an Edge server has one service
        del values["TransportRole"]
    found = {option: _value(name, values[name]) for option, name in OPTIONS.items() if name in values}
    groups = _groups(item)
    own = [ace for ace in item["aces"] if ace["right"] and not ace["inherited"]]
    granted = _granted(groups)
    added = {_right(ace) for ace in own if ace["deny"] or (ace["user"], ace["right"]) not in granted}
    found["permission_groups"] = set(groups)
    return {**FIXED, **found, "name": item["name"], "extended_rights": added, "removed_rights": removed(item)}


def _groups(item: lab.Data) -> list[str]:
    """As the entries tell: a group is there if half of what it gives to those who hold anything is there."""
    own = _own(item)
    holders = {user for user, _right in own}
    found = []
    for group in TABLE["groups"]:
        given = {(user, right) for user, right in _granted([group]) if user in holders and right in lab.ALL_RIGHTS}
        if 2 * len(given & own) >= len(given) if given else group in item["groups"]:
            found.append(group)
    return found


def _own(item: lab.Data) -> set[tuple[str, str]]:
    return {(ace["user"], ace["right"]) for ace in item["aces"] if not ace["inherited"] and not ace["deny"]}


def _value(name: str, value: Any) -> Any:
    if name == "Bindings":
        return set(map(to_binding, value))
    if name == "RemoteIPRanges":
        return set(map(to_range, value))
    if name == "MessageRateSource":
        value = {"None": [], "All": ["IPAddress", "User"]}.get("".join(value), value)
    if name == "TlsDomainCapabilities":
        return set(map(_capabilities, value))
    if isinstance(value, list):
        return set(value)
    if name in ("Fqdn", "ServiceDiscoveryFqdn", "DefaultDomain"):
        return (value or "").lower()
    if name == "SizeEnabled":  # cased in another way by the documentation
        return str(value).lower()
    if isinstance(value, bool) or name in (*SIZES, *SPANS):
        return value
    return "" if value is None else str(value)


def _capabilities(text: str) -> tuple[str, frozenset[str]]:
    domain, _colon, words = text.rpartition(":")
    return domain, frozenset(words.split(","))


def _granted(groups: Iterable[str]) -> set[tuple[str, str]]:
    return set(lab.grants("SE", "Mailbox", groups))


def removed(item: lab.Data) -> set[tuple[str, str, bool]]:
    """What its groups grant to the principals of sessions, and is not there."""
    gone = _granted(_groups(item)) - _own(item)
    return {(SESSIONS[user], right, False) for user, right in gone if user in SESSIONS}


def _right(ace: lab.Data) -> tuple[str, str, bool]:
    user: str = ace["user"]
    return USERS.get(user, user), ace["right"], ace["deny"]


def expected_inherited(items: Iterable[lab.Data]) -> set[tuple[str, str, str, bool]]:
    return {(item["name"], *_right(ace)) for item in items for ace in item["aces"] if ace["inherited"] and ace["right"]}


def expected_domains(items: Iterable[lab.Data]) -> set[tuple[str, str]]:
    found = set()
    for item in items:
        found.add((item["domain_name"], item["type"]))
        if item["match_sub_domains"]:
            found.add((f"*.{item['domain_name']}", item["type"]))
    return found


# -- what was read ----------------------------------------------------------------------------------------------------


def shape(connector: Mapping[str, Any]) -> lab.Data:
    """Of a connector that was returned."""
    return {option: _read(option, value) for option, value in connector.items()}


def _read(option: str, value: Any) -> Any:
    name = OPTIONS.get(option, "")
    if name == "Bindings":
        return set(map(to_binding, value))
    if name == "RemoteIPRanges":
        return set(map(to_range, value))
    if name == "TlsDomainCapabilities":
        return set(map(_capabilities, value))
    if name in FLAGS:
        return set(value)
    if option in ("extended_rights", "removed_rights"):
        return {(entry["principal"], entry["right"], entry["deny"]) for entry in value}
    if name in SIZES:
        return _size(value)
    if name == "SizeEnabled":
        return value.lower()
    return _seconds(value) if name in SPANS else value


def _parts(form: str, text: str) -> tuple[str, ...]:
    found = re.fullmatch(form, text)
    assert found is not None, text
    return found.groups()


def _size(text: str) -> int:
    number, unit = _parts(r"(\d+)([KMG]?B)", text)
    return int(number) * _UNITS[unit]


def _seconds(text: str) -> int:
    days, hours, minutes, seconds = _parts(r"(?:(\d)\.)?(\d\d):(\d\d):(\d\d)", text)
    return ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)


def check(result: Mapping[str, Any], whole: lab.Data) -> None:
    """The result of receive_connectors_info is the first server of the state: everything, and nothing else."""
    server = whole["servers"][0]
    read = {item["name"]: shape(item) for item in result["connectors"]}
    assert len(read) == len(result["connectors"])
    assert read == {item["name"]: expected(item) for item in server["connectors"]}
    inherited = {
        (entry["connector"], entry["principal"], entry["right"], entry["deny"]) for entry in result["inherited_rights"]
    }
    assert inherited == expected_inherited(server["connectors"])
    domains = {(entry["name"], entry["type"]) for entry in result["accepted_domains"]}
    assert domains == expected_domains(whole["accepted_domains"])
    assert (result["rights_known"], result["backend"]) == (True, "exchange")
    assert {part["name"]: part["state"] for part in result["services"]} == dict.fromkeys(server["services"], "started")
