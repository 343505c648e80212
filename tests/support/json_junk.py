# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies of JSON files that are damaged, or whose values are not what is expected."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]
# what readers are known to stumble over
PIECES = [
    b"9" * 5000,
    b"-1e999",
    b"1.5",
    b"[" * 3000,
    b"[" * 900 + b"]" * 900,
    b'{"a":' * 60 + b"1" + b"}" * 60,
    b'"\\ud800"',
    b'"\\udc80\\ud800"',
    b'"\\ud83d\\ude00"',
    b"NaN",
    b"-Infinity",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\0",
    b"null",
    b'"\\u0000"',
    b'{"a": 1, "a": 1}',
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.just(10**4000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["", "\0", "/a\0b", "*", "::1", "10.0.0.1", "1" * 5000, "corp.test", "\u0661", "220 \u2028"]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=5,
)


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    """The bytes of a file, a part of them replaced."""
    first = draw(st.integers(0, len(valid)))
    last = draw(st.integers(first, min(len(valid), first + 20)) | st.just(len(valid)))
    return valid[:first] + draw(st.sampled_from(PIECES) | st.binary(max_size=20)) + valid[last:]


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """A document, one of its values replaced or left out."""
    made = copy.deepcopy(document)
    path = draw(st.sampled_from(list(_paths(made))))
    owner = made
    for step in path[:-1]:
        owner = owner[step]
    if draw(st.integers(0, 5)) == 0:
        del owner[path[-1]]
    else:
        owner[path[-1]] = draw(VALUES)
    return made


def _paths(value: Any, before: Path = ()) -> Iterator[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*before, key)
        yield from _paths(child, (*before, key))


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()
