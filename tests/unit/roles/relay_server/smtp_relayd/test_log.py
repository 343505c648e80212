# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from smtp_relayd import log


def test_one_object_a_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = '\r\n{"event": "forged"}\u2028\x1b[31m\udcff\0'
    log.emit("event", text=hostile, number=5, nothing=None, other=ValueError("x"))
    written = capsys.readouterr().err
    assert written.isascii()
    assert written.count("\n") == 1
    record = json.loads(written)
    assert record["text"] == hostile
    assert (record["event"], record["number"], record["nothing"]) == ("event", 5, None)
    assert record["time"].endswith("Z")


def test_fields_are_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    log.emit("event", text="x" * 10_000)
    assert len(json.loads(capsys.readouterr().err)["text"]) == 1000


def test_a_log_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space left")

    monkeypatch.setattr(sys, "stderr", Full())
    log.emit("event")


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    root, mail = logging.getLogger(), logging.getLogger("mail.log")
    handlers, level = root.handlers[:], mail.level
    try:
        log.capture_library_logs()
        logging.getLogger("asyncio").error("two\nlines %s", "here")
        mail.warning("aiosmtpd repeats what a client sent")
    finally:
        root.handlers[:] = handlers
        mail.setLevel(level)
        logging.captureWarnings(False)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "two\nlines here"
