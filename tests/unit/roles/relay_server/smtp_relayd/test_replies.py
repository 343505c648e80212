# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relayd import replies
from smtp_relayd.replies import Reply


def test_own_replies_are_legal_and_have_the_code_of_their_class() -> None:
    own = [value for value in vars(replies).values() if isinstance(value, Reply)]
    assert len(own) > 30
    for reply in own:
        assert re.fullmatch(r"([245])\d\d \1\.\d\.\d{1,2} [\x20-\x7e]{1,400}", str(reply)), reply


@given(st.sampled_from([250, 451, 550, 554]), st.text(max_size=2000))
def test_whatever_a_next_hop_says_becomes_a_legal_reply(code: int, message: str) -> None:
    lines = str(replies.passed_on(code, message)).split("\r\n")
    assert all(re.fullmatch(rf"{code}-{code // 100}\.\d+\.\d+( [\x20-\x7e]+)?", line) for line in lines[:-1])
    assert re.fullmatch(rf"{code} {code // 100}\.\d+\.\d+( [\x20-\x7e]+)?", lines[-1])
    assert all(len(line) <= 510 for line in lines)
    assert len(lines) <= 20


@pytest.mark.parametrize(
    ("code", "message", "sent"),
    [
        (550, "5.1.1 No such user", "550 5.1.1 No such user"),
        (550, "No such user", "550 5.0.0 No such user"),
        (550, "5.1.1 No such user\n5.1.1 here", "550-5.1.1 No such user\r\n550 5.1.1 here"),
        (550, "5.7.1 a\nb", "550-5.7.1 a\r\n550 5.7.1 b"),
        (452, "5.2.2 class differs", "452 4.0.0 5.2.2 class differs"),
        (550, "", "550 5.0.0"),
        (550, "5.1.10 long", "550 5.1.10 long"),
        (550, "5.1.1x", "550 5.0.0 5.1.1x"),
        (550, "a\x1b[31m\xe9\r", "550 5.0.0 a?[31m?"),
    ],
)
def test_passed_on(code: int, message: str, sent: str) -> None:
    assert str(replies.passed_on(code, message)) == sent


def test_deferred() -> None:
    assert replies.deferred(Reply(452, "4.3.1", "full")) == Reply(451, "4.3.1", "full")
    assert replies.deferred(Reply(250, "2.0.0", "yes")) == Reply(451, "4.0.0", "yes")
