# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters have in common: errors become Ansible's, and an argument that nobody thought of is one too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ansible.errors import AnsibleFilterError

from ..module_utils._connector.errors import InputError, RelayError

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")
_UNEXPECTED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def asking(function: Callable[P, T]) -> Callable[P, T]:
    """A filter that fails with the text of the error, and nothing else."""

    @functools.wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except RelayError as error:
            raise AnsibleFilterError(str(error)) from error

    return ask


def read(option: str, parse: Callable[[V], T], value: V) -> T:
    """What ``parse`` makes of an option of a filter.

    :raises InputError: also for what ``parse`` trips over
    """
    try:
        return parse(value)
    except _UNEXPECTED as error:
        way_out = "Give what the documentation of the filter describes."
        raise InputError(f"cannot be read ({type(error).__name__}: {error})", where=option, way_out=way_out) from error
