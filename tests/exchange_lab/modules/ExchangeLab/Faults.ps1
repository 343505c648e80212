# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What goes wrong in a cmdlet because the state says so. The texts of LabFaultTexts are those of field-reports.md, {0} is
# the domain controller, {1} the identity that was given; `gone` and `denied_german` have no source.

$script:LabFaultTexts = @{
    shell_not_found = @('WSMan-InvalidShellID', ('The request for the Windows Remote Shell with ShellId ' +
        '5C7F8A0D-9E1B-4C5E-8A41-6D0D3C1C9B7E failed because the shell was not found on the server.'))
    topology = @('ADTransientException', ("Topology Provider coundn't find the Microsoft Exchange Active Directory Topology " +
        "service on end point 'TopologyClientTcpEndpoint (localhost)'."))
    wcf = @('ADTransientException', ('WCF request (Get Servers for the forest) to the Microsoft Exchange Active Directory Topology ' +
        'service on server (TopologyClientTcpEndpoint (localhost)) failed. Make sure that the service is running.'))
    no_controller = @('NoSuitableServerFoundException', "No suitable domain controller found in domain 'DC=corp,DC=test'.")
    no_directory = @('SuitabilityDirectoryException', 'No Suitable Directory Servers Found in Forest corp.test Site Default-First-Site-Name.')
    actively_refused = @('ADTransientException', ('Could not connect to net.tcp://localhost:890/Microsoft.Exchange.Directory.' +
        'TopologyService. TCP error code 10061: No connection could be made because the target machine actively refused it 127.0.0.1:890.'))
    controllers_changed = @('ADTransientException', 'An error caused a change in the current set of domain controllers.')
    own_account = @('ADInvalidCredentialException', "The supplied credential for 'NT AUTHORITY\NETWORK SERVICE' is invalid.")
    not_replicated = @('ManagementObjectNotFoundException', "The operation couldn't be performed because object '{1}' couldn't be found on '{0}'.")
    denied_german = @('ADOperationException', 'Der Zugriff wurde verweigert.')
    gone = @('ADServerNotSuitableException', "Domain controller '{0}' is not available for use at the moment. Please try again.")
    access_denied = @('ADOperationException', ('Active Directory operation failed on {0}. This error is not retriable. Additional ' +
        'information: Access is denied. Active directory response: 00002098: SecErr: DSID-03150F94, problem 4003 ' +
        '(INSUFF_ACCESS_RIGHTS), data 0'))
    busy = @('ADServerUnavailableException', ("An Active Directory error 0x51 occurred when trying to check the suitability of " +
        "server '{0}'. Error: 'Active directory response: The LDAP server is unavailable.'"))
}

# Whether the call goes on.
function Invoke-LabFault($Context, $Fault) {
    $text = $script:LabFaultTexts[$Fault.kind]
    if ($text) { throw [LabError]::new($text[0], ($text[1] -f $script:LabController, "$($Context.Bound['Identity'])"), 'NotSpecified') }
    switch ($Fault.kind) {
        'non_terminating' { throw [LabError]::new('LocalizedException', "$($Fault.message)") }
        'connection_lost' { Stop-LabProcess }
        'not_modified' {
            $Context.Cmdlet.WriteWarning((Format-LabNotModified $Context "$($Context.Bound['Identity'])"))
            return $false
        }
        'warning' { $Context.Cmdlet.WriteWarning("$($Fault.message)") }
    }
    return $true
}
