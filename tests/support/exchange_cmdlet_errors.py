# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cmdlets of Exchange say, and the sort that each is of; "access is denied" in the languages of Windows."""

from __future__ import annotations

from ansible_collections.mailops.relay.plugins.plugin_utils._exchange import sorts
from support.exchange_errors import Text

HEAD = "[Server=EX1,RequestId=8feccdea-1385-404f-85dd-d185232cc403,TimeStamp=10/4/2026 2:15:34 PM] "


def failure(kind: str, task: str = "SystemConfigurationTasks.SetReceiveConnector") -> str:
    """The id that a session of Exchange gives to what a cmdlet says."""
    return f"{HEAD}[FailureCategory=Cmdlet-{kind}] E3DE7D95,Microsoft.Exchange.Management.{task}"


CMDLETS = (
    Text(
        sorts.OWN_ACCOUNT,
        "connectors",
        "Active Directory operation failed on dc1.corp.test. The supplied credential for 'NT AUTHORITY\\NETWORK "
        "SERVICE' is invalid.",
    ),
    Text(sorts.OWN_ACCOUNT, "connectors", "The supplied credential for 'NT-AUTORITÄT\\NETZWERKDIENST' is invalid."),
    Text(sorts.OWN_ACCOUNT, "connectors", "The supplied credential for 'CORP\\EX1$' is invalid."),
    Text(
        sorts.DOUBLE_HOP,
        "server",
        "Unable to contact the server. This may be because this server does not exist, it is currently down, or it "
        "does not have the Active Directory Web Services running.",
    ),
    Text(
        sorts.DOUBLE_HOP,
        "connectors",
        "Active Directory operation failed on dc1. The supplied credential for 'CORP\\x' is invalid.",
        failure("ADInvalidCredentialException"),
    ),
    Text(
        sorts.CONTROLLERS_CHANGED,
        "connectors",
        "An error caused a change in the current set of domain controllers.",
        failure("ADServerSettingsChangedException"),
    ),
    Text(
        sorts.NO_DOMAIN_CONTROLLER,
        "server",
        "An Active Directory error 0x51 occurred when trying to check the suitability of server 'dc2.corp.test'. "
        "Error: 'Active directory response: The LDAP server is unavailable.'",
        failure("SuitabilityDirectoryException"),
    ),
    Text(
        sorts.NO_DOMAIN_CONTROLLER,
        "connectors",
        "An Active Directory error 0x51 occurred: The LDAP server is unavailable. Access is denied.",
    ),
    Text(
        sorts.NO_DOMAIN_CONTROLLER,
        "server",
        "The call to Microsoft Exchange Active Directory Topology service on server 'TopologyClientTcpEndpoint "
        "(localhost)' returned an error. Error details No Suitable Directory Servers Found in Forest corp.test Site "
        "Default-First-Site-Name and connected Sites..",
    ),
    Text(sorts.NO_DOMAIN_CONTROLLER, "server", "No suitable domain controller found in domain 'corp.test'."),
    Text(sorts.NO_DOMAIN_CONTROLLER, "server", "Could not find any available Global Catalog in forest corp.test."),
    Text(
        sorts.TOPOLOGY,
        "server",
        "Topology Provider coundn't find the Microsoft Exchange Active Directory Topology service on end point "
        "'TopologyClientTcpEndpoint (localhost)'.",
    ),
    Text(
        sorts.TOPOLOGY,
        "server",
        "WCF request (Get Servers for corp.test) to the Microsoft Exchange Active Directory Topology service on server "
        "(TopologyClientTcpEndpoint (localhost)) failed. Make sure that the service is running. In addition, make sure "
        "that the network ports that are used by Microsoft Exchange Active Directory Topology service are not blocked "
        "by a firewall. The WCF call was retried 3 time(s).",
    ),
    Text(
        sorts.TOPOLOGY,
        "server",
        "Could not connect to net.tcp://localhost:890/Microsoft.Exchange.Directory.TopologyService. The connection "
        "attempt lasted for a time span of 00:00:02. TCP error code 10061: No connection could be made because the "
        "target machine actively refused it 127.0.0.1:890.",
    ),
    Text(
        sorts.OUT_OF_SCOPE,
        "set",
        "The operation on Identity \"EX1\\Scan\" failed because it's out of the current user's write scope. "
        "'EX1\\Scan' isn't within your current write scopes. Can't perform save operation.",
    ),
    Text(
        sorts.NO_ROLE,
        "domains",
        'Some of the parameters specified with the "Get-AcceptedDomain" cmdlet aren\'t present in the role definition '
        "for the current user. Check the management roles assigned to you, and try again.",
    ),
    Text(sorts.NO_CMDLET, "rights", "Der Name wurde nicht erkannt", "CommandNotFoundException"),
    Text(
        sorts.NO_CMDLET,
        "rights",
        "The term 'Get-ADPermission' is not recognized as the name of a cmdlet, function, script file, or operable "
        "program. Check the spelling of the name, or if a path was included, verify that the path is correct.",
    ),
    Text(
        sorts.NO_PARAMETER,
        "set",
        "A parameter cannot be found that matches parameter name 'SmtpUtf8Enabled'.",
        "NamedParameterNotFound,Set-ReceiveConnector",
    ),
    Text(
        sorts.NO_PRINCIPAL,
        "grant",
        'Couldn\'t resolve the user or group "corp.test/Users/Scan." If the user or group is a foreign forest '
        "principal, you must have either a two-way trust or an outgoing trust.",
    ),
    Text(
        sorts.NO_PRINCIPAL,
        "grant",
        "User or group \"Drucker\" wasn't found. Please make sure you've typed it correctly.",
        failure("ManagementObjectNotFoundException", "RecipientTasks.AddADPermission"),
    ),
    Text(
        sorts.MISSING,
        "connectors",
        "The operation couldn't be performed because object 'EX1\\Scan' couldn't be found on 'DC1.corp.test'.",
        failure("ManagementObjectNotFoundException"),
    ),
    Text(
        sorts.MISSING,
        "rights",
        "Das Objekt 'EX1\\Scan' wurde auf 'DC1.corp.test' nicht gefunden.",
        failure("ManagementObjectNotFoundException"),
    ),
    Text(sorts.MISSING, "rights", "EX1\\Scan wasn't found. Please make sure you've typed it correctly."),
    Text(sorts.MISSING, "marker", "Der Pfad ist nicht vorhanden.", "PathNotFound,Get-AnsibleItem"),
    Text(
        sorts.EXISTS,
        "new",
        "Active Directory operation failed on dc1.corp.test. The object 'CN=Scan,CN=SMTP Receive Connectors' already "
        "exists.",
        failure("ADObjectAlreadyExistsException"),
    ),
    Text(
        sorts.CONFLICT,
        "new",
        "The values that you specified for the Bindings and RemoteIPRanges parameters conflict with the settings on "
        'Receive connector "EX1\\Default Frontend EX1". Receive connectors assigned to different Transport roles on a '
        "single server must listen on unique local IP address & port bindings.",
    ),
    Text(
        sorts.UNSIGNED,
        "set",
        "Cannot process argument transformation on parameter 'RemoteIPRanges'. Cannot convert value \"172.22.0.0/16\" "
        'to type "Microsoft.Exchange.Data.IPRange". Error: "SerializationTypeConverter.DeserializeObject(Microsoft.'
        "Exchange.Data.IPRange). Type is not allowed for custom construction. Deserialization Failed Error: System."
        'Exception: SerializationData is not signed."',
        "ParameterArgumentTransformationError,New-ReceiveConnector",
    ),
    Text(
        sorts.BAD_VALUE,
        "set",
        "Cannot bind argument to parameter 'Bindings' because it is an empty collection.",
        "ParameterArgumentValidationErrorEmptyCollectionNotAllowed,Microsoft.Exchange.Management."
        "SystemConfigurationTasks.NewReceiveConnector",
    ),
    Text(sorts.BUSY, "connectors", "Cmdlet throttling is in effect."),
    Text(
        sorts.LOST,
        "connectors",
        "The I/O operation has been aborted because of either a thread exit or an application request.",
    ),
    Text(
        sorts.LOST,
        "connectors",
        "Because the session state for session Session1, 7fc1, ex1.corp.test is not equal to Open, you cannot run a "
        "command in the session.  The session state is Broken.",
    ),
    Text(
        sorts.DENIED,
        "rights",
        "Active Directory operation failed on dc1.corp.test. This error is not retriable. Additional information: "
        "Access is denied.\nActive directory response: 00000005: SecErr: DSID-03152610, problem 4003 "
        "(INSUFF_ACCESS_RIGHTS), data 0",
        failure("ADOperationException"),
    ),
    Text(sorts.DENIED, "services", "Zugriff verweigert (0x80070005)"),
)
# what Windows says with error 5
DENIED_IN_WORDS = (
    "Access is denied.",
    "Zugriff verweigert",
    "Der Zugriff wurde verweigert.",
    "Accès refusé.",
    "L'accès est refusé.",
    "Acceso denegado.",
    "Accesso negato.",
    "Toegang geweigerd.",
    "Acesso negado.",
    "Åtkomst nekad.",
    "Adgang nægtet.",
    "Ingen tilgang.",
    "Käyttö estetty.",
    "Odmowa dostępu.",
    "Přístup byl odepřen.",
    "A hozzáférés megtagadva.",
    "Отказано в доступе.",
    "Erişim engellendi.",
    "Δεν επιτρέπεται η πρόσβαση.",
    "アクセスが拒否されました。",
    "拒绝访问。",
    "存取被拒。",
    "액세스가 거부되었습니다.",
)
