# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading JSON strictly: whatever is missing, unknown or of another type is an error that names file, key and value."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, TypeVar

T = TypeVar("T")
_MAX_SHOWN = 80


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
        if isinstance(self.value, bool) or self.value != known:
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
        content = file.read_bytes()
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}; {remedy}") from None
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        why = "" if is_secret else f": {error}"
        raise ConfigError(f"{file}: is not JSON{why}; {remedy}") from None
    return Node(value, file, "", remedy, is_secret), content


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice)} stands twice in one object")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
