# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles ask before and after their tasks: which devices are due, and an error in the words of the role."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ..module_utils._connector.addresses import AddressRange, intersect, parse_range, subtract
from ..module_utils._connector.errors import InputError

_DAY = "Write it as 2027-06-30."
_SHOWN = 5
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*(?:/[0-9]+|-[0-9A-Fa-f.:]+)?")


class Device(NamedTuple):
    """:ivar words: how errors call it, by its name and address
    :ivar last_day: the last day on which it may send, as ``2027-06-30``; empty: it stays
    """

    words: str
    address: str
    range: AddressRange
    last_day: str


def check_devices(entries: Any, today: str) -> dict[str, list[str]]:
    """``addresses`` of the devices that may send ``today``, the ``expired`` ones, and the ``errors`` of the list."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return {"addresses": [], "expired": [], "errors": ["not a list of devices. Give name and address of each."]}
    devices, errors = _parse_devices(entries)
    due = [device for device in devices if not device.last_day or device.last_day >= today]
    return {
        "addresses": [device.address for device in due],
        "expired": [f"{device.words}, last day {device.last_day}" for device in devices if device not in due],
        "errors": [*errors, *_overlaps(due)],
    }


def _parse_devices(entries: Sequence[Any]) -> tuple[list[Device], list[str]]:
    devices, errors = [], []
    for number, entry in enumerate(entries):
        try:
            devices.append(_parse_device(entry, f"device {number}"))
        except InputError as error:
            errors.append(str(error))
    return devices, errors


def _parse_device(entry: Any, where: str) -> Device:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise InputError("not a device", where=where, way_out="Give its name and address.")
    address = entry.get("address")
    words = f"device '{entry['name']}' ({address})"
    found = parse_range(address, f"{words}, address")
    return Device(words, str(address), found, _parse_last_day(entry.get("expires"), f"{words}, expires"))


def _parse_last_day(value: Any, where: str) -> str:
    """YAML reads an unquoted day as a date."""
    if value is None or value == "":
        return ""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError):
            return datetime.date.fromisoformat(value).isoformat()
    raise InputError("not a day", where=where, value=value, way_out=_DAY)


def _overlaps(devices: Sequence[Device]) -> Iterator[str]:
    """One that is taken from the list would go on relaying as part of the other."""
    widest: dict[int, Device] = {}
    for device in sorted(devices, key=lambda device: (device.range.low, -device.range.high)):
        other = widest.get(device.range.version)
        if other is None or device.range.low > other.range.high:
            widest[device.range.version] = device
            continue
        if other.range == device.range:
            yield f"{device.words}: {other.words} has this address already. Keep one of them."
        else:
            yield f"{device.words}: {other.words} has some of it in its range. List each address once."
        widest[device.range.version] = max(device, other, key=lambda item: item.range.high)


def role_error(message: str, variables: Mapping[str, str], entries: Any = ()) -> str:
    """An error of a module in the words of a role.

    :param variables: option of the module to variable of the role
    :param entries: devices; those whose addresses the message has are named
    """
    names = "|".join(re.escape(option) for option in variables)

    def rename(match: re.Match[str]) -> str:
        # a word of plain English is an option only as part of a path: "connector 'x', bindings[0]: ..."
        is_path = message[: match.start()].endswith(", ") and message[match.end() : match.end() + 1] in ("[", ":", ".")
        return variables[match[0]] if is_path or "_" in match[0] else match[0]

    told = re.sub(rf"(?<![\w'])(?:{names})(?!\w)", rename, message) if names else message
    meant = _meant(message, _parse_devices(entries)[0])
    return f"{told} It is about {', '.join(meant)}." if meant else told


def _meant(message: str, devices: Sequence[Device]) -> list[str]:
    """The devices whose addresses a message has. Ranges that are more than devices are about something else."""
    known = [device.range for device in devices]
    ranges = []
    for match in _ADDRESS.finditer(message):
        with suppress(InputError):
            ranges.append(parse_range(match[0].rstrip(".:"), ""))
    told = [item for item in ranges if not subtract([item], known)]
    meant = [device.words for device in devices if intersect([device.range], told)]
    return [*meant[:_SHOWN], *([f"{len(meant) - _SHOWN} more"] if len(meant) > _SHOWN else [])]
