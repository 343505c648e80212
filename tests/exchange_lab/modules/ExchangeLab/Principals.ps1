# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Who holds rights, by what name, and what permission groups grant (rights.json: exchange.md 2.1). The state names a principal by its
# key below, or by the text that is to be shown (DOMAIN\name, a SID that nobody resolves).

$script:LabPrincipals = [ordered] @{
    ANONYMOUS = @{
        sid = 'S-1-5-7'; en = 'NT AUTHORITY\ANONYMOUS LOGON'
        de = "NT-AUTORIT$([char] 0xc4)T\ANONYMOUS-ANMELDUNG"; fr = 'AUTORITE NT\ANONYMOUS LOGON'
    }
    AUTHENTICATED = @{
        sid = 'S-1-5-11'; en = 'NT AUTHORITY\Authenticated Users'
        de = "NT-AUTORIT$([char] 0xc4)T\Authentifizierte Benutzer"; fr = "AUTORITE NT\Utilisateurs authentifi$([char] 0xe9)s"
    }
    NETWORK_SERVICE = @{
        sid = 'S-1-5-20'; en = 'NT AUTHORITY\NETWORK SERVICE'
        de = "NT-AUTORIT$([char] 0xc4)T\Netzwerkdienst"; fr = "AUTORITE NT\SERVICE R$([char] 0xc9)SEAU"
    }
    EVERYONE = @{ sid = 'S-1-1-0'; en = 'Everyone'; de = 'Jeder'; fr = 'Tout le monde' }
    NETWORK = @{
        sid = 'S-1-5-2'; en = 'NT AUTHORITY\NETWORK'
        de = "NT-AUTORIT$([char] 0xc4)T\NETZWERK"; fr = "AUTORITE NT\R$([char] 0xc9)SEAU"
    }
    USERS = @{ sid = 'S-1-5-32-545'; en = 'BUILTIN\Users'; de = 'VORDEFINIERT\Benutzer'; fr = 'BUILTIN\Utilisateurs' }
    GUESTS = @{ sid = 'S-1-5-32-546'; en = 'BUILTIN\Guests'; de = "VORDEFINIERT\G$([char] 0xe4)ste"; fr = "BUILTIN\Invit$([char] 0xe9)s" }
    PARTNERS = @{ sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-10'; en = 'MS Exchange\Partner Servers' }
    HUB_SERVERS = @{ sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-21'; en = 'MS Exchange\Hub Transport Servers' }
    EDGE_SERVERS = @{ sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-22'; en = 'MS Exchange\Edge Transport Servers' }
    EXTERNALLY_SECURED = @{
        sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-23'; en = 'MS Exchange\Externally Secured Servers'
    }
    EXCHANGE_SERVERS = @{ name = 'Exchange Servers'; rid = 1119 }
    LEGACY_SERVERS = @{ name = 'ExchangeLegacyInterop'; rid = 1120 }
    ORGANIZATION_MANAGEMENT = @{ name = 'Organization Management'; rid = 1104 }
}

$script:LabTable = [Json]::Read("$PSScriptRoot/rights.json")
$script:LabGranted = @{}  # entries of a group, by version, role and group

# The text that the server shows for a principal of the state.
function ConvertFrom-LabPrincipal($Server, [string] $Key) {
    $entry = $script:LabPrincipals[$Key]
    if (-not $entry) { return $Key }
    if ($entry.name) { return "$($Server.domain)\$($entry.name)" }
    $text = $entry[$Server.locale]
    if ($text) { return $text }
    return $entry.en
}

# Of somebody without a well-known one; the same for the same name.
function Get-LabSid([string] $Key) {
    if ($Key -match '^S-1-') { return $Key }
    $entry = $script:LabPrincipals[$Key]
    if ($entry.sid) { return $entry.sid }
    $number = if ($entry.rid) { $entry.rid } else { 2000 }
    if (-not $entry) { foreach ($character in $Key.ToLower().ToCharArray()) { $number = ($number * 31 + [int] $character) % 900001 } }
    return "S-1-5-21-1004336348-1177238915-682003330-$number"
}

# A principal as the state names it, of what was given as -User: a name that this server shows, or that name without its
# authority. Neither another language's name nor a SID is found.
function Resolve-LabPrincipal($Context, $Server, [string] $User) {
    foreach ($key in $script:LabPrincipals.Keys) {
        $name = ConvertFrom-LabPrincipal $Server $key
        if ($User -in $name, ($name -split '\\')[-1]) { return $key }
    }
    foreach ($known in $Context.State.users) {
        if ($User -in $known, ($known -split '\\')[-1]) { return $known }
    }
    throw (New-LabMistyped "User or group ""$User""")
}

# Of an object or principal that Add- and Remove-ADPermission do not find.
function New-LabMistyped([string] $What) {
    [LabError]::new('ManagementObjectNotFoundException', "$What wasn't found. Please make sure you've typed it correctly.", 'ObjectNotFound')
}

# An entry as the state has it.
function New-LabAce([string] $User, [string] $Right, [string] $Access, [bool] $Deny, [bool] $Inherited) {
    "$User|$Right|$Access|$(('allow', 'deny')[[int] $Deny])|$(('own', 'inherited')[[int] $Inherited])"
}

# The entries that a permission group is. The groups of the domain do not exist on Edge.
function Get-LabGrants($Server, [string] $Group) {
    $key = "$($Server.version) $($Server.role) $Group"
    if (-not $script:LabGranted[$key]) {
        $cells = $script:LabTable.groups[$Group]
        $script:LabGranted[$key] = @(
            foreach ($user in $cells.Keys) {
                if ($Server.role -eq 'Edge' -and $user -in $script:LabTable.of_domain) { continue }
                foreach ($right in Get-LabCell $Server $cells[$user]) { New-LabAce $user $right 'ExtendedRight' $false $false }
            }
        )
    }
    return $script:LabGranted[$key]
}

# The rights of one cell of the table.
function Get-LabCell($Server, [string] $Cell) {
    if ($Cell -ne '*') { return $Cell -split ' ' | ForEach-Object { $script:LabTable.rights[$_] } }
    $script:LabTable.rights.Values
    if ($Server.version -notin '2007', '2010') { $script:LabTable.server_only }
}
