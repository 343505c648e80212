# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relayd import address, esmtp, replies
from smtp_relayd.esmtp import MailParameters


@pytest.mark.parametrize(
    "name",
    ["relay.corp.test", "KM_C258", "192.168.1.5", "[192.168.1.5]", "[IPv6:fe80::1%eth0]", "fe80::1", "a" * 255],
)
def test_what_devices_say(name: str) -> None:
    assert esmtp.is_hello_name(name)


@pytest.mark.parametrize(
    "name",
    [None, "", "a b", "a\r", "a\nb", "a\0", "a\x1b[31m", "é", "a(b)", "a;b", "<a>", "a" * 256, "a%b", 'a"', "[a", "[]"],
)
def test_junk_hello(name: str | None) -> None:
    assert not esmtp.is_hello_name(name)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("FROM:<a@b>", ("<a@b>", "")),
        ("from: <a@b>", ("<a@b>", "")),
        ("FROM:<>", ("<>", "")),
        ("FROM:<a@b> SIZE=5  BODY=7BIT", ("<a@b>", "SIZE=5  BODY=7BIT")),
        ("FROM:a@b", ("a@b", "")),
        ("FROM:<a@b>SIZE=5", ("<a@b>SIZE=5", "")),
        ("FROM:<a@b><c@d>", ("<a@b><c@d>", "")),
        ("FROM:<a@b>\tSIZE=5", ("<a@b>\tSIZE=5", "")),
        ("FROM:<a@b>\n", ("<a@b>\n", "")),
        ("FROM:", ("", "")),
        ("FROM <a@b>", None),
        ("TO:<a@b>", None),
        (None, None),
    ],
)
def test_split_path(argument: str | None, expected: tuple[str, str] | None) -> None:
    assert esmtp.split_path("FROM:", argument) == expected


@given(st.text(st.sampled_from(list('<>@ab."\\ ,:[]\t\r\n')), max_size=20))
def test_no_second_reading(text: str) -> None:
    """What is taken for an address is everything up to the parameters; no other bracket stands in it."""
    split = esmtp.split_path("TO:", f"TO:{text}")
    assert split is not None
    mailbox = address.inside_brackets(split[0])
    if mailbox is not None and address.is_mailbox(mailbox):
        assert text.strip(" ") == f"<{mailbox}> {split[1]}".strip(" ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", MailParameters()),
        ("SIZE=0", MailParameters(0)),
        ("size=1000 body=8bitmime", MailParameters(1000, True)),
        ("BODY=7BIT", MailParameters()),
        ("AUTH=<>", MailParameters()),
        ("AUTH=e+3Dmc2@example.test SIZE=7", MailParameters(7)),
        ("SIZE=", replies.INVALID_ARGUMENTS),
        ("SIZE", replies.INVALID_ARGUMENTS),
        ("SIZE=-1", replies.INVALID_ARGUMENTS),
        ("SIZE=\u0665", replies.INVALID_ARGUMENTS),
        ("SIZE=" + "9" * 21, replies.INVALID_ARGUMENTS),
        ("SIZE=1 SIZE=2", replies.INVALID_ARGUMENTS),
        ("BODY=BINARYMIME", replies.INVALID_ARGUMENTS),
        ("=5", replies.INVALID_ARGUMENTS),
        ("A\0=5", replies.INVALID_ARGUMENTS),
        ("SMTPUTF8", replies.UNKNOWN_PARAMETER),
        ("RET=FULL ENVID=1", replies.UNKNOWN_PARAMETER),
        ("MT-PRIORITY=3", replies.UNKNOWN_PARAMETER),
    ],
)
def test_mail_parameters(text: str, expected: object) -> None:
    assert esmtp.mail_parameters(text) == expected
