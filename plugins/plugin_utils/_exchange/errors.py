# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between Ansible, Windows, Exchange and its directory: each its own message and way out."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...module_utils._connector.errors import RelayError, StoreError
from .sorts import (
    DENIED,
    MISSING,
    NO_CMDLET,
    NO_ROLE,
    OUT_OF_SCOPE,
    SORTS,
    UNKNOWN,
    UNKNOWN_ON_THE_WAY,
    Sort,
)

_LONGEST_TEXT = 600
_ON_THE_WAY = ("connection", "module")
"""Stages whose failure says nothing of what the script on the server did."""
OUTCOME_UNKNOWN = "The outcome is unknown: run the task again, it continues where it stopped."


class ExchangeError(RelayError):
    """Exchange could not be reached or asked."""

    kind = "exchange"


class Problem(NamedTuple):
    """What failed on the target. ``stage``: ``connection``, ``module``, ``arguments``, ``session``, or the id of a
    call; ``id``: FullyQualifiedErrorId."""

    stage: str
    message: str
    id: str = ""
    category: str = ""
    type: str = ""

    @property
    def sort(self) -> Sort:
        """The first that fits."""
        text = "\n".join((self.message, self.id, self.type))
        found = (
            sort
            for sort in SORTS
            if (not sort.stages or self.stage in sort.stages)
            and re.search(sort.pattern, text, re.IGNORECASE | re.DOTALL)
        )
        return next(found, UNKNOWN_ON_THE_WAY if self.stage == "connection" else UNKNOWN)

    @property
    def cmdlet_not_found(self) -> bool:
        """Roles take cmdlets away: one that the user may not call does not exist for him."""
        return "CommandNotFoundException" in self.id

    @property
    def denied(self) -> bool:
        """The user may not do this, whatever hinders him: Windows, the directory, or a role that he lacks."""
        return self.sort in (DENIED, NO_CMDLET, NO_ROLE, OUT_OF_SCOPE)

    @property
    def missing(self) -> bool:
        """The object is gone, or not yet on the domain controller that was asked."""
        return self.sort is MISSING


def explain(problem: Problem, *, wrote: bool = False) -> ExchangeError:
    """The error to raise: what it means, what to do, and what was said, on one line.

    :param wrote: a write had begun, so where the answer was lost nobody knows how far it came
    """
    sort = problem.sort
    said = " ".join(problem.message.split())
    said = said if len(said) <= _LONGEST_TEXT else f"{said[:_LONGEST_TEXT]}..."
    ways = (sort.way_out, _what_now(sort, problem, wrote), f"It said: {said}")
    return ExchangeError(sort.what, where=f"Exchange, {problem.stage}", way_out=" ".join(way for way in ways if way))


def _what_now(sort: Sort, problem: Problem, wrote: bool) -> str:
    if wrote and (sort.cut_off or problem.stage in _ON_THE_WAY):
        return OUTCOME_UNKNOWN
    return "Run the task again." if sort.cut_off else ""


def nothing_written(problem: Problem) -> RelayError:
    """The error to raise where a problem came before anything was written."""
    if problem.id.startswith("ChangedMeanwhile"):
        return StoreError(
            "changed meanwhile by somebody else, so nothing was written",
            where=f"Exchange, {problem.stage}",
            way_out="Run the task again.",
        )
    if problem.stage == "lock":
        return StoreError(
            "another run writes to this server, so nothing was written",
            where="Exchange",
            way_out=f"Run the task again when that one has ended. It said: {problem.message}",
        )
    found = explain(problem)
    return type(found)(
        found.what, where=found.where, value=found.value, way_out=f"Nothing was written. {found.way_out}"
    )
