# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._aiosmtpd.documents import (
    canonical,
    parse_json,
    read_document,
)
from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from support import relay_files
from support.json_junk import changed, damaged, encoded
from support.special_files import SPECIAL_FILES

KEYS = frozenset({"version", "server_name", "fqdn", "smarthost"})
VALID = encoded(relay_files.settings())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Expecting value"),
        (b'{"version": ' + b"9" * 5000 + b"}", "integer string conversion"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 60 + b"]" * 60, "nested too deeply"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "nested too deeply"),
        (b'{"version": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\\uDC00": 1}', "half of a surrogate pair"),
        (b'{"version": "\xff"}', "no UTF-8 from byte 13 on"),
        ('{"version": 1}'.encode("utf-16"), "no UTF-8 from byte 0 on"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"version": NaN}', "NaN is not a JSON number"),
        (b'{"version": 1e999}', "a number is too large"),
        (b'{"version": 1, "version": 1}', "a key stands twice"),
        (b"\0" * 100, "Expecting value"),
    ],
)
def test_what_is_no_json_here(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=rf"settings\.json: not JSON: .*{says}"):
        read_document(str(path), KEYS)


def test_what_is_json() -> None:
    assert parse_json(rb'["\ud83d\ude00", "\\ud800", 1.5]') == ["\U0001f600", "\\ud800", 1.5]
    assert parse_json(b"[" * 50 + b"]" * 50)


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    make, says = SPECIAL_FILES[kind]
    make(tmp_path / "settings.json")
    with pytest.raises(StoreError, match=says):
        read_document(str(tmp_path / "settings.json"), KEYS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged(VALID) | changed(relay_files.settings()).map(encoded) | st.binary(max_size=30))
def test_a_damaged_document_is_one_error(tmp_path: Path, content: bytes) -> None:
    """What is read is what the daemon would read, and whoever walks through it comes to its end."""
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    try:
        document = read_document(str(path), KEYS)
    except StoreError as error:
        str(error).encode()
    else:
        assert json.loads(canonical(document)) == document
