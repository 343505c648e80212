# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may write into an option: anything that YAML, JSON or a template can make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

NINES = "9" * 5000
"""More digits than Python makes a number of."""
ODD_NUMBERS = (10**5000, -(10**5000), 1 << 63, -1, 0, float("inf"), float("nan"), 1e300)
ODD_TEXTS = (
    NINES,
    f"{NINES}.00:00:00",
    f"{NINES}:00",
    f"{NINES}MB",
    f"1 KB ({NINES} bytes)",
    f"10.0.0.0/{NINES}",
    f"0.0.0.0:{NINES}",
    f"fe80::1%{NINES}",
    f"x.test:{NINES}",
    "\ud800",
    "a\udfff@x.test",
    "\0",
    "a\0b",
    "\u0661",
    "\u0130",
    "{",
    "{}",
    ",",
    "None",
    "x" * 70000,
)
KEYS = ("add", "remove", "set", "principal", "right", "deny", "connector", "name", "state")
CHARACTERS = st.characters(exclude_categories=())


def _one_of(those: Sequence[Any]) -> st.SearchStrategy[Any]:
    """By number: what hypothesis says of a strategy would hold thousands of digits, or fail to print them."""
    return st.integers(0, len(those) - 1).map(lambda number: those[number])


TEXTS = st.text(CHARACTERS, max_size=8) | _one_of(ODD_TEXTS)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _one_of(ODD_NUMBERS) | TEXTS


def values(*likely: Any) -> st.SearchStrategy[Any]:
    """Any value, and now and then one of ``likely``, alone or in a list or dictionary."""
    leaves = SCALARS | _one_of(likely) if likely else SCALARS
    keys = st.sampled_from(KEYS) | st.none() | st.booleans() | st.integers() | TEXTS
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
