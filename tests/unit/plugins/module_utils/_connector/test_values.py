# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector import values
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("36MB", 37748736),
        ("36 MB (37,748,736 bytes)", 37748736),
        ("37748736", 37748736),
        (37748736, 37748736),
        ("64kb", 65536),
        ("65536B", 65536),
        ("1 GB", 1 << 30),
        ("35.9 MB (37,644,000 bytes)", 37644000),
        ("1.465 MB (1,536,000 bytes)", 1536000),
        ("1,465 MB (1.536.000 bytes)", 1536000),
        ("1,465 MB (1\u00a0536\u00a0000 bytes)", 1536000),
        ("35.9 MB", None),
        ("35. MB (37,644,000 bytes)", None),
        ("36 MB (37,644,000 bytes)", 37644000),
        ("2147483647", 2147483647),
    ],
)
def test_sizes(text: Any, size: int | None) -> None:
    if size is None:
        with pytest.raises(InputError, match="not a size"):
            values.parse_size(text, "x")
    else:
        assert values.parse_size(text, "x") == size


@pytest.mark.parametrize("value", ["63KB", "65535", "2GB", "1TB", "0", "36 XB", "", "-1", None, True, 1.5, [1]])
def test_a_size_out_of_range_or_unreadable_is_refused(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        values.parse_size(value, "connector 'A', max_message_size")
    assert "connector 'A', max_message_size: " in str(caught.value)


@given(st.integers(values.MIN_MESSAGE_SIZE, values.MAX_MESSAGE_SIZE))
def test_a_size_is_printed_exactly(size: int) -> None:
    assert values.parse_size(values.format_size(size), "x") == size


@pytest.mark.parametrize(("size", "text"), [(37748736, "36MB"), (65536, "64KB"), (1 << 30, "1GB"), (65537, "65537B")])
def test_a_size_is_printed_short(size: int, text: str) -> None:
    assert values.format_size(size) == text


@pytest.mark.parametrize(
    "parse",
    [
        values.parse_text,
        values.parse_comment,
        values.parse_name,
        values.parse_host,
        values.parse_banner,
        values.parse_endpoint,
        values.parse_domain,
    ],
)
def test_no_text_has_a_nul(parse: Callable[[Any, str], str]) -> None:
    with pytest.raises(InputError, match="a NUL character"):
        parse("220 a\0b", "x")


@pytest.mark.parametrize(
    "parse",
    [
        values.parse_text,
        values.parse_name,
        values.parse_host,
        values.parse_banner,
        values.parse_endpoint,
        values.parse_domain,
    ],
)
@pytest.mark.parametrize("text", ["a\nb", "a\r", "\nabc"])
def test_only_a_comment_has_several_lines(parse: Callable[[Any, str], str], text: str) -> None:
    with pytest.raises(InputError, match="a line break"):
        parse(text, "x")
    assert values.parse_comment(text, "x") == text


@pytest.mark.parametrize("name", ["", " a", "a ", "x" * 65, 7, None])
def test_names(name: Any) -> None:
    with pytest.raises(InputError):
        values.parse_name(name, "x")


def test_quotes_and_dollars_in_a_name_are_just_characters() -> None:
    for name in ("it's", 'a "b"', "$(x)", "Scanner; rm -rf", "Größe"):
        assert values.parse_name(name, "x") == name


def test_the_nearest_choice_is_suggested() -> None:
    with pytest.raises(InputError, match="Did you mean AnonymousUsers"):
        values.parse_choice("AnonymusUsers", ["AnonymousUsers", "ExchangeUsers"], "x")
    assert values.parse_choice("aNONYMOUSuSERS ", ["AnonymousUsers"], "x") == "AnonymousUsers"
    with pytest.raises(InputError, match=r"^x: no such value, got 'zzz'. Choose from A, B."):
        values.parse_choice("zzz", ["A", "B"], "x")


@pytest.mark.parametrize("text", ["220 mail.corp.test", "220 " + "x" * 500, ""])
def test_banners(text: str) -> None:
    assert values.parse_banner(text, "x") == text


@pytest.mark.parametrize("text", ["250 hello", "220-hello", "2200", "220 grüß", "220", "220 ", "220 " + "x" * 501, 220])
def test_a_banner_that_is_none(text: Any) -> None:
    with pytest.raises(InputError):
        values.parse_banner(text, "x")


@pytest.mark.parametrize("text", ["relay.corp.test", "relay", "a-b.c1", ""])
def test_hosts(text: str) -> None:
    assert values.parse_host(text.upper(), "x") == text


@pytest.mark.parametrize("text", ["-a.test", "a..test", "a.test.", "a_b.test", "10.0.0.1", "a b", "x" * 64 + ".test"])
def test_a_host_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="not a host name"):
        values.parse_host(text, "x")


@pytest.mark.parametrize("text", ["mail.corp.test:25", "192.0.2.1:25", "[2001:db8::1]:2525", "localhost:25", ""])
def test_endpoints(text: str) -> None:
    assert values.parse_endpoint(text.upper(), "x") == text


@pytest.mark.parametrize(
    "text", ["mail.corp.test", ":25", "a:0", "a:65536", "[10.0.0.1]:25", "300.1.1.1:25", "a b:25", "::1:25"]
)
def test_an_endpoint_that_is_none(text: str) -> None:
    with pytest.raises(InputError):
        values.parse_endpoint(text, "x")


@pytest.mark.parametrize("text", ["corp.test", "*.corp.test", "*", "test", "*.test"])
def test_domains(text: str) -> None:
    assert values.parse_domain(text.upper(), "x") == text


@pytest.mark.parametrize(
    "text", ["", "a.*.test", "*corp.test", "*.", "corp.test.", ".test", "10.0.0.1", "grün.test", "a@b.test"]
)
def test_a_domain_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="not a domain"):
        values.parse_domain(text, "x")


def test_booleans_are_booleans() -> None:
    assert values.parse_bool(True, "x") is True
    with pytest.raises(InputError):
        values.parse_bool("yes", "x")
