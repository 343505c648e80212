# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Checks for run_checks.run(): each begins with a line "#: name". The first once, the others in each variant.

#: start
$new = @{ Name = 'Relay'; Usage = 'Custom'; Bindings = '0.0.0.0:25'; RemoteIPRanges = '10.1.0.1'; PermissionGroups = 'AnonymousUsers' }
$global:dn = (New-ReceiveConnector @new -TransportRole FrontendTransport).DistinguishedName
$global:who = 'NT AUTHORITY\ANONYMOUS LOGON'
$global:four = 'ms-Exch-SMTP-Submit', 'ms-Exch-SMTP-Accept-Any-Sender', 'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender',
    'ms-Exch-Accept-Headers-Routing'
function global:Set-Variant($key, $value) {
    $text = [System.IO.File]::ReadAllText($env:EXCHANGE_LAB_STATE)
    $text = [regex]::Replace($text, '"' + $key + '": "\w+"', '"' + $key + '": "' + $value + '"')
    [System.IO.File]::WriteAllText($env:EXCHANGE_LAB_STATE, $text)
}
function global:Show {
    [string] (Get-ReceiveConnector Relay).PermissionGroups
    @(Get-ADPermission $dn -User $who).Count
}

#: added
$null = Add-ADPermission $dn -User $who -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient
Show

#: removed
$gone = 'ms-Exch-SMTP-Accept-Any-Recipient', 'ms-Exch-SMTP-Accept-Any-Sender'
Remove-ADPermission $dn -User $who -ExtendedRights $gone -Confirm:$false
Show

#: again
Set-ReceiveConnector Relay -PermissionGroups AnonymousUsers
Show

#: removed again
foreach ($row in Get-ADPermission $dn -User $who) {
    Remove-ADPermission $dn -User $who -ExtendedRights $row.ExtendedRights -Confirm:$false
}
Show

#: other
Set-ReceiveConnector Relay -PermissionGroups Partners
Show

#: by hand
$null = Add-ADPermission $dn -User $who -ExtendedRights $four
Show

#: named no more
Set-ReceiveConnector Relay -PermissionGroups AnonymousUsers, Partners
Set-ReceiveConnector Relay -PermissionGroups Partners
Show

#: back
Set-ReceiveConnector Relay -PermissionGroups AnonymousUsers
Show
