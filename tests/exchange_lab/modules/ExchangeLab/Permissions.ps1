# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Get-, Add- and Remove-ADPermission. A connector of the state has `aces`: entries of user, right, deny, inherited that
# were added to what its groups grant. What every object has besides (no SMTP right in it) is made here.

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
    static [hashtable] $Objects = @{}  # users, rights and grants, made once

    static [ADAcePresentationObject] Row([string] $identity, [string] $user, [string] $right, [bool] $deny, [bool] $inherited, [string] $access) {
        $known = [Aces]::Objects
        if (-not $known["user $user"]) { $known["user $user"] = [SecurityPrincipalIdParameter]::new($user) }
        if (-not $known["access $access"]) { $known["access $access"] = @([ActiveDirectoryRights] $access) }
        if ($right -and -not $known["right $right"]) { $known["right $right"] = @([ExtendedRightIdParameter]::new($right)) }
        $found = [ADAcePresentationObject]::new()
        $found.Identity = $identity
        $found.User = $known["user $user"]
        $found.Deny = $deny
        $found.IsInherited = $inherited
        $found.AccessRights = $known["access $access"]
        if ($right) { $found.ExtendedRights = $known["right $right"] }
        return $found
    }
}

# (user, right, deny, inherited, access) of what a connector has: added, granted by groups, and what every object has.
function Get-LabEntries($Server, $Connector) {
    foreach ($entry in $Connector.aces) { , @($entry.user, $entry.right, $entry.deny, $entry.inherited, 'ExtendedRight') }
    $key = "grants $($Server.role) $($Connector.groups)"
    if (-not [Aces]::Objects[$key]) { [Aces]::Objects[$key] = @(Get-LabGrants $Server $Connector.groups) }
    foreach ($grant in [Aces]::Objects[$key]) { , @($grant[0], $grant[1], $false, $false, 'ExtendedRight') }
    , @('NETWORK_SERVICE', '', $false, $false, 'ReadProperty')
    , @('AUTHENTICATED', '', $false, $true, 'GenericRead')
    , @('EVERYONE', 'ms-Exch-Create-Public-Folder', $true, $true, 'ExtendedRight')
    if ($Server.role -ne 'Edge') {
        , @('ORGANIZATION_MANAGEMENT', '', $false, $true, 'GenericAll')
        , @('EXCHANGE_SERVERS', 'ms-Exch-Store-Read-Access', $false, $true, 'ExtendedRight')
    }
}

# Deny before allow, what is the object's own before what is inherited.
function Get-LabAces($Context, $Item) {
    $seen = [System.Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
    $names = @{}
    $ranked = foreach ($rank in 0..3) { , [System.Collections.Generic.List[object]]::new() }
    foreach ($entry in Get-LabEntries $Item.Server $Item.Connector) {
        if (-not $seen.Add($entry -join '|')) { continue }
        $user, $right, $deny, $inherited, $access = $entry
        if (-not $names[$user]) { $names[$user] = ConvertFrom-LabPrincipal $Item.Server $user }
        $rank = 2 * [int] $inherited + [int] (-not $deny)
        $ranked[$rank].Add([Aces]::Row($Item.Identity, $names[$user], $right, $deny, $inherited, $access))
    }
    foreach ($rank in 0..3) { $ranked[$rank] }
}

# Server and connector of an identity: a DN or a GUID, or a name if it is unique.
function Find-LabEntry($Context, [string] $Identity) {
    $found = [Located]::Find($Context.State, $Identity)
    if ($found.Count -gt 1) {
        throw [LabError]::new('ManagementObjectAmbiguousException',
            "The operation couldn't be performed because '$Identity' matches multiple entries.", 'InvalidData')
    }
    return $found
}

function Invoke-LabGetADPermission($Context) {
    $found = @(Find-LabEntry $Context "$($Context.Bound['Identity'])")
    # exchange.md 1.1: of an identity that does not exist, everything comes
    if (-not $found) { $found = [Located]::In($Context.State) }
    if ($Context.Bound['Owner']) {
        $found | ForEach-Object { [pscustomobject] @{ Identity = $_.Identity; Owner = "$($_.Server.domain)\Domain Admins" } }
        return
    }
    $user = $Context.Bound['User']
    foreach ($item in $found) {
        $wanted = if ($user) { ConvertFrom-LabPrincipal $item.Server (Resolve-LabPrincipal $Context $item.Server "$user") }
        Get-LabAces $Context $item | Where-Object { -not $user -or "$($_.User)" -eq $wanted }
    }
}

# What Add and Remove were given: the connector, the principal, the rights, deny. -Instance is a row of Get.
function Get-LabPermissionCall($Context) {
    $bound = $Context.Bound
    if ($bound['Owner']) { throw [LabError]::new('NotSupportedException', 'The lab does not change owners.') }
    $row = $bound['Instance']
    $identity = if ($bound['Identity']) { "$($bound['Identity'])" } else { "$($row.Identity)" }
    $found = @(Find-LabEntry $Context $identity)
    if (-not $found) { throw (New-LabNotFound $Context $identity) }
    $rights = if ($bound['ExtendedRights']) { $bound['ExtendedRights'] } else { $row.ExtendedRights }
    if (-not $rights) { throw [LabError]::new('ArgumentException', 'The lab changes extended rights only: ExtendedRights is missing.') }
    $user = if ($bound['User']) { "$($bound['User'])" } else { "$($row.User)" }
    [pscustomobject] @{
        Server = $found[0].Server; Connector = $found[0].Connector; Dn = $found[0].Dn
        User = Resolve-LabPrincipal $Context $found[0].Server $user
        Rights = @($rights | ForEach-Object { Resolve-LabRight "$_" })
        Deny = if ($bound.ContainsKey('Deny')) { [bool] $bound['Deny'] } else { [bool] $row.Deny }
    }
}

# A right in its own spelling.
function Resolve-LabRight([string] $Right) {
    $known = @(Get-LabCell '*') + 'ms-Exch-Create-Public-Folder', 'ms-Exch-Store-Read-Access'
    foreach ($name in $known) { if ($Right -eq $name) { return $name } }
    throw [LabError]::new('ManagementObjectNotFoundException', "The extended right '$Right' wasn't found.", 'ObjectNotFound')
}

function Test-LabEntry($Entry, $Call, [string] $Right) {
    $Entry.user -eq $Call.User -and $Entry.right -eq $Right -and $Entry.deny -eq $Call.Deny -and -not $Entry.inherited
}

function Test-LabGranted($Call, [string] $Right) {
    if ($Call.Deny) { return $false }
    foreach ($grant in Get-LabGrants $Call.Server $Call.Connector.groups) {
        if ($grant[0] -eq $Call.User -and $grant[1] -eq $Right) { return $true }
    }
    return $false
}

# Adding to what denies asks for confirmation (exchange.md 4.1). An entry that is there: a warning (no source for it).
function Invoke-LabAddADPermission($Context) {
    $call = Get-LabPermissionCall $Context
    $confirmed = $Context.Bound.ContainsKey('Confirm') -and -not $Context.Bound['Confirm']
    if ($call.Deny -and -not $confirmed -and -not $Context.Cmdlet.ShouldContinue("Deny rights on $($call.Dn)?", 'Confirm')) { return }
    if (-not $Context.Cmdlet.ShouldProcess($call.Dn, 'Add-ADPermission')) { return }
    foreach ($right in $call.Rights) {
        $there = @($call.Connector.aces | Where-Object { Test-LabEntry $_ $call $right })
        if ($there -or (Test-LabGranted $call $right)) {
            $Context.Cmdlet.WriteWarning("The appropriate access control entry is already present on the object ""$($call.Dn)"" " +
                "for account ""$(ConvertFrom-LabPrincipal $call.Server $call.User)"".")
        } else {
            $call.Connector.aces.Add([ordered] @{ user = $call.User; right = $right; deny = $call.Deny; inherited = $false })
        }
        $text = ConvertFrom-LabPrincipal $call.Server $call.User
        [Aces]::Row("$($call.Server.name)\$($call.Connector.name)", $text, $right, $call.Deny, $false, 'ExtendedRight')
    }
    Save-LabState $Context
}

# What a group grants stays (exchange.md 2.1). An entry that is not there: a warning (no source for it).
function Invoke-LabRemoveADPermission($Context) {
    $call = Get-LabPermissionCall $Context
    if (-not $Context.Cmdlet.ShouldProcess($call.Dn, 'Remove-ADPermission')) { return }
    $gone = 0
    foreach ($right in $call.Rights) {
        if (Test-LabGranted $call $right) {
            throw [LabError]::new('InvalidOperationException',
                "Can't remove $right from ""$($call.Dn)"": a permission group of the connector grants it.")
        }
        $there = @($call.Connector.aces | Where-Object { Test-LabEntry $_ $call $right })
        if ($there) { $gone += [int] $call.Connector.aces.Remove($there[0]); continue }
        $Context.Cmdlet.WriteWarning("Can't remove the access control entry on the object ""$($call.Dn)"" for account " +
            """$(ConvertFrom-LabPrincipal $call.Server $call.User)"" because the ACE isn't present.")
    }
    if ($gone) { Save-LabState $Context }
}
