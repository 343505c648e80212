# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control entries of the lab's connectors: what a permission group grants is nothing but its entries.

In Python an entry is ``{user, right, deny, inherited, access_rights}``, in the state file one text, because connectors
have many. The table of groups (exchange.md 2.1) is modules/ExchangeLab/rights.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Data = dict[str, Any]
TABLE: Data = json.loads((Path(__file__).parent / "modules/ExchangeLab/rights.json").read_text(encoding="utf-8"))
ALL_RIGHTS: list[str] = list(TABLE["rights"].values())
EXTENDED, EVERYTHING = "ExtendedRight", "GenericAll"


def ace(
    user: str, right: str = "", *, deny: bool = False, inherited: bool = False, access_rights: str = EXTENDED
) -> Data:
    """Without a ``right`` it is about all extended rights, or, with other ``access_rights``, about none."""
    return {"user": user, "right": right, "deny": deny, "inherited": inherited, "access_rights": access_rights}


def relay_ace(user: str = "ANONYMOUS") -> Data:
    return ace(user, "ms-Exch-SMTP-Accept-Any-Recipient")


def grants(version: str, role: str, groups: Iterable[str]) -> list[tuple[str, str]]:
    """(principal, right) of permission groups. Those of the domain are not there on an Edge server."""
    return [
        (principal, right)
        for group in groups
        for principal, cell in TABLE["groups"][group].items()
        if role != "Edge" or principal not in TABLE["of_domain"]
        for right in _cell(cell, version)
    ]


def _cell(cell: str, version: str) -> list[str]:
    if cell != "*":
        return [TABLE["rights"][word] for word in cell.split()]
    return [*ALL_RIGHTS, *(TABLE["server_only"] if version not in ("2007", "2010") else ())]


def of_groups(server: Data, groups: Iterable[str]) -> list[Data]:
    """The entries that permission groups are on this server."""
    return [ace(*grant) for grant in grants(server["version"], server["role"], groups)]


def revoke(connector: Data, user: str, right: str) -> None:
    """Take away one of its own entries, as Remove-ADPermission does; also one that a group granted."""
    connector["aces"].remove(ace(user, right))


def distinct(aces: Iterable[Data]) -> list[Data]:
    found: list[Data] = []
    for item in aces:
        if item not in found:
            found.append(item)
    return found


# -- as the state file has them ---------------------------------------------------------------------------------------


def pack(item: Data) -> str:
    words = ("deny" if item["deny"] else "allow", "inherited" if item["inherited"] else "own")
    return "|".join((item["user"], item["right"], item["access_rights"], *words))


def unpack(text: str) -> Data:
    user, right, access_rights, kind, source = text.rsplit("|", 4)
    return ace(user, right, deny=kind == "deny", inherited=source == "inherited", access_rights=access_rights)


def packed(connectors: Iterable[Data]) -> list[Data]:
    return [item | {"aces": [pack(entry) for entry in item["aces"]]} for item in connectors]


def unpacked(connectors: Iterable[Data]) -> list[Data]:
    return [item | {"aces": [unpack(text) for text in item["aces"]]} for item in connectors]


def effective(item: Data) -> Iterator[tuple[str, str, bool, bool]]:
    """(user, right, deny, inherited) that its entries come to: one about everything is one for each right."""
    for entry in item["aces"]:
        everything = entry["access_rights"] == EVERYTHING or (entry["access_rights"] == EXTENDED and not entry["right"])
        for right in ALL_RIGHTS if everything else [entry["right"]]:
            if right:
                yield entry["user"], right, entry["deny"], entry["inherited"]
