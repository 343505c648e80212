# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Checks for run_checks.run(): each begins with a line "#: name". One after the other on one state.

#: create
$new = @{ Name = "O'Brien's ""relay"" `$(x)"; Usage = 'Custom'; Bindings = '0.0.0.0:25'; RemoteIPRanges = '10.1.0.1', '10.2.0.0/24' }
$c = New-ReceiveConnector @new -TransportRole FrontendTransport -PermissionGroups AnonymousUsers -MaxMessageSize 10MB
[string] $c.Identity
[string] $c.MaxMessageSize
[string] $c.AuthMechanism
foreach ($r in $c.RemoteIPRanges) { [string] $r }

#: same name
New-ReceiveConnector -Name "o'brien's ""relay"" `$(x)" -Usage Custom -Bindings 0.0.0.0:25 -RemoteIPRanges 10.3.0.1 -TransportRole FrontendTransport

#: no usage
New-ReceiveConnector -Name x -Bindings 0.0.0.0:25 -RemoteIPRanges 10.3.0.1

#: two usages
New-ReceiveConnector -Name x -Usage Custom -Custom -Bindings 0.0.0.0:25 -RemoteIPRanges 10.3.0.1

#: usage without its ranges
New-ReceiveConnector -Name x -Usage Custom -Bindings 0.0.0.0:25

#: switch without its ranges
New-ReceiveConnector -Name x -Custom -Bindings 0.0.0.0:25

#: internet with ranges
New-ReceiveConnector -Name x -Usage Internet -Bindings 192.0.2.1:25 -RemoteIPRanges 10.3.0.1 -TransportRole FrontendTransport

#: usages
$c = New-ReceiveConnector -Name client -Usage Client -RemoteIPRanges 10.4.0.1 -TransportRole FrontendTransport
"$([string] $c.PermissionGroups)|$([string] $c.AuthMechanism)|$([string] $c.Bindings[0])"
$c = New-ReceiveConnector -Name internal -Internal -RemoteIPRanges 10.4.0.1 -TransportRole FrontendTransport
"$([string] $c.PermissionGroups)|$([string] $c.AuthMechanism)|$([string] $c.Bindings[0])"
$c = New-ReceiveConnector -Name internet -Usage Internet -Bindings 192.0.2.1:25 -TransportRole FrontendTransport
"$([string] $c.PermissionGroups)|$([string] $c.AuthMechanism)|$([string] $c.RemoteIPRanges[0])"
$c = New-ReceiveConnector -Name partner -Partner -Bindings 192.0.2.2:25 -RemoteIPRanges 10.4.0.1 -TransportRole FrontendTransport
"$([string] $c.PermissionGroups)|$([string] $c.AuthMechanism)"
foreach ($name in 'client', 'internal', 'internet', 'partner') { Remove-ReceiveConnector $name -Confirm:$false }

#: other role
New-ReceiveConnector -Name x -Usage Custom -Bindings 192.0.2.3:25 -RemoteIPRanges 10.3.0.1 -TransportRole HubTransport

#: equal ranges
New-ReceiveConnector -Name x -Usage Custom -Bindings 0.0.0.0:25 -RemoteIPRanges 10.1.0.1 -TransportRole FrontendTransport

#: partly overlapping ranges
New-ReceiveConnector -Name x -Usage Custom -Bindings 0.0.0.0:25 -RemoteIPRanges 10.2.0.200-10.2.1.9 -TransportRole FrontendTransport

#: nested ranges and a specific binding
New-ReceiveConnector -Name nested -Usage Custom -Bindings 0.0.0.0:25 -RemoteIPRanges 10.2.0.5 -TransportRole FrontendTransport | ForEach-Object Name
New-ReceiveConnector -Name specific -Usage Custom -Bindings 192.0.2.9:25 -RemoteIPRanges 10.2.0.5 -TransportRole FrontendTransport |
    ForEach-Object Name

#: long name
New-ReceiveConnector -Name ('n' * 65) -Usage Custom -Bindings 192.0.2.4:25 -RemoteIPRanges 10.3.0.1 -TransportRole FrontendTransport

#: banner
Set-ReceiveConnector nested -Banner 'hello'

#: basic without tls
Set-ReceiveConnector nested -AuthMechanism BasicAuth, BasicAuthRequireTLS

#: external with basic
Set-ReceiveConnector nested -AuthMechanism ExternalAuthoritative, BasicAuth -PermissionGroups ExchangeServers

#: external without servers
Set-ReceiveConnector nested -AuthMechanism Tls, ExternalAuthoritative

#: external
Set-ReceiveConnector nested -AuthMechanism Tls, ExternalAuthoritative -PermissionGroups ExchangeServers
[string] (Get-ReceiveConnector nested).AuthMechanism

#: require tls
Set-ReceiveConnector nested -AuthMechanism None -RequireTLS $true

#: domain secure
Set-ReceiveConnector nested -DomainSecureEnabled $true

#: custom
Set-ReceiveConnector nested -PermissionGroups AnonymousUsers, Custom

#: timeouts
Set-ReceiveConnector nested -ConnectionTimeout 00:01:00

#: timeouts together
Set-ReceiveConnector nested -ConnectionTimeout 00:01:00 -ConnectionInactivityTimeout 00:00:30
[string] (Get-ReceiveConnector nested).ConnectionTimeout

#: chunking
Set-ReceiveConnector nested -ChunkingEnabled $false

#: out of range
Set-ReceiveConnector nested -MaxMessageSize 65535

#: span out of range
Set-ReceiveConnector nested -ConnectionTimeout 1.00:00:01

#: count out of range
Set-ReceiveConnector nested -MaxInboundConnectionPerSource 10001

#: unlimited
Set-ReceiveConnector nested -MaxInboundConnectionPerSource unlimited
[string] (Get-ReceiveConnector nested).MaxInboundConnectionPerSource

#: bad range
Set-ReceiveConnector nested -RemoteIPRanges 10.0.0.9-10.0.0.1

#: bad binding
Set-ReceiveConnector nested -Bindings 0.0.0.0

#: bad mechanism
Set-ReceiveConnector nested -AuthMechanism Ntlm

#: text for a truth value
Set-ReceiveConnector nested -RequireTLS 'yes'

#: create only
Set-ReceiveConnector nested -Usage Custom

#: set only
New-ReceiveConnector -Name x -Usage Custom -Bindings 192.0.2.4:25 -RemoteIPRanges 10.3.0.1 -SmtpUtf8Enabled $true

#: list is replaced
Set-ReceiveConnector nested -RemoteIPRanges 10.2.0.6, 10.2.0.7
foreach ($r in (Get-ReceiveConnector nested).RemoteIPRanges) { [string] $r }

#: list is changed
Set-ReceiveConnector nested -RemoteIPRanges @{ Add = '10.2.0.8'; Remove = '10.2.0.6' }
foreach ($r in (Get-ReceiveConnector nested).RemoteIPRanges) { [string] $r }

#: list without a value
Set-ReceiveConnector nested -RemoteIPRanges @{ Remove = '10.9.9.9' }

#: list with a wrong key
Set-ReceiveConnector nested -RemoteIPRanges @{ Set = '10.9.9.9' }

#: empty list
Set-ReceiveConnector nested -RemoteIPRanges $null

#: nothing new
Set-ReceiveConnector nested -RemoteIPRanges 10.2.0.7, 10.2.0.8

#: rename
Set-ReceiveConnector nested -Name 'other name'
(Get-ReceiveConnector 'EX01\other name').DistinguishedName.Split(',')[0]

#: default domain
Set-ReceiveConnector 'other name' -DefaultDomain corp.test
[string] (Get-ReceiveConnector 'other name').DefaultDomain
Set-ReceiveConnector 'other name' -DefaultDomain $null
$null -eq (Get-ReceiveConnector 'other name').DefaultDomain

#: absent
Set-ReceiveConnector nothing -Comment x

#: what if
Set-ReceiveConnector 'other name' -Comment what-if -WhatIf
(Get-ReceiveConnector 'other name').Comment

#: prompt
Remove-ReceiveConnector specific

#: remove
Remove-ReceiveConnector specific -Confirm:$false
@(Get-ReceiveConnector | Where-Object Name -eq specific).Count

#: add right
$global:dn = (Get-ReceiveConnector 'other name').DistinguishedName
$global:anonymous = 'NT AUTHORITY\ANONYMOUS LOGON'
Set-ReceiveConnector 'other name' -AuthMechanism Tls -PermissionGroups AnonymousUsers
$row = Add-ADPermission $dn -User $anonymous -ExtendedRights ms-exch-smtp-accept-any-recipient
"$($row.User)|$($row.ExtendedRights[0])|$($row.Deny)|$($row.IsInherited)"
[string] (Get-ReceiveConnector 'other name').PermissionGroups

#: add right again
Add-ADPermission (Get-ReceiveConnector 'other name').Guid -User 'ANONYMOUS LOGON' -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient

#: add right by server and name
Add-ADPermission 'EX01\other name' -User $anonymous -ExtendedRights ms-Exch-SMTP-Submit

#: deny asks
Add-ADPermission $dn -User 'CORP\svc-scan' -ExtendedRights ms-Exch-SMTP-Submit -Deny

#: deny
$null = Add-ADPermission $dn -User 'CORP\svc-scan' -ExtendedRights ms-Exch-SMTP-Submit -Deny -Confirm:$false
@(Get-ADPermission $dn -User 'CORP\svc-scan')[0].Deny

#: unknown user
Add-ADPermission $dn -User 'CORP\nobody' -ExtendedRights ms-Exch-SMTP-Submit

#: other language
Add-ADPermission $dn -User 'NT-AUTORITÄT\ANONYMOUS-ANMELDUNG' -ExtendedRights ms-Exch-SMTP-Submit

#: sid
Add-ADPermission $dn -User S-1-5-7 -ExtendedRights ms-Exch-SMTP-Submit

#: unknown right
Add-ADPermission $dn -User $anonymous -ExtendedRights ms-Exch-SMTP-Nonsense

#: remove unknown user
Remove-ADPermission $dn -User 'CORP\nobody' -ExtendedRights ms-Exch-SMTP-Submit -Confirm:$false

#: remove sid
Remove-ADPermission $dn -User S-1-5-7 -ExtendedRights ms-Exch-SMTP-Submit -Confirm:$false

#: remove by server and name
Remove-ADPermission 'EX01\other name' -User $anonymous -ExtendedRights ms-Exch-SMTP-Submit -Confirm:$false

#: remove asks
Remove-ADPermission $dn -User $anonymous -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient

#: remove right
Remove-ADPermission $dn -User $anonymous -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient -Confirm:$false
Remove-ADPermission $dn -User 'CORP\svc-scan' -ExtendedRights ms-Exch-SMTP-Submit -Deny -Confirm:$false
[string] (Get-ReceiveConnector 'other name').PermissionGroups

#: remove absent right
Remove-ADPermission $dn -User $anonymous -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient -Confirm:$false

#: remove an allow that is a deny
Remove-ADPermission $dn -User $anonymous -ExtendedRights ms-Exch-SMTP-Submit -Deny -Confirm:$false

#: right of a group
Remove-ADPermission $dn -User $anonymous -ExtendedRights ms-Exch-SMTP-Accept-Any-Sender -Confirm:$false
foreach ($row in Get-ADPermission $dn -User $anonymous) { [string] $row.ExtendedRights[0] }

#: inherited
$before = (Get-ReceiveConnector 'other name').WhenChangedUTC
$new = @{ Name = 'heir'; Usage = 'Custom'; Bindings = '192.0.2.4:25'; RemoteIPRanges = '10.3.0.1'; PermissionGroups = 'Partners' }
$c = New-ReceiveConnector @new -TransportRole FrontendTransport
$c.WhenChangedUTC -ge $before
foreach ($row in Get-ADPermission $c.Guid) { if ("$($row.User)" -eq 'CORP\svc-scan2') { "$($row.ExtendedRights[0])|$($row.IsInherited)" } }
@(Get-ADPermission $c.Guid -User 'MS Exchange\Partner Servers').Count

#: remove inherited
Remove-ADPermission (Get-ReceiveConnector heir).Guid -User 'CORP\svc-scan2' -ExtendedRights ms-Exch-SMTP-Submit -Confirm:$false

#: remove heir
Remove-ReceiveConnector heir -Confirm:$false

#: many ranges
Set-ReceiveConnector 'other name' -RemoteIPRanges (1..1301 | ForEach-Object { "10.$([math]::Floor($_ / 250) + 50).$($_ % 250).1" })

#: fault denied
Set-AcceptedDomain corp.test -DomainType InternalRelay

#: fault once
Remove-AcceptedDomain partner.test -Confirm:$false

#: fault gone
Remove-AcceptedDomain partner.test -Confirm:$false
@(Get-AcceptedDomain).Count

#: new domain
(New-AcceptedDomain -Name sub -DomainName '*.sub.test' -DomainType ExternalRelay).Default

#: bad domain
New-AcceptedDomain -Name bad -DomainName 'a*.sub.test'

#: default domain stays
Remove-AcceptedDomain corp.test -Confirm:$false

#: restart
$before = (Get-CimInstance Win32_Service -Filter "Name = 'MSExchangeTransport'").ProcessId
Restart-Service MSExchangeTransport
$after = (Get-CimInstance Win32_Service -Filter "Name = 'MSExchangeTransport'").ProcessId
$before -ne $after
