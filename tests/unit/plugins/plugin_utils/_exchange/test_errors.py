# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts as Windows, Exchange and pywinrm say them (public listings and the sources of pywinrm), and what we make of
them."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.errors import SORTS, Problem, explain

HOP = "double hop"
LOGON = "did not let the user log on"
QUOTA = "a quota of"
BUSY = "the server is busy"
WRONG = "no PowerShell endpoint of Exchange"
LOST = "the connection was lost"
DENIED = "access is denied"
MISSING = "no such cmdlet"
SNAPIN = "the snap-in of Exchange cannot be loaded"
REMOTE = "Connecting to remote server ex1.corp.test failed with the following error message : "
TEXTS = [
    (
        HOP,
        "session",
        f"{REMOTE}WinRM cannot process the request. The following error with errorcode 0x8009030e occurred while using "
        "Kerberos authentication: A specified logon session does not exist. It may already have been terminated.",
    ),
    (
        HOP,
        "server",
        "Unable to contact the server. This may be because this server does not exist, it is currently down, or it "
        "does not have the Active Directory Web Services running.",
    ),
    (HOP, "connectors", "Active Directory operation failed on dc1. The supplied credential for 'CORP\\x' is invalid."),
    (HOP, "connectors", "An Active Directory error 0x51 occurred: The LDAP server is unavailable. Access is denied."),
    (LOGON, "module", "Failed to become user CORP\\x: The user name or password is incorrect (Win32ErrorCode 1326)"),
    (LOGON, "module", "the user has not been granted the requested logon type at this computer (Win32ErrorCode 1385)"),
    (LOGON, "connection", "ntlm: the specified credentials were rejected by the server"),
    (
        QUOTA,
        "session",
        f"{REMOTE}The WS-Management service cannot process the request. This user is allowed a maximum number of 18 "
        "concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.",
    ),
    (
        QUOTA,
        "session",
        "Fail to create runspace because you have exceeded your budget to create runspace. Please wait for 60 seconds.",
    ),
    (
        QUOTA,
        "connection",
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this "
        "user has been exceeded. (extended fault data: {'wsmanfault_code': 2150859174})",
    ),
    (QUOTA, "connection", "The server exceeded the maximum number of users concurrently performing remote operations"),
    (
        QUOTA,
        "session",
        f"{REMOTE}Fail to create a runspace because you have exceeded the maximum number of connections allowed : 18 "
        "for the policy party : MaxConcurrency. Please close existing runspace and try again.",
    ),
    (BUSY, "session", f"{REMOTE}The WS-Management service is busy servicing other requests. Retry later."),
    (LOST, "session", f"{REMOTE}The client cannot connect to the destination specified in the request."),
    (BUSY, "connection", "winrm send_input failed; \nstdout: \nstderr "),
    (BUSY, "connection", "Error code: 170. The requested resource is in use. {'wsmanfault_code': 170}"),
    (WRONG, "session", f"{REMOTE}The WinRM client received an HTTP status code of 404 from the remote WS-Management."),
    (WRONG, "session", f"{REMOTE}The WS-Management service cannot process the request. The resource URI was not found"),
    (
        WRONG,
        "session",
        f"{REMOTE}The WinRM client cannot process the request because the server name cannot be resolved.",
    ),
    (
        WRONG,
        "session",
        "[FailureCategory=WSMan-InvalidShellID] The request for the Windows Remote Shell with ShellId DD failed "
        "because the shell was not found on the server.",
    ),
    (
        LOST,
        "connectors",
        "The I/O operation has been aborted because of either a thread exit or an application request.",
    ),
    (LOST, "connection", "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))"),
    (LOST, "connection", "HTTPSConnectionPool(host='ex1', port=5986): Max retries exceeded with url: /wsman"),
    (LOST, "connection", "HTTPConnectionPool(host='ex1', port=5985): Read timed out. (read timeout=30)"),
    (DENIED, "session", f"{REMOTE}Access is denied. For more information, see the about_Remote_Troubleshooting topic."),
    (DENIED, "rights", "Active Directory operation failed. Additional information: INSUFF_ACCESS_RIGHTS"),
    (DENIED, "services", "Zugriff verweigert (0x80070005)"),
    (SNAPIN, "session", "No snap-in of Exchange is registered on this machine."),
]


@pytest.mark.parametrize(("sort", "stage", "text"), TEXTS)
def test_a_recorded_text(sort: str, stage: str, text: str) -> None:
    message = str(explain(Problem(stage, text)))
    assert sort in message
    assert f"It said: {' '.join(text.split())}" in message
    assert f"Exchange, {stage}: " in message


def test_a_cmdlet_that_roles_took_away_has_an_id_in_every_language() -> None:
    problem = Problem("rights", "Der Name wurde nicht erkannt", "CommandNotFoundException")
    assert MISSING in str(explain(problem))
    assert problem.denied
    assert problem.cmdlet_not_found


def test_each_sort_has_its_own_message_and_way_out() -> None:
    assert len({sort.what for sort in SORTS}) == len({sort.way_out for sort in SORTS}) == len(SORTS)
    told = {str(explain(Problem(stage, text))).partition(". ")[0] for _sort, stage, text in TEXTS}
    assert len({message.partition(": ")[2] for message in told}) == len(SORTS) - 1  # the cmdlet is the test above


def test_a_text_that_nobody_knows_is_shown() -> None:
    assert "Exchange answered with an error" in str(explain(Problem("domains", "Etwas ist faul")))
    assert "Windows was not reached" in str(explain(Problem("connection", "Etwas ist faul")))
    assert "It said: Etwas ist faul" in str(explain(Problem("connection", "Etwas ist faul")))


def test_a_long_text_is_cut_and_on_one_line() -> None:
    message = str(explain(Problem("domains", "a\r\nb" + "c" * 5000)))
    assert "a b" in message
    assert len(message) < 1000
