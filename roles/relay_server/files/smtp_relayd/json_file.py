# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading JSON strictly: whatever is missing, unknown or of another type is an error that names file, key and value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, TypeVar

from smtp_relayd import regular_file

T = TypeVar("T")
_MAX_SHOWN = 80
_MOST_LEVELS = 50
_TOO_DEEP = "nested too deeply"


class ConfigError(Exception):
    """A file of the relay's directory cannot be used."""


class Node:
    """A value of a JSON file that knows where it stands and what to do when it is wrong."""

    def __init__(self, value: Any, file: Path, key: str, remedy: str, is_secret: bool = False) -> None:
        self.value = value
        self._file = file
        self._key = key
        self._remedy = remedy
        self._is_secret = is_secret

    def error(self, problem: str) -> ConfigError:
        where = f"{self._key} = {self._shown()}" if self._key else self._shown()
        return ConfigError(f"{self._file}: {where}: {problem}; {self._remedy}")

    def _shown(self) -> str:
        if self._is_secret:
            return "(hidden)"
        shown = json.dumps(self.value, ensure_ascii=True)
        return shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 3] + "..."

    def _child(self, value: Any, key: str) -> Node:
        return Node(value, self._file, f"{self._key}{key}".lstrip("."), self._remedy, self._is_secret)

    def fields(self, names: Iterable[str]) -> dict[str, Node]:
        """The members of an object that has exactly these names."""
        members = self._typed(dict, "is not an object")
        wanted = set(names)
        missing, unknown = wanted - set(members), set(members) - wanted
        if missing:
            raise self.error(f"has no key {json.dumps(min(missing))}")
        if unknown:
            raise self.error(
                "has an unknown key" if self._is_secret else f"has the unknown key {json.dumps(min(unknown))}"
            )
        return {name: self._child(value, f".{name}") for name, value in members.items()}

    def items(self) -> list[Node]:
        members = self._typed(list, "is not a list")
        return [self._child(value, f"[{number}]") for number, value in enumerate(members)]

    def text(self) -> str:
        return str(self._typed(str, "is not a text"))

    def flag(self) -> bool:
        return bool(self._typed(bool, "is not true or false"))

    def number(self, low: int, high: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            raise self.error(f"is not a whole number from {low} to {high}")
        return int(self.value)

    def version(self, known: int) -> None:
        if isinstance(self.value, (bool, float)) or self.value != known:
            raise self.error(f"is a version that this program does not know (it knows {known})")

    def one_of(self, choices: tuple[str, ...]) -> str:
        if self.value not in choices:
            raise self.error(f"is not one of {', '.join(choices)}")
        return str(self.value)

    def parsed(self, parse: Callable[[str], T]) -> T:
        """What `parse` makes of a text; its ValueError says what is wrong."""
        try:
            return parse(self.text())
        except ValueError as error:
            raise self.error(str(error)) from None

    def _typed(self, kind: type, problem: str) -> Any:
        if not isinstance(self.value, kind):
            raise self.error(problem)
        return self.value


def read(file: Path, remedy: str, *, is_secret: bool = False) -> tuple[Node, bytes]:
    """The root of a JSON file, and its bytes. Of a secret one no error shows any part."""
    try:
        content = regular_file.read_bytes(file)
        value = _parse(content)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}; {remedy}") from None
    except ValueError as error:
        why = "" if is_secret else f": {error}"
        raise ConfigError(f"{file}: is not JSON{why}; {remedy}") from None
    return Node(value, file, "", remedy, is_secret), content


def _parse(content: bytes) -> Any:
    """Numbers are finite and texts are texts; the nesting ends long before the stack of whoever walks through it."""
    try:
        value = json.loads(
            content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8 from byte {error.start} on") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _refuse_deep(value)
    if b"\\ud" in content.lower():
        _refuse_half_pairs(value)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice)} stands twice in one object")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _refuse_deep(value: Any) -> None:
    level = [value]
    for _depth in range(_MOST_LEVELS):
        level = [child for item in level if isinstance(item, (dict, list)) for child in _children(item)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _children(item: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return item.values() if isinstance(item, dict) else item


def _refuse_half_pairs(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair stands alone") from None
