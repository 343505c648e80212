# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What Exchange refuses of a connector: exchange.md 1.3 (values), 1.4 (combinations), 3.2 (conflicts). But for the one
# about transport roles the texts are ours: no source has Exchange's.

# What was so before a Set, with the same values, is not refused again, but for a conflict of roles (W17: setup changed MaxLocalHopCount of such
# a connector, and failed); with set_refuses "changes" not even that. $Before: the connector as JSON.
function Assert-LabConnector($Context, $Server, $Connector, [string] $Before) {
    $problems = @(Find-LabProblems $Context $Server $Connector)
    if ($problems -and $Before) {
        $known = @(Find-LabProblems $Context $Server ([Json]::Parse($Before)) | ForEach-Object Message)
        $always = if ($Context.State.set_refuses -ne 'changes') { 'ReceiveConnectorRoleConflictException' }
        $problems = @($problems | Where-Object { $_.Message -notin $known -or $_.Kind -eq $always })
    }
    if ($problems) { throw $problems[0] }
}

function Find-LabProblems($Context, $Server, $Connector) {
    Test-LabName $Server $Connector
    Test-LabValues $Server $Connector
    Test-LabMechanisms $Connector.properties.AuthMechanism $Connector
    Test-LabOthers $Context $Server $Connector
}

function New-LabRefusal([string] $Message) { [LabError]::new('DataValidationException', $Message, 'InvalidArgument') }

function Test-LabName($Server, $Connector) {
    $name = $Connector.name
    if (-not $name.Trim()) { New-LabRefusal 'The name is empty.' }
    if ($name.Length -gt 64) { New-LabRefusal "The name '$name' has more than 64 characters." }
    if ($name -ne $name.Trim()) { New-LabRefusal "The name '$name' has leading or trailing spaces." }
    if ($name -match '[\\\x00-\x1f]') { New-LabRefusal "The name '$name' has a backslash or a control character in it." }
    foreach ($other in $Server.connectors) {
        if ($other.guid -ne $Connector.guid -and $other.name -eq $name) {
            [LabError]::new('ADObjectAlreadyExistsException', "The object ""$name"" already exists on server $($Server.name).", 'ResourceExists')
        }
    }
}

function Test-LabValues($Server, $Connector) {
    $values = $Connector.properties
    if ($null -ne $values.Banner -and $values.Banner -notmatch '^220') { New-LabRefusal "The banner must start with 220: $($values.Banner)." }
    if (-not $values.Bindings) { New-LabRefusal 'Bindings: a value is needed.' }
    if (-not $values.RemoteIPRanges) { New-LabRefusal 'RemoteIPRanges: a value is needed.' }
    if ($values.ConnectionTimeout -le $values.ConnectionInactivityTimeout) {
        New-LabRefusal "ConnectionTimeout ($($values.ConnectionTimeout) s) must be larger than ConnectionInactivityTimeout ($($values.ConnectionInactivityTimeout) s)."
    }
    if ($values.BinaryMimeEnabled -and -not $values.ChunkingEnabled) { New-LabRefusal 'BinaryMimeEnabled needs ChunkingEnabled.' }
    if ($values.RemoteIPRanges.Count -gt 1300) {
        [LabError]::new('AdminLimitExceededException', 'The administrative limit for this request was exceeded.', 'LimitsExceeded')
    }
    if ('Custom' -in $Connector.groups) { New-LabRefusal "PermissionGroups: Custom can't be set." }
    if ($Server.role -ne 'Edge') { return }
    if ($values.TransportRole) { New-LabRefusal "TransportRole can't be set on an Edge Transport server." }
    foreach ($group in 'ExchangeUsers', 'ExchangeLegacyServers') {
        if ($group -in $Connector.groups) { New-LabRefusal "PermissionGroups: $group doesn't exist on an Edge Transport server." }
    }
}

function Test-LabMechanisms($Mechanisms, $Connector) {
    $values = $Connector.properties
    $tls = 'Tls' -in $Mechanisms
    if ('BasicAuthRequireTLS' -in $Mechanisms -and -not ($tls -and 'BasicAuth' -in $Mechanisms)) {
        New-LabRefusal "BasicAuthRequireTLS needs BasicAuth and Tls: $Mechanisms."
    }
    $external = 'ExternalAuthoritative' -in $Mechanisms
    if ($external -and @($Mechanisms | Where-Object { $_ -notin 'Tls', 'ExternalAuthoritative' })) {
        New-LabRefusal "ExternalAuthoritative may be joined only by Tls: $Mechanisms."
    }
    if ($external -and 'ExchangeServers' -notin $Connector.groups) { New-LabRefusal "ExternalAuthoritative needs the permission group ExchangeServers: $($Connector.groups)." }
    if ($values.RequireTLS -and -not $tls) { New-LabRefusal "RequireTLS needs Tls: $Mechanisms." }
    if ($values.DomainSecureEnabled -and ($external -or -not $tls)) { New-LabRefusal "DomainSecureEnabled needs Tls, and no ExternalAuthoritative: $Mechanisms." }
}

# Every connector of a server needs its own combination of bindings and ranges; roles share no binding.
function Test-LabOthers($Context, $Server, $Connector) {
    foreach ($other in $Server.connectors) {
        if ($other.guid -eq $Connector.guid) { continue }
        $mine = [Shown]::Value('IPBinding', $Connector.properties.Bindings)
        $theirs = [Shown]::Value('IPBinding', $other.properties.Bindings)
        if ($other.properties.TransportRole -ne $Connector.properties.TransportRole) {
            if (@(foreach ($one in $mine) { foreach ($two in $theirs) { if ($one.Overlaps($two)) { $two } } })) {
                [LabError]::new('ReceiveConnectorRoleConflictException', ('The values that you specified for the Bindings and RemoteIPRanges ' +
                    'parameters conflict with the settings on Receive connector "{0}". Receive connectors assigned to different Transport ' +
                    'roles on a single server must listen on unique local IP address & port bindings.') -f "$($Server.name)\$($other.name)")
            }
            continue
        }
        if (@($mine | Where-Object { $theirs -contains $_ }) -and (Test-LabRanges $Connector $other)) {
            [LabError]::new('ConnectorMappingConflictException', ('The values that you specified for the Bindings and RemoteIPRanges ' +
                'parameters conflict with the settings on Receive connector "{0}".') -f "$($Server.name)\$($other.name)")
        }
    }
}

function Test-LabRanges($One, $Other) {
    $mine = [Shown]::Value('IPRange', $One.properties.RemoteIPRanges)
    $theirs = [Shown]::Value('IPRange', $Other.properties.RemoteIPRanges)
    foreach ($left in $mine) {
        foreach ($right in $theirs) { if ($left.ConflictsWith($right)) { return $true } }
    }
    return $false
}
