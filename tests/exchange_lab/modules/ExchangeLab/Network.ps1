# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Addresses and TCP listeners of the local server. In the state: addresses (`loopback` is told by the address), ipv6,
# listeners of other programs. Those of the transport services follow from what each read when it started. Windows has
# these cmdlets since 2012, so no server of Exchange 2007 or 2010 has them here.

function Test-LabNetwork($Cmdlet) {
    if ((Get-LabLocalServer (Read-LabState)).version -notin '2007', '2010') { return $true }
    Write-LabNoCommand $Cmdlet
    return $false
}

# What the cmdlets of Windows say if nothing fits.
function Write-LabNothing($Cmdlet, [string] $Class) {
    $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
        [System.InvalidOperationException]::new("No matching $Class objects found by CIM query."), 'CmdletizationQuery_NotFound', 'ObjectNotFound', $Class))
}

function Get-NetIPAddress {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $IPAddress, [string[]] $AddressFamily, [string[]] $InterfaceAlias)
    if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters) -or -not (Test-LabNetwork $PSCmdlet)) { return }
    $found = foreach ($text in (Get-LabLocalServer (Read-LabState)).addresses) {
        $address = [System.Net.IPAddress]::Parse($text)
        [pscustomobject] @{
            PSTypeName = 'Microsoft.Management.Infrastructure.CimInstance#ROOT/StandardCimv2/MSFT_NetIPAddress'; IPAddress = $text
            AddressFamily = if ($address.AddressFamily -eq 'InterNetwork') { 'IPv4' } else { 'IPv6' }
            InterfaceAlias = if ([System.Net.IPAddress]::IsLoopback($address)) { 'Loopback Pseudo-Interface 1' } else { 'Ethernet' }
            AddressState = 'Preferred'; Type = 'Unicast'
        }
    }
    $found = @($found | Where-Object {
        (-not $IPAddress -or $_.IPAddress -in $IPAddress) -and (-not $AddressFamily -or $_.AddressFamily -in $AddressFamily) -and
        (-not $InterfaceAlias -or $_.InterfaceAlias -in $InterfaceAlias)
    })
    if (-not $found) { Write-LabNothing $PSCmdlet 'MSFT_NetIPAddress' }
    $found
}

# A client could reach both.
function Test-LabSameEnd($One, $Other) {
    if ($One.port -ne $Other.port) { return $false }
    $first, $second = [System.Net.IPAddress]::Parse($One.address), [System.Net.IPAddress]::Parse($Other.address)
    if ($first.AddressFamily -ne $second.AddressFamily) { return $false }
    return $first.Equals($second) -or "$first" -in '0.0.0.0', '::' -or "$second" -in '0.0.0.0', '::'
}

# (address, port, process_id): first those of other programs, then what these leave to the transport services.
function Get-LabListeners($Server) {
    $Server.listeners
    foreach ($name in $script:LabTransport, $script:LabFrontend) {
        if ($Server.services[$name].state -ne 'Running') { continue }
        $process = $Server.services[$name].process_id + [int] ($name -eq $script:LabTransport)
        $seen = @{}
        foreach ($connector in [Json]::Parse($Server.loaded[$name]).connectors) {
            if (-not $connector.properties.Enabled -or -not (Test-LabHolds $name $connector)) { continue }
            foreach ($binding in $connector.properties.Bindings) {
                $end = [System.Net.IPEndPoint]::Parse($binding)
                if ($seen["$end"] -or (-not $Server.ipv6 -and $end.AddressFamily -eq 'InterNetworkV6')) { continue }
                $seen["$end"] = $true
                $mine = @{ address = "$($end.Address)"; port = $end.Port; process_id = $process }
                if (-not @($Server.listeners | Where-Object { Test-LabSameEnd $_ $mine })) { $mine }
            }
        }
    }
}

# Listeners only: the lab has no established connections.
function Get-NetTCPConnection {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)] [string[]] $LocalAddress,
        [Parameter(Position = 1)] [uint16[]] $LocalPort,
        [string[]] $State,
        [uint32[]] $OwningProcess
    )
    if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters) -or -not (Test-LabNetwork $PSCmdlet)) { return }
    $found = foreach ($item in Get-LabListeners (Get-LabMachine (Read-LabState))) {
        if (($LocalAddress -and $item.address -notin $LocalAddress) -or ($LocalPort -and $item.port -notin $LocalPort) -or
            ($State -and 'Listen' -notin $State) -or ($OwningProcess -and $item.process_id -notin $OwningProcess)) { continue }
        [pscustomobject] @{
            PSTypeName = 'Microsoft.Management.Infrastructure.CimInstance#ROOT/StandardCimv2/MSFT_NetTCPConnection'
            LocalAddress = $item.address; LocalPort = [uint16] $item.port; State = 'Listen'; OwningProcess = [uint32] $item.process_id
            RemoteAddress = if ($item.address.Contains(':')) { '::' } else { '0.0.0.0' }; RemotePort = [uint16] 0
        }
    }
    if (-not $found) { Write-LabNothing $PSCmdlet 'MSFT_NetTCPConnection' }
    $found
}

# Exchange servers of the state only.
function Resolve-DnsName {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string] $Name, [string] $Type = 'A_AAAA', [switch] $DnsOnly, [switch] $QuickTimeout)
    process {
        if (-not (Enter-LabHost $PSCmdlet $PSBoundParameters) -or -not (Test-LabNetwork $PSCmdlet)) { return }
        $server = @((Read-LabState).servers | Where-Object { $_.fqdn -eq $Name })[0]
        if (-not $server) {
            $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([System.InvalidOperationException]::new(
                "$Name : DNS name does not exist"), 'DNS_ERROR_RCODE_NAME_ERROR', 'ResourceUnavailable', $Name))
        }
        foreach ($text in $server.addresses) {
            $address = [System.Net.IPAddress]::Parse($text)
            if ([System.Net.IPAddress]::IsLoopback($address) -or $address.IsIPv6LinkLocal) { continue }
            $kind = if ($address.AddressFamily -eq 'InterNetwork') { 'A' } else { 'AAAA' }
            if ($Type -notlike "*$kind*" -or ($Type -eq 'AAAA' -and $kind -eq 'A')) { continue }
            [pscustomobject] @{ Name = $Name; Type = $kind; TTL = 1200; Section = 'Answer'; IPAddress = $text }
        }
    }
}
