# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlet calls that read a server, and the shape of what comes back.

A call is ``{id, cmdlet, params, take, foreach, as, select, optional}``:

* ``take``: more parameters, ``{as, from: <id>.<property>}`` from the first object of an earlier answer. Left out where
  that is empty, or where the property ``unless`` of the same object is ``is``. The answer ``host`` is always there.
* ``foreach: <id>.<property>, as: <parameter>``: once for each object of an earlier answer.
* ``select``: properties, or properties of a property (``User.SecurityIdentifier``).
* ``optional``: a failure is an answer.

An answer is a table: ``{id, columns, rows, notices}`` or ``{id, problem}``. Values are text, true, false, null, or a
list of texts. A property that no object has is no column. The column ``for`` says for which object of ``foreach`` a row
is, counted from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils._connector.errors import StoreError
from ...module_utils._connector.properties import CONNECTOR_PROPERTIES
from .errors import Problem, explain

SCHEMA = 1
FRONTEND, TRANSPORT = "MSExchangeFrontEndTransport", "MSExchangeTransport"
_ONE_CONTROLLER = {
    "as": "DomainController",
    "from": "server.OriginatingServer",
    "unless": "ServerRole",  # an Edge server has a directory of its own
    "is": "Edge",
}
CONNECTOR_COLUMNS = (
    "Name",
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
        "select": ["Name", "AdminDisplayVersion", "ServerRole", "OriginatingServer"],
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
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """``rows`` without the properties that no object of the answer has; ``problem``: there are no rows."""

    rows: tuple[Row, ...] = ()
    notices: tuple[str, ...] = ()
    problem: Problem | None = None


Answers = Mapping[str, Answer]


def ask(execute: Callable[[dict[str, Any]], Mapping[str, Any]], session: str) -> Answers:
    """Read the server in one execution of the internal module.

    :param execute: runs it with these arguments
    :raises ExchangeError: it could not be asked, or a call that is not optional failed
    """
    result = execute({"calls": list(READ), "session": session, "write": False})
    problem = _problem(result.get("problem"))
    if problem is not None:
        raise explain(problem)
    if result.get("schema") != SCHEMA:
        raise explain(Problem("module", _what_it_said(result)))
    return {str(answer["id"]): _answer(answer) for answer in result["answers"]}


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
    return Answer(rows, tuple(answer["notices"]))


def _problem(found: Mapping[str, Any] | None) -> Problem | None:
    return None if found is None else Problem(**{key: str(text) for key, text in found.items()})
