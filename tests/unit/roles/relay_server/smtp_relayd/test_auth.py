# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relayd import auth, replies
from smtp_relayd.auth import Credentials, Refused


def b64(content: bytes) -> bytes:
    return base64.b64encode(content)


def converse(argument: str | None, *lines: bytes) -> tuple[list[str], Credentials]:
    """Challenges and credentials of a dialogue."""
    exchange = auth.begin(argument)
    challenges = []
    waiting = list(lines)
    try:
        challenge = next(exchange)
        while True:
            challenges.append(auth.challenge_line(challenge))
            challenge = exchange.send(auth.decoded(waiting.pop(0)))
    except StopIteration as end:
        assert waiting == []
        return challenges, end.value


def challenges_of(mechanism: str) -> list[str]:
    return ["334 "] if mechanism == "PLAIN" else ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]


def refusal(argument: str | None, *lines: bytes) -> replies.Reply:
    with pytest.raises(Refused) as caught:
        converse(argument, *lines)
    return caught.value.reply


ALICE = Credentials(b"alice", b"s3cret")
PLAIN = b64(b"\0alice\0s3cret")


@pytest.mark.parametrize(
    ("argument", "lines", "challenges"),
    [
        (f"PLAIN {PLAIN.decode()}", [], []),
        ("PLAIN", [PLAIN], ["334 "]),
        ("plain", [b64(b"alice\0alice\0s3cret")], ["334 "]),
        ("Plain", [b64(b"\0ALICE\0s3cret")], ["334 "]),
        ("PLAIN", [b64(b"Alice\0aLICE\0s3cret")], ["334 "]),
        ("LOGIN", [b64(b"alice"), b64(b"s3cret")], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]),
        ("login", [b64(b"Alice"), b64(b"s3cret")], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]),
        (f"LOGIN {b64(b'alice').decode()}", [b64(b"s3cret")], ["334 UGFzc3dvcmQ6"]),
        (f"LOGIN   {b64(b'alice').decode()}", [b64(b"s3cret")], ["334 UGFzc3dvcmQ6"]),
    ],
)
def test_exchange(argument: str, lines: list[bytes], challenges: list[str]) -> None:
    assert converse(argument, *lines) == (challenges, ALICE)


@pytest.mark.parametrize(
    ("argument", "lines", "expected"),
    [
        (None, [], replies.INVALID_ARGUMENTS),
        ("", [], replies.INVALID_ARGUMENTS),
        ("PLAIN a b", [], replies.INVALID_ARGUMENTS),
        ("CRAM-MD5", [], replies.AUTH_NOT_OFFERED),
        ("PLAINX", [], replies.AUTH_NOT_OFFERED),
        ("\u212aPLAIN", [], replies.AUTH_NOT_OFFERED),
        ("PLAIN *", [], replies.AUTH_CANCELLED),
        ("PLAIN", [b"*"], replies.AUTH_CANCELLED),
        ("LOGIN", [b"*"], replies.AUTH_CANCELLED),
        ("LOGIN", [b64(b"alice"), b"*"], replies.AUTH_CANCELLED),
        ("PLAIN", [b"**"], replies.AUTH_MALFORMED),
        ("PLAIN", [b"AGE"], replies.AUTH_MALFORMED),
        ("PLAIN", [b"=AAA"], replies.AUTH_MALFORMED),
        ("PLAIN", [b"AA=A"], replies.AUTH_MALFORMED),
        ("PLAIN", [PLAIN + b" "], replies.AUTH_MALFORMED),
        ("PLAIN", [PLAIN + b"\0"], replies.AUTH_MALFORMED),
        ("PLAIN", [PLAIN + b"===="], replies.AUTH_MALFORMED),
        ("PLAIN", [b"\xff\xfe\xfd\xfc"], replies.AUTH_MALFORMED),
        ("PLAIN \u00e9\u00e9\u00e9\u00e9", [], replies.AUTH_MALFORMED),
        ("PLAIN \udcff\udcff\udcff\udcff", [], replies.AUTH_MALFORMED),
        ("PLAIN =", [], replies.AUTH_MALFORMED),
        ("PLAIN", [b""], replies.AUTH_MALFORMED),
        ("PLAIN", [b64(b"alice")], replies.AUTH_MALFORMED),
        ("PLAIN", [b64(b"alice\0s3cret")], replies.AUTH_MALFORMED),
        ("PLAIN", [b64(b"\0alice\0s3cret\0")], replies.AUTH_MALFORMED),
        ("PLAIN", [b64(b"\0alice\0\0s3cret")], replies.AUTH_MALFORMED),
        ("PLAIN", [b64(b"alice\0\0s3cret")], replies.AUTH_MALFORMED),
        ("PLAIN", [b64(b"\0\0")], replies.AUTH_MALFORMED),
        ("PLAIN", [b64(b"bob\0alice\0s3cret")], replies.AUTH_FAILED),
        ("PLAIN", [b64(b"alice@corp.test\0alice\0s3cret")], replies.AUTH_FAILED),
        ("LOGIN", [b"!"], replies.AUTH_MALFORMED),
        ("LOGIN", [b64(b"alice"), b"s3cret"], replies.AUTH_MALFORMED),
    ],
)
def test_refused(argument: str | None, lines: list[bytes], expected: replies.Reply) -> None:
    assert refusal(argument, *lines) == expected


def test_octets_are_not_interpreted() -> None:
    """Nobody says in which encoding a password is, and a NUL or a Kelvin sign makes another name."""
    assert converse("PLAIN", b64(b"\0\xe4lice\0p\xe4ss\r\n"))[1] == Credentials(b"\xe4lice", b"p\xe4ss\r\n")
    assert converse("LOGIN", b64(b"al\0ice"), b64(b"a\0b"))[1] == Credentials(b"al\0ice", b"a\0b")
    assert converse("LOGIN", b64("\u212aIM".encode()), b"")[1] == Credentials("\u212aim".encode(), b"")
    assert converse("LOGIN =", b"")[1] == Credentials(b"", b"")


def test_credentials_do_not_show_the_password() -> None:
    shown = Credentials(b"\xff\x1b\r\nalice", b"s3cret")
    assert "s3cret" not in repr(shown)
    assert "s3cret" not in str(shown)
    assert shown.shown_name == "\\xff\x1b\r\nalice"


@given(st.binary(max_size=40))
def test_any_line_is_decoded_or_refused(line: bytes) -> None:
    with contextlib.suppress(Refused):
        assert len(b64(auth.decoded(line))) == len(line)


@given(st.sampled_from(["PLAIN", "LOGIN"]), st.binary(max_size=20), st.binary(max_size=20))
def test_any_exchange_ends(mechanism: str, first: bytes, second: bytes) -> None:
    with contextlib.suppress(Refused):
        challenges, credentials = converse(
            mechanism, *(b64(part) for part in (first, second)[: len(challenges_of(mechanism))])
        )
        assert challenges == challenges_of(mechanism)
        assert isinstance(credentials.password, bytes)
