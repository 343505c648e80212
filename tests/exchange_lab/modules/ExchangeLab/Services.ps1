# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Windows services of the local server. In the state: services = {name: {state, start_time, process_id}}; start_time in
# seconds since 1970, null while it does not run. `loaded`: the connectors and domains as of each
# service's start, as JSON.

$script:LabPrograms = @{ MSExchangeTransport = 'MSExchangeTransport.exe'; MSExchangeFrontEndTransport = 'MSExchangeFrontendTransport.exe' }

# Rows of a class, as hashtables.
function Get-LabRows([string] $Class) {
    $services = (Get-LabLocalServer (Read-LabState)).services
    foreach ($name in $services.Keys) {
        $service = $services[$name]
        $runs = $service.state -ne 'Stopped'
        if ($Class -eq 'Win32_Service') {
            [ordered] @{
                Name = $name; DisplayName = "Microsoft Exchange $name"; State = $service.state; Status = 'OK'; Started = $runs
                StartMode = 'Auto'; ProcessId = [uint32] $(if ($runs) { $service.process_id } else { 0 }); ExitCode = [uint32] 0
            }
        } elseif ($runs) {
            $program = if ($script:LabPrograms[$name]) { $script:LabPrograms[$name] } else { "$name.exe" }
            [ordered] @{
                ProcessId = [uint32] $service.process_id; Name = $program
                CreationDate = [DateTimeOffset]::FromUnixTimeSeconds($service.start_time).LocalDateTime
            }
        }
    }
}

# One comparison of WQL: =, <> or LIKE with a text or a number.
function Test-LabComparison($Row, [string] $Comparison) {
    if ($Comparison -notmatch '^\s*\(*\s*(\w+)\s*(=|<>|!=|LIKE)\s*(?:''([^'']*)''|"([^"]*)"|(\d+))\s*\)*\s*$') { throw "Invalid query: $Comparison" }
    $left, $operator, $right = $Row[$Matches[1]], $Matches[2], "$($Matches[3])$($Matches[4])$($Matches[5])"
    switch ($operator) {
        '=' { return "$left" -eq $right }
        'LIKE' { return "$left" -like $right.Replace('%', '*').Replace('_', '?') }
    }
    return "$left" -ne $right
}

# OR of ANDs, without brackets within.
function Test-LabFilter($Row, [string] $Filter) {
    if (-not $Filter) { return $true }
    foreach ($side in $Filter -split '\s+OR\s+') {
        if (-not @($side -split '\s+AND\s+' | Where-Object { -not (Test-LabComparison $Row $_) })) { return $true }
    }
    return $false
}

function Find-LabRows($Cmdlet, [string] $Class, [string] $Filter) {
    if ($Class -notin 'Win32_Service', 'Win32_Process') {
        $problem = [System.Management.Automation.ErrorRecord]::new(
            [System.InvalidOperationException]::new('Invalid class '), 'HRESULT 0x80041010', 'MetadataError', $Class)
        $Cmdlet.WriteError($problem)
        return
    }
    Get-LabRows $Class | Where-Object { Test-LabFilter $_ $Filter }
}

function Get-CimInstance {
    [CmdletBinding(DefaultParameterSetName = 'Class')]
    param(
        [Parameter(Mandatory, Position = 0, ParameterSetName = 'Class')] [string] $ClassName,
        [Parameter(ParameterSetName = 'Class')] [string] $Filter,
        [Parameter(ParameterSetName = 'Class')] [string[]] $Property,
        [Parameter(Mandatory, ParameterSetName = 'Query')] [string] $Query,
        [string] $Namespace = 'root/cimv2'
    )
    Write-LabLog 'Get-CimInstance' $PSBoundParameters
    if ($Query) {
        if ($Query -notmatch '^\s*SELECT\s+.+\s+FROM\s+(\w+)(?:\s+WHERE\s+(.+))?$') { throw 'Invalid query' }
        $ClassName, $Filter = $Matches[1], "$($Matches[2])"
    }
    foreach ($row in Find-LabRows $PSCmdlet $ClassName $Filter) {
        # a property that was not asked for is there and empty
        foreach ($key in @($row.Keys)) { if ($Property -and $key -notin $Property) { $row[$key] = $null } }
        $row.PSTypeName = "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/$ClassName"
        [pscustomobject] $row
    }
}

function Get-WmiObject {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Class,
        [string] $Filter,
        [string[]] $Property,
        [string] $Namespace = 'root\cimv2'
    )
    Write-LabLog 'Get-WmiObject' $PSBoundParameters
    foreach ($row in Find-LabRows $PSCmdlet $Class $Filter) {
        if ($row.CreationDate) {
            $offset = '{0:+000;-000}' -f [TimeZoneInfo]::Local.GetUtcOffset($row.CreationDate).TotalMinutes
            $row.CreationDate = $row.CreationDate.ToString('yyyyMMddHHmmss.ffffff') + $offset
        }
        $row.PSTypeName = "System.Management.ManagementObject#root\cimv2\$Class"
        [pscustomobject] $row
    }
}

# By number only, and of services only.
function Get-Process {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)] [int[]] $Id)
    process {
        Write-LabLog 'Get-Process' $PSBoundParameters
        $rows = @(Get-LabRows 'Win32_Process')
        foreach ($number in $Id) {
            $found = @($rows | Where-Object { $_.ProcessId -eq $number })
            if (-not $found) {
                $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
                    [System.InvalidOperationException]::new("Cannot find a process with the process identifier $number."),
                    'NoProcessFoundForGivenId,Microsoft.PowerShell.Commands.GetProcessCommand', 'ObjectNotFound', $number))
            }
            foreach ($row in $found) {
                $name = $row.Name -replace '\.exe$'
                [pscustomobject] @{
                    PSTypeName = 'System.Diagnostics.Process'; Id = $number; ProcessName = $name; Name = $name; StartTime = $row.CreationDate
                }
            }
        }
    }
}

function Get-LabServiceError([string] $Name) {
    [System.Management.Automation.ErrorRecord]::new(
        [System.InvalidOperationException]::new("Cannot find any service with service name '$Name'."),
        'NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand', 'ObjectNotFound', $Name)
}

function Get-Service {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline)] [string[]] $Name = '*')
    process {
        Write-LabLog 'Get-Service' $PSBoundParameters
        foreach ($wanted in $Name) {
            $rows = @(Get-LabRows 'Win32_Service' | Where-Object { $_.Name -like $wanted })
            if (-not $rows -and $wanted -notmatch '[*?]') { $PSCmdlet.WriteError((Get-LabServiceError $wanted)) }
            foreach ($row in $rows) {
                [pscustomobject] @{
                    PSTypeName = 'System.ServiceProcess.ServiceController'
                    Name = $row.Name; ServiceName = $row.Name; DisplayName = $row.DisplayName; Status = $row.State
                }
            }
        }
    }
}

# The service starts anew and reads the configuration.
function Restart-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name, [switch] $Force, [switch] $PassThru)
    process {
        Write-LabLog 'Restart-Service' $PSBoundParameters
        $state = Read-LabState -Fresh
        $server = Get-LabLocalServer $state
        foreach ($item in $Name) {
            $service = $server.services[$item]
            if (-not $service) { $PSCmdlet.WriteError((Get-LabServiceError $item)); continue }
            if (-not $PSCmdlet.ShouldProcess($item)) { continue }
            $service.state = 'Running'
            $service.start_time = Get-LabNow
            $service.process_id = $service.process_id + 4
            $server.loaded[$item] = [Json]::Write([ordered] @{ connectors = $server.connectors; accepted_domains = $state.accepted_domains })
            Write-LabState $state
            if ($PassThru) { Get-Service $item }
        }
    }
}
