# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The Exchange cmdlets: what Add-PSSnapin loads into a shell, and what a session to /PowerShell has. Not on PSModulePath:
# without one of the two they are not there, as on a real server.

. $PSScriptRoot/Addresses.ps1
. $PSScriptRoot/Types.ps1
. $PSScriptRoot/State.ps1
. $PSScriptRoot/Shown.ps1
. $PSScriptRoot/Core.ps1
. $PSScriptRoot/Faults.ps1
. $PSScriptRoot/Principals.ps1
. $PSScriptRoot/Permissions.ps1
. $PSScriptRoot/Connectors.ps1
. $PSScriptRoot/Rules.ps1
. $PSScriptRoot/Domains.ps1
. $PSScriptRoot/Servers.ps1

$state = Read-LabState
$script:LabVersion = (Get-LabLocalServer $state).version
[ByteQuantifiedSize]::Compact = $script:LabVersion -eq '2007'
$set = if ($script:LabVersion -in '2019', 'SE') { '2016' } else { $script:LabVersion }
. "$env:EXCHANGE_LAB_PARAMETERS/$set.ps1"

$cmdlets = @(
    foreach ($noun in 'ReceiveConnector', 'AcceptedDomain') { foreach ($verb in 'Get', 'New', 'Set', 'Remove') { "$verb-$noun" } }
    'Get-ADPermission', 'Add-ADPermission', 'Remove-ADPermission', 'Get-ExchangeServer', 'Get-TransportServer'
    if ($script:LabVersion -notin '2007', '2010') { 'Get-TransportService', 'Get-FrontendTransportService', 'Get-ServerComponentState' }
)
# What the roles of the account do not have is not there at all.
$absent = @($state.faults | Where-Object { $_.kind -eq 'absent' } | ForEach-Object { $_.cmdlet })
Export-ModuleMember -Function ($cmdlets | Where-Object { $_ -notin $absent })
