# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that docs/exchange-snapshot.ps1 writes. That the script writes it is tested in test_script.py."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import StoreError
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.calls import Answers
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.snapshot import read_snapshot

BODY = r"""mailops.relay snapshot 1
connectors
connectors 0 Name = a'b "c" \\ \u000d\u000a $(x) `y` \u00fc\u6f22\ud83d\ude00
connectors 0 Banner -
connectors 0 Comment =
connectors 0 Bindings + 0.0.0.0:25
connectors 0 Bindings + [::]:25
connectors 0 RemoteIPRanges *
connectors 1 Name = B
rights ! CommandNotFoundException The term 'Get-ADPermission' is not recognized = - + *
marker
end 12
"""


def take(tmp_path: Path, content: str | bytes) -> Answers:
    path = tmp_path / "snapshot.txt"
    path.write_bytes(content.encode("ascii") if isinstance(content, str) else content)
    return read_snapshot(str(path))


def test_every_kind_of_line(tmp_path: Path) -> None:
    answers = take(tmp_path, BODY)
    assert answers["connectors"].rows == (
        {
            "Name": 'a\'b "c" \\ \r\n $(x) `y` ü漢😀',
            "Banner": None,
            "Comment": "",
            "Bindings": ["0.0.0.0:25", "[::]:25"],
            "RemoteIPRanges": [],
        },
        dict.fromkeys(("Banner", "Comment", "Bindings", "RemoteIPRanges")) | {"Name": "B"},
    )
    assert answers["marker"].rows == ()
    problem = answers["rights"].problem
    assert problem is not None
    assert problem.cmdlet_not_found
    assert problem.message == "The term 'Get-ADPermission' is not recognized = - + *"


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF16_LE + BODY.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + BODY.encode("utf-16-be"),
        codecs.BOM_UTF8 + BODY.encode(),
        codecs.BOM_UTF16_LE + BODY.replace("\n", "\r\n").encode("utf-16-le"),
        BODY.replace("\n", "\r\n").encode() + b"\r\n\r\n",
    ],
)
def test_encodings_and_line_ends_make_no_difference(tmp_path: Path, content: bytes) -> None:
    assert take(tmp_path, content) == take(tmp_path, BODY)


def test_a_blank_at_the_end_of_a_line_may_be_lost(tmp_path: Path) -> None:
    assert take(tmp_path, BODY.replace("Comment =", "Comment = ")) == take(tmp_path, BODY)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mailops.relay snapshot 1", "mailops.relay snapshot 2", "not a snapshot, got 'mailops.relay snapshot 2'"),
        ("end 12\n", "", "the snapshot is cut off or was edited, got 'marker'"),
        ("connectors 1 Name = B\n", "", "the snapshot is cut off or was edited, got 'end 12'"),
        ("connectors 1 Name = B", "connectors 1 Name", "line 9: a line that is not understood"),
        ("connectors 1 Name = B", "connectors 0 Name = B", "line 9: a line that is not understood"),
        ("connectors 1 Name = B", "connectors 0 Name + B", "line 9: a line that is not understood"),
        ("connectors 1 Name = B", "connectors 1 Name - B", "line 9: a line that is not understood"),
        (BODY, "", "not a snapshot"),
    ],
)
def test_a_file_that_is_something_else(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in BODY
    with pytest.raises(StoreError, match=told):
        take(tmp_path, BODY.replace(old, new))


def test_a_file_that_is_not_ascii(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the snapshot cannot be read"):
        take(tmp_path, BODY.replace("= B", "= Bü").encode())


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"snapshot .*nothing: the snapshot cannot be read: .*on the controller"):
        read_snapshot(str(tmp_path / "nothing"))
