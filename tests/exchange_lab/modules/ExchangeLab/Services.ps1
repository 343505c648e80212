# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Windows services of the local server. In the state: services = {name: {state, start_time, process_id, ...}}; start_time
# in seconds since 1970, null while it does not run; then and until (milliseconds): what a pending state becomes, and
# when. `loaded`: the connectors and domains as of each service's start, as JSON.

$script:LabTransport, $script:LabFrontend = 'MSExchangeTransport', 'MSExchangeFrontEndTransport'

function Get-LabMilliseconds { [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() }

# The local server with what became of its services until now.
function Get-LabMachine($State) {
    $server = Get-LabLocalServer $State
    foreach ($service in $server.services.Values) {
        if ($service.until -and $service.until -le (Get-LabMilliseconds)) {
            $service.state = $service.then
            $service.until = $null
        }
    }
    return $server
}

# Whether the service holds the connector: by its transport role, or all of it where there are no roles.
function Test-LabHolds([string] $Service, $Connector) {
    ($Connector.properties.TransportRole -eq 'FrontendTransport') -eq ($Service -eq $script:LabFrontend)
}

# Why a service does not start: field-reports and exchange.md 5, a binding to an address that is not the server's.
function Test-LabStart($Server, [string] $Name) {
    if ($Server.services[$Name].broken) { return $false }
    $held = @($Server.addresses | ForEach-Object { "$([System.Net.IPAddress]::Parse($_))" -replace '%.*' }) + '0.0.0.0', '::'
    foreach ($connector in $Server.connectors) {
        if (-not $connector.properties.Enabled -or -not (Test-LabHolds $Name $connector)) { continue }
        foreach ($binding in $connector.properties.Bindings) {
            if ("$([System.Net.IPEndPoint]::Parse($binding).Address)" -replace '%.*' -notin $held) { return $false }
        }
    }
    return $true
}

function Set-LabPending($Service, [string] $Pending, [string] $Then, $Seconds) {
    $Service.state, $Service.then = $Pending, $Then
    $Service.until = (Get-LabMilliseconds) + 1000 * [long] $Seconds
}

# The service starts and reads the configuration.
function Start-LabService($State, $Server, [string] $Name) {
    $service = $Server.services[$Name]
    $starts = Test-LabStart $Server $Name
    Set-LabPending $service 'Start Pending' $(if ($starts) { 'Running' } else { 'Stopped' }) $service.start_seconds
    $service.start_time = Get-LabNow
    $service.process_id = $service.process_id + 4
    if ($Name -notin $script:LabTransport, $script:LabFrontend) { return }
    $Server.loaded[$Name] = [Json]::Write([ordered] @{ connectors = $Server.connectors; accepted_domains = $State.accepted_domains })
}

function Get-LabDependents($Server, [string] $Name) {
    foreach ($other in $Server.services.Keys) {
        if ($Server.services[$other].depends_on -contains $Name) {
            $other
            Get-LabDependents $Server $other
        }
    }
}

# Change services of the state: $Work gets state and server, and returns names of services.
function Edit-LabServices([string] $Caller, $Bound, [scriptblock] $Work) {
    $lock = Enter-LabLock
    try {
        $state = Read-LabState -Fresh
        $changed = @(& $Work $state (Get-LabMachine $state))
        if ($changed) {
            $call = Get-LabCall $Caller $Bound
            $call.at = Get-LabNow
            $state.history.Add($call)
            Write-LabState $state
        }
        return $changed
    } finally { $lock.Dispose() }
}

# Wait until a service is in another state than a pending one; returns that.
function Wait-LabService($Cmdlet, [string] $Name, [string] $What) {
    for ($tenths = 1; ; $tenths++) {
        $service = (Get-LabMachine (Read-LabState -Fresh)).services[$Name]
        if ($service.state -notlike '* Pending') { return $service.state }
        [System.Threading.Thread]::Sleep(100)
        if ($tenths % 20 -eq 0) { $Cmdlet.WriteWarning("Waiting for service '$(Format-LabService $Name)' to $What...") }
    }
}

function Format-LabService([string] $Name) { "Microsoft Exchange $Name ($Name)" }

function Write-LabServiceError($Cmdlet, [string] $Id, [string] $Text, [string] $Name) {
    $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
        [System.InvalidOperationException]::new($Text), "$Id,Microsoft.PowerShell.Commands.ServiceCommand", 'CloseError', $Name))
}

# Names of those that there are, for the others an error.
function Find-LabServices($Cmdlet, [string[]] $Name) {
    $known = (Get-LabMachine (Read-LabState)).services
    foreach ($item in $Name) {
        if ($known.Contains($item)) { $item; continue }
        $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
            [System.InvalidOperationException]::new("Cannot find any service with service name '$item'."),
            'NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand', 'ObjectNotFound', $item))
    }
}

# Stops it, with Force also what depends on it; returns what was stopped, in its order.
function Stop-LabServices($Cmdlet, $Bound, [string] $Name, [bool] $Force, [bool] $NoWait) {
    $asked = Edit-LabServices $Cmdlet.MyInvocation.MyCommand.Name $Bound {
        param($state, $server)
        $running = @(foreach ($item in @(Get-LabDependents $server $Name) + $Name) { if ($server.services[$item].state -eq 'Running') { $item } })
        if ($Name -notin $running) { return }
        if ($running.Count -gt 1 -and -not $Force) {
            Write-LabServiceError $Cmdlet 'ServiceHasDependentServices' ("Cannot stop service '$(Format-LabService $Name)' because it has " +
                'dependent services. It can only be stopped if the Force flag is set.') $Name
            return
        }
        foreach ($item in $running) { Set-LabPending $server.services[$item] 'Stop Pending' 'Stopped' $server.services[$item].stop_seconds }
        $running
    }
    if (-not $NoWait) { foreach ($item in $asked) { $null = Wait-LabService $Cmdlet $item 'stop' } }
    return $asked
}

function Start-LabServices($Cmdlet, $Bound, [string] $Name) {
    $null = Wait-LabService $Cmdlet $Name 'stop'
    $asked = Edit-LabServices $Cmdlet.MyInvocation.MyCommand.Name $Bound {
        param($state, $server)
        if ($server.services[$Name].state -ne 'Stopped') { return }
        Start-LabService $state $server $Name
        $Name
    }
    if ((Wait-LabService $Cmdlet $Name 'start') -eq 'Running') { return }
    if ($asked) { Write-LabServiceError $Cmdlet 'StartServiceFailed' "Failed to start service '$(Format-LabService $Name)'." $Name }
}

function New-LabController($Server, [string] $Name) {
    $service = $Server.services[$Name]
    # Name is an alias that the engine gives to objects of this type
    [pscustomobject] @{
        PSTypeName = 'System.ServiceProcess.ServiceController'; ServiceName = $Name
        DisplayName = "Microsoft Exchange $Name"; Status = $service.state.Replace(' ', ''); StartType = 'Automatic'
    }
}

function Get-Service {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline)] [string[]] $Name = '*',
        [Alias('DS')] [switch] $DependentServices,
        [Alias('SDO', 'ServicesDependedOn')] [switch] $RequiredServices
    )
    process {
        if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
        $server = Get-LabMachine (Read-LabState)
        $wanted = foreach ($item in $Name) { if ($item -match '[*?]') { $server.services.Keys -like $item } else { $item } }
        foreach ($item in Find-LabServices $PSCmdlet $wanted) {
            $names = if ($DependentServices) { Get-LabDependents $server $item } elseif ($RequiredServices) { $server.services[$item].depends_on } else { $item }
            foreach ($found in $names) { if ($found) { New-LabController $server $found } }
        }
    }
}

function Stop-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name, [switch] $Force, [switch] $NoWait, [switch] $PassThru)
    process {
        if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
        foreach ($item in Find-LabServices $PSCmdlet $Name) {
            if ($PSCmdlet.ShouldProcess($item)) { $null = Stop-LabServices $PSCmdlet $PSBoundParameters $item $Force $NoWait }
            if ($PassThru) { New-LabController (Get-LabMachine (Read-LabState)) $item }
        }
        Exit-LabHost
    }
}

function Start-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name, [switch] $PassThru)
    process {
        if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
        foreach ($item in Find-LabServices $PSCmdlet $Name) {
            if ($PSCmdlet.ShouldProcess($item)) { Start-LabServices $PSCmdlet $PSBoundParameters $item }
            if ($PassThru) { New-LabController (Get-LabMachine (Read-LabState)) $item }
        }
        Exit-LabHost
    }
}

function Restart-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name, [switch] $Force, [switch] $PassThru)
    process {
        if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
        foreach ($item in Find-LabServices $PSCmdlet $Name) {
            if (-not $PSCmdlet.ShouldProcess($item)) { continue }
            $stopped = @(Stop-LabServices $PSCmdlet $PSBoundParameters $item $Force $false)
            [array]::Reverse($stopped)
            foreach ($one in $(if ($stopped) { $stopped } else { $item })) { Start-LabServices $PSCmdlet $PSBoundParameters $one }
            if ($PassThru) { New-LabController (Get-LabMachine (Read-LabState)) $item }
        }
        Exit-LabHost
    }
}
