# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in the lab has the words of real servers (field-reports.md E6 to E8 and its table of texts)."""

from __future__ import annotations

import re

import pytest

from exchange_lab import run_checks
from exchange_lab import state as lab
from exchange_lab.run_checks import Checked, needs_engine

Results = dict[str, Checked]
TEXTS = {
    "shell_not_found": "[FailureCategory=WSMan-InvalidShellID]",
    "topology": "Topology Provider coundn't find the Microsoft Exchange Active Directory Topology service",
    "wcf": "failed. Make sure that the service is running",
    "no_controller": "No suitable domain controller found in domain",
    "no_directory": "No Suitable Directory Servers Found",
    "actively_refused": "actively refused it",
    "controllers_changed": "An error caused a change in the current set of domain controllers.",
    "own_account": "The supplied credential for 'NT AUTHORITY\\NETWORK SERVICE' is invalid",
    "not_replicated": "object 'EX01\\Default EX01' couldn't be found on 'DC01.corp.test'",
    "denied_german": "Der Zugriff wurde verweigert.",
    "access_denied": "INSUFF_ACCESS_RIGHTS",
    "busy": "0x51",
}
SESSIONS = {
    "no_role": 'AuthZ-CmdletAccessDeniedException] The user "corp.test/Users/svc-ansible" isn\'t assigned to any',
    "shell_not_found": "[FailureCategory=WSMan-InvalidShellID]",
    "denied_german": "Der Zugriff wurde verweigert.",
    "forbidden": "403",
    "server_error": "(500)",
    "wrong_principal": "0x80090322",
    "access_denied": "Access is denied.",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Results:
    server = lab.mailbox()
    server["connectors"][0]["corrupted"] = "Banner: The SMTP banner must start with 220."
    faults = [lab.fault("Get-ReceiveConnector", kind, times=1) for kind in TEXTS]
    faults += [lab.fault("New-PSSession", kind, times=1) for kind in SESSIONS]
    faults += [
        lab.fault("Get-AcceptedDomain", "gone", skip=1, message="DC01.corp.test"),
        lab.fault("Remove-AcceptedDomain", "slow", message="1"),
        lab.fault("Get-PSSnapin", "no_snapins", skip=1),
    ]
    checks = run_checks.checks("faults")
    texts = {kind: "Get-ReceiveConnector 'EX01\\Default EX01'" for kind in TEXTS}
    return run_checks.run(tmp_path_factory.mktemp("faults"), lab.state(server, faults=faults), texts | checks)


@needs_engine
def test_ids_of_errors(found: Results) -> None:
    form = (
        r"\[Server=EX01,RequestId=[0-9a-f-]{36},TimeStamp=[^]]+\] "
        r"\[FailureCategory=Cmdlet-ManagementObjectNotFoundException\] "
        r"[0-9A-F]{8},Microsoft\.Exchange\.Management\.(\w+)\.(\w+) .*"
    )
    for name, where in {
        "id": ("SystemConfigurationTasks", "SetReceiveConnector"),
        "id of a permission": ("RecipientTasks", "RemoveADPermission"),
    }.items():
        seen = re.fullmatch(form, found[name].error)
        assert seen is not None, found[name].error
        assert seen.groups() == where


@needs_engine
def test_a_corrupted_object_warns(found: Results) -> None:
    assert found["corrupted"].out == ["False", "True"]
    first, second = found["corrupted"].warnings
    assert first.startswith("The object EX01\\Default EX01 has been corrupted, and it's in an inconsistent state.")
    assert second == "Banner: The SMTP banner must start with 220."


@needs_engine
@pytest.mark.parametrize("kind", TEXTS)
def test_texts_of_cmdlets(found: Results, kind: str) -> None:
    assert TEXTS[kind] in found[kind].error


@needs_engine
def test_texts_of_sessions(found: Results) -> None:
    assert len(found["session with"].out) == len(SESSIONS)
    for said, text in zip(found["session with"].out, SESSIONS.values(), strict=True):
        assert "PSSessionOpenFailed" in said
        assert text in said
    assert "No snap-ins have been registered" in found["no snap-ins"].error


@needs_engine
def test_domain_controllers(found: Results) -> None:
    """One that was asked for answers, or is gone for good; nobody else takes its place, and the others go on."""
    assert found["controllers"].out == ["DC01.corp.test", "DC02.corp.test"]
    assert found["written there"].out == ["there"]
    assert "DC9.corp.test" in found["unknown controller"].error
    assert found["still there"].out == ["corp.test"]
    for name in ("gone", "gone for all"):
        assert "'DC01.corp.test' is not available" in found[name].error, name
    assert found["the others go on"].out == ["DC02.corp.test", "corp.test"]


@needs_engine
def test_a_slow_cmdlet(found: Results) -> None:
    assert found["slow"].out == ["True"]
