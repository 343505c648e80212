# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters have in common: our errors become Ansible's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ansible.errors import AnsibleFilterError

from ..module_utils._connector.errors import RelayError

P = ParamSpec("P")
T = TypeVar("T")


def asking(function: Callable[P, T]) -> Callable[P, T]:
    """A filter that fails with the text of the error, and nothing else."""

    @functools.wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except RelayError as error:
            raise AnsibleFilterError(str(error)) from error

    return ask
