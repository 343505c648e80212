# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's default connectors of 2019 against those of a real server, object by object, property by property.

The files are CLIXML out of the test data of microsoft/CSS-Exchange. They are looked for where EXCHANGE_REAL says, or
beside the checkout; where they are not, the tests are skipped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from exchange_lab import run_checks
from exchange_lab import state as lab
from exchange_lab.run_checks import needs_engine
from support.ansible import ROOT

BESIDE = ROOT.parent / "shared/data/exchange-real"
REAL = Path(os.environ.get("EXCHANGE_REAL") or BESIDE)
CONNECTORS = REAL / "Get-ReceiveConnector.2019.clixml"
needs_real = pytest.mark.skipif(not CONNECTORS.exists(), reason="there are no recordings of a real Exchange")

TIMES = {"WhenChanged", "WhenCreated", "WhenChangedUTC", "WhenCreatedUTC"}
OF_THE_OBJECT = {"Guid", "Id", "OrganizationId"}  # other numbers; references to what is compared elsewhere
MADE_BY_HAND = {"TlsCertificateName", "TlsDomainCapabilities"}  # on Default Frontend: somebody had set them there
# null, a truth value, a list of texts, or text: as the value prints
EVERY_PROPERTY = r"""
foreach ($c in CONNECTORS) {
    $found = [ordered] @{}
    foreach ($p in $c.PSObject.Properties) {
        $v = $p.Value
        if ($v -is [System.Collections.IList]) { $found[$p.Name] = @($v | ForEach-Object { [string] $_ }) }
        elseif ($null -eq $v -or $v -is [bool]) { $found[$p.Name] = $v }
        else { $found[$p.Name] = [string] $v }
    }
    ConvertTo-Json $found -Compress -Depth 4
}
"""
RECORDED = f"[System.Management.Automation.PSSerializer]::Deserialize([System.IO.File]::ReadAllText('{CONNECTORS}'))"
# what a session adds
OF_THE_SESSION = {"PSComputerName", "RunspaceId", "PSShowComputerName", "SerializationData"}


def renamed(value: Any, real: str, domain: str) -> Any:
    """With the names of the lab's server and organisation in place of the real ones."""
    if isinstance(value, list):
        return [renamed(item, real, domain) for item in value]
    if not isinstance(value, str):
        return value
    dc = ",".join(f"DC={label}" for label in domain.split("."))
    for old, new in (
        (f"{real}.{domain}", "EX01.corp.test"),
        (real, "EX01"),
        (domain, "corp.test"),
        (dc, "DC=corp,DC=test"),
    ):
        value = value.replace(old, new)
    return value


@needs_engine
@needs_real
def test_the_default_connectors_are_those_of_a_real_server(tmp_path: Path) -> None:
    whole = lab.state(lab.mailbox(version="2019"), domain_controllers=["EX01.corp.test"])
    sources = {"ours": "Get-ReceiveConnector", "real": RECORDED}
    checks = {name: EVERY_PROPERTY.replace("CONNECTORS", source) for name, source in sources.items()}
    checked = run_checks.run(tmp_path, whole, checks)
    assert [item.error for item in checked.values()] == ["", ""]
    ours, recorded = ([json.loads(line) for line in checked[name].out] for name in checks)
    real = [
        {key: renamed(item, "WIN-CTD3L0RGEN4", "exlab.dom") for key, item in found.items() if key not in OF_THE_SESSION}
        for found in recorded
    ]
    assert [item["Name"] for item in ours] == [item["Name"] for item in real]
    organisation = real[0]["DistinguishedName"].split("CN=Administrative Groups,CN=")[1].split(",")[0]
    for mine, theirs in zip(ours, real, strict=True):
        theirs["DistinguishedName"] = theirs["DistinguishedName"].replace(
            f"CN={organisation},", "CN=First Organization,"
        )
        skipped = TIMES | OF_THE_OBJECT | (MADE_BY_HAND if mine["Name"].startswith("Default Frontend") else set())
        assert mine.keys() == theirs.keys(), mine.keys() ^ theirs.keys()
        assert {key: mine[key] for key in mine.keys() - skipped} == {
            key: theirs[key] for key in theirs.keys() - skipped
        }


@needs_engine
def test_what_only_some_versions_have_and_2013s_sizes(tmp_path: Path) -> None:
    script = (
        "$c = Get-ReceiveConnector 'Client Frontend EX01'; [string] $c.MaxMessageSize\n"
        "'LiveCredentialEnabled', 'ProxyEnabled', 'AcceptConsumerMail', 'AuthTarpitInterval' |"
        " Where-Object { $c.PSObject.Properties[$_] }\n"
        "[string] (Get-ReceiveConnector 'Default Frontend EX01').MaxMessageSize"
    )
    found = run_checks.run(tmp_path, lab.state(lab.mailbox(version="2013")), {"print": script})["print"]
    sizes = ("35 MB (36,700,160 bytes)", "36 MB (37,748,736 bytes)")
    assert found.out == [sizes[0], "LiveCredentialEnabled", "ProxyEnabled", sizes[1]]
