# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the parameter blocks of the lab's cmdlets, one file per version, from exchange_cmdlets.json.

The first shell of a test run has them written (`folder`). To read them: ``python -m exchange_lab.parameters 2016``, in
the folder tests. Exchange 2007 is not in the documentation that the facts come from: its parameters are the names of
exchange.md 1.2 with the types of 2010.
"""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

FACTS = Path(__file__).resolve().parent / "exchange_cmdlets.json"
VERSIONS = ("2007", "2010", "2013", "2016")
"""2019 and SE have the parameters of 2016."""

# the parameters of New and Set that 2010 or a service pack of it brought
NOT_IN_2007 = {
    "AdvertiseClientSettings",
    "MaxAcknowledgementDelay",
    "MessageRateSource",
    "BareLinefeedRejectionEnabled",
    "ExtendedProtectionPolicy",
    "SuppressXAnonymousTls",
    "TlsDomainCapabilities",
}
# what the syntax of a cmdlet without a name for its set means when several sets fit
DEFAULT_SETS = {
    "Get-ReceiveConnector": "Identity",
    "Get-ADPermission": "AccessRights",
    "Add-ADPermission": "AccessRights",
    "Remove-ADPermission": "AccessRights",
}
LISTS = {
    "Bindings": "IPBinding",
    "RemoteIPRanges": "IPRange",
    "TlsDomainCapabilities": "SmtpReceiveDomainCapabilities",
}
TYPES = {
    "Boolean": "bool",
    "SwitchParameter": "switch",
    "Int32": "int",
    "String": "Text",
    "ADAcePresentationObject": "psobject",
}
ONE_SET = "(Default)"

Facts = dict[str, Any]


def seconds(text: str) -> int:
    """Of ``[d.]hh:mm:ss``."""
    days, _dot, time = text.rpartition(".")
    hours, minutes, rest = (int(part) for part in time.split(":"))
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + rest


def exists(cmdlet: str, name: str, facts: Facts, version: str) -> bool:
    if version != "2007":
        return version in facts["applies_to"]
    return "2010" in facts["applies_to"] and not ("ReceiveConnector" in cmdlet and name in NOT_IN_2007)


def attribute(facts: Facts, name: str | None) -> str:
    """``[Parameter(...)]`` for one set, or for the only one. A usage has to be said: exchange.md 1.1."""
    usage = facts["type"] == "SwitchParameter" and facts["parameter_sets"] == [name] and name != "Owner"
    is_mandatory = (name or ONE_SET) in facts["required_in"] or usage
    words = [
        *(["Mandatory"] if is_mandatory else []),
        *([f"ParameterSetName = '{name}'"] if name else []),
        *([f"Position = {int(facts['position']) - 1}"] if facts["position"] else []),
        *(["ValueFromPipeline"] if facts["pipeline"] else []),
    ]
    return f"[Parameter({', '.join(words)})]" if words else ""


def limits(facts: Facts) -> str:
    found = facts["range"]
    if not found or "min" not in found:
        return ""
    least, most = found["min"], found["max"]
    if facts["type"] == "EnhancedTimeSpan":
        least, most = seconds(least), seconds(most)
    if facts["type"] == "Int32":
        return f"[ValidateRange({least}, {most})]"
    return f"[Within(Least = '{least}', Most = '{most}')]"


def declared(name: str, facts: Facts) -> str:
    if facts["type"] == "MultiValuedProperty":
        return f"[ListOf('{LISTS[name]}')]"
    is_array = facts["type"].endswith("[]")
    kind = TYPES.get(facts["type"], facts["type"].removesuffix("[]"))
    return f"[{kind}[]]" if is_array else f"[{kind}]"


def parameter(name: str, facts: Facts, sets: list[str]) -> str:
    everywhere = sets == [ONE_SET] or (facts["parameter_sets"] == sets and facts["required_in"] in ([], sets))
    if everywhere:
        required = facts | {"required_in": [ONE_SET] if facts["required_in"] else []}
        attributes = [attribute(required, None)]
    else:
        attributes = [attribute(facts, item) for item in facts["parameter_sets"]]
    words = [*attributes, limits(facts), declared(name, facts), f"${name}"]
    return " ".join(word for word in words if word)


def function(cmdlet: str, facts: Facts, version: str) -> str:
    """The function hands what was bound to the rest of the lab. WhatIf and Confirm come from the engine."""
    known = {name: item for name, item in facts["parameters"].items() if exists(cmdlet, name, item, version)}
    words = [f"DefaultParameterSetName = '{DEFAULT_SETS[cmdlet]}'"] if cmdlet in DEFAULT_SETS else []
    if "WhatIf" in known:
        impact = "High" if cmdlet.startswith("Remove-") else "Medium"
        words += ["SupportsShouldProcess", f"ConfirmImpact = '{impact}'"]
    lines = [
        parameter(name, item, facts["parameter_sets"])
        for name, item in known.items()
        if name not in ("WhatIf", "Confirm")
    ]
    block = ",\n        ".join(lines)
    return (
        f"function {cmdlet} {{\n"
        f"    [CmdletBinding({', '.join(words)})]\n"
        f"    param(\n        {block}\n    )\n"
        f"    process {{ Invoke-LabCmdlet $PSCmdlet $PSBoundParameters }}\n"
        "}\n"
    )


def properties(facts: Facts, version: str) -> str:
    """What a connector has on this version, and the type of each: Get prints them from the state."""
    known = facts["parameters"].items()
    lines = (
        f"    {name} = '{LISTS.get(name, TYPES.get(item['type'], item['type']))}'"
        for name, item in known
        if exists("Set-ReceiveConnector", name, item, version)
        and name not in ("Identity", "DomainController", "WhatIf", "Confirm", "Name")
    )
    return "$LabProperties = [ordered] @{\n" + "\n".join(lines) + "\n}\n"


def render(version: str) -> str:
    cmdlets = json.loads(FACTS.read_text(encoding="utf-8"))["cmdlets"]
    functions = [function(name, facts, version) for name, facts in cmdlets.items()]
    return "\n".join([properties(cmdlets["Set-ReceiveConnector"], version), *functions])


@functools.cache
def folder() -> Path:
    """Where ``<version>.ps1`` lie, until this process ends."""
    target = Path(tempfile.mkdtemp(prefix="exchange-lab-"))
    atexit.register(shutil.rmtree, target)
    for version in VERSIONS:
        (target / f"{version}.ps1").write_text(render(version), encoding="utf-8")
    return target


if __name__ == "__main__":
    print(render(sys.argv[1]))
