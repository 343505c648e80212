# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Get-, Add- and Remove-ADPermission. A connector of the state has `aces`: its entries, those of its groups among them
# (field-reports.md E3), each a text "user|right|access|allow or deny|own or inherited". What every object has besides
# (no SMTP right in it) is made here.

# One entry, for one right, as Exchange shows them.
class ADAcePresentationObject {
    [string] $Identity
    [SecurityPrincipalIdParameter] $User
    [bool] $Deny
    [bool] $IsInherited
    [object[]] $AccessRights
    [object[]] $ExtendedRights
    [ActiveDirectorySecurityInheritance] $InheritanceType = 'All'
    [object] $Properties
    [object] $ChildObjectTypes
    [object] $InheritedObjectType
    [bool] $IsValid = $true
}

class Aces {
    static [hashtable] $Objects = @{}  # rights, made once
    static [hashtable] $Split = @{}  # entries in parts

    # user, right, access, allow or deny, own or inherited
    static [string[]] Parts([string] $entry) {
        $found = [Aces]::Split[$entry]
        if (-not $found) {
            $found = $entry.Split('|')
            [Aces]::Split[$entry] = $found
        }
        return $found
    }

    static [ADAcePresentationObject] Row([string] $identity, [object] $user, [string] $entry) {
        $parts = [Aces]::Parts($entry)
        $right, $access = $parts[1], $parts[2]
        $known = [Aces]::Objects
        if (-not $known["access $access"]) { $known["access $access"] = @([ActiveDirectoryRights] $access) }
        if ($right -and -not $known["right $right"]) { $known["right $right"] = @([ExtendedRightIdParameter]::new($right)) }
        $found = [ADAcePresentationObject]::new()
        $found.Identity = $identity
        $found.User = $user
        $found.Deny = $parts[3] -eq 'deny'
        $found.IsInherited = $parts[4] -eq 'inherited'
        $found.AccessRights = $known["access $access"]
        if ($right) { $found.ExtendedRights = $known["right $right"] }
        return $found
    }
}

$script:LabEverywhere = @(
    'NETWORK_SERVICE||ReadProperty|allow|own', 'AUTHENTICATED||GenericRead|allow|inherited'
    'EVERYONE|ms-Exch-Create-Public-Folder|ExtendedRight|deny|inherited'
)
$script:LabOfDomain = @(
    'ORGANIZATION_MANAGEMENT||GenericAll|allow|inherited'
    'EXCHANGE_SERVERS|ms-Exch-Store-Read-Access|ExtendedRight|allow|inherited'
)

# A user of rows.
function New-LabUser($Server, [string] $Key) {
    $user = [SecurityPrincipalIdParameter]::new((ConvertFrom-LabPrincipal $Server $Key))
    $user.SecurityIdentifier = Get-LabSid $Key
    return $user
}

# Deny before allow, what is the object's own before what is inherited.
function Get-LabAces($Context, $Item) {
    $seen = [System.Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
    $users = @{}
    $ranked = foreach ($rank in 0..3) { , [System.Collections.Generic.List[object]]::new() }
    $domain = if ($Item.Server.role -ne 'Edge') { $script:LabOfDomain }
    foreach ($entry in @($Item.Connector.aces) + $script:LabEverywhere + $domain) {
        if (-not $entry -or -not $seen.Add($entry)) { continue }
        $parts = [Aces]::Parts($entry)
        $key = $parts[0]
        if (-not $users[$key]) { $users[$key] = New-LabUser $Item.Server $key }
        $rank = 2 * [int] ($parts[4] -eq 'inherited') + [int] ($parts[3] -eq 'allow')
        $ranked[$rank].Add([Aces]::Row($Item.Identity, $users[$key], $entry))
    }
    foreach ($rank in 0..3) { $ranked[$rank] }
}

# Server and connector of an object of the directory: by DN, GUID, or its name if that is unique; not SERVER\Name
# (field-reports.md E6).
function Find-LabObject($Context, [string] $Identity) {
    $found = @([Located]::Find($Context.State, $Identity) | Where-Object { $Identity -ne $_.Identity })
    if ($found.Count -gt 1) {
        throw [LabError]::new('ManagementObjectAmbiguousException',
            "The operation couldn't be performed because '$Identity' matches multiple entries.", 'InvalidData')
    }
    return $found
}

function Invoke-LabGetADPermission($Context) {
    $identity = "$($Context.Bound['Identity'])"
    $found = @(Find-LabObject $Context $identity)
    if (-not $found) { throw (New-LabNotFound $Context $identity) }
    if ($Context.Bound['Owner']) {
        return [pscustomobject] @{ Identity = $found[0].Identity; Owner = "$($found[0].Server.domain)\Domain Admins" }
    }
    $user = $Context.Bound['User']
    $wanted = if ($user) { ConvertFrom-LabPrincipal $found[0].Server (Resolve-LabPrincipal $Context $found[0].Server "$user") }
    Get-LabAces $Context $found[0] | Where-Object { -not $user -or "$($_.User)" -eq $wanted }
}

# What Add and Remove were given: the connector, and entries as the state has them. -Instance is a row of Get.
function Get-LabPermissionCall($Context) {
    $bound = $Context.Bound
    if ($bound['Owner']) { throw [LabError]::new('NotSupportedException', 'The lab does not change owners.') }
    $row = $bound['Instance']
    $identity = if ($bound['Identity']) { "$($bound['Identity'])" } else { "$($row.Identity)" }
    $found = @(if ($bound['Identity']) { Find-LabObject $Context $identity } else { [Located]::Find($Context.State, $identity) })
    if (-not $found) { throw (New-LabMistyped $identity) }
    $user = if ($bound['User']) { "$($bound['User'])" } else { "$($row.User)" }
    $key = Resolve-LabPrincipal $Context $found[0].Server $user
    $deny = if ($bound.ContainsKey('Deny')) { [bool] $bound['Deny'] } else { [bool] $row.Deny }
    $entries = foreach ($pair in Get-LabPairs $bound $row) { New-LabAce $key $pair[0] $pair[1] $deny $false }
    [pscustomobject] @{
        Item = $found[0]; Connector = $found[0].Connector; Dn = $found[0].Dn; Deny = $deny; Entries = @($entries)
        User = ConvertFrom-LabPrincipal $found[0].Server $key
    }
}

# (right, access) of what was asked for.
function Get-LabPairs($Bound, $Row) {
    $rights = if ($Bound['ExtendedRights']) { $Bound['ExtendedRights'] } else { $Row.ExtendedRights }
    foreach ($right in $rights) { , @((Resolve-LabRight "$right"), 'ExtendedRight') }
    if ($rights) { return }
    $access = if ($Bound['AccessRights']) { $Bound['AccessRights'] } else { $Row.AccessRights }
    if (-not $access) { throw [LabError]::new('ArgumentException', 'You must specify AccessRights or ExtendedRights.', 'InvalidArgument') }
    foreach ($one in $access) { , @('', "$one") }
}

# A right in its own spelling.
function Resolve-LabRight([string] $Right) {
    $known = @($script:LabTable.rights.Values) + $script:LabTable.server_only +
        'ms-Exch-Create-Public-Folder', 'ms-Exch-Store-Read-Access'
    foreach ($name in $known) { if ($Right -eq $name) { return $name } }
    throw [LabError]::new('ManagementObjectNotFoundException', "The extended right '$Right' wasn't found.", 'ObjectNotFound')
}

# Adding to what denies asks for confirmation (exchange.md 4.1). An entry that is there: a warning (no source for it).
function Invoke-LabAddADPermission($Context) {
    $call = Get-LabPermissionCall $Context
    $confirmed = $Context.Bound.ContainsKey('Confirm') -and -not $Context.Bound['Confirm']
    if ($call.Deny -and -not $confirmed -and -not $Context.Cmdlet.ShouldContinue("Deny rights on $($call.Dn)?", 'Confirm')) { return }
    if (-not $Context.Cmdlet.ShouldProcess($call.Dn, 'Add-ADPermission')) { return }
    $added = @($call.Entries | Where-Object { $_ -notin $call.Connector.aces })
    foreach ($entry in $call.Entries) {
        if ($entry -in $added) { $call.Connector.aces.Add($entry); continue }
        $Context.Cmdlet.WriteWarning("The appropriate access control entry is already present on the object ""$($call.Dn)"" " +
            "for account ""$($call.User)"".")
    }
    if ($added) { Save-LabState $Context }
    foreach ($entry in $added) { [Aces]::Row($call.Item.Identity, (New-LabUser $call.Item.Server ([Aces]::Parts($entry)[0])), $entry) }
}

# An entry that is not there: an error, and nothing done (no source for it).
function Invoke-LabRemoveADPermission($Context) {
    $call = Get-LabPermissionCall $Context
    foreach ($entry in $call.Entries) {
        if ($entry -in $call.Connector.aces) { continue }
        throw [LabError]::new('InvalidOperationException', ("Can't remove the access control entry on the object ""$($call.Dn)"" for " +
            "account ""$($call.User)"" because the ACE isn't present."), 'ObjectNotFound')
    }
    if (-not $Context.Cmdlet.ShouldProcess($call.Dn, 'Remove-ADPermission')) { return }
    $call.Connector.aces = [System.Collections.Generic.List[object]] @($call.Connector.aces | Where-Object { $_ -notin $call.Entries })
    Save-LabState $Context
}

# -- permission groups ------------------------------------------------------------------------------------------------

# What PermissionGroups prints. Custom: there are entries of its own that no group of these grants.
function Get-LabGroups($Context, $Item) {
    $own = [System.Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
    foreach ($entry in $Item.Connector.aces) { if ($entry.EndsWith('|own')) { $null = $own.Add($entry) } }
    $all = if ($Context.State.groups_print -eq 'entries') { $script:LabTable.groups.Keys } else { $Item.Connector.groups }
    foreach ($group in $all) {
        $grants = Get-LabGrants $Item.Server $group
        if ($Context.State.groups_print -eq 'entries' -and (-not $grants -or -not $own.IsSupersetOf([string[]] $grants))) { continue }
        $own.ExceptWith([string[]] $grants)
        $group
    }
    if ($own.Count) { 'Custom' }
}

# The entries of groups that are not named any more go; those of new ones come, and with regrants those of the others.
function Set-LabGroups($Context, $Server, $Connector, [string[]] $Groups) {
    $gone = foreach ($group in $Connector.groups) { if ($group -notin $Groups) { Get-LabGrants $Server $group } }
    $aces = [System.Collections.Generic.List[object]] @($Connector.aces | Where-Object { $_ -notin $gone })
    foreach ($group in $Groups) {
        if ($group -in $Connector.groups -and $Context.State.set_groups -ne 'regrants') { continue }
        foreach ($entry in Get-LabGrants $Server $group) { if ($entry -notin $aces) { $aces.Add($entry) } }
    }
    $Connector.aces = $aces
    $Connector.groups = [System.Collections.Generic.List[object]] @($Groups)
}
