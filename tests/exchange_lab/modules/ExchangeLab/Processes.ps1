# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What Windows Management Instrumentation and Get-Process say of services and processes of the local server.
#
# The service MSExchangeTransport.exe starts EdgeTransport.exe, which is the one that listens; the two start together, and
# the number of the second is one more than that of the first.

$script:LabPrograms = @{ MSExchangeTransport = 'MSExchangeTransport.exe'; MSExchangeFrontEndTransport = 'MSExchangeFrontendTransport.exe' }
$script:LabBoot = 1767225600  # of programs of which the state does not say when they started

# (process_id, program, start_time) of what runs.
function Get-LabProcesses($Server) {
    foreach ($name in $Server.services.Keys) {
        $service = $Server.services[$name]
        if ($service.state -eq 'Stopped') { continue }
        $program = if ($script:LabPrograms[$name]) { $script:LabPrograms[$name] } else { "$name.exe" }
        , @($service.process_id, $program, $service.start_time)
        if ($name -eq $script:LabTransport) { , @(($service.process_id + 1), 'EdgeTransport.exe', $service.start_time) }
    }
    $seen = @{}
    foreach ($item in $Server.listeners) {
        if ($seen[$item.process_id]) { continue }
        $seen[$item.process_id] = $true
        , @($item.process_id, $(if ($item.owner -eq 'System') { 'System' } else { "$($item.owner).exe" }), $script:LabBoot)
    }
}

# Rows of a class, as hashtables.
function Get-LabRows([string] $Class) {
    $server = Get-LabMachine (Read-LabState)
    if ($Class -eq 'Win32_Process') {
        foreach ($process in Get-LabProcesses $server) {
            $started = [DateTimeOffset]::FromUnixTimeSeconds($process[2]).LocalDateTime
            [ordered] @{ ProcessId = [uint32] $process[0]; Name = $process[1]; CreationDate = $started }
        }
        return
    }
    foreach ($name in $server.services.Keys) {
        $service = $server.services[$name]
        $runs = $service.state -ne 'Stopped'
        [ordered] @{
            Name = $name; DisplayName = "Microsoft Exchange $name"; State = $service.state; Status = 'OK'; Started = $runs
            StartMode = 'Auto'; ProcessId = [uint32] $(if ($runs) { $service.process_id } else { 0 }); ExitCode = [uint32] 0
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
    if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
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
    if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
    foreach ($row in Find-LabRows $PSCmdlet $Class $Filter) {
        if ($row.CreationDate) {
            $offset = '{0:+000;-000}' -f [TimeZoneInfo]::Local.GetUtcOffset($row.CreationDate).TotalMinutes
            $row.CreationDate = $row.CreationDate.ToString('yyyyMMddHHmmss.ffffff') + $offset
        }
        $row.PSTypeName = "System.Management.ManagementObject#root\cimv2\$Class"
        [pscustomobject] $row
    }
}

# StartService and StopService of Win32_Service, which do not wait. ReturnValue: 0 done, 3 others depend on it, 5 it does
# not run, 10 it runs already.
function Invoke-CimMethod {
    [CmdletBinding(DefaultParameterSetName = 'Query', SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, ParameterSetName = 'Query')] [string] $Query,
        [Parameter(Mandatory, ParameterSetName = 'Object', ValueFromPipeline)] [psobject] $InputObject,
        [Parameter(Mandatory)] [ValidateSet('StartService', 'StopService')] [string] $MethodName
    )
    process {
        if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
        $rows = if ($Query -match '^\s*SELECT\s+.+\s+FROM\s+(\w+)(?:\s+WHERE\s+(.+))?$') { Find-LabRows $PSCmdlet $Matches[1] "$($Matches[2])" } else { $InputObject }
        foreach ($row in $rows) {
            $name, $answer = $row.Name, @{ value = 0 }
            $null = Edit-LabServices 'Invoke-CimMethod' $PSBoundParameters {
                param($state, $server)
                $service = $server.services[$name]
                if ($MethodName -eq 'StartService') {
                    if ($service.state -ne 'Stopped') { $answer.value = 10; return }
                    Start-LabService $state $server $name
                    return $name
                }
                $running = @(Get-LabDependents $server $name | Where-Object { $server.services[$_].state -eq 'Running' })
                if ($service.state -ne 'Running') { $answer.value = 5; return }
                if ($running) { $answer.value = 3; return }
                Set-LabPending $service 'Stop Pending' 'Stopped' $service.stop_seconds
                $name
            }
            [pscustomobject] @{ ReturnValue = [uint32] $answer.value; PSComputerName = $null }
        }
        Exit-LabHost
    }
}

function New-LabProcessObject($Row) {
    $name = $Row.Name -replace '\.exe$'
    [pscustomobject] @{
        PSTypeName = 'System.Diagnostics.Process'; Id = [int] $Row.ProcessId; ProcessName = $name; Name = $name; StartTime = $Row.CreationDate
    }
}

# By number, by name, or all.
function Get-Process {
    [CmdletBinding(DefaultParameterSetName = 'Name')]
    param(
        [Parameter(ParameterSetName = 'Id', Mandatory, ValueFromPipelineByPropertyName)] [int[]] $Id,
        [Parameter(ParameterSetName = 'Name', Position = 0)] [string[]] $Name = '*'
    )
    process {
        if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters)) { return }
        $rows = @(Get-LabRows 'Win32_Process')
        if (-not $Id) {
            foreach ($row in $rows) { foreach ($form in $Name) { if (($row.Name -replace '\.exe$') -like $form) { New-LabProcessObject $row; break } } }
            return
        }
        foreach ($number in $Id) {
            $found = @($rows | Where-Object { $_.ProcessId -eq $number })
            if (-not $found) {
                $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
                    [System.InvalidOperationException]::new("Cannot find a process with the process identifier $number."),
                    'NoProcessFoundForGivenId,Microsoft.PowerShell.Commands.GetProcessCommand', 'ObjectNotFound', $number))
            }
            foreach ($row in $found) { New-LabProcessObject $row }
        }
    }
}
