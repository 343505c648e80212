# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments of SMTP commands, taken apart exactly as the client sent them. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from smtp_relayd import replies
from smtp_relayd.replies import Reply

# What devices say: names, also with underscores, bare addresses, address literals.
_HELLO = re.compile(r"(?:[A-Za-z0-9._:-]|\[[A-Za-z0-9.:%_-]+\]){1,255}", re.ASCII)
# The path ends at the first ">": no address that we take contains one.
_PATH = re.compile(r"(?P<path><[^<>\s]*>)(?: +(?P<parameters>.*))?", re.ASCII)
_PARAMETER = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[\x21-\x3c\x3e-\x7e]+))?", re.ASCII)
_SIZE = re.compile(r"[0-9]{1,20}", re.ASCII)


class MailParameters(NamedTuple):
    size: int | None = None
    is_8bit: bool = False


def is_hello_name(text: str | None) -> bool:
    return text is not None and _HELLO.fullmatch(text) is not None


def split_path(keyword: str, argument: str | None) -> tuple[str, str] | None:
    """(path, parameters) of `FROM:<path> parameters`, None if the keyword is missing.

    An argument without a well-formed path comes back whole as the path: it is no address, and is refused as such.
    """
    if argument is None or argument[: len(keyword)].upper() != keyword:
        return None
    rest = argument[len(keyword) :].lstrip(" ")
    found = _PATH.fullmatch(rest)
    return (found.group("path"), found.group("parameters") or "") if found else (rest, "")


def mail_parameters(text: str) -> MailParameters | Reply:
    """The parameters of MAIL, or the refusal of one of them."""
    values: dict[str, str] = {}
    for word in text.split():
        found = _PARAMETER.fullmatch(word)
        name = found.group("name").upper() if found else ""
        if not found or name in values:
            return replies.INVALID_ARGUMENTS
        values[name] = found.group("value") or ""
    values.pop("AUTH", None)  # RFC 4954, 5: accepted, and ignored because nobody is trusted to say it
    size, body = values.pop("SIZE", None), values.pop("BODY", "7BIT").upper()
    if values:
        return replies.UNKNOWN_PARAMETER
    if body not in ("7BIT", "8BITMIME") or (size is not None and not _SIZE.fullmatch(size)):
        return replies.INVALID_ARGUMENTS
    return MailParameters(None if size is None else int(size), body == "8BITMIME")
