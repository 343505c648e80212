# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we make of the texts in support: exchange_errors.py, exchange_cmdlet_errors.py, exchange_phrases.py."""

from __future__ import annotations

import re

import pytest

from ansible_collections.mailops.relay.plugins.plugin_utils._exchange import sorts
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.errors import OUTCOME_UNKNOWN, Problem, explain
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.sorts import SORTS
from support.exchange_cmdlet_errors import CMDLETS, DENIED_IN_WORDS
from support.exchange_errors import ON_THE_WAY, SESSION, Text
from support.exchange_phrases import PHRASES

WHOLE = (*ON_THE_WAY, *SESSION, *CMDLETS)
TEXTS = (*WHOLE, *PHRASES)


def problem(text: Text) -> Problem:
    return Problem(text.stage, text.message, text.id)


def is_of(sort: sorts.Sort, found: Problem) -> bool:
    """Whether this row alone would take it."""
    text = f"{found.message}\n{found.id}\n{found.type}"
    fits = re.search(sort.pattern, text, re.IGNORECASE | re.DOTALL) is not None
    return fits and (not sort.stages or found.stage in sort.stages)


@pytest.mark.parametrize("text", TEXTS)
def test_a_recorded_text(text: Text) -> None:
    assert problem(text).sort is text.sort
    message = str(explain(problem(text)))
    assert message.startswith(f"Exchange, {text.stage}: {text.sort.what}. {text.sort.way_out}")
    assert " ".join(text.message.split())[:400] in message.partition("It said: ")[2]


def test_no_text_is_taken_by_an_earlier_row() -> None:
    taken = [
        (text.message, earlier.what)
        for text in TEXTS
        for earlier in SORTS[: SORTS.index(text.sort)]
        if is_of(earlier, problem(text))
    ]
    assert taken == []


def alternatives(pattern: str) -> list[str]:
    """Of a pattern, what stands between its outermost bars."""
    parts, depth = [""], 0
    for piece in re.findall(r"\\.|.", pattern):
        depth += (piece in "([") - (piece in ")]")
        if piece == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def test_no_part_of_a_pattern_is_there_for_nothing() -> None:
    words = [Text(sorts.DENIED, "rights", item) for item in DENIED_IN_WORDS]
    unused = [
        part
        for sort in SORTS
        for part in alternatives(sort.pattern)
        if not any(is_of(sort._replace(pattern=part), problem(text)) for text in (*TEXTS, *words) if text.sort is sort)
    ]
    assert unused == []


def test_each_sort_has_a_recorded_text_and_a_message_and_way_out_of_its_own() -> None:
    assert {text.sort for text in WHOLE} == set(SORTS)
    assert len({sort.what for sort in SORTS}) == len({sort.way_out for sort in SORTS}) == len(SORTS)


def test_no_way_out_says_that_nothing_was_changed() -> None:
    """The same is said to a task that writes."""
    for sort in SORTS:
        assert not re.search(r"nothing was|by reading", sort.way_out)
        assert not sort.way_out or sort.way_out.endswith(".")


@pytest.mark.parametrize("words", DENIED_IN_WORDS)
def test_access_is_denied_in_the_languages_of_windows(words: str) -> None:
    for text in (words, words.upper(), f"Active Directory: {words} (x)"):
        assert Problem("rights", text).sort is sorts.DENIED
        assert Problem("rights", text).denied


@pytest.mark.parametrize(
    ("message", "error_id"),
    [
        ("Der Vorgang ist fehlgeschlagen.", "[Server=EX1,RequestId=170a1385-1385-4040-4030-500150040403] x"),
        ("The value 404 of 500 is 403.", ""),
        ("Connector 1385 has 170 entries.", ""),
    ],
)
def test_numbers_that_mean_something_else(message: str, error_id: str) -> None:
    assert Problem("connectors", message, error_id).sort is sorts.UNKNOWN


@pytest.mark.parametrize("sort", SORTS, ids=lambda sort: sort.what)
@pytest.mark.parametrize("wrote", [True, False])
def test_a_lost_answer_after_a_write_had_begun_means_that_the_outcome_is_unknown(sort: sorts.Sort, wrote: bool) -> None:
    for text in TEXTS:
        if text.sort is sort:
            message = str(explain(problem(text), wrote=wrote)).partition("It said")[0]
            unknown = wrote and (sort.cut_off or text.stage in ("connection", "module"))
            assert (OUTCOME_UNKNOWN in message) == unknown
            assert message.count("un the task again") == (unknown or sort.cut_off or "the task again" in sort.way_out)


def test_sorts_whose_answer_is_lost() -> None:
    lost = {sorts.SESSION_GONE, sorts.QUOTA, sorts.BUSY, sorts.REFUSED, sorts.LOST}
    assert {sort for sort in SORTS if sort.cut_off} == lost


def test_an_unknown_failure_on_the_way_after_a_write_had_begun() -> None:
    assert OUTCOME_UNKNOWN in str(explain(Problem("connection", "Etwas ist faul"), wrote=True))
    assert OUTCOME_UNKNOWN not in str(explain(Problem("set", "Etwas ist faul"), wrote=True))


def test_what_a_caller_may_ask_of_a_problem() -> None:
    denied = {sorts.DENIED, sorts.NO_CMDLET, sorts.NO_ROLE, sorts.OUT_OF_SCOPE}
    for text in TEXTS:
        found = problem(text)
        assert found.denied == (text.sort in denied)
        assert found.missing == (text.sort is sorts.MISSING)
    assert Problem("rights", "Der Name wurde nicht erkannt", "CommandNotFoundException").cmdlet_not_found


def test_a_text_that_nobody_knows_is_shown() -> None:
    assert "Exchange answered with an error" in str(explain(Problem("domains", "Etwas ist faul")))
    assert "Windows was not reached" in str(explain(Problem("connection", "Etwas ist faul")))
    assert "It said: Etwas ist faul" in str(explain(Problem("connection", "Etwas ist faul")))


def test_a_long_text_is_cut_and_on_one_line() -> None:
    message = str(explain(Problem("domains", "a\r\nb" + "c" * 5000)))
    assert "a b" in message
    assert len(message) < 1000
