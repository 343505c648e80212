# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Checks for run_checks.run(): each begins with a line "#: name".

#: no cmdlets in the shell
Get-ReceiveConnector

#: refused path
New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri http://EX01.corp.test/wsman

#: refused name
New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri http://EX01/PowerShell/

#: refused configuration
New-PSSession -ConnectionUri http://EX01.corp.test/PowerShell/

#: open
$to = @{
    ConfigurationName = 'Microsoft.Exchange'
    ConnectionUri = 'http://EX01.corp.test/PowerShell/'
    Authentication = 'Kerberos'
}
$global:s = New-PSSession @to
function global:Call($name, $parameters) {
    $p = [powershell]::Create(); $p.Runspace = $s.Runspace
    $found = $p.AddCommand($name).AddParameters($parameters).Invoke()
    if ($p.HadErrors) { throw $p.Streams.Error[0] }
    $found
}
$s.State

#: types
$c = Call Get-ReceiveConnector @{Identity='EX01\Default Frontend EX01'}; $c.PSObject.TypeNames[0]
$c.MaxMessageSize.ToString(); [string] $c.AuthMechanism; foreach ($b in $c.Bindings) { [string] $b }; $c.Guid; [string] $c.Identity
[string] $c.MaxInboundConnection; [string] $c.ConnectionTimeout; [string] $c.TransportRole; $c.WhenChangedUTC.ToString('o')

#: names
Call Get-ReceiveConnector @{Server='EX01'} | ForEach-Object Name

#: lists
$c = @(Call Get-ReceiveConnector @{Server='EX01'})[5]
foreach ($name in 'Bindings', 'RemoteIPRanges', 'TlsDomainCapabilities') { "$($c.$name.GetType().Name) $($c.$name.Count)" }

#: aces
$c = @(Call Get-ReceiveConnector @{Server='EX01'})[5]
Call Get-ADPermission @{Identity=$c.DistinguishedName} | Where-Object { $_.ExtendedRights -and -not $_.IsInherited } | ForEach-Object {
 "$([string] $_.User)|$([string] @($_.ExtendedRights)[0])|$($_.Deny)" }

#: users
$c = @(Call Get-ReceiveConnector @{Server='EX01'})[5]
Call Get-ADPermission @{Identity=$c.DistinguishedName} | ForEach-Object {
 "$([string] $_.User)|$([string] $_.User.RawIdentity)|$([string] $_.User.SecurityIdentifier)" } | Select-Object -Unique

#: no script
$p = [powershell]::Create()
$p.Runspace = $s.Runspace
$p.AddScript('1 + 1').Invoke()

#: no other command
Call Get-Item @{Path='/'}

#: no other command that is not loaded
Call Get-Random @{}

#: unknown parameter
Call Set-ReceiveConnector @{Identity='x'; Nonsense=1}

#: bad value
Call Set-ReceiveConnector @{Identity='EX01\Default EX01'; MaxHopCount=0}

#: absent by role
Call Add-ADPermission @{Identity='EX01\Default EX01'}

#: null clears
Call Set-ReceiveConnector @{Identity='EX01\Default EX01'; Banner=$null; TlsCertificateName=$null; Comment='x'}
(Call Get-ReceiveConnector @{Identity='EX01\Default EX01'}).Comment

#: change lists
Call Set-ReceiveConnector @{Identity='EX01\Default EX01'; RemoteIPRanges=@{Add=@('10.9.9.9'); Remove='::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'}}
foreach ($r in (Call Get-ReceiveConnector @{Identity='EX01\Default EX01'}).RemoteIPRanges) { [string] $r }

#: prompt
Call Remove-ReceiveConnector @{Identity='EX01\Default EX01'}

#: close
Remove-PSSession $s
$s.State
