# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Checks for run_checks.run(): each begins with a line "#: name". One after the other on one state.

#: id
Set-ReceiveConnector nothing -Comment x

#: id of a permission
Remove-ADPermission nothing -User x -ExtendedRights ms-Exch-SMTP-Submit -Confirm:$false

#: corrupted
[string] (Get-ReceiveConnector 'EX01\Default EX01').IsValid
[string] (Get-ReceiveConnector 'EX01\Client Proxy EX01').IsValid

#: controllers
(Get-ReceiveConnector 'EX01\Client Proxy EX01').OriginatingServer
(Get-ReceiveConnector 'EX01\Client Proxy EX01' -DomainController DC02.corp.test).OriginatingServer

#: written there
Set-ReceiveConnector 'EX01\Client Proxy EX01' -Comment there -DomainController DC02.corp.test
(Get-ReceiveConnector 'EX01\Client Proxy EX01' -DomainController DC02.corp.test).Comment

#: unknown controller
Get-AcceptedDomain -DomainController DC9.corp.test

#: still there
(Get-AcceptedDomain -DomainController DC01.corp.test).Name

#: gone
Get-AcceptedDomain -DomainController DC01.corp.test

#: gone for all
Set-ReceiveConnector 'EX01\Client Proxy EX01' -Comment gone -DomainController DC01.corp.test

#: the others go on
(Get-AcceptedDomain).OriginatingServer
(Get-AcceptedDomain -DomainController DC02.corp.test).Name

#: slow
$start = [datetime]::UtcNow
Remove-AcceptedDomain nothing -Confirm:$false -ErrorAction SilentlyContinue
([datetime]::UtcNow - $start).TotalSeconds -ge 1

#: session with
$to = @{ ConfigurationName = 'Microsoft.Exchange'; ConnectionUri = 'http://EX01.corp.test/PowerShell/' }
foreach ($number in 1..7) {
    $null = New-PSSession @to -ErrorAction SilentlyContinue -ErrorVariable problem
    "$($problem[0].FullyQualifiedErrorId) $($problem[0].Exception.Message)"
}

#: no snap-ins
Get-PSSnapin -Registered
