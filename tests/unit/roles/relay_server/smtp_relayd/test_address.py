# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relayd import address

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
ATEXT = LETTERS_AND_DIGITS + "#$&'*+-/=?^_`{|}~"

labels = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?\Z")
anything = st.text(st.sampled_from(list(ATEXT + '@@..%!"\\<>[](),;: \t\r\n\0é')), max_size=30)


def naive_domain(text: str) -> bool:
    """The contract, word by word."""
    parts = text.split(".")
    return (
        len(text) <= 255
        and all(1 <= len(part) <= 63 for part in parts)
        and all(set(part) <= set(LETTERS_AND_DIGITS + "-") for part in parts)
        and not any(part.startswith("-") or part.endswith("-") for part in parts)
        and not set(parts[-1]) <= set(string.digits)
    )


def naive_mailbox(text: str) -> bool:
    if text.count("@") != 1:
        return False
    local, domain = text.split("@")
    atoms = local.split(".")
    return len(local) <= 64 and all(atom and set(atom) <= set(ATEXT) for atom in atoms) and naive_domain(domain)


@given(anything)
def test_mailbox_is_what_the_contract_says(text: str) -> None:
    assert address.is_mailbox(text) == naive_mailbox(text)


@given(st.text(ATEXT + ".", min_size=1, max_size=70), st.lists(labels, min_size=1, max_size=4).map(".".join))
def test_mailbox_near_the_border(local: str, domain: str) -> None:
    assert address.is_mailbox(f"{local}@{domain}") == naive_mailbox(f"{local}@{domain}")


@given(anything | st.lists(labels, min_size=1, max_size=5).map(".".join))
def test_domain_is_what_the_contract_says(text: str) -> None:
    assert address.is_domain(text) == naive_domain(text)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("a" * 64 + "@corp.test", True),
        ("a" * 65 + "@corp.test", False),
        ("a@" + "b" * 63 + ".test", True),
        ("a@" + "b" * 64 + ".test", False),
        ("a@" + "b." * 127 + "t", True),
        ("a@" + "b." * 127 + "tt", False),
        ("a@corp.test\n", False),
        ("a\n@corp.test", False),
        ("a@corp.te\u017ft", False),
        ("a@corp.123", False),
        ("a@corp.1x", True),
        ("a@localhost", True),
        ("a@127.0.0.1", False),
        ("@corp.test", False),
        ("a@", False),
        ("", False),
    ],
)
def test_borders(text: str, valid: bool) -> None:
    assert address.is_mailbox(text) is valid


def test_domain_is_compared_in_lower_case() -> None:
    assert address.domain_of("A.B@Corp.TEST") == "corp.test"
