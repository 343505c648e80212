# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Get-, New-, Set- and Remove-ReceiveConnector. A connector of the state: name, guid, when_changed, when_created, groups
# (that were named last), aces, and properties under the names of the parameters (without PermissionGroups, which is groups).

function New-LabNotFound($Context, [string] $Identity) {
    [LabError]::new('ManagementObjectNotFoundException',
        "The operation couldn't be performed because object '$Identity' couldn't be found on '$script:LabController'.",
        'ObjectNotFound')
}

function Get-LabTarget($Context) {
    $identity = "$($Context.Bound['Identity'])"
    $found = @([Located]::Find($Context.State, $identity))
    if (-not $found) { throw (New-LabNotFound $Context $identity) }
    if ($found.Count -gt 1) {
        throw [LabError]::new('ManagementObjectAmbiguousException',
            "The operation couldn't be performed because '$identity' matches multiple entries.", 'InvalidData')
    }
    return $found[0]
}

# As Get shows it.
function New-LabConnectorObject($Context, $Item) {
    $connector = $Item.Connector
    $found = New-LabObject 'ReceiveConnector' $Context.State $connector $Item.Identity $connector.name $Item.Dn `
        'top', 'msExchSmtpReceiveConnector'
    foreach ($name in $script:LabProperties.Keys) {
        $type, $value = $script:LabProperties[$name], $connector.properties[$name]
        # not the value of an if: that would take a list of one apart
        if ($type -eq 'int') { $value = [int] $value }
        elseif ($type -eq 'Text') { $value = "$value" }
        elseif ($type -ne 'bool') { $value = [Shown]::Value($type, $value) }
        $found[$name] = $value
    }
    $found.PermissionGroups = [Shown]::Value('PermissionGroups', @(Get-LabGroups $Context $Item))
    if ($found.DefaultDomain) { $found.DefaultDomain = New-LabDomainId $Context $found.DefaultDomain }
    $found.Server = [ADObjectId]::new($Item.Server.name, $Item.Server.name, [Dn]::Server($Context.State, $Item.Server), $Item.Server.guid)
    foreach ($name in @($connector.odd.Keys)) { if ($name) { $found[$name] = $connector.odd[$name] } }
    if ($script:LabVersion -ne '2007') { $found.LiveCredentialEnabled = $false }
    if ($script:LabVersion -notin '2007', '2010') { $found.ProxyEnabled = $false }
    if ($script:LabVersion -notin '2007', '2010', '2013') { $found.AcceptConsumerMail = $false }
    if ($connector.corrupted) {
        $found.IsValid = $false
        $Context.Cmdlet.WriteWarning("The object $($Item.Identity) has been corrupted, and it's in an inconsistent state. " +
            'The following validation errors happened:')
        $Context.Cmdlet.WriteWarning($connector.corrupted)
    }
    return [pscustomobject] $found
}

# Of an identity that is null or does not exist, everything comes: exchange.md 1.1.
function Invoke-LabGetReceiveConnector($Context) {
    $identity = "$($Context.Bound['Identity'])"
    $found = if ($Context.Bound['Server']) {
        $server = Get-LabServer $Context
        @([Located]::In($Context.State) | Where-Object { $_.Server -eq $server })
    } else {
        @(if ($identity) { [Located]::Find($Context.State, $identity) })
    }
    if (-not $found -and -not $Context.Bound['Server']) { $found = [Located]::In($Context.State) }
    foreach ($item in $found) { New-LabConnectorObject $Context $item }
}

# What a new connector has where nothing is said.
function Get-LabDefaults($Server) {
    $defaults = [Json]::Read("$PSScriptRoot/defaults.json")
    $found = $defaults.connector
    if ($Server.role -eq 'Edge') { foreach ($key in $defaults.edge.Keys) { $found[$key] = $defaults.edge[$key] } }
    foreach ($key in @($found.Keys)) { if (-not $script:LabProperties.Contains($key)) { $found.Remove($key) } }
    $found.Fqdn = $Server.fqdn
    return $found
}

function Invoke-LabNewReceiveConnector($Context) {
    $server = Get-LabServer $Context
    $usage = Get-LabUsage $Context
    $defaults = [Json]::Read("$PSScriptRoot/defaults.json").usages[$usage]
    if ($server.role -eq 'Edge') {
        if ($usage -eq 'Client') { throw [LabError]::new('ArgumentException', "The usage Client isn't available on an Edge Transport server.") }
        $defaults.groups = [System.Collections.Generic.List[object]] @($defaults.groups | Where-Object { $_ -ne 'ExchangeLegacyServers' })
    }
    $now = Get-LabNow
    $connector = [ordered] @{
        name = "$($Context.Bound['Name'])"; guid = "$([guid]::NewGuid())"; when_changed = $now; when_created = $now
        groups = [System.Collections.Generic.List[object]]::new(); aces = [System.Collections.Generic.List[object]] @($server.inherited)
        properties = Get-LabDefaults $server
    }
    foreach ($key in $defaults.properties.Keys) { $connector.properties[$key] = $defaults.properties[$key] }
    if (-not $Context.Bound.ContainsKey('PermissionGroups')) { Set-LabGroups $Context $server $connector @($defaults.groups) }
    Set-LabProperties $Context $server $connector
    Assert-LabConnector $Context $server $connector
    if (-not $Context.Cmdlet.ShouldProcess("$($server.name)\$($connector.name)", 'New-ReceiveConnector')) { return }
    $server.connectors.Add($connector)
    Save-LabState $Context
    New-LabConnectorObject $Context ([Located]::new($Context.State, $server, $connector))
}

# The usage, and that what it needs was given: exchange.md 1.1.
function Get-LabUsage($Context) {
    $bound = $Context.Bound
    $usage = if ($bound.ContainsKey('Usage')) { "$($bound['Usage'])" } else { $Context.Cmdlet.ParameterSetName }
    $needs = switch ($usage) {
        'Internet' { @('Bindings') }
        { $_ -in 'Client', 'Internal' } { @('RemoteIPRanges') }
        default { @('Bindings', 'RemoteIPRanges') }
    }
    foreach ($need in $needs) {
        if (-not $bound[$need]) { throw [LabError]::new('ArgumentException', "You must specify a value for $need if the usage is $usage.") }
    }
    if ($usage -eq 'Internet' -and $bound.ContainsKey('RemoteIPRanges')) {
        throw [LabError]::new('ArgumentException', "You can't specify RemoteIPRanges if the usage is Internet.")
    }
    return $usage
}

function Invoke-LabSetReceiveConnector($Context) {
    $item = Get-LabTarget $Context
    $before = [Json]::Write($item.Connector)
    Set-LabProperties $Context $item.Server $item.Connector
    Assert-LabConnector $Context $item.Server $item.Connector $before
    if ([Json]::Write($item.Connector) -eq $before) {
        $Context.Cmdlet.WriteWarning((Format-LabNotModified $Context $item.Identity))
        return
    }
    if (-not $Context.Cmdlet.ShouldProcess($item.Identity, 'Set-ReceiveConnector')) { return }
    $item.Connector.when_changed = Get-LabNow
    Save-LabState $Context
}

function Invoke-LabRemoveReceiveConnector($Context) {
    $item = Get-LabTarget $Context
    if (-not $Context.Cmdlet.ShouldProcess($item.Identity, 'Remove-ReceiveConnector')) { return }
    $null = $item.Server.connectors.Remove($item.Connector)
    Save-LabState $Context
}

# Put what was bound into the connector.
function Set-LabProperties($Context, $Server, $Connector) {
    $bound = $Context.Bound
    if ($bound.ContainsKey('Name')) {
        $Connector.name = "$($bound['Name'])"
        if ($Connector.odd) { $Connector.odd.Remove('Name') }
    }
    foreach ($key in $script:LabProperties.Keys) {
        if (-not $bound.ContainsKey($key)) { continue }
        if ($Connector.odd) { $Connector.odd.Remove($key) }
        $value = $bound[$key]
        if ($value -is [hashtable]) { $value = Edit-LabList $script:LabProperties[$key] $Connector.properties[$key] $value }
        if ($key -eq 'PermissionGroups') {
            Set-LabGroups $Context $Server $Connector @(ConvertTo-LabStored $value | ForEach-Object { $_ })
        } elseif ($key -eq 'DefaultDomain' -and $null -ne $value) {
            $Connector.properties[$key] = (Find-LabDomain $Context "$value").name
        } else {
            $Connector.properties[$key] = ConvertTo-LabStored $value
            if ($key -eq 'Comment' -and "$value" -eq '') { $Connector.properties[$key] = $null }
        }
    }
}

# @{Add = ...; Remove = ...} on a multi-valued property.
function Edit-LabList([string] $Type, $Stored, [hashtable] $Changes) {
    $items = [System.Collections.Generic.List[object]]::new()
    foreach ($item in [Shown]::Value($Type, $Stored)) { $items.Add($item) }
    foreach ($item in $Changes['Remove']) {
        if (-not $items.Remove($item)) { throw [LabError]::new('ArgumentException', "The value '$item' isn't there to be removed.") }
    }
    foreach ($item in $Changes['Add']) {
        if ($items.Contains($item)) { throw [LabError]::new('ArgumentException', "The value '$item' is already present in the collection.") }
        $items.Add($item)
    }
    return , $items.ToArray()
}
