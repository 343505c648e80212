# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property table: argument spec, parsing, rendering and diff of connectors and domains all read these rows, which
the fields of :mod:`.model` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from .fields import properties
from .model import AcceptedDomain, Connector
from .property import Property, read_options, render_value
from .usage import USAGES, parse_usage

Item = TypeVar("Item", Connector, AcceptedDomain)
CONNECTOR_PROPERTIES = properties(Connector)
DOMAIN_PROPERTIES = properties(AcceptedDomain)
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


def render_item(item: Connector | AcceptedDomain) -> dict[str, Any]:
    """A connector or domain in the shape of the module options, without the properties that it does not have."""
    rows = CONNECTOR_PROPERTIES if isinstance(item, Connector) else DOMAIN_PROPERTIES
    if isinstance(item, Connector) and item.extended_rights is None:  # what is not known was not removed
        rows = tuple(row for row in rows if row.option != "removed_rights")
    found = ((row, getattr(item, row.option)) for row in rows)
    rendered = {row.option: render_value(row, value) for row, value in found if value is not None}
    return {"name": item.name, "state": "present", **rendered}


def apply_options(item: Item, options: Mapping[str, Any], where: str) -> Item:
    """``item`` with every option that is not omitted (``None``) parsed and put in its place.

    :raises InputError: a value that cannot be read, or a new value for what is never changed
    :raises ConflictError: ``None`` beside another flag
    """
    rows = CONNECTOR_PROPERTIES if isinstance(item, Connector) else DOMAIN_PROPERTIES
    return replace(item, **read_options(rows, item, options, f"{where}, "))
