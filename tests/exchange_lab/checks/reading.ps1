# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Checks for run_checks.run(): each begins with a line "#: name".

#: names
Get-ReceiveConnector -Server EX01 | ForEach-Object Name

#: size
(Get-ReceiveConnector 'EX01\Default Frontend EX01').MaxMessageSize

#: odd size
(Get-ReceiveConnector 'EX01\Odd').MaxMessageSize

#: header
(Get-ReceiveConnector 'EX01\Default Frontend EX01').MaxHeaderSize

#: span
$c = Get-ReceiveConnector Odd
$c.ConnectionTimeout
$c.TarpitInterval

#: unlimited
(Get-ReceiveConnector 'Default EX01').MaxInboundConnectionPerSource

#: auth
(Get-ReceiveConnector 'Default Frontend EX01').AuthMechanism

#: groups
(Get-ReceiveConnector 'Default Frontend EX01').PermissionGroups
(Get-ReceiveConnector Odd).PermissionGroups

#: bindings
foreach ($b in (Get-ReceiveConnector 'Default Frontend EX01').Bindings) { [string] $b }

#: ranges
foreach ($r in (Get-ReceiveConnector Odd).RemoteIPRanges) { [string] $r }

#: all ranges
foreach ($r in (Get-ReceiveConnector 'Default EX01').RemoteIPRanges) { [string] $r }

#: certificate
(Get-ReceiveConnector Odd).TlsCertificateName

#: capabilities
foreach ($r in (Get-ReceiveConnector Odd).TlsDomainCapabilities) { [string] $r }

#: default domain
$d = (Get-ReceiveConnector Odd).DefaultDomain
[string] $d
$d.DistinguishedName

#: identity
$c = Get-ReceiveConnector Odd
$c.Identity
$c.Server
$c.DistinguishedName
$c.Guid
$c.ExchangeVersion

#: changed
(Get-ReceiveConnector Odd).WhenChangedUTC.ToString('o')

#: absent identity
@(Get-ReceiveConnector 'EX01\nothing').Count
@(Get-ReceiveConnector -Identity $null).Count

#: by guid
$g = (Get-ReceiveConnector Odd).Guid
(Get-ReceiveConnector -Identity $g).Name

#: absent server
Get-ReceiveConnector -Server NOWHERE

#: two sets
Get-ReceiveConnector -Identity Odd -Server EX01

#: unknown parameter
Get-ReceiveConnector -Filter x

#: other controller
Get-ReceiveConnector -DomainController dc9.corp.test

#: domains
Get-AcceptedDomain | ForEach-Object { "$($_.DomainName) $([string] $_.DomainType) $($_.Default)" }

#: server
$s = Get-ExchangeServer
$s.Name
$s.Fqdn
$s.AdminDisplayVersion
[string] $s.ServerRole
$s.Edition

#: services
Get-CimInstance Win32_Service -Filter "Name LIKE 'MSExchange%'" | ForEach-Object { $_.Name + $_.State }

#: started
$s = Get-CimInstance Win32_Service -Filter "Name = 'MSExchangeTransport'"
(Get-CimInstance Win32_Process -Filter "ProcessId = $($s.ProcessId)").CreationDate.ToUniversalTime().ToString('o')

#: wmi
(Get-WmiObject Win32_Process -Filter "Name = 'MSExchangeTransport.exe'").CreationDate

#: frontend service
(Get-FrontendTransportService).Name

#: aces
Get-ADPermission (Get-ReceiveConnector Odd).DistinguishedName | Where-Object ExtendedRights | ForEach-Object {
  "$([string] $_.User)|$($_.ExtendedRights[0].RawIdentity)|$($_.Deny)|$($_.IsInherited)" }

#: users
Get-ADPermission (Get-ReceiveConnector Odd).DistinguishedName | ForEach-Object {
  "$($_.User.RawIdentity)|$($_.User.SecurityIdentifier)" } | Select-Object -Unique

#: rows without a right
Get-ADPermission (Get-ReceiveConnector Odd).DistinguishedName | Where-Object { -not $_.ExtendedRights } | ForEach-Object {
  "$([string] $_.User)|$([string] $_.AccessRights[0])|$($_.IsInherited)" }

#: aces of a user
Get-ADPermission (Get-ReceiveConnector Odd).Guid -User 'ANONYMOUS LOGON' | ForEach-Object { [string] $_.ExtendedRights[0] }

#: aces of an unknown user
Get-ADPermission (Get-ReceiveConnector Odd).Guid -User 'CORP\nobody'

#: aces of a SID
Get-ADPermission (Get-ReceiveConnector Odd).Guid -User S-1-5-7

#: aces of nothing
Get-ADPermission $null

#: aces of an absent one
Get-ADPermission 'CN=nothing'

#: aces by server and name
Get-ADPermission 'EX01\Odd'

#: started by process
$s = Get-CimInstance Win32_Service -Filter "Name='MSExchangeTransport' OR Name='MSExchangeFrontEndTransport'"
(Get-Process -Id $s[0].ProcessId).StartTime.ToUniversalTime().ToString('o')
(Get-Process -Id $s[1].ProcessId).Name

#: no such process
Get-Process -Id 1
