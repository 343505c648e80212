# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of messages, names of exceptions and error numbers, beside the whole texts of exchange_errors.py."""

from __future__ import annotations

from ansible_collections.mailops.relay.plugins.plugin_utils._exchange import sorts
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.sorts import Sort
from support.exchange_cmdlet_errors import failure
from support.exchange_errors import Text

_SAID: dict[Sort, tuple[str, ...]] = {
    sorts.OWN_ACCOUNT: ("The trust relationship between this workstation and the primary domain failed.",),
    sorts.SESSION_GONE: ("The selectors are not valid (0x8033805B).",),
    sorts.DOUBLE_HOP: (
        "In order to perform this operation a successful bind must be completed on the connection., data 0, v4563",
    ),
    sorts.SERVICE_NAME: ("The target principal name is incorrect.",),
    sorts.CONSTRAINED: ("The language of this session is constrained language mode.",),
    sorts.LOGON: (
        "Logon failure: unknown user name or bad password.",
        "The logon failed (0x8007052E).",
        "The logon attempt failed",
        "The password for this account has expired.",
        "The user's password must be changed before signing in.",
    ),
    sorts.QUOTA: ("ERROR_WSMAN_QUOTA 0x803381A6", "Exception of type 'System.OutOfMemoryException' was thrown."),
    sorts.NO_DOMAIN_CONTROLLER: ("Domain controller 'dc9.corp.test' couldn't be contacted.",),
    sorts.NO_ROLE: ("User is not allowed to call Get-AcceptedDomain",),
    sorts.NO_PRINCIPAL: ("Some or all identity references could not be translated.",),
    sorts.BAD_VALUE: (
        "Cannot process argument transformation on parameter 'Bindings'.",
        "Cannot validate argument on parameter 'MaxHopCount'.",
    ),
    sorts.NO_ENDPOINT: (
        "The URI cannot be used (0x8033801F).",
        "The response has an invalid content type.",
        "Cannot find the Microsoft.Exchange session configuration in the WSMan: drive on the EX1 computer.",
    ),
    sorts.NO_NAME: (
        "[Errno 11001] getaddrinfo failed",
        "[Errno -2] Name or service not known",
        "The name is not known (0x80072EE7).",
        "No such host is known",
        "[Errno 8] nodename nor servname provided, or not known",
    ),
    sorts.BUSY: ("The service is temporarily unavailable",),
    sorts.REFUSED: (
        "No connection could be made because the target machine actively refused it 192.0.2.25:80",
        "ConnectionRefusedError(111)",
    ),
    sorts.LOST: (
        "Error number 0x800703E3",
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        "Error number 0x80338126",
        "The WinRM client cannot complete the operation within the time specified.",
        "The state of the runspace is Broken.",
        "BrokenPipeError(32, 'Broken pipe')",
        "The network path was not found.",
    ),
    sorts.DENIED: (
        "Insufficient access rights to perform the operation.",
        "Remote PowerShell is not enabled for this user.",
    ),
}
_ON_THE_WAY: dict[Sort, tuple[str, ...]] = {
    sorts.CONTROLLER_KERBEROS: (
        "spnego: GSSAPI: Cannot contact any KDC for realm 'CORP.TEST'",
        "GSSError: Clock skew too great",
        "No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_1000)",
    ),
    sorts.REFUSED_LOGON: ("Bad HTTP response returned from server. Code 401",),
    sorts.FORBIDDEN: ("Bad HTTP response returned from server. Code 403",),
    sorts.NO_ENDPOINT: ("Bad HTTP response returned from server. Code 404",),
}
_IDS: dict[Sort, tuple[str, ...]] = {
    sorts.OWN_ACCOUNT: (failure("ADInvalidServiceCredentialException"),),
    sorts.NO_DOMAIN_CONTROLLER: (failure("NoSuitableServerFoundException"), failure("ADServerNotFoundException")),
    sorts.TOPOLOGY: (failure("ADTopologyEndpointNotFoundException"),),
    sorts.OUT_OF_SCOPE: (failure("ADScopeException"),),
    sorts.NO_PRINCIPAL: ("IdentityNotMappedException",),
    sorts.MISSING: (
        failure("ADNoSuchObjectException"),
        "NoProcessFoundForGivenId,Microsoft.PowerShell.Commands.GetProcessCommand",
    ),
    sorts.BAD_VALUE: ("ParameterArgumentTransformationError,Set-ReceiveConnector", failure("DataValidationException")),
    sorts.LOST: ("PSSessionStateBroken",),
    sorts.DENIED: ("UnauthorizedAccess,Microsoft.PowerShell.Commands.SetContentCommand",),
}
PHRASES = (
    *(Text(sort, "connectors", message) for sort, said in _SAID.items() for message in said),
    *(Text(sort, "connection", message) for sort, said in _ON_THE_WAY.items() for message in said),
    *(Text(sort, "connectors", "Es ist ein Fehler aufgetreten.", known) for sort, ids in _IDS.items() for known in ids),
)
