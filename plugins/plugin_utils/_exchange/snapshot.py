# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the file that docs/exchange-snapshot.ps1 writes. Its form is described in docs/exchange.md."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...module_utils._connector.errors import StoreError
from .calls import Answer, Answers
from .errors import Problem

_FIRST = "mailops.relay snapshot 1"
_TAKE_AGAIN = "Take the snapshot again (docs/exchange.md), and pass the file on as it is."
_VALUE = re.compile(r"([a-z]+) ([0-9]+) ([A-Za-z0-9.]+) ([=+*-])(?: (.*))?")
_PROBLEM = re.compile(r"([a-z]+) ! (\S*)(?: (.*))?")
_ESCAPE = re.compile(r"\\(\\|u[0-9a-f]{4})")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass
class _Reading:
    """What was read so far: rows of each answer by their number."""

    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)


def read_snapshot(path: str) -> Answers:
    """The answers in the file, as a live read returns them.

    :raises StoreError: there is no such file, it is something else, it was cut off or edited
    """
    lines = _lines(path)
    reading = _Reading()
    for number, line in enumerate(lines[1:-1], start=2):
        if not _take(reading, line):
            raise StoreError(
                "a line that is not understood", where=f"{path}, line {number}", value=line, way_out=_TAKE_AGAIN
            )
    return {name: _answer(name, reading) for name in (*reading.rows, *reading.problems)}


def _lines(path: str) -> list[str]:
    try:
        lines = _decoded(Path(path).read_bytes()).split("\n")
    except (OSError, UnicodeError) as error:
        way_out = f"Give the path of the file on the controller. {_TAKE_AGAIN}"
        raise StoreError(f"the snapshot cannot be read: {error}", where=f"snapshot {path}", way_out=way_out) from error
    lines = [line.rstrip("\r") for line in lines]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines or lines[0].strip() != _FIRST:
        raise StoreError("not a snapshot", where=f"snapshot {path}", value="".join(lines[:1]), way_out=_TAKE_AGAIN)
    if lines[-1].strip() != f"end {len(lines)}":
        raise StoreError(
            "the snapshot is cut off or was edited", where=f"snapshot {path}", value=lines[-1], way_out=_TAKE_AGAIN
        )
    return lines


def _decoded(content: bytes) -> str:
    """PowerShell writes UTF-16 with a byte order mark; whoever passes the file on may have saved it as something else.
    The text itself is ASCII."""
    encoding = next((name for bom, name in _BOMS if content.startswith(bom)), "ascii")
    return content.decode(encoding)


def _take(reading: _Reading, line: str) -> bool:
    """Whether the line is understood."""
    problem = _PROBLEM.fullmatch(line)
    if problem is not None:
        name, error_id, message = problem.groups()
        reading.problems[name] = Problem(name, _text(message), _text(error_id))
        return True
    if re.fullmatch("[a-z]+", line.strip()):
        reading.rows.setdefault(line.strip(), {})
        return True
    value = _VALUE.fullmatch(line)
    if value is None:
        return False
    name, number, column, kind, text = value.groups()
    row = reading.rows.setdefault(name, {}).setdefault(int(number), {})
    return _put(row, column, kind, text)


def _put(row: dict[str, Any], column: str, kind: str, text: str | None) -> bool:
    """One value: text (``=``), one more of a list (``+``), an empty list (``*``), nothing (``-``)."""
    if kind == "+":
        listed = row.setdefault(column, [])
        if not isinstance(listed, list):
            return False
        listed.append(_text(text))
        return True
    if column in row or (kind != "=" and text):
        return False
    row[column] = {"=": _text(text), "*": [], "-": None}[kind]
    return True


def _text(escaped: str | None) -> str:
    """``\\\\`` is a backslash, ``\\uXXXX`` a UTF-16 unit: two of them may be one character."""

    def unit(match: re.Match[str]) -> str:
        return "\\" if match[1] == "\\" else chr(int(match[1][1:], 16))

    units = _ESCAPE.sub(unit, escaped or "")
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _answer(name: str, reading: _Reading) -> Answer:
    if name in reading.problems:
        return Answer(problem=reading.problems[name])
    rows = reading.rows[name]
    return Answer(tuple(_whole(rows[number], rows.values()) for number in sorted(rows)))


def _whole(row: Mapping[str, Any], rows: Any) -> dict[str, Any]:
    """As in a live answer, a property that some other object has is there and empty."""
    return {**{column: None for other in rows for column in other}, **row}
