# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows, Exchange and pywinrm say where no session comes about or one is lost, and the sort that each is of.

Those of cmdlets are in exchange_cmdlet_errors.py. Sources of both: Microsoft's pages on Exchange and Windows, questions
asked there, issues at GitHub, the sources of Ansible and pywinrm. Names of people and servers are ours.
"""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.mailops.relay.plugins.plugin_utils._exchange import sorts
from ansible_collections.mailops.relay.plugins.plugin_utils._exchange.sorts import Sort

REMOTE = "Connecting to remote server ex1.corp.test failed with the following error message : "
HELP = " For more information, see the about_Remote_Troubleshooting Help topic."
KERBEROS = (
    f"{REMOTE}WinRM cannot process the request. The following error with errorcode {{}} occurred while using Kerberos "
    "authentication: {} Possible causes are: -The user name or password specified are invalid. -Kerberos is used when "
    "no authentication method and no user name are specified. -Kerberos accepts domain user names, but not local user "
    "names. -The Service Principal Name (SPN) for the remote computer name and port does not exist. -The client and "
    "remote computers are in different domains and there is no trust between the two domains. After checking for the "
    "above issues, try the following: -Check the Event Viewer for events related to authentication. -Change the "
    "authentication method; add the destination computer to the WinRM TrustedHosts configuration setting or use HTTPS "
    f"transport.{HELP}"
)


class Text(NamedTuple):
    """``id``: FullyQualifiedErrorId, where it is known."""

    sort: Sort
    stage: str
    message: str
    id: str = ""


ON_THE_WAY = (
    Text(
        sorts.CONTROLLER_KERBEROS,
        "connection",
        "kerberos: authGSSClientStep() failed: (('Unspecified GSS failure.  Minor code may provide more information', "
        "851968), ('Server not found in Kerberos database', -1765328377)), ssl: HTTPSConnectionPool(host='ex1.corp."
        "test', port=5986): Max retries exceeded with url: /wsman (Caused by NewConnectionError('Failed to establish a "
        "new connection: [Errno -2] Name or service not known',))",
    ),
    Text(
        sorts.CONTROLLER_KERBEROS,
        "connection",
        "Kerberos auth failure for principal admin@CORP.TEST with subprocess: kinit: Cannot find KDC for realm",
    ),
    Text(sorts.NO_LIBRARY, "connection", "winrm or requests is not installed: No module named 'winrm'"),
    Text(
        sorts.NO_LIBRARY,
        "connection",
        "kerberos: requested auth method is kerberos, but pykerberos is not installed",
    ),
    Text(
        sorts.CERTIFICATE,
        "connection",
        "ntlm: HTTPSConnectionPool(host='ex1.corp.test', port=5986): Max retries exceeded with url: /wsman (Caused by "
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to "
        "get local issuer certificate (_ssl.c:1000)')))",
    ),
    Text(
        sorts.CERTIFICATE,
        "session",
        f"{REMOTE}The server certificate on the destination computer (ex1.corp.test:443) has the following errors: "
        "The SSL certificate is signed by an unknown certificate authority.",
    ),
    Text(
        sorts.NO_SCRIPTS,
        "connection",
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
        "ScriptsNotAllowed",
    ),
    Text(
        sorts.CONSTRAINED,
        "module",
        "Cannot invoke method. Method invocation is supported only on core types in this language mode.",
        "MethodInvocationNotSupportedInConstrainedLanguage",
    ),
    Text(sorts.LOGON, "connection", "ntlm: the specified credentials were rejected by the server"),
    Text(sorts.LOGON, "module", "Failed to become user CORP\\x: The user name or password is incorrect (Win32 1326)"),
    Text(
        sorts.LOGON,
        "module",
        "the user has not been granted the requested logon type at this computer (Win32ErrorCode 1385)",
    ),
    Text(
        sorts.LOGON,
        "module",
        "The referenced account is currently locked out and may not be logged on to (Win32ErrorCode 1909)",
    ),
    Text(
        sorts.QUOTA,
        "connection",
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this "
        "user has been exceeded. (extended fault data: {'wsmanfault_code': 2150859174})",
    ),
    Text(
        sorts.QUOTA, "connection", "The server exceeded the maximum number of users concurrently performing operations"
    ),
    Text(sorts.BUSY, "connection", "winrm send_input failed; \nstdout: \nstderr "),
    Text(sorts.BUSY, "connection", "Error code: 170. The requested resource is in use. {'wsmanfault_code': 170}"),
    Text(
        sorts.SESSION_GONE,
        "connection",
        "The WS-Management service cannot process the request because the request contained invalid selectors for the "
        "resource. (extended fault data: {'http_status_code': 500, 'wsmanfault_code': 2150858843})",
    ),
    Text(
        sorts.NO_NAME,
        "connection",
        "ntlm: HTTPConnectionPool(host='ex1', port=5985): Max retries exceeded with url: /wsman (Caused by "
        "NameResolutionError(\"Failed to resolve 'ex1' ([Errno -3] Temporary failure in name resolution)\"))",
    ),
    Text(
        sorts.REFUSED,
        "connection",
        "basic: HTTPConnectionPool(host='ex1', port=5985): Max retries exceeded with url: /wsman (Caused by "
        "NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))",
    ),
    Text(sorts.LOST, "connection", "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))"),
    Text(sorts.LOST, "connection", "HTTPSConnectionPool(host='ex1', port=5986): Max retries exceeded with url: /wsman"),
    Text(sorts.LOST, "connection", "HTTPConnectionPool(host='ex1', port=5985): Read timed out. (read timeout=30)"),
    Text(
        sorts.DENIED,
        "connection",
        "Access is denied.  (extended fault data: {'transport_message': 'Bad HTTP response returned from server. Code "
        "500', 'http_status_code': 500, 'wsmanfault_code': '2147942405', 'fault_code': 's:Receiver', "
        "'fault_subcode': 'w:InternalError'})",
    ),
    Text(sorts.BROKEN, "connection", "Bad HTTP response returned from server. Code 500"),
)
SESSION = (
    Text(
        sorts.DOUBLE_HOP,
        "session",
        KERBEROS.format("0x8009030e", "A specified logon session does not exist. It may already have been terminated."),
    ),
    Text(sorts.SERVICE_NAME, "session", KERBEROS.format("0x80090322", "An unknown security error occurred.")),
    Text(
        sorts.NO_DOMAIN_CONTROLLER,
        "session",
        KERBEROS.format("0x80090311", "There are currently no logon servers available to service the logon request."),
    ),
    Text(
        sorts.SESSION_GONE,
        "session",
        "Processing data from remote server ex1.corp.test failed with the following error message: [ClientAccessServer="
        "EX1,BackEndServer=ex2.corp.test,RequestId=76229690-2343-404f-9a51-48184587c5cf,TimeStamp=8/14/2026 2:20:36 "
        "PM] [FailureCategory=WSMan-InvalidShellID] The request for the Windows Remote Shell with ShellId "
        "DD266254-5C1F-43C0-A4DA-1797C253C0C0 failed because the shell was not found on the server. Possible causes "
        "are: the specified ShellId is incorrect or the shell no longer exists on the server. Provide the correct "
        f"ShellId or create a new shell and retry the operation.{HELP}",
    ),
    Text(
        sorts.SESSION_GONE,
        "connectors",
        "Processing data from remote server ex1.corp.test failed with the following error message: The WinRM Shell "
        "client cannot process the request. The shell handle passed to the WSMan Shell function is not valid. The "
        "shell handle is valid only when WSManCreateShell function completes successfully.",
    ),
    Text(
        sorts.QUOTA,
        "session",
        f"{REMOTE}The WS-Management service cannot process the request. This user is allowed a maximum number of 18 "
        "concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.",
    ),
    Text(
        sorts.QUOTA,
        "session",
        "Fail to create runspace because you have exceeded your budget to create runspace. Please wait for 60 seconds.",
    ),
    Text(
        sorts.QUOTA,
        "session",
        f"{REMOTE}[AuthZRequestId=8feccdea-493c-4c12-85dd-d185232cc0be][FailureCategory=AuthZ-AuthorizationException] "
        "Fail to create a runspace because you have exceeded the maximum number of connections allowed : 18 for the "
        "policy party : MaxConcurrency. Please close existing runspace and try again.",
    ),
    Text(
        sorts.NO_ROLE,
        "session",
        f"{REMOTE}[AuthZRequestId=2f19e449-d15e-48f3-8cb3-9555bcbeaf][FailureCategory=AuthZ-CmdletAccessDenied"
        f'Exception] The user "corp.test/Users/svc" isn\'t assigned to any management roles.{HELP}',
    ),
    Text(
        sorts.REFUSED_LOGON,
        "session",
        f"{REMOTE}The WinRM client cannot process the request. The WinRM client tried to use Kerberos authentication "
        "mechanism, but the destination computer (ex1.corp.test:80) returned an 'access denied' error. Change the "
        "configuration to allow Kerberos authentication mechanism to be used or specify one of the authentication "
        f"mechanisms supported by the server.{HELP}",
    ),
    Text(
        sorts.REFUSED_LOGON,
        "session",
        f"{REMOTE}The WinRM client received an HTTP bad request status (400), but the remote service did not include "
        f"any other information about the cause of the failure.{HELP}",
    ),
    Text(
        sorts.FORBIDDEN,
        "session",
        f"{REMOTE}The WinRM client received an HTTP status code of 403 from the remote WS-Management service.{HELP}",
    ),
    Text(
        sorts.NO_ENDPOINT,
        "session",
        f"{REMOTE}The WinRM client received an HTTP status code of 404 from the remote WS-Management service.{HELP}",
    ),
    Text(
        sorts.NO_ENDPOINT,
        "session",
        f"{REMOTE}The WS-Management service cannot process the request. The resource URI was not found",
    ),
    Text(
        sorts.NO_ENDPOINT,
        "session",
        f"{REMOTE}The WinRM client sent a request to an HTTP server and got a response saying the requested HTTP URL "
        f"was not available. This is usually returned by a HTTP server that does not support the protocol.{HELP}",
    ),
    Text(
        sorts.NO_ENDPOINT,
        "session",
        f"{REMOTE}The WinRM client cannot process the request. It cannot determine the content type of the HTTP "
        f"response from the destination computer. The content type is absent or invalid.{HELP}",
    ),
    Text(sorts.NO_ENDPOINT, "session", f"{REMOTE}The WS-Management service does not support the request."),
    Text(
        sorts.NO_NAME,
        "session",
        f"{REMOTE}The WinRM client cannot process the request because the server name cannot be resolved.",
    ),
    Text(sorts.BUSY, "session", f"{REMOTE}The WS-Management service is busy servicing other requests. Retry later."),
    Text(
        sorts.REFUSED,
        "session",
        f"{REMOTE}The connection to the specified remote host was refused. Verify that the WS-Management service is "
        f"running on the remote host and configured to listen for requests on the correct port and HTTP URL.{HELP}",
    ),
    Text(
        sorts.LOST,
        "session",
        f"{REMOTE}The client cannot connect to the destination specified in the request. Verify that the service on "
        "the destination is running and is accepting requests. Consult the logs and documentation for the "
        "WS-Management service running on the destination, most commonly IIS or WinRM.",
    ),
    Text(
        sorts.LOST,
        "session",
        f"{REMOTE}WinRM cannot complete the operation. Verify that the specified computer name is valid, that the "
        "computer is accessible over the network, and that a firewall exception for the WinRM service is enabled.",
    ),
    Text(sorts.DENIED, "session", f"{REMOTE}Access is denied.{HELP}", "-2144108477,PSSessionOpenFailed"),
    Text(
        sorts.BROKEN,
        "session",
        f"{REMOTE}The WinRM client received an HTTP server error status (500), but the remote service did not include "
        f"any other information about the cause of the failure.{HELP}",
    ),
    Text(sorts.BAD_SNAPIN, "session", "No snap-in of Exchange is registered on this machine."),
    Text(
        sorts.NO_SNAPINS,
        "session",
        "No snap-ins have been registered for Windows PowerShell version 5.",
        "AddPSSnapInRead,Microsoft.PowerShell.Commands.AddPSSnapinCommand",
    ),
    Text(
        sorts.NO_SNAPINS,
        "session",
        "The Windows PowerShell snap-in 'Microsoft.Exchange.Management.PowerShell.SnapIn' is not installed on this "
        "computer.",
    ),
    Text(
        sorts.NO_SNAPINS,
        "session",
        "Cannot load Windows PowerShell snap-in Microsoft.Exchange.Management.PowerShell.SnapIn because of the "
        "following error: The type initializer for 'Microsoft.Exchange.Data.Directory.Globals' threw an exception.",
    ),
    Text(sorts.NO_SNAPINS, "session", "The term 'Get-PSSnapin' is not recognized", "CommandNotFoundException"),
)
