# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Who holds rights, by what name, and what permission groups grant (exchange.md 2.1). The state names a principal by its
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
    PARTNERS = @{ sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-10'; en = 'MS Exchange\Partner Servers' }
    HUB_SERVERS = @{ sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-21'; en = 'MS Exchange\Hub Transport Servers' }
    EDGE_SERVERS = @{ sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-22'; en = 'MS Exchange\Edge Transport Servers' }
    EXTERNALLY_SECURED = @{
        sid = 'S-1-9-1419165041-1139599005-3936102811-1022490595-23'; en = 'MS Exchange\Externally Secured Servers'
    }
    EXCHANGE_SERVERS = @{ name = 'Exchange Servers' }
    LEGACY_SERVERS = @{ name = 'ExchangeLegacyInterop' }
    ORGANIZATION_MANAGEMENT = @{ name = 'Organization Management' }
}

# The columns of the table, and which of them a principal has.
$script:LabRights = [ordered] @{
    Sub = 'ms-Exch-SMTP-Submit'; AnyR = 'ms-Exch-SMTP-Accept-Any-Recipient'; AnyS = 'ms-Exch-SMTP-Accept-Any-Sender'
    AuthDS = 'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender'; AuthF = 'ms-Exch-SMTP-Accept-Authentication-Flag'
    Ex50 = 'ms-Exch-SMTP-Accept-Exch50'; HR = 'ms-Exch-Accept-Headers-Routing'; HO = 'ms-Exch-Accept-Headers-Organization'
    HF = 'ms-Exch-Accept-Headers-Forest'; BAS = 'ms-Exch-Bypass-Anti-Spam'; BML = 'ms-Exch-Bypass-Message-Size-Limit'
}
$script:LabServerOnly = 'Accept-Xattr', 'Accept-XProxyFrom', 'Accept-XSessionParams', 'Accept-XShadow', 'Accept-XSysProbe',
    'Send-XMessageContext-ADRecipientCache', 'Send-XMessageContext-ExtendedProperties', 'Send-XMessageContext-FastIndex'
$script:LabGroups = [ordered] @{
    AnonymousUsers = [ordered] @{ ANONYMOUS = 'Sub AnyS AuthDS HR' }
    ExchangeUsers = [ordered] @{ AUTHENTICATED = 'Sub AnyR HR BAS' }
    ExchangeServers = [ordered] @{
        EXCHANGE_SERVERS = '*'; EDGE_SERVERS = '*'; HUB_SERVERS = '*'
        EXTERNALLY_SECURED = 'Sub AnyR AnyS AuthDS AuthF Ex50 HR BAS BML'
    }
    ExchangeLegacyServers = [ordered] @{ LEGACY_SERVERS = 'Sub AnyR AnyS AuthDS AuthF Ex50 HR BAS BML' }
    Partners = [ordered] @{ PARTNERS = 'Sub HR' }
}

# The text that the server shows for a principal of the state.
function ConvertFrom-LabPrincipal($Server, [string] $Key) {
    $entry = $script:LabPrincipals[$Key]
    if (-not $entry) { return $Key }
    if ($entry.name) { return "$($Server.domain)\$($entry.name)" }
    $text = $entry[$Server.locale]
    if ($text) { return $text }
    return $entry.en
}

# A principal as the state names it, of what was given as -User: a name that this server shows, without its authority if
# that is enough, or a SID. Another language's name is not found.
function Resolve-LabPrincipal($Context, $Server, [string] $User) {
    foreach ($key in $script:LabPrincipals.Keys) {
        $name = ConvertFrom-LabPrincipal $Server $key
        if ($User -in $name, ($name -split '\\')[-1], $script:LabPrincipals[$key].sid) { return $key }
    }
    foreach ($known in $Context.State.users) {
        if ($User -in $known, ($known -split '\\')[-1]) { return $known }
    }
    throw [LabError]::new('ManagementObjectNotFoundException',
        "User or group ""$User"" wasn't found. Please make sure you've typed it correctly.", 'ObjectNotFound')
}

# The rights of one cell of the table.
function Get-LabCell([string] $Cell) {
    if ($Cell -ne '*') { return $Cell -split ' ' | ForEach-Object { $script:LabRights[$_] } }
    $script:LabRights.Values
    if ($script:LabVersion -notin '2007', '2010') { $script:LabServerOnly | ForEach-Object { "ms-Exch-SMTP-$_" } }
}

# (principal, right) of a permission group. The groups of the domain do not exist on Edge.
function Get-LabGrants($Server, $Groups) {
    foreach ($group in $Groups) {
        foreach ($key in $script:LabGroups[$group].Keys) {
            if ($Server.role -eq 'Edge' -and $script:LabPrincipals[$key].name) { continue }
            foreach ($right in Get-LabCell $script:LabGroups[$group][$key]) { , @($key, $right) }
        }
    }
}
