# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of a dataclass that are options: each says its default and its property at once.

Each function takes the name that Exchange has for the option (empty where there is none), the value of a new item, and
what :class:`.property.Property` knows besides. ``None`` as default: the server's own default, not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields, replace
from functools import partial
from typing import Any, TypeVar

from . import values
from .addresses import AddressRange, parse_range
from .property import Property

T = TypeVar("T")
_KEY = "property"
_MOST = 2147483647


def properties(item: type) -> tuple[Property, ...]:
    """The properties of a dataclass in the order of its fields."""
    return tuple(replace(found.metadata[_KEY], option=found.name) for found in fields(item) if _KEY in found.metadata)


def metadata(exchange: str, kind: str, parse: Callable[[Any, str], Any], **facts: Any) -> dict[str, Property]:
    """Of a field with an Ansible argument type that none of the functions below is for."""
    return {_KEY: Property("", exchange, kind, parse, **facts)}


def _option(exchange: str, default: T, kind: str, parse: Callable[[Any, str], Any], **facts: Any) -> T:
    # by way of partial: pylint takes field() for a mistake wherever it is in no dataclass
    made: T = partial(field, default=default, metadata=metadata(exchange, kind, parse, **facts))()
    return made


def switch(exchange: str, default: T, **facts: Any) -> T:
    """True or false."""
    return _option(exchange, default, "bool", values.parse_bool, **facts)


def text(exchange: str, default: T, parse: Callable[[Any, str], str], **facts: Any) -> T:
    """Text of the form that ``parse`` knows."""
    return _option(exchange, default, "str", parse, **facts)


def word(exchange: str, default: T, choices: tuple[str, ...], **facts: Any) -> T:
    """One of ``choices``."""

    def parse(value: Any, where: str) -> str:
        return values.parse_choice(value, choices, where)

    return _option(exchange, default, "str", parse, choices=choices, **facts)


def entries(exchange: str, default: T, parse: Callable[[Any, str], Any], **facts: Any) -> T:
    """A list of what ``parse`` reads."""
    return _option(exchange, default, "raw", parse, **facts)


def ranges(exchange: str, default: T, **facts: Any) -> T:
    """A list of address ranges."""
    facts.update(render=str, holds=AddressRange.holds, meets=AddressRange.meets)
    return entries(exchange, default, parse_range, **facts)


def patterns(exchange: str, default: T, **facts: Any) -> T:
    """A list of mail addresses and domains, with wildcards."""
    facts.update(holds=values.pattern_holds, meets=values.pattern_meets)
    return entries(exchange, default, values.parse_address_pattern, **facts)


def flags(
    exchange: str,
    default: T,
    choices: tuple[str, ...],
    aliases: Mapping[str, tuple[str, ...]] | None = None,
    **facts: Any,
) -> T:
    """A list of ``choices``. ``None`` is a word of every list of flags, and stands for none of them."""
    words = {"None": (), **(aliases or {})}

    def parse(value: Any, where: str) -> str:
        return values.parse_choice(value, (*choices, *words), where)

    return _option(exchange, default, "raw", parse, choices=choices, aliases=words, **facts)


def count(exchange: str, default: T, least: int, most: int = _MOST, *, unlimited: bool = False, **facts: Any) -> T:
    """A whole number."""
    parse = values.count_parser(least, most, unlimited=unlimited)
    facts.update(render=values.format_count, least=least, most=most, unlimited=unlimited)
    return _option(exchange, default, "str", parse, **facts)


def span(exchange: str, default: T, *, least: int = 0, **facts: Any) -> T:
    """Seconds. A day is the most wherever a limit is documented at all."""
    parse = values.parse_timeout if least else values.parse_span
    facts.update(render=values.format_span, least=least, most=values.DAY)
    return _option(exchange, default, "str", parse, **facts)


def size(exchange: str, default: T, least: int, **facts: Any) -> T:
    """Bytes."""
    facts.update(render=values.format_size, least=least, most=values.MAX_MESSAGE_SIZE)
    return _option(exchange, default, "str", partial(values.parse_size, least=least), **facts)
