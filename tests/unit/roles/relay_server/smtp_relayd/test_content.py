# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relayd import content
from smtp_relayd.content import Intake, Trace

# CR, LF and dots in every combination, and octets of all kinds
messages = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a", b"\x00", b"\xff"]), max_size=40).map(b"".join)
lines = st.lists(st.sampled_from([b"", b".", b"..", b".a", b"text", b"\xff\x00", b"a.b"]), max_size=12)
cuts = st.lists(st.integers(0, 60), max_size=6)


def fed(intake: Intake, stream: bytes, places: list[int]) -> bytes:
    """Feed in pieces; everything behind the end of the message."""
    borders = [0, *sorted(place for place in places if place < len(stream)), len(stream)]
    rest = b""
    for start, end in itertools.pairwise(borders):
        if intake.complete:
            rest += stream[start:end]
        else:
            rest += intake.feed(stream[start:end])
    return rest


@given(lines, cuts)
def test_lines_survive_the_way_through(message: list[bytes], places: list[int]) -> None:
    """Stuffed by a client, in any pieces, with the next command behind it."""
    stream = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in message) + b".\r\nQUIT\r\n"
    intake = Intake(limit=10_000)
    assert fed(intake, stream, places) == b"QUIT\r\n"
    assert intake.complete
    assert intake.content() == b"".join(line + b"\r\n" for line in message)
    assert intake.size == len(intake.content())


@given(messages, cuts)
def test_only_crlf_dot_crlf_ends_a_message(message: bytes, places: list[int]) -> None:
    intake = Intake(limit=10_000)
    rest = fed(intake, message, places)
    end = (b"\r\n" + message).find(b"\r\n.\r\n")
    assert intake.complete == (end >= 0)
    if intake.complete:
        assert rest == message[end + len(b".\r\n") :]


@given(messages)
def test_normalised_content_has_no_bare_cr_or_lf(message: bytes) -> None:
    normal = content.normalised(message)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", normal)
    assert content.normalised(normal) == normal
    assert re.sub(rb"[\r\n]", b"", normal) == re.sub(rb"[\r\n]", b"", message)
    assert normal == b"" or normal.endswith(b"\r\n")


@given(messages)
def test_next_hop_reads_what_was_written(message: bytes) -> None:
    """A reader that takes CRLF, CR or LF for the end of a line finds one end of the message: the last."""
    normal = content.normalised(message)
    stream = b"".join(content.stuffed(b"H: x\r\n", normal))
    found = [line for line in re.split(rb"\r\n|\r|\n", stream) if line == b"."]
    assert len(found) == 1
    assert stream.endswith(b"\r\n.\r\n")
    unstuffed = b"".join(line[1:] if line.startswith(b".") else line for line in stream[:-3].splitlines(keepends=True))
    assert unstuffed == b"H: x\r\n" + normal


def test_long_content_is_written_in_pieces() -> None:
    message = b".dots\r\n" * 100_000
    pieces = list(content.stuffed(b"", message))
    assert b"".join(pieces) == b"..dots\r\n" * 100_000 + b".\r\n"
    assert max(len(piece) for piece in pieces) < 80 * 1024


@pytest.mark.parametrize(("limit", "too_big"), [(40, False), (39, True)])
def test_size_counts_the_message_without_stuffing(limit: int, too_big: bool) -> None:
    intake = Intake(limit)
    intake.feed(b"..x\r\n" * 10 + b".\r\n")
    assert intake.complete
    assert intake.size == len(b".x\r\n" * 10)
    assert intake.is_too_big is too_big


def test_what_exceeds_the_limit_is_not_kept() -> None:
    intake = Intake(limit=10)
    for _number in range(100):
        intake.feed(b"x" * 100)
    assert intake.is_too_big
    assert intake.dropped == 10_000 + 2
    assert intake.feed(b"\r\n.\r\nrest") == b"rest"


@pytest.mark.parametrize(
    ("message", "long"),
    [
        (b"", False),
        (b"x" * 998 + b"\r\n", False),
        (b"x" * 999 + b"\r\n", True),
        ((b"x" * 998 + b"\r\n") * 3, False),
        ((b"x" * 998 + b"\r\n") * 2 + b"x" * 999 + b"\r\n" + b"y\r\n", True),
        (b"\r\n" * 5000, False),
    ],
)
def test_long_lines(message: bytes, long: bool) -> None:
    assert content.has_long_line(message) is long


@pytest.mark.parametrize(
    ("message", "hops"),
    [
        (b"", 0),
        (b"Received: a\r\nreceived: b\r\n\tfolded\r\nSubject: Received: c\r\n\r\nReceived: body\r\n", 2),
        (b"\r\nReceived: body\r\n", 0),
        (b"RECEIVED: no body\r\n", 1),
        (b"Received-SPF: other\r\nReceived : obsolete\r\n\r\n", 1),
    ],
)
def test_hops(message: bytes, hops: int) -> None:
    assert content.hops(message) == hops


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("10.0.0.5", "from scanner_2 ([10.0.0.5]) by relay.corp.test with ESMTPSA id abc"),
        ("2001:db8::5", "from scanner_2 ([IPv6:2001:db8::5]) by relay.corp.test with ESMTPSA id abc"),
    ],
)
def test_received_field(peer: str, expected: str) -> None:
    now = datetime(2026, 11, 24, 8, 0, 5, tzinfo=UTC)
    header = Trace("scanner_2", peer, "relay.corp.test", "ESMTPSA", "abc").header(now)
    value, _semicolon, date = message_from_bytes(header)["Received"].rpartition(";")
    assert " ".join(value.split()) == expected
    assert parsedate_to_datetime(date.strip()) == now


@pytest.mark.parametrize(
    ("extended", "encrypted", "authenticated", "expected"),
    [
        (False, False, False, "SMTP"),
        (False, True, False, "SMTP"),
        (True, False, False, "ESMTP"),
        (True, True, False, "ESMTPS"),
        (True, False, True, "ESMTPA"),
        (True, True, True, "ESMTPSA"),
    ],
)
def test_protocol_names_of_rfc_3848(extended: bool, encrypted: bool, authenticated: bool, expected: str) -> None:
    found = content.protocol(is_extended=extended, is_encrypted=encrypted, is_authenticated=authenticated)
    assert found == expected
