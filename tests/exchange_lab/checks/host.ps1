# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Checks for run_checks.run(): each begins with a line "#: name". One after the other on one state.

#: addresses
foreach ($a in Get-NetIPAddress) { "$($a.IPAddress)|$($a.AddressFamily)|$($a.InterfaceAlias)" }

#: addresses of a family
$only = @{ AddressFamily = 'IPv6' }
(Get-NetIPAddress @only).IPAddress

#: names
foreach ($n in 'EX01', 'EX02') { (Resolve-DnsName -Name "$n.corp.test" -Type A_AAAA -DnsOnly).IPAddress }

#: no such name
Resolve-DnsName -Name nowhere.corp.test

#: no such address
Get-NetIPAddress -IPAddress 203.0.113.1

#: listeners
$processes = @{}
foreach ($p in Get-Process) { $processes[[int] $p.Id] = $p.ProcessName }
foreach ($c in Get-NetTCPConnection -State Listen) { "$($processes[[int] $c.OwningProcess])|$($c.LocalAddress)|$($c.LocalPort)" }

#: listeners of a port
(Get-NetTCPConnection -State Listen -LocalPort 25, 26).LocalAddress

#: no such listener
Get-NetTCPConnection -State Listen -LocalPort 9

#: processes
foreach ($p in Get-Process -Name EdgeTransport, System) { "$($p.ProcessName)|$($p.StartTime.ToUniversalTime().ToString('o'))" }

#: components
foreach ($c in Get-ServerComponentState -Identity EX01) { "$($c.Component)|$($c.State)" }

#: component
$one = @{ Identity = 'EX01'; Component = 'FrontendTransport' }
[string] (Get-ServerComponentState @one).State

#: components of another server
Get-ServerComponentState -Identity NOWHERE

#: dependents
(Get-Service MSExchangeTransport -DependentServices).Name
(Get-Service FilterAgent -RequiredServices).Name

#: stop without force
Stop-Service MSExchangeTransport

#: stop without waiting
Stop-Service MSExchangeFrontEndTransport -NoWait
[string] (Get-Service MSExchangeFrontEndTransport).Status
(Get-CimInstance Win32_Service -Filter "Name='MSExchangeFrontEndTransport'").State
@(Get-NetTCPConnection -LocalPort 25 -ErrorAction Ignore).Count

#: stop
Stop-Service MSExchangeTransport -Force
foreach ($s in Get-Service) { "$($s.Name)|$($s.Status)" }
@(Get-NetTCPConnection | Where-Object OwningProcess -ne 4 | ForEach-Object LocalPort | Sort-Object -Unique) -join ' '

#: stop again
Stop-Service MSExchangeTransport -Force

#: start
Set-ReceiveConnector 'Scanner' -Bindings 0.0.0.0:27
Set-ReceiveConnector 'Default EX01' -Bindings 0.0.0.0:2525
Start-Service MSExchangeTransport
[string] (Get-Service MSExchangeTransport).Status
(Get-NetTCPConnection -LocalPort 2525).LocalAddress
(Get-Service FilterAgent).Status

#: foreign address
Set-ReceiveConnector 'Scanner' -Bindings 198.51.100.1:27
Start-Service MSExchangeFrontEndTransport

#: foreign address of a disabled one
Set-ReceiveConnector 'Scanner' -Enabled $false
Start-Service MSExchangeFrontEndTransport
[string] (Get-Service MSExchangeFrontEndTransport).Status
@(Get-NetTCPConnection -LocalPort 27 -ErrorAction Ignore).Count

#: taken port
Set-ReceiveConnector 'Scanner' -Enabled $true -Bindings 0.0.0.0:475, 192.0.2.10:28, [fd00::10]:28
Restart-Service MSExchangeFrontEndTransport
(Get-NetTCPConnection -LocalPort 475).OwningProcess
(Get-NetTCPConnection -LocalPort 28).LocalAddress

#: by method
$query = "SELECT * FROM Win32_Service WHERE Name='MSExchangeTransport'"
(Invoke-CimMethod -Query $query -MethodName StartService).ReturnValue
(Invoke-CimMethod -Query $query -MethodName StopService).ReturnValue
(Invoke-CimMethod -Query $query -MethodName StopService).ReturnValue
[string] (Get-Service MSExchangeTransport).Status

#: dependent first
Start-Service FilterAgent
$query = "SELECT * FROM Win32_Service WHERE Name='MSExchangeTransport'"
while ("$((Get-Service MSExchangeTransport).Status)" -like '*Pending') { [System.Threading.Thread]::Sleep(50) }
(Invoke-CimMethod -Query $query -MethodName StartService).ReturnValue
while ("$((Get-Service MSExchangeTransport).Status)" -like '*Pending') { [System.Threading.Thread]::Sleep(50) }
(Invoke-CimMethod -Query $query -MethodName StopService).ReturnValue

#: broken
Restart-Service BrokenAgent

#: broken now
[string] (Get-Service BrokenAgent).Status

#: no such service
Stop-Service Nothing

#: what if
Stop-Service MSExchangeTransport -Force -WhatIf
[string] (Get-Service MSExchangeTransport).Status

#: denied
Get-NetIPAddress

#: failing
Start-Service MSExchangeTransport

#: absent
Get-WmiObject Win32_Service
