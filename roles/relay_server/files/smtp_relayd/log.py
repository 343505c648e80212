# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log: one JSON object a line on standard error. What clients send is escaped, so it cannot forge a line."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import traceback
from datetime import datetime, timezone

# RFC 5321 lines have 512 to 1000 octets; escaping makes them up to six times longer
_MAX_FIELD = 1000


def utc_now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def emit(event: str, **fields: object) -> None:
    record = {"time": utc_now(), "event": event, **{name: _bounded(value) for name, value in fields.items()}}
    # a full disk or a closed pipe must not end sessions
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(json.dumps(record, ensure_ascii=True, default=str) + "\n")
        sys.stderr.flush()


def unexpected(error: BaseException, **fields: object) -> None:
    """An error that nobody foresaw: what it is and where, for whoever mends it. Clients never see that."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    emit("unexpected", exception=type(error).__name__, text=str(error), where=where, **fields)


def _bounded(value: object) -> object:
    return value[:_MAX_FIELD] if isinstance(value, str) else value


class _JsonHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        emit("warning", logger=record.name, message=record.getMessage(), exception=kind)


def capture_library_logs() -> None:
    """Bring what asyncio and other libraries log into the same form; aiosmtpd's own log repeats what we say."""
    logging.basicConfig(handlers=[_JsonHandler()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
