# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a server holds though no cmdlet would take them today.

Source: real servers hold such values (a ``Default Frontend`` with ``IsValid False``, host names with underscores, sizes
and counts beyond the documented limits). They are kept as they are printed, so that one of them costs neither the rest
of the server nor itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Odd:
    """A value that cannot be read.

    :ivar held: it as it is printed: a text, or the texts of a list
    """

    held: str | tuple[str, ...]

    @property
    def rendered(self) -> str | list[str]:
        """In the shape of an option."""
        return self.held if isinstance(self.held, str) else list(self.held)


def printed(value: Any) -> Odd:
    """``value`` as text, or as the texts of a list; ``None`` is the empty text. Whatever it is, it can be sent on."""
    if isinstance(value, (list, tuple)):
        return Odd(tuple(plain_text(entry) for entry in value))
    return Odd(plain_text(value))


def plain_text(value: Any) -> str:
    """Text that UTF-8 can encode: half of a surrogate pair becomes U+FFFD."""
    if value is None:
        return ""
    try:
        text = str(value)
    except (ValueError, RecursionError):  # Python prints no number of thousands of digits
        text = f"a value of type {type(value).__name__} that cannot be shown"
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
