# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sorts of errors between Ansible, Windows, Exchange and its directory: how each is known, and its way out.

Texts differ with language and version, so a row knows error numbers and the names of exceptions as well as English
texts. The first row that fits is taken, so the order matters: what fails for want of a domain controller also says that
access is denied. Texts and their sources are in the tests.
"""

from __future__ import annotations

from typing import NamedTuple


class Sort(NamedTuple):
    """A sort of error.

    :ivar pattern: searched in message, id and type, whatever the case
    :ivar what: what it means, a clause
    :ivar way_out: whole sentences, right for a task that reads and for one that writes
    :ivar stages: where it can happen, anywhere if empty
    :ivar cut_off: the answer was lost, so after a write had begun nobody knows how far it came
    """

    pattern: str
    what: str
    way_out: str
    stages: tuple[str, ...] = ()
    cut_off: bool = False


def _http(codes: str) -> str:
    """A status of HTTP as Windows and pywinrm say it; not the one that pywinrm adds to every fault."""
    return rf"status(?: code)?(?: of)?:? ?\(?(?:{codes})\b|returned from server\. Code (?:{codes})\b"


OWN_ACCOUNT = Sort(
    r"ADInvalidServiceCredential|supplied credential for '(?:nt[ -]aut|autorite nt|autoridade nt|[^'\n]*\$')"
    r"|trust relationship between this workstation and the primary domain",
    "the Exchange server itself could not log on to its directory",
    "That is the account of the server, not the user's. Check there that its place in the domain is sound "
    "(Test-ComputerSecureChannel) and that its clock is right, then run the task again.",
)
SESSION_GONE = Sort(
    r"InvalidShellID|(?:shell|command)\b.{0,80}was not found on the server|2150858843|0x8033805b"
    r"|shell handle passed to the WSMan shell",
    "the server no longer knows the session",
    "That happens behind a load balancer, after a restart of IIS or of Windows remote management, and now and then "
    "for no reason that is known.",
    cut_off=True,
)
DOUBLE_HOP = Sort(
    r"0x8009030e|specified logon session does not exist|unable to contact the server"
    r"|successful bind must be completed|ADInvalidCredential|the supplied credential",
    "Windows did not pass the user's credentials on to Exchange or its directory (double hop)",
    "Use become: true with become_method: runas, a domain user and its password; or a connection that delegates: "
    "CredSSP, or Kerberos with ansible_winrm_kerberos_delegation: true. NTLM and Basic alone cannot.",
)
SERVICE_NAME = Sort(
    r"0x80090322|target principal name is incorrect",
    "Kerberos knows the server's name as that of another account",
    "Ask on the server: setspn -Q HTTP/<its full name>. The name belongs to the account of the server alone; remove it "
    "from any other. Check the clocks too.",
)
CONTROLLER_KERBEROS = Sort(
    r"authgssclient|gsserror|gss failure|gssapi|kinit\b|kerberos (?:database|auth failure)|contact any kdc"
    r"|kerberos credentials available|clock skew",
    "Kerberos failed on the controller",
    "Name the host in the inventory by its full name in the domain, not by an address; give ansible_user as "
    "user@REALM in capitals; check /etc/krb5.conf, and that controller and domain have the same time.",
    ("connection",),
)
NO_LIBRARY = Sort(
    r"is not installed|no module named",
    "the controller lacks a Python package that the connection needs",
    "Install it into the Python that runs Ansible: pywinrm for winrm (pywinrm[kerberos], pywinrm[credssp]), pypsrp for "
    "psrp.",
    ("connection",),
)
CERTIFICATE = Sort(
    r"certificate_verify_failed|certificate verify failed|SSLCertVerification"
    r"|(?:server|SSL) certificate (?:on the destination|is|contains|has|could)",
    "the certificate of the server is not trusted",
    "Give its authority in ansible_winrm_ca_trust_path or ansible_psrp_ca_cert, and name the host as the "
    "certificate does. An expired certificate of Windows remote management must be renewed on the server.",
)
NO_SCRIPTS = Sort(
    r"no-?language mode|ScriptsNotAllowed|syntax is not supported by this runspace",
    "the connection of Ansible leads into a session that runs no scripts",
    "Leave out ansible_psrp_configuration_name, ansible_psrp_path and a port of IIS: the connection goes to Windows "
    "remote management, and the session of Exchange is opened from there.",
)
CONSTRAINED = Sort(
    r"core types in this language mode|ConstrainedLanguage|constrained language mode",
    "PowerShell on the server is in constrained language mode",
    "A policy of the server (AppLocker, Windows Defender Application Control) limits scripts. Ansible needs full "
    "language mode for the user that it connects as.",
)
LOGON = Sort(
    r"user ?name or password is incorrect|logon failure|0x8007052e|has not been granted the requested logon type"
    r"|error ?(?:code)? ?1385\b|failed to become user|credentials were rejected|logon attempt failed"
    r"|account is currently (?:locked|disabled)|password (?:\w+ ){0,6}(?:expired|must be changed)",
    "Windows did not let the user log on",
    "Check ansible_user and ansible_password, with become also ansible_become_user and ansible_become_password, and "
    "that the account is neither locked nor expired. "
    "Where interactive logon is not allowed, set ansible_become_flags: logon_type=network_cleartext.",
)
QUOTA = Sort(
    r"803381a6|2150859174|concurrent shells|concurrent operations|users concurrently|your budget"
    r"|exceeded the maximum number|quota|outofmemory",
    "a quota of Windows remote management or of Exchange is used up",
    "Wait until other sessions of this user have ended (a minute is most often enough), or run fewer hosts at once "
    "as one user (forks, serial). Quotas: winrm get winrm/config/winrs; Get-ThrottlingPolicy.",
    cut_off=True,
)
CONTROLLERS_CHANGED = Sort(
    r"ADServerSettingsChanged|change in the current set of domain controllers",
    "Exchange was just changing over to another domain controller",
    "That passes. Run the task again.",
)
NO_DOMAIN_CONTROLLER = Sort(
    r"NoSuitableServerFound|SuitabilityDirectory|no suitable (?:domain controller|directory server)"
    r"|any available (?:global catalog|domain controller)|active directory error 0x5[0-9a-f]\b"
    r"|ldap server is unavailable|0x80090311|no logon servers available"
    r"|ADServerNotFound|domain controller .{0,80}couldn.t be contacted",
    "Exchange finds no domain controller that answers",
    "Check that a domain controller of its site is up, and that the server resolves and reaches it (nltest "
    "/dsgetdc:<domain>). A local user of the machine finds none either. Then run the task again.",
)
TOPOLOGY = Sort(
    r"Topology Provider co\w+n.t find|TopologyClientTcpEndpoint|localhost:890\b|ADTopologyEndpointNotFound"
    r"|WCF request .{0,300}failed",
    "the service MSExchangeADTopology of the server does not answer",
    "Start it there (Start-Service MSExchangeADTopology); the other services of Exchange need it too. If it runs, see "
    "that port 890 is not blocked. Then run the task again.",
)
OUT_OF_SCOPE = Sort(
    r"current write scopes?\b|user's write scope|ADScopeException",
    "the management role of the user does not reach as far as this server",
    "A management scope limits the role (Get-ManagementRoleAssignment): use a user whose role covers the server.",
)
NO_ROLE = Sort(
    r"CmdletAccessDenied|assigned to any management role|in the role definition for the current user"
    r"|user is not allowed to call",
    "access is denied: the user has no management role of Exchange for this",
    "Add it to a role group: Organization Management reads and changes everything, View-Only Organization Management "
    "reads all but rights. A new member is known after a few minutes.",
)
BAD_SNAPIN = Sort(
    r"no snap-in of exchange is registered",
    "the snap-in of Exchange cannot be loaded",
    "Use exchange_session: remote. Only Edge Transport servers need the snap-in, and they have it.",
    ("session",),
)
NO_SNAPINS = Sort(
    r"no snap-ins have been registered|(?:get|add)-pssnapin|cannot load windows powershell snap-in"
    r"|snap-in .{0,80}is not installed",
    "Windows PowerShell has no snap-ins here, or loads none",
    "Is this an Exchange server? Elsewhere leave out exchange_session: snapin. Snap-ins need Windows PowerShell 5.1, "
    "not PowerShell 7.",
    ("session",),
)
NO_CMDLET = Sort(
    r"CommandNotFoundException|is not recognized as (?:the|a) name of a cmdlet",
    "the session has no such cmdlet",
    "Exchange hides cmdlets that the management roles of the user do not have: give it a role that has it. With "
    "exchange_session: snapin, check that the management tools are installed.",
)
NO_PARAMETER = Sort(
    r"NamedParameterNotFound|parameter cannot be found that matches",
    "the cmdlet has no such parameter",
    "Either this version of Exchange lacks it, or the management roles of the user do: Exchange hides such parameters.",
)
NO_PRINCIPAL = Sort(
    r"couldn.t resolve the user or group|user or group .{0,300}wasn.t found|IdentityNotMapped"
    r"|identity references could not be translated",
    "there is no such user or group",
    "Write it as Windows on this server does, with its domain, or give its SID in the task.",
)
MISSING = Sort(
    r"ManagementObjectNotFound|ADNoSuchObject|couldn.t be found(?: on\b|\.)|wasn.t found\. please make sure"
    r"|PathNotFound|NoProcessFoundForGivenId",
    "there is no such object",
    "It was removed meanwhile, or is not yet on the domain controller that was asked. Run the task again.",
)
EXISTS = Sort(
    r"AlreadyExists|already exists",
    "something of that name is there already",
    "Somebody else made it meanwhile. Run the task again.",
)
CONFLICT = Sort(
    r"conflict with the settings on receive connector",
    "Exchange does not take these bindings and ranges beside those of another connector",
    "Connectors of different roles on one server need different addresses or ports; those of one role on one binding "
    "need different remote_ip_ranges.",
)
UNSIGNED = Sort(
    r"SerializationData is not signed|SerializationTypeConverter|deserialization failed",
    "Exchange does not trust its own signature of what it sends",
    "Its Auth certificate has expired or differs between servers: see Get-AuthConfig, and Microsoft's script "
    "MonitorExchangeAuthCertificate.ps1.",
)
BAD_VALUE = Sort(
    r"ParameterArgumentTransformation|ParameterArgumentValidation|cannot process argument transformation"
    r"|cannot validate argument|DataValidationException",
    "Exchange does not take a value",
    "Give another value; which one it was stands in what Exchange said.",
)
REFUSED_LOGON = Sort(
    r"tried to use \w+ authentication mechanism|" + _http("400|401"),
    "the PowerShell endpoint of Exchange did not accept the user's ticket",
    "The user needs RemotePowerShellEnabled (Get-User), and the virtual directory PowerShell of the server Kerberos. "
    "Status 400 is most often a user in very many groups: its ticket is too large for IIS.",
)
FORBIDDEN = Sort(
    _http("403"),
    "the PowerShell endpoint of Exchange forbids access (HTTP 403)",
    "In IIS on the server, the virtual directory PowerShell of the Default Web Site must not require SSL, and must not "
    "be limited to other addresses.",
)
NO_ENDPOINT = Sort(
    _http("404") + r"|resource uri|0x8033801f|HTTP URL was not available|content type of the HTTP response"
    r"|invalid content type|session configuration in the WSMan|service does not support the request",
    "the address has no PowerShell endpoint of Exchange",
    "Is this host an Exchange server? Check there that IIS runs, that its virtual directory PowerShell answers to "
    "http://<name of the server>/PowerShell/ and that this name resolves. The connection of Ansible itself goes to "
    "Windows remote management (5985, 5986), not to Exchange.",
)
NO_NAME = Sort(
    r"(?:could not|cannot) be resolved|getaddrinfo|name or service not known|0x80072ee7|no such host is known"
    r"|temporary failure in name resolution|nodename nor servname",
    "the name of the server cannot be resolved",
    "Check ansible_host and the DNS of the controller; the server too must resolve its own full name.",
)
BUSY = Sort(
    r"wsmanfault_code'?: '?170\b|error ?code:? 170\b|winrm send_input failed|requested resource is in use"
    r"|is (?:too )?busy\b|throttl|temporarily unavailable",
    "the server is busy",
    "",
    cut_off=True,
)
REFUSED = Sort(
    r"actively refused|connection (?:was |is )?refused|remote host was refused|connectionrefused",
    "the connection was refused: nothing listens there",
    "Check address and port; on the server the service WinRM must run (for the connection of Ansible) and W3SVC (for "
    "the session of Exchange), and a firewall may refuse as well.",
    cut_off=True,
)
LOST = Sort(
    r"0x800703e3|i/o operation has been aborted"
    r"|connection (?:was |is )?(?:aborted|broken|closed|lost|reset)|connectionreset|remote end closed"
    r"|cannot connect to the destination|timed out|max retries exceeded|session state is broken|0x80338126"
    r"|winrm cannot complete the operation|operation within the time"
    r"|runspace.{0,40}(?:broken|closed)|brokenpipe|pssessionstatebroken|network (?:name|path)",
    "the connection was lost or not made",
    "Check that the server is up and reachable.",
    cut_off=True,
)
# what Windows of each language says with error 5
_DENIED = (
    r"access (?:is|was) denied|zugriff (?:wurde )?verweigert|acc.s (?:est )?refus|acceso denegado|accesso negato"
    r"|toegang geweigerd|acesso negado|.tkomst nekad|adgang n.gtet|ingen tilgang|k.ytt. estetty|odmowa dost.pu"
    r"|p..stup byl odep.en|hozz.f.r.s megtagadva|отказано в доступе|eri.im engellendi|δεν επιτρέπεται η πρόσβαση"
    r"|アクセス.拒否されました|拒绝访问|存取被拒|액세스가 거부"
)
DENIED = Sort(
    r"0x80070005|2147942405|insuff_access_rights|insufficient access rights|unauthorizedaccess"
    rf"|remote powershell.{{0,40}}not (?:enabled|allowed)|{_DENIED}",
    "access is denied",
    "The user needs a management role of Exchange (reading rights: Organization Management; View-Only Organization "
    "Management reads the rest), RemotePowerShellEnabled, and must be an administrator of the server.",
)
BROKEN = Sort(
    _http("50[0-4]"),
    "the PowerShell endpoint of Exchange is broken (HTTP 5xx)",
    "Look on the server at the pool MSExchangePowerShellAppPool (it may have stopped) and at the path of the virtual "
    "directory PowerShell in IIS, the variable ExchangeInstallPath, and the event log of Windows remote management.",
)
SORTS = (
    *(OWN_ACCOUNT, SESSION_GONE, DOUBLE_HOP, SERVICE_NAME, CONTROLLER_KERBEROS, NO_LIBRARY, CERTIFICATE),
    *(NO_SCRIPTS, CONSTRAINED, LOGON, QUOTA),
    *(CONTROLLERS_CHANGED, NO_DOMAIN_CONTROLLER, TOPOLOGY),
    *(OUT_OF_SCOPE, NO_ROLE, BAD_SNAPIN, NO_SNAPINS, NO_CMDLET, NO_PARAMETER, NO_PRINCIPAL, MISSING, EXISTS),
    *(CONFLICT, UNSIGNED, BAD_VALUE),
    *(REFUSED_LOGON, FORBIDDEN, NO_ENDPOINT, NO_NAME, BUSY, REFUSED, LOST, DENIED, BROKEN),
)
"""In the order in which they are tried."""

_REPORT = "If the text does not help, please report it."
UNKNOWN = Sort("", "Exchange answered with an error", _REPORT)
UNKNOWN_ON_THE_WAY = Sort("", "Windows was not reached", _REPORT, ("connection",))
