# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What every cmdlet goes through: log, faults, the server it works on, error records.

# $Context of the functions behind the cmdlets: Cmdlet, Bound (parameters), State, Server (of the local machine), Name.
# $LabController: the domain controller that answers.
function Invoke-LabCmdlet($Cmdlet, $Bound) {
    $name = $Cmdlet.MyInvocation.MyCommand.Name
    Write-LabLog $name $Bound
    $fault = Find-LabFault $name "$($Bound['DomainController'])"
    if ($fault.kind -eq 'slow') { [System.Threading.Thread]::Sleep(1000 * [double] $fault.message) }
    $lock = if ($name -notlike 'Get-*') { Enter-LabLock }
    try {
        $state = Read-LabState -Fresh:($name -notlike 'Get-*')
        $server = Get-LabLocalServer $state
        $context = [pscustomobject] @{ Cmdlet = $Cmdlet; Bound = $Bound; State = $state; Server = $server; Name = $name }
        $script:LabController = Get-LabController $context
        if ($fault) {
            if (-not (Invoke-LabFault $context $fault)) { return }
        }
        & "Invoke-Lab$($name.Replace('-', ''))" $context
        if ($fault.kind -eq 'connection_lost_after') { Stop-LabProcess }
    } catch [LabError] {
        Write-LabError $context $_.Exception
    } finally {
        if ($lock) { $lock.Dispose() }
    }
}

# The one that was asked for, which must be one of the domain (on Edge there is none), or the first that is there.
function Get-LabController($Context) {
    $given = "$($Context.Bound['DomainController'])"
    if ($given -and $Context.Server.role -eq 'Edge') {
        throw [LabError]::new('InvalidOperationException', "The DomainController parameter can't be used on an Edge Transport server.")
    }
    foreach ($name in $Context.State.domain_controllers) {
        if ($given) { if ($name -eq $given) { return $name } else { continue } }
        $gone = @($Context.State.faults | Where-Object { $_.kind -eq 'gone' -and $_.cmdlet -eq '*' -and -not $_.skip -and $_.message -eq $name })
        if (-not $gone) { return $name }
    }
    throw [LabError]::new('ADServerNotFoundException', "Domain controller '$given' couldn't be contacted.", 'ObjectNotFound')
}

function Format-LabNotModified($Context, [string] $Target) {
    "The command completed successfully but no settings of '$Target' have been modified."
}

# As a remote Exchange session writes it (field-reports.md E7). Not terminating, unless the caller asked for that.
function Write-LabError($Context, [LabError] $Problem) {
    $hash = '{0:X8}' -f ($Problem.Kind.GetHashCode() -band 0x7fffffff)
    $category = if ($Problem.Kind.Contains('-')) { $Problem.Kind } else { "Cmdlet-$($Problem.Kind)" }
    $room = if ($Context.Name -like '*-ADPermission') { 'RecipientTasks' } else { 'SystemConfigurationTasks' }
    $id = "[Server=$($Context.Server.name),RequestId=$([guid]::NewGuid()),TimeStamp=$([datetime]::UtcNow)] " +
        "[FailureCategory=$category] $hash"
    $record = [System.Management.Automation.ErrorRecord]::new($Problem, $id, $Problem.Category, $null)
    # the engine would add the name of a function, of a cmdlet it is that of its class
    $whole = [System.Management.Automation.ErrorRecord].GetField('_serializedFullyQualifiedErrorId', 'NonPublic,Instance')
    if ($whole) { $whole.SetValue($record, "$id,Microsoft.Exchange.Management.$room.$($Context.Name.Replace('-', ''))") }
    $Context.Cmdlet.WriteError($record)
}

# Of -Server, or the local one.
function Get-LabServer($Context) {
    $id = $Context.Bound['Server']
    if (-not $id) { return $Context.Server }
    foreach ($server in $Context.State.servers) {
        if ("$id" -in $server.name, $server.fqdn, $server.guid, [Dn]::Server($Context.State, $server)) { return $server }
    }
    throw [LabError]::new('ManagementObjectNotFoundException',
        "The operation couldn't be performed because object '$id' couldn't be found on '$script:LabController'.",
        'ObjectNotFound')
}

$script:LabCategories = @{
    ReceiveConnector = 'ms-Exch-Smtp-Receive-Connector'; AcceptedDomain = 'ms-Exch-Accepted-Domain'; Server = 'ms-Exch-Exchange-Server'
}

# What every object of the directory has. $Entry: guid, when_changed, when_created (seconds since 1970).
function New-LabObject([string] $Type, $State, $Entry, [string] $Identity, [string] $Name, [string] $Dn, [string[]] $ObjectClass) {
    $changed = ConvertFrom-LabTime $Entry.when_changed
    $created = ConvertFrom-LabTime $Entry.when_created
    $id = [ADObjectId]::new($Identity, $Name, $Dn, $Entry.guid)
    $found = [ordered] @{
        PSTypeName = "Microsoft.Exchange.Data.Directory.SystemConfiguration.$Type"
        Name = $Name; DistinguishedName = $Dn; Identity = $id; Id = $id; Guid = [guid] $Entry.guid
        ObjectClass = $ObjectClass; ObjectCategory = "$($State.forest)/Configuration/Schema/$($script:LabCategories[$Type])"
        AdminDisplayName = ''; ExchangeVersion = '0.1 (8.0.535.0)'
        WhenChanged = $changed.ToLocalTime(); WhenCreated = $created.ToLocalTime()
        OriginatingServer = $script:LabController; IsValid = $true
    }
    if ($script:LabVersion -ne '2007') {
        $found.WhenChangedUTC = $changed
        $found.WhenCreatedUTC = $created
        $found.OrganizationId = ''
        $found.ObjectState = 'Unchanged'
    }
    return $found
}

# A bound parameter as the state holds it.
function ConvertTo-LabStored($Value) {
    if ($null -eq $Value -or $Value -is [bool] -or $Value -is [int]) { return $Value }
    if ($Value -is [switch]) { return [bool] $Value }
    if ($Value -is [array]) { return , @(foreach ($item in $Value) { $item.ToString() }) }
    if ($Value -is [AuthMechanisms] -or $Value -is [PermissionGroups] -or $Value -is [MessageRateSourceFlags]) {
        return , @($Value.ToString() -split ', ' | Where-Object { $_ -ne 'None' })
    }
    if ($Value -is [enum] -or $Value -is [IdParameter]) { return $Value.ToString() }
    return $Value.Stored()
}

# What decides who may send what, after a change: as JSON, because nobody reads it here.
function Get-LabDeciding($State) {
    $names = 'Enabled', 'Bindings', 'RemoteIPRanges', 'AuthMechanism', 'RequireTLS', 'TransportRole'
    $servers = foreach ($server in $State.servers) {
        $connectors = foreach ($item in $server.connectors) {
            $properties = [ordered] @{}
            foreach ($name in $names) { if ($item.properties.Contains($name)) { $properties[$name] = $item.properties[$name] } }
            [ordered] @{ name = $item.name; guid = $item.guid; groups = $item.groups; aces = $item.aces; properties = $properties }
        }
        [ordered] @{ name = $server.name; connectors = @($connectors) }
    }
    [Json]::Write([ordered] @{ servers = @($servers); accepted_domains = $State.accepted_domains })
}

# Save what a cmdlet did, that it did, and what it came to.
function Save-LabState($Context) {
    $call = Get-LabCall $Context.Name $Context.Bound
    $call.at = Get-LabNow
    $call.state = Get-LabDeciding $Context.State
    $Context.State.history.Add($call)
    Write-LabState $Context.State
}
