# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property table: argument spec, parsing, rendering and diff of connectors and domains all read these rows, which
the fields of :mod:`.model` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from .errors import InputError
from .fields import properties
from .model import AcceptedDomain, Connector
from .odd import Odd
from .property import Property, read_options, render_value
from .usage import USAGES, parse_usage
from .values import is_name, parse_key

Item = TypeVar("Item", Connector, AcceptedDomain)
CONNECTOR_PROPERTIES = properties(Connector)
DOMAIN_PROPERTIES = properties(AcceptedDomain)
_MAY_BE_ODD = frozenset(row.option for row in CONNECTOR_PROPERTIES if row.may_be_odd)
USAGE = Property("usage", "Usage", "str", parse_usage, in_set=False, readable=False, choices=tuple(USAGES))
"""The one option that is no property of a connector: it only says what a new one has where the task says nothing."""
NOT_OPTIONS = {
    "Name": "which connector it is: the key of every entry",
    "Identity": "how Set-ReceiveConnector names the connector: made of the server and the name",
    "Server": "the host of the task",
    "DomainController": "of the session and not of a connector: one for all calls",
    "Confirm": "of the call",
    "WhatIf": "of the call: check mode changes nothing by itself",
    **dict.fromkeys(USAGES, "a switch that says the same as Usage"),
}
"""Parameters of New- and Set-ReceiveConnector that are no option of a connector, and what they are instead."""


_STRICT = "its value is always validated"
_ONLY_NAMES = "Give a list of names of options."


def render_item(item: Connector | AcceptedDomain) -> dict[str, Any]:
    """A connector or domain in the shape of the module options, without the properties that it does not have. Options
    of which the value cannot be read are listed in ``unvalidated``, so that they are taken back as they are."""
    rows = CONNECTOR_PROPERTIES if isinstance(item, Connector) else DOMAIN_PROPERTIES
    if isinstance(item, Connector) and item.extended_rights is None:  # what is not known was not removed
        rows = tuple(row for row in rows if row.option != "removed_rights")
    found = ((row, getattr(item, row.option)) for row in rows)
    rendered = {row.option: render_value(row, value) for row, value in found if value is not None}
    odd = odd_options(item) if isinstance(item, Connector) else []
    return {"name": item.name, "state": "present", **rendered, **({"unvalidated": odd} if odd else {})}


def render_absent(name: str) -> dict[str, Any]:
    """A connector that is not there."""
    return {"name": name, "state": "absent", **({} if is_name(name) else {"unvalidated": ["name"]})}


def odd_options(connector: Connector) -> list[str]:
    """The options of which it has a value that no task could give a new connector."""
    odd = [row.option for row in CONNECTOR_PROPERTIES if isinstance(getattr(connector, row.option), Odd)]
    return odd if is_name(connector.name) else ["name", *odd]


def parse_unvalidated(options: Mapping[str, Any], where: str) -> frozenset[str]:
    """The option ``unvalidated``: names of options of which a value that cannot be read is taken as it stands.

    :raises InputError: no list of names, or one of an option that decides who may relay
    """
    names = options.get("unvalidated")
    where = f"{where}, unvalidated"
    if not isinstance(names, (list, tuple, type(None))):
        raise InputError("not a list", where=where, value=names, way_out=_ONLY_NAMES)
    for name in names or ():
        parse_key(name, ("name", *(row.option for row in CONNECTOR_PROPERTIES)), where)
        if name != "name" and name not in _MAY_BE_ODD:
            raise InputError(_STRICT, where=where, value=name, way_out="Take it out of the list.")
    return frozenset(names or ())


def apply_options(item: Item, options: Mapping[str, Any], where: str) -> Item:
    """``item`` with every option that is not omitted (``None``) parsed and put in its place.

    :raises InputError: a value that cannot be read and is not ``unvalidated``
    :raises ConflictError: ``None`` beside another flag
    """
    if not isinstance(item, Connector):
        return replace(item, **read_options(DOMAIN_PROPERTIES, item, options, f"{where}, "))
    unvalidated = parse_unvalidated(options, where)
    return replace(item, **read_options(CONNECTOR_PROPERTIES, item, options, f"{where}, ", unvalidated))
