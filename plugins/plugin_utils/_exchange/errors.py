# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between Ansible, Windows, Exchange and its directory: each its own message and way out.

Texts differ with language and version, so a row knows error numbers and ids as well as English texts. The first row
that fits is taken, so the order matters: a refused hop to the directory also says that access is denied.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...module_utils._connector.errors import RelayError

_LONGEST_TEXT = 600


class ExchangeError(RelayError):
    """Exchange could not be reached or asked."""

    kind = "exchange"


class Problem(NamedTuple):
    """What failed on the target. ``stage``: ``connection``, ``module``, ``arguments``, ``session``, or the id of a
    call; ``id``: FullyQualifiedErrorId."""

    stage: str
    message: str
    id: str = ""
    category: str = ""
    type: str = ""

    @property
    def cmdlet_not_found(self) -> bool:
        """Roles take cmdlets away: one that the user may not call does not exist for him."""
        return "CommandNotFoundException" in self.id

    @property
    def denied(self) -> bool:
        return _sort(self) in (_DENIED, _NO_CMDLET)


class Sort(NamedTuple):
    """A sort of error. ``pattern`` is searched in message, id and type, whatever the case; ``stages``: any if empty."""

    pattern: str
    what: str
    way_out: str
    stages: tuple[str, ...] = ()


_DENIED = Sort(
    r"0x80070005|access is denied|zugriff verweigert|acc.s refus|insuff_access_rights|insufficient access rights"
    r"|unauthorizedaccess|current write scopes|remote powershell.{0,40}not (?:enabled|allowed)",
    "access is denied",
    "The user needs a management role of Exchange (reading rights: Organization Management; View-Only Organization "
    "Management reads the rest), RemotePowerShellEnabled, and must be an administrator of the server.",
)
_NO_CMDLET = Sort(
    r"CommandNotFoundException",
    "the session has no such cmdlet",
    "Exchange hides cmdlets that the management roles of the user do not have: give it a role that has it. With "
    "exchange_session: snapin, check that the management tools are installed.",
)
SORTS = (
    Sort(
        r"0x8009030e|0x80090311|specified logon session does not exist|no logon servers available"
        r"|unable to contact the server|successful bind must be completed|active directory error 0x51"
        r"|ldap server is unavailable|the supplied credential",
        "Windows did not pass the user's credentials on to Exchange or its directory (double hop)",
        "Use become: true with become_method: runas, a domain user and its password; or a connection that delegates: "
        "CredSSP, or Kerberos with ansible_winrm_kerberos_delegation: true. NTLM and Basic alone cannot.",
    ),
    Sort(
        r"user ?name or password is incorrect|logon failure|0x8007052e|has not been granted the requested logon type"
        r"|\b1385\b|failed to become user|credentials were rejected",
        "Windows did not let the user log on",
        "Check ansible_user and ansible_password, with become also ansible_become_user and ansible_become_password. "
        "Where interactive logon is not allowed, set ansible_become_flags: logon_type=network_cleartext.",
    ),
    Sort(
        r"803381a6|2150859174|concurrent shells|concurrent operations|users concurrently|your budget"
        r"|exceeded the maximum number|quota|outofmemory",
        "a quota of Windows remote management or of Exchange is used up",
        "Wait until other sessions of this user have ended (a minute is most often enough), or run fewer hosts at once "
        "as one user (forks, serial). Quotas: winrm get winrm/config/winrs; Get-ThrottlingPolicy.",
    ),
    Sort(
        r"wsmanfault_code'?: '?170\b|error ?code:? 170\b|winrm send_input failed|requested resource is in use"
        r"|is (?:too )?busy\b|throttl",
        "the server is busy and the task did not get through",
        "Nothing was changed by reading. Run the task again.",
    ),
    Sort(
        r"HTTP status code of 404|status(?: code)?:? ?404|resource uri|0x8033801f|0x80072ee7"
        r"|(?:could not|cannot) be resolved|getaddrinfo|name or service not known|invalid content type"
        r"|content type of the HTTP response|shell was not found on the server",
        "the address has no PowerShell endpoint of Exchange",
        "Is this host an Exchange server? Check there that IIS runs, that its virtual directory PowerShell answers to "
        "http://<name of the server>/PowerShell/ and that this name resolves. The connection of Ansible itself goes to "
        "Windows remote management (5985, 5986), not to Exchange.",
    ),
    Sort(
        r"0x800703e3|i/o operation has been aborted"
        r"|connection (?:was |is )?(?:aborted|broken|closed|lost|refused|reset)|connectionreset|remote end closed"
        r"|cannot connect to the destination|timed out|max retries exceeded|session state is broken|0x80338126"
        r"|runspace.{0,40}(?:broken|closed)|brokenpipe|pssessionstatebroken|network (?:name|path)",
        "the connection was lost or not made",
        "Nothing was changed by reading. Check that the server is up and reachable, then run the task again.",
    ),
    _NO_CMDLET,
    _DENIED,
    Sort(
        r"no snap-in of exchange|get-pssnapin|add-pssnapin",
        "the snap-in of Exchange cannot be loaded",
        "Use exchange_session: remote. Only Edge Transport servers need the snap-in, and they have it.",
        ("session",),
    ),
)
_REPORT = "If the text does not help, please report it."
_UNKNOWN = Sort("", "Exchange answered with an error", _REPORT)
_UNKNOWN_ON_THE_WAY = Sort("", "Windows was not reached", _REPORT, ("connection",))


def _sort(problem: Problem) -> Sort:
    text = "\n".join((problem.message, problem.id, problem.type))
    found = (
        sort
        for sort in SORTS
        if (not sort.stages or problem.stage in sort.stages)
        and re.search(sort.pattern, text, re.IGNORECASE | re.DOTALL)
    )
    return next(found, _UNKNOWN_ON_THE_WAY if problem.stage == "connection" else _UNKNOWN)


def explain(problem: Problem, *, wrote: bool = False) -> ExchangeError:
    """The error to raise: what it means, what to do, and what was said, on one line."""
    sort = _sort(problem)
    said = " ".join(problem.message.split())
    said = said if len(said) <= _LONGEST_TEXT else f"{said[:_LONGEST_TEXT]}..."
    return ExchangeError(sort.what, where=f"Exchange, {problem.stage}", way_out=f"{sort.way_out} It said: {said}")
