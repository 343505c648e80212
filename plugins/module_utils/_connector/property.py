# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of the property table, and how the options of such rows are read and shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from operator import eq
from typing import Any, Callable

from .errors import ConflictError, InputError, RelayError
from .odd import Odd, printed

_LIST_FORMS = "Give a list (exactly this), or {add: [...], remove: [...]}, or {set: [...]}."
_NONE = "None"
_FEW = 5
"""Entries that a message names."""


@dataclass(frozen=True)
class Property:
    """One option.

    Every spelling of a value is read to one form, so two values are the same if they are equal (``==``).

    :ivar option: its name, which is that of the field of the dataclass: the Exchange name in snake_case
    :ivar exchange: the parameter of New- and Set-ReceiveConnector (or Set-AcceptedDomain), empty where there is none
    :ivar type: Ansible argument type; ``raw`` rows are lists that also take ``{add, remove, set}``
    :ivar parse: ``(value, where)`` to the normalised value; of one entry for lists
    :ivar render: normalised value (one entry for lists) to option value
    :ivar since: first Exchange version that has it: 07, 07s (SP1), 10, 10s (SP2), 13 or 16
    :ivar in_new: New-ReceiveConnector takes it
    :ivar in_set: Set-ReceiveConnector takes it
    :ivar readable: Get-ReceiveConnector shows it
    :ivar decides: who may relay depends on it: what a server holds there must be readable
    :ivar choices: the words it takes; of lists the flags, in the order in which they are kept
    :ivar aliases: more words for flags, and what each stands for
    :ivar least: smallest number (bytes, seconds or a count), ``None``: it is no number
    :ivar most: largest number
    :ivar unlimited: ``Unlimited`` is allowed
    :ivar split: the text of a whole list to the texts of its entries
    :ivar holds: the first entry takes in all that the second stands for: without the second alone nothing changes
    :ivar meets: something is taken in by both entries
    :ivar empty_allows: what an empty list allows, where that is more than any entry does; else empty
    """

    option: str
    exchange: str
    type: str
    parse: Callable[[Any, str], Any]
    render: Callable[[Any], Any] = lambda value: value
    since: str = "07"
    in_new: bool = True
    in_set: bool = True
    readable: bool = True
    decides: bool = False
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    least: int | None = None
    most: int | None = None
    unlimited: bool = False
    split: Callable[[str], list[str]] = lambda text: text.split(",")
    holds: Callable[[Any, Any], bool] = eq
    meets: Callable[[Any, Any], bool] = eq
    empty_allows: str = ""

    @property
    def is_list(self) -> bool:
        return self.type == "raw"

    @property
    def is_flags(self) -> bool:
        return self.is_list and bool(self.choices)

    @property
    def may_be_odd(self) -> bool:
        """Where a server holds what cannot be read, it is kept as :class:`.odd.Odd`."""
        return bool(self.exchange) and self.readable and not self.decides


def render_value(row: Property, value: Any) -> Any:
    """In the shape of the option; ``None`` where the server has no such thing."""
    if value is None:
        return None
    if isinstance(value, Odd):
        return value.rendered
    return [row.render(entry) for entry in value] if row.is_list else row.render(value)


def read_options(
    rows: Iterable[Property],
    item: Any,
    options: Mapping[str, Any],
    prefix: str = "",
    unvalidated: Collection[str] = (),
) -> dict[str, Any]:
    """What the options that are not omitted (``None``) make of the fields of ``item``. A value that is rendered as the
    current one is the current one, whatever it is.

    :param prefix: of the names of the options in messages
    :param unvalidated: options of which a value that cannot be read is taken as it stands
    :raises InputError: a value that cannot be read
    :raises ConflictError: ``None`` beside another flag
    """
    return {
        row.option: _read(row, getattr(item, row.option), options[row.option], f"{prefix}{row.option}", unvalidated)
        for row in rows
        if options.get(row.option) is not None
    }


def _read(row: Property, current: Any, value: Any, where: str, unvalidated: Collection[str]) -> Any:
    if _is_shown(value, render_value(row, current)):
        return current
    read = read_leniently if row.option in unvalidated else read_value
    return read(row, value, where, current)


def _is_shown(value: Any, shown: Any) -> bool:
    """The same value: 1 is not true."""
    if isinstance(shown, list):
        return isinstance(value, (list, tuple)) and len(value) == len(shown) and all(map(_is_shown, value, shown))
    return isinstance(value, bool) is isinstance(shown, bool) and bool(value == shown)


def read_value(row: Property, value: Any, where: str, current: Any = ()) -> Any:
    """The normalised value.

    :param current: what a list option changes
    :raises InputError: it cannot be read
    :raises ConflictError: ``None`` beside another flag
    """
    return parse_list(row, current, value, where) if row.is_list else row.parse(value, where)


def read_leniently(row: Property, value: Any, where: str, current: Any = ()) -> Any:
    """As :func:`read_value`; what cannot be read is :class:`.odd.Odd`.

    :raises InputError: it is no text and no list, so no server holds it
    """
    shown = printed(value)
    for spelling in (value, shown.rendered):
        try:
            return read_value(row, spelling, where, current)
        except RelayError:
            if isinstance(value, Mapping):
                raise
    return shown


def parse_list(
    row: Property, current: tuple[Any, ...] | Odd | None, value: Any, where: str
) -> tuple[Any, ...] | Odd | None:
    """A list option: a list (exactly this) or a change ``{add, remove}`` or ``{set}`` of ``current``.

    :param current: ``None``: what is there is not known; ``Odd``: it cannot be read
    :raises InputError: anything else, an entry that cannot be read, a change of what is not known
    :raises ConflictError: ``None`` beside another flag
    """
    if not isinstance(value, dict):
        return _normalise(row, _parse_entries(row, value, where))
    if not value or not set(value) <= {"add", "remove", "set"} or ("set" in value and len(value) > 1):
        raise InputError("not a list", where=where, value=value, way_out=_LIST_FORMS)
    parts = {
        key: _parse_entries(row, entries, f"{where}.{key}", is_change=key != "set")
        for key, entries in value.items()
        if entries is not None
    }
    if "set" in value:
        return _normalise(row, parts["set"]) if "set" in parts else current
    return _changed(row, current, parts, where)


def _changed(
    row: Property, current: tuple[Any, ...] | Odd | None, parts: Mapping[str, list[Any]], where: str
) -> tuple[Any, ...]:
    if isinstance(current, Odd):
        what = "what the server holds cannot be read, so it cannot be changed"
        raise InputError(what, where=where, value=current.rendered, way_out="Give the whole list.")
    if current is None:
        way_out = "Give the whole list."
        raise InputError("there is no list yet that could be changed", where=where, way_out=way_out)
    both = [entry for entry in parts.get("add", []) if entry in parts.get("remove", [])]
    if both:
        seen = row.render(both[0])
        raise InputError(
            "an entry is both added and removed", where=where, value=seen, way_out="Keep it in one of the lists."
        )
    gone, added = set(parts.get("remove", [])), parts.get("add", [])
    kept = [entry for entry in current if entry not in gone]
    for entry in sorted(gone):
        _refuse_what_stays(row, entry, kept, added, f"{where}.remove")
    wanted = _normalise(row, kept + added)
    if row.empty_allows and current and not wanted:
        raise InputError(
            f"without its last entry the list would allow {row.empty_allows}",
            where=f"{where}.remove",
            value=row.render(current[-1]),
            way_out="Add another entry in the same task, or give the whole list [] if that is meant.",
        )
    return wanted


def _refuse_what_stays(row: Property, gone: Any, kept: list[Any], added: list[Any], where: str) -> None:
    """A removal that would leave in the list some of what it names, under another entry that the task does not name."""
    stays = [entry for entry in kept if row.meets(entry, gone)]
    inside = [entry for entry in (*stays, *added) if row.holds(entry, gone)]
    staying = inside or [entry for entry in stays if entry not in added]
    if not staying:
        return
    names = ", ".join(str(row.render(entry)) for entry in staying[:_FEW])
    names += f" and {len(staying) - _FEW} more" if len(staying) > _FEW else ""
    raise InputError(
        f"{'lies inside' if inside else 'overlaps'} what stays in the list: {names}",
        where=where,
        value=row.render(gone),
        way_out=f"Remove {names} too, and add what is to stay of it in the same task.",
    )


def _parse_entries(row: Property, value: Any, where: str, *, is_change: bool = False) -> list[Any]:
    entries = _split(row, value) if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)):
        raise InputError("not a list", where=where, value=value, way_out=_LIST_FORMS)
    parsed = [row.parse(entry, f"{where}[{number}]") for number, entry in enumerate(entries)]
    return _flags(row, parsed, where, is_change) if row.is_flags else parsed


def _split(row: Property, text: str) -> list[str]:
    """As Exchange prints a list: ``a, b`` or, in a table, ``{a, b}``."""
    bare = text.strip()
    if bare.startswith("{") and bare.endswith("}"):
        bare = bare[1:-1]
    return row.split(bare) if bare.strip() else []


def _flags(row: Property, words: list[str], where: str, is_change: bool) -> list[str]:
    flags = [flag for word in words for flag in row.aliases.get(word, (word,))]
    if _NONE in words and (flags or is_change):
        way_out = "Give None or [] for nothing, or take None away."
        raise ConflictError("None stands alone", where=where, value=words, way_out=way_out)
    return flags


def _normalise(row: Property, entries: list[Any]) -> tuple[Any, ...]:
    """Lists are sets: no duplicates, one order."""
    if row.is_flags:
        return tuple(flag for flag in row.choices if flag in entries)
    return tuple(sorted(set(entries)))
