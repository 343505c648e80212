# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a whole bundled relay: who it is, where external mail goes, and the limits of what may relay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .addresses import AddressRange, subtract
from .errors import ConflictError, InputError
from .fields import metadata, properties, ranges, text
from .property import read_options, render_value
from .values import parse_endpoint, parse_host, parse_text

MAX_RELAY_ADDRESSES = 256
"""Where a server has no limit of its own."""
_ALL_ADDRESSES = 1 << 128
_SMTP_PORT = 25
_SMARTHOST_FORM = "Write {host: smtp.example.com, port: 25}, or {} for none."


class Smarthost(NamedTuple):
    """The server that takes mail to external domains."""

    host: str
    port: int


def parse_server_name(value: Any, where: str) -> str:
    """1 to 56 characters, so that ``Default <name>`` is a connector name."""
    name = parse_text(value, where)
    if not 1 <= len(name) <= 56 or name != name.strip():
        way_out = "Give 1 to 56 characters, none of them a blank at either end."
        raise InputError("not a name for a server", where=where, value=value, way_out=way_out)
    return name


def parse_fqdn(value: Any, where: str) -> str:
    """A host name that is not empty."""
    if value == "":
        way_out = "Write a name such as relay.example.com."
        raise InputError("a relay needs a host name", where=where, value=value, way_out=way_out)
    return parse_host(value, where)


def parse_smarthost(value: Any, where: str) -> Smarthost | None:
    """``{host, port}``, the port 25 by default; ``{}`` and only nulls: none.

    :raises InputError: anything else
    """
    if not isinstance(value, Mapping) or not set(value) <= set(Smarthost._fields):
        raise InputError("not a server", where=where, value=value, way_out=_SMARTHOST_FORM)
    given = {key: item for key, item in value.items() if item is not None}
    if not given:
        return None
    host, port = given.get("host"), given.get("port", _SMTP_PORT)
    if host is None:
        raise InputError("a smarthost needs a host", where=f"{where}, host", way_out=_SMARTHOST_FORM)
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise InputError("the port must be 1 to 65535", where=f"{where}, port", value=port, way_out=_SMARTHOST_FORM)
    bare = re.sub(r"^\[(.*)\]$", r"\1", parse_text(host, f"{where}, host").strip())
    endpoint = parse_endpoint(f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}", f"{where}, host")
    return Smarthost(re.sub(r"^\[(.*)\]$", r"\1", endpoint.rpartition(":")[0]), port)


def render_smarthost(value: Smarthost | None) -> dict[str, Any]:
    return {} if value is None else dict(value._asdict())


def parse_limit(value: Any, where: str) -> int:
    """A number of addresses, no more than there are in IPv6."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _ALL_ADDRESSES:
        way_out = "Give 0 or more, at most 2 to the power of 128."
        raise InputError("not a number of addresses", where=where, value=value, way_out=way_out)
    return int(value)


@dataclass(frozen=True)
class Settings:
    """:ivar name: of the server; its built-in connector is called ``Default <name>``
    :ivar fqdn: in greetings, EHLO and Received headers where a connector has none
    :ivar smarthost: ``None``: there is none, mail to external domains is deferred
    :ivar max_relay_addresses: how many addresses may relay anywhere without AUTH
    :ivar shared_sources: addresses that many clients arrive from
    """

    name: str = text("", "", parse_server_name)
    fqdn: str = text("", "", parse_fqdn)
    smarthost: Smarthost | None = field(
        default=None, metadata=metadata("", "dict", parse_smarthost, render=render_smarthost)
    )
    max_relay_addresses: int = field(default=MAX_RELAY_ADDRESSES, metadata=metadata("", "int", parse_limit))
    shared_sources: tuple[AddressRange, ...] = ranges("", ())


SETTINGS_PROPERTIES = properties(Settings)


def render_settings(settings: Settings | None) -> dict[str, Any]:
    """In the shape of the options; empty where there are none yet."""
    if settings is None:
        return {}
    shown = {row.option: render_value(row, getattr(settings, row.option)) for row in SETTINGS_PROPERTIES}
    return {**shown, "smarthost": render_smarthost(settings.smarthost)}


def merge_settings(actual: Settings | None, options: Mapping[str, Any]) -> Settings:
    """The wanted settings. Omitted options keep what is there.

    :raises InputError: a value that cannot be read, a new relay without name
    :raises ConflictError: another name than the one that the server has
    """
    if actual is None:
        for option in ("name", "fqdn"):
            if options.get(option) is None:
                raise InputError("a new relay needs this option", where=option, way_out=f"Give {option}.")
    current = actual or Settings()
    wanted = replace(current, **read_options(SETTINGS_PROPERTIES, current, options))
    if actual is not None and wanted.name != actual.name:
        raise ConflictError(
            f"the server is called '{actual.name}' already, and its built-in connector bears that name",
            where="name",
            value=wanted.name,
            way_out="Give that name, or remove the directory of the relay to start afresh.",
        )
    return wanted


def loosened(before: Settings | None, after: Settings | None) -> list[str]:
    """A sentence for each limit that lets more through than it did."""
    if before is None or after is None:
        return []
    sentences = []
    if after.max_relay_addresses > before.max_relay_addresses:
        numbers = f"from {before.max_relay_addresses} to {after.max_relay_addresses}"
        sentences.append(f"max_relay_addresses is loosened {numbers} addresses.")
    gone = subtract(before.shared_sources, after.shared_sources)
    if gone:
        names = ", ".join(map(str, gone))
        sentences.append(f"shared_sources is loosened: {names} may be listed as devices from now on.")
    return sentences
