# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlet calls that read a server, and the shape of requests and answers.

A request is ``{session, write, checks, calls, then}``, three lists of calls. Nothing is written unless every check
passes; ``then`` is called whenever writing has begun, however far it came. A call is ``{id, cmdlet, params, take,
foreach, as, select, optional, expect, only_if, until, seconds}``:

* ``take``: more parameters, ``{as, from: <id>.<property>}`` from the first object of an earlier answer. Left out where
  that is empty, or where the property ``unless`` of the same object is ``is``. The answer ``host`` is always there.
* ``foreach: <id>.<property>, as: <parameter>``: once for each object of an earlier answer.
* ``select``: properties, or properties of a property (``User.SecurityIdentifier``); ``*``: the object itself.
* ``optional``: a failure is an answer; with ``foreach`` that of one object is, beside the rows of the others.
* ``expect``: the digest that the answer must have.
* ``only_if: {from: <id>, match: {property: text}, absent}``: left out unless an object of that answer has all these
  values (``absent``: unless none has).
* ``until: [{property: text}], seconds``: repeated until for each of these some object has all its values.

An answer is a table: ``{id, columns, rows, notices, problems, digest}`` or ``{id, problem}``. Values are text, true,
false, null, or a list of texts. A property that no object has is no column. The column ``for`` says for which object of
``foreach`` a row is, counted from 0. The digest is that of the values, whatever the order of the rows, without times.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._connector.errors import StoreError
from ...module_utils._connector.properties import CONNECTOR_PROPERTIES
from .errors import Problem, explain

SCHEMA = 2
FRONTEND, TRANSPORT = "MSExchangeFrontEndTransport", "MSExchangeTransport"
_ONE_CONTROLLER = {
    "as": "DomainController",
    "from": "server.OriginatingServer",
    "unless": "ServerRole",  # an Edge server has a directory of its own
    "is": "Edge",
}
CONNECTOR_COLUMNS = (
    "Name",
    "Guid",
    "DistinguishedName",
    "Server",
    "WhenChangedUTC",
    "WhenChanged",
    *(row.exchange for row in CONNECTOR_PROPERTIES if row.exchange and row.readable),
)
READ: tuple[dict[str, Any], ...] = (
    {
        "id": "server",
        "cmdlet": "Get-ExchangeServer",
        "take": [{"as": "Identity", "from": "host.Name"}],
        "select": ["Name", "Fqdn", "AdminDisplayVersion", "ServerRole", "OriginatingServer"],
    },
    {
        "id": "connectors",
        "cmdlet": "Get-ReceiveConnector",
        "take": [{"as": "Server", "from": "server.Name"}, _ONE_CONTROLLER],
        "select": list(CONNECTOR_COLUMNS),
    },
    {
        "id": "rights",
        "cmdlet": "Get-ADPermission",
        "foreach": "connectors.DistinguishedName",
        "as": "Identity",
        "take": [_ONE_CONTROLLER],
        "select": [
            "Identity",
            "User",
            "User.SecurityIdentifier",
            "User.RawIdentity",
            "Deny",
            "IsInherited",
            "AccessRights",
            "ExtendedRights",
        ],
        "optional": True,
    },
    {
        "id": "domains",
        "cmdlet": "Get-AcceptedDomain",
        "take": [_ONE_CONTROLLER],
        "select": ["DomainName", "DomainType", "MatchSubDomains", "WhenChangedUTC", "WhenChanged"],
    },
    {
        "id": "services",
        "cmdlet": "Get-CimInstance",
        "params": {"ClassName": "Win32_Service", "Filter": f"Name='{TRANSPORT}' OR Name='{FRONTEND}'"},
        "select": ["Name", "State", "ProcessId"],
    },
    {
        "id": "processes",
        "cmdlet": "Get-Process",
        "foreach": "services.ProcessId",
        "as": "Id",
        "select": ["Id", "StartTime"],
        "optional": True,
    },
    # mailops.relay.rights-changed in ProgramData is touched when rights were changed: whether that moves WhenChanged is
    # not documented
    {
        "id": "marker",
        "cmdlet": "Get-AnsibleItem",
        "take": [{"as": "Path", "from": "host.Marker"}],
        "select": ["Name", "LastWriteTimeUtc"],
        "optional": True,
    },
)
HOST: tuple[dict[str, Any], ...] = (
    # what a run that was cut off would have taken back, see journal.py
    {
        "id": "journal",
        "cmdlet": "Get-Content",
        "params": {"Raw": True},
        "take": [{"as": "LiteralPath", "from": "host.Journal"}],
        "select": ["*"],
        "optional": True,
    },
    {
        "id": "journaled",
        "cmdlet": "Get-AnsibleItem",
        "take": [{"as": "Path", "from": "host.Journal"}],
        "select": ["LastWriteTimeUtc"],
        "optional": True,
    },
    {
        "id": "addresses",
        "cmdlet": "Get-NetIPAddress",
        "select": ["IPAddress"],
        "optional": True,
    },
    {
        "id": "sockets",
        "cmdlet": "Get-NetTCPConnection",
        "params": {"State": "Listen"},
        "select": ["LocalAddress", "LocalPort", "OwningProcess"],
        "optional": True,
    },
    {
        "id": "programs",
        "cmdlet": "Get-Process",
        "select": ["Id", "ProcessName"],
        "optional": True,
    },
    {
        "id": "dependents",
        "cmdlet": "Get-Service",
        "params": {"DependentServices": True},
        "foreach": "services.Name",
        "as": "Name",
        "select": ["Name", "Status"],
        "optional": True,
    },
    {
        "id": "components",
        "cmdlet": "Get-ServerComponentState",
        "take": [{"as": "Identity", "from": "server.Name"}, _ONE_CONTROLLER],
        "select": ["Component", "State"],
        "optional": True,
    },
    {
        "id": "servers",
        "cmdlet": "Get-ExchangeServer",
        "take": [_ONE_CONTROLLER],
        "select": ["Name", "Fqdn"],
        "optional": True,
    },
    {
        "id": "peers",
        "cmdlet": "Resolve-DnsName",
        "params": {"DnsOnly": True, "Type": "A_AAAA"},
        "foreach": "servers.Fqdn",
        "as": "Name",
        "select": ["IPAddress"],
        "optional": True,
    },
)
"""What else a live read asks: of the machine, and which other servers there are."""
DECISIVE = ("server", "connectors", "rights", "domains")
"""Answers of :data:`READ` that a plan follows from."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """``rows`` without the properties that no object of the answer has.

    :ivar problem: there are no rows
    :ivar problems: what failed of some objects of ``foreach``, by their number
    :ivar digest: of the values, empty: of a snapshot
    """

    rows: tuple[Row, ...] = ()
    notices: tuple[str, ...] = ()
    problem: Problem | None = None
    problems: Mapping[str, Problem] = field(default_factory=dict)
    digest: str = ""


Answers = Mapping[str, Answer]
Execute = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Runs the internal module with these arguments, once."""


@dataclass(frozen=True)
class Executed:
    """What came of one execution.

    :ivar began: nothing is written before
    :ivar problem: what ended it
    :ivar unread: why what is there now could not be read
    """

    answers: Answers
    began: bool = False
    problem: Problem | None = None
    unread: Problem | None = None


def ask(execute: Execute, session: str, calls: Iterable[Mapping[str, Any]] = (*READ, *HOST)) -> Answers:
    """Read the server in one execution.

    :raises ExchangeError: it could not be asked, or a call that is not optional failed
    """
    done = run(execute, {"calls": list(calls), "session": session, "write": False})
    if done.problem is not None:
        raise explain(done.problem)
    return done.answers


def run(execute: Execute, request: dict[str, Any]) -> Executed:
    """:raises ExchangeError: there is no answer, so nobody knows how far it came"""
    said = execute(request)
    if said.get("schema") != SCHEMA:
        raise explain(Problem("module", _what_it_said(said)), wrote=bool(request.get("write")))
    result = json.loads(gzip.decompress(base64.b64decode(said["packed"])))
    return Executed(
        {str(answer["id"]): _answer(answer) for answer in result["answers"]},
        bool(result.get("began")),
        _problem(result.get("problem")),
        _problem(result.get("unread")),
    )


def pinned(calls: Iterable[Mapping[str, Any]], controller: str) -> list[dict[str, Any]]:
    """The calls, all of them to this domain controller (empty: an Edge server, which has none)."""
    return [_pinned(call, controller) for call in calls]


def _pinned(call: Mapping[str, Any], controller: str) -> dict[str, Any]:
    found = {**call, "take": [item for item in call.get("take", ()) if item["as"] != "DomainController"]}
    asks_directory = len(found["take"]) < len(call.get("take", ())) or call["cmdlet"] == "Get-ExchangeServer"
    if asks_directory and controller:
        found["params"] = {**call.get("params", {}), "DomainController": controller}
    return found


def _what_it_said(result: Mapping[str, Any]) -> str:
    said = (str(result.get(key) or "").strip() for key in ("msg", "module_stderr", "module_stdout", "exception"))
    return "\n".join(dict.fromkeys(text for text in said if text))


def _answer(answer: Mapping[str, Any]) -> Answer:
    problem = _problem(answer.get("problem"))
    if problem is not None:
        return Answer(problem=problem)
    columns = answer["columns"]
    if any(len(values) != len(columns) for values in answer["rows"]):
        raise StoreError("rows of different length", where=f"answer {answer['id']}", way_out="Please report it.")
    rows = tuple(dict(zip(columns, values, strict=True)) for values in answer["rows"])
    failed = {str(found.pop("for")): found for found in map(dict, answer.get("problems") or ())}
    return Answer(
        rows,
        tuple(answer["notices"]),
        problems={
            number: Problem(**{key: str(text) for key, text in found.items()}) for number, found in failed.items()
        },
        digest=str(answer.get("digest") or ""),
    )


def _problem(found: Mapping[str, Any] | None) -> Problem | None:
    return None if found is None else Problem(**{key: str(text) for key, text in found.items()})
