# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Get-ExchangeServer and the Get- of the transport services: who the server is. Not in exchange_cmdlets.json, so their
# parameters are written here.

$script:LabBuilds = @{
    '2007' = 'Version 8.3 (Build 83.6)'; '2010' = 'Version 14.3 (Build 123.4)'; '2013' = 'Version 15.0 (Build 1497.2)'
    '2016' = 'Version 15.1 (Build 2507.6)'; '2019' = 'Version 15.2 (Build 1544.4)'; 'SE' = 'Version 15.2 (Build 2562.17)'
}

function Get-LabRoles($Server) {
    if ($Server.role -eq 'Edge') { return [ServerRoles]::Edge }
    switch ($Server.version) {
        { $_ -in '2007', '2010' } { return [ServerRoles] 'Mailbox, ClientAccess, HubTransport' }
        '2013' { return [ServerRoles] 'Mailbox, ClientAccess' }
    }
    return [ServerRoles]::Mailbox
}

function New-LabServerObject($Context, $Server) {
    $dn = [Dn]::Server($Context.State, $Server)
    $entry = @{ guid = $Server.guid; when_changed = $Server.when_changed; when_created = $Server.when_changed }
    $found = New-LabObject 'Server' $Context.State $entry $Server.name $Server.name $dn 'top', 'server', 'msExchExchangeServer'
    $edge = $Server.role -eq 'Edge'
    $modern = $Server.version -notin '2007', '2010'
    $found.Fqdn = $Server.fqdn
    $found.Domain = $Context.State.forest
    $found.Edition = $Server.edition
    $found.AdminDisplayVersion = $script:LabBuilds[$Server.version]
    $found.ServerRole = Get-LabRoles $Server
    $found.IsEdgeServer = $edge
    $found.IsHubTransportServer = -not $edge
    $found.IsClientAccessServer = -not $edge
    $found.IsMailboxServer = -not $edge
    if ($modern) { $found.IsFrontendTransportServer = -not $edge }
    return $found
}

function Find-LabServers($Context) {
    $id = $Context.Bound['Identity']
    if (-not $id) { return $Context.State.servers }
    return Get-LabServer ([pscustomobject] @{ Bound = @{ Server = $id }; State = $Context.State; Server = $Context.Server })
}

function Invoke-LabGetExchangeServer($Context) {
    foreach ($server in Find-LabServers $Context) { [pscustomobject] (New-LabServerObject $Context $server) }
}

function Invoke-LabTransport($Context, [string] $Service) {
    foreach ($server in Find-LabServers $Context) {
        if (-not $server.services.Contains($Service)) { continue }
        $found = New-LabServerObject $Context $server
        foreach ($key in 'Edition', 'AdminDisplayVersion', 'ServerRole', 'Fqdn', 'Domain') { $found.Remove($key) }
        $found.ReceiveProtocolLogPath = "C:\Program Files\Microsoft\Exchange Server\TransportRoles\Logs\$Service"
        [pscustomobject] $found
    }
}

function Invoke-LabGetTransportService($Context) { Invoke-LabTransport $Context 'MSExchangeTransport' }
function Invoke-LabGetTransportServer($Context) { Invoke-LabTransport $Context 'MSExchangeTransport' }
function Invoke-LabGetFrontendTransportService($Context) { Invoke-LabTransport $Context 'MSExchangeFrontEndTransport' }

function Get-ExchangeServer {
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    param(
        [Parameter(ParameterSetName = 'Identity', Position = 0, ValueFromPipeline)] [ServerIdParameter] $Identity,
        [Parameter(ParameterSetName = 'Domain')] [Fqdn] $Domain,
        [Fqdn] $DomainController,
        [switch] $Status
    )
    process { Invoke-LabCmdlet $PSCmdlet $PSBoundParameters }
}

function Get-TransportServer {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline)] [ServerIdParameter] $Identity, [Fqdn] $DomainController)
    process { Invoke-LabCmdlet $PSCmdlet $PSBoundParameters }
}

function Get-TransportService {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline)] [ServerIdParameter] $Identity, [Fqdn] $DomainController)
    process { Invoke-LabCmdlet $PSCmdlet $PSBoundParameters }
}

function Get-FrontendTransportService {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline)] [ServerIdParameter] $Identity, [Fqdn] $DomainController)
    process { Invoke-LabCmdlet $PSCmdlet $PSBoundParameters }
}

# Components as of the state: Active, Draining or Inactive.
function Invoke-LabGetServerComponentState($Context) {
    $wanted = "$($Context.Bound['Component'])"
    foreach ($server in Find-LabServers $Context) {
        foreach ($name in $server.components.Keys) {
            if ($wanted -and $name -ne $wanted) { continue }
            [pscustomobject] @{
                PSTypeName = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.ServerComponentStatePresentationObject'
                ServerFqdn = $server.fqdn; Component = $name; State = $server.components[$name]; Identity = $server.name; IsValid = $true
            }
        }
    }
}

function Get-ServerComponentState {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline)] [ServerIdParameter] $Identity,
        [string] $Component,
        [Fqdn] $DomainController
    )
    process { Invoke-LabCmdlet $PSCmdlet $PSBoundParameters }
}
