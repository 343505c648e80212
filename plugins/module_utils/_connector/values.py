# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalar option values: read every spelling Exchange prints or takes, keep one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

from .addresses import parse_address
from .errors import InputError

_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
MIN_MESSAGE_SIZE = 64 << 10
MAX_MESSAGE_SIZE = (1 << 31) - 1
UNLIMITED = -1
TLS_CAPABILITIES = ("AcceptCloudServicesMail", "AcceptOorgProtocol")
DAY = 86400
_MOST = 10**15


def parse_text(value: Any, where: str, *, newline: bool = False) -> str:
    """Any text that a file can hold, without NUL, and on one line unless ``newline``."""
    if not isinstance(value, str):
        raise InputError("text is needed", where=where, value=value, way_out="Quote it in YAML.")
    if "\0" in value:
        raise InputError("a NUL character", where=where, value=value, way_out="Remove it.")
    if re.search("[\ud800-\udfff]", value):
        what = "a character that UTF-8 cannot encode"
        raise InputError(what, where=where, value=value, way_out="Remove it (half of a surrogate pair).")
    if not newline and re.search(r"[\r\n\x0b\x0c\x1b\x85\u2028\u2029]", value):
        raise InputError("a line break", where=where, value=value, way_out="Only 'comment' may have several lines.")
    return value


def _digits(value: Any) -> str:
    """The text of a text or a number; empty for anything else, and for a number of which no option has the like (Python
    would refuse to print one of thousands of digits)."""
    if isinstance(value, int):
        return str(value) if not isinstance(value, bool) and abs(value) <= _MOST else ""
    return value if isinstance(value, str) else ""


def parse_comment(value: Any, where: str) -> str:
    return parse_text(value, where, newline=True)


def parse_bool(value: Any, where: str) -> bool:
    """A boolean, or ``True`` and ``False`` as Exchange prints them."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise InputError("true or false is needed", where=where, value=value, way_out="Write true or false, unquoted.")
    return value


def parse_name(value: Any, where: str) -> str:
    """A connector name: 1 to 64 characters (Exchange: Name of New-ReceiveConnector)."""
    name = parse_text(value, where)
    if not 1 <= len(name) <= 64 or name != name.strip():
        way_out = "Give 1 to 64 characters, none of them a blank at either end."
        raise InputError("not a connector name", where=where, value=value, way_out=way_out)
    return name


def is_name(text: str) -> bool:
    """A new connector may be called so."""
    try:
        parse_name(text, "")
    except InputError:
        return False
    return True


def parse_choice(value: Any, choices: Iterable[str], where: str) -> str:
    """One of ``choices`` whatever its case; the nearest one is suggested when there is no such choice."""
    known = {choice.lower(): choice for choice in choices}
    text = parse_text(value, where).strip()
    if text.lower() in known:
        return known[text.lower()]
    near = difflib.get_close_matches(text.lower(), known, n=1, cutoff=0.4)
    hint = f"Did you mean {known[near[0]]}? " if near else ""
    raise InputError(
        "no such value", where=where, value=value, way_out=f"{hint}Choose from {', '.join(known.values())}."
    )


def parse_key(value: Any, choices: Iterable[str], where: str) -> str:
    """One of ``choices`` as it is written there: ``Enabled`` is not found where ``enabled`` is looked up."""
    known = parse_choice(value, choices, where)
    if value != known:
        raise InputError("no such value", where=where, value=value, way_out=f"Write {known}.")
    return known


def parse_host(value: Any, where: str) -> str:
    """A DNS host name (RFC 1123), in lower case; ``''`` stays."""
    text = parse_text(value, where)
    if text and (len(text) > 255 or not _HOST.fullmatch(text) or text.rpartition(".")[2].isdigit()):
        raise InputError("not a host name", where=where, value=value, way_out="Write a name such as relay.example.com.")
    return text.lower()


def parse_banner(value: Any, where: str) -> str:
    """The whole greeting line: ``220`` and printable ASCII (RFC 5321, 4.2); ``''`` stays (generated)."""
    text = parse_text(value, where)
    if text and not re.fullmatch(r"220 [\x20-\x7e]{1,500}", text):
        way_out = "Write '220 ' and up to 500 characters of ASCII, as in '220 mail.example.com'."
        raise InputError("not a greeting", where=where, value=value, way_out=way_out)
    return text


def parse_size(value: Any, where: str, least: int = MIN_MESSAGE_SIZE) -> int:
    """Bytes: ``37748736``, ``36MB``, ``36 MB``, ``1.465 MB (1,536,000 bytes)``; a number in brackets is the exact one.

    Separators may be those of the server's language. Exchange may round a small number without a unit up to kilobytes.
    Here it is exact, and printed with its unit.
    """
    text = _digits(value).strip(" ")
    forms = r"([0-9]{1,15})([.,][0-9]{1,3})? *([KMGT]?B)?(?: *\(([0-9][0-9.,' \u00a0\u202f\u2019]{0,19}) bytes\))?"
    match = re.fullmatch(forms, text, re.IGNORECASE)
    if match is None or (match[2] and not match[4]):
        raise InputError(
            "not a size", where=where, value=value, way_out="Write bytes or a unit: 36MB, 512KB, 37748736."
        )
    size = int(re.sub("[^0-9]", "", match[4])) if match[4] else int(match[1]) * _UNITS[(match[3] or "B").upper()]
    if not least <= size <= MAX_MESSAGE_SIZE:
        way_out = f"It must be {format_size(least)} to 2GB less one byte ({least} to {MAX_MESSAGE_SIZE} bytes)."
        raise InputError("the size is out of range", where=where, value=value, way_out=way_out)
    return size


def format_size(size: int) -> str:
    """The shortest exact spelling, ``36MB`` or ``37748737B``."""
    unit = next(name for name in ("GB", "MB", "KB", "B") if size % _UNITS[name] == 0)
    return f"{size // _UNITS[unit]}{unit}"


def parse_span(value: Any, where: str) -> int:
    """Seconds: ``hh:mm:ss``, ``d.hh:mm:ss`` (EnhancedTimeSpan) or a number of seconds, up to one day."""
    text = _digits(value).strip()
    match = re.fullmatch(r"(?:([0-9]{1,9})\.)?([0-9]{1,2}):([0-5]?[0-9]):([0-5]?[0-9])|([0-9]{1,15})", text)
    if match is None:
        way_out = "Write hh:mm:ss, quoted, or seconds: '00:05:00', 300."
        raise InputError("not a time span", where=where, value=value, way_out=way_out)
    days, hours, minutes, seconds, plain = (int(part or 0) for part in match.groups())
    span = plain + seconds + 60 * (minutes + 60 * (hours + 24 * days))
    if span > DAY:
        raise InputError("the time span is over a day", where=where, value=value, way_out="Give 1.00:00:00 or less.")
    return span


def parse_timeout(value: Any, where: str) -> int:
    """Seconds as :func:`parse_span`, at least one."""
    span = parse_span(value, where)
    if span < 1:
        raise InputError("a timeout of nothing", where=where, value=value, way_out="Give 00:00:01 or more.")
    return span


def format_span(seconds: int) -> str:
    """``hh:mm:ss``, with days where there are any."""
    days, rest = divmod(seconds, DAY)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}.{text}" if days else text


def count_parser(low: int, high: int, *, unlimited: bool) -> Callable[[Any, str], int]:
    """A reader of whole numbers ``low`` to ``high``; ``Unlimited`` is :data:`UNLIMITED` where it is allowed."""
    also = " or Unlimited" if unlimited else ""

    def parse(value: Any, where: str) -> int:
        text = _digits(value).strip().lower()
        if unlimited and text == "unlimited":
            return UNLIMITED
        if not re.fullmatch(r"[0-9]{1,10}", text) or not low <= int(text) <= high:
            raise InputError("not a number in range", where=where, value=value, way_out=f"Give {low} to {high}{also}.")
        return int(text)

    return parse


def format_count(count: int) -> str:
    return "Unlimited" if count == UNLIMITED else str(count)


def parse_path(value: Any, where: str) -> str:
    """An absolute path on the target; ``''`` stays."""
    text = parse_text(value, where)
    if text and not text.startswith("/"):
        raise InputError("not an absolute path", where=where, value=value, way_out="Begin it with a slash.")
    return text


def parse_address_pattern(value: Any, where: str) -> str:
    """Who may be named in an envelope: ``user@domain``, ``domain``, ``*.domain`` or ``*``; in lower case."""
    text = parse_text(value, where).strip().lower()
    local, at, domain = text.rpartition("@")
    if at and not re.fullmatch(r"[a-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[a-z0-9#$&'*+/=?^_`{|}~-]+)*", local):
        way_out = "Write user@example.com, example.com, *.example.com or * (anybody)."
        raise InputError("not a mail address or domain", where=where, value=value, way_out=way_out)
    return local + at + parse_host_of_address(domain, where) if at else parse_domain(text, where)


def parse_host_of_address(domain: str, where: str) -> str:
    found = parse_domain(domain, where)
    if found.startswith("*"):
        raise InputError("not a mail address", where=where, value=domain, way_out="Write user@example.com.")
    return found


def pattern_holds(pattern: str, other: str) -> bool:
    """Whether every address that ``other`` matches is one that ``pattern`` matches."""
    domain = other.rpartition("@")[2]
    if "@" in pattern:
        return pattern == other
    return pattern in ("*", domain) or (pattern.startswith("*.") and domain.endswith(pattern[1:]))


def pattern_meets(one: str, other: str) -> bool:
    """Whether some address matches both: of two patterns one holds the other, or they are apart."""
    return pattern_holds(one, other) or pattern_holds(other, one)


def parse_endpoint(value: Any, where: str) -> str:
    """``host:port`` or ``[IPv6]:port`` of another server, in lower case; ``''`` stays."""
    text = parse_text(value, where).strip().lower()
    if not text:
        return ""
    way_out = "Write host:port, as in mail.example.com:25, 192.0.2.1:25 or [2001:db8::1]:25."
    match = re.fullmatch(r"(?:\[([^\[\]%]+)\]|([^:\[\]]+)):([0-9]{1,5})", text)
    if match is None or not 1 <= int(match[3]) <= 65535:
        raise InputError("not a server", where=where, value=value, way_out=way_out)
    if match[1]:
        if parse_address(match[1], where, way_out)[0] != 6:
            raise InputError("not a server", where=where, value=value, way_out=way_out)
    elif re.fullmatch(r"[0-9.]+", match[2]):
        parse_address(match[2], where, way_out)
    else:
        parse_host(match[2], where)
    return text


def parse_domain(value: Any, where: str) -> str:
    """An SMTP domain, ``*.domain`` or ``*`` (Exchange: DomainName of New-AcceptedDomain), in lower case."""
    text = parse_text(value, where).strip().lower()
    bare = text[2:] if text.startswith("*.") else text
    if text != "*" and (not bare or len(text) > 255 or not _HOST.fullmatch(bare) or bare.rpartition(".")[2].isdigit()):
        way_out = "Write example.com, or *.example.com for everything below it."
        raise InputError("not a domain", where=where, value=value, way_out=way_out)
    return text


def parse_domain_name(value: Any, where: str) -> str:
    """An accepted domain by its name, distinguished name or GUID; ``''`` stays."""
    return parse_text(value, where).strip()


def parse_certificate_name(value: Any, where: str) -> str:
    """A certificate: its thumbprint (SHA-1) in upper case, or ``<I>issuer<S>subject``; ``''`` stays.

    Spaces and the invisible U+200E, which the certificate dialog of Windows copies along, are no part of a thumbprint.
    """
    text = parse_text(value, where).replace("\u200e", "").strip()
    thumbprint = re.sub(r"\s", "", text)
    if not text or re.fullmatch(r"[0-9A-Fa-f]{40}", thumbprint):
        return thumbprint.upper()
    match = re.fullmatch(r"<I>\s*(\S.*?)\s*<S>\s*(\S.*)", text, re.IGNORECASE)
    if match is None:
        way_out = "Give the 40 hex digits of its thumbprint, or <I>issuer<S>subject, or '' for none."
        raise InputError("not the name of a certificate", where=where, value=value, way_out=way_out)
    return f"<I>{match[1]}<S>{match[2]}"


def parse_tls_capabilities(value: Any, where: str) -> str:
    """``domain:capability[,capability]`` without blanks, the capabilities sorted; the domain may be ``NO-TLS``.

    A capability that is not known here is kept as it is: servers may have more than are documented.
    """
    domain, colon, rest = parse_text(value, where).partition(":")
    words = [word.strip() for word in rest.split(",")]
    if not colon or not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", word) for word in words):
        way_out = "Write domain:capability[,capability], as in mail.example.com:AcceptCloudServicesMail."
        raise InputError("not the capabilities of a domain", where=where, value=value, way_out=way_out)
    known = {capability.lower(): capability for capability in TLS_CAPABILITIES}
    capabilities = sorted({known.get(word.lower(), word) for word in words})
    host = "NO-TLS" if domain.strip().upper() == "NO-TLS" else parse_domain(domain, where)
    return f"{host}:{','.join(capabilities)}"


def split_tls_capabilities(text: str) -> list[str]:
    """A list of them as one text: a comma that is followed by no ``domain:`` is inside of a value."""
    return re.split(r",(?=[^,]*:)", text)
