# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

@{
    ModuleVersion = '1.0.0'
    GUID = '0f6b5a1e-6f0c-4c6a-9a53-2f6f6f7a1c11'
    Description = 'Stands in for Windows and Exchange in the tests of mailops.relay.'
    RootModule = 'ExchangeLab.psm1'
    FunctionsToExport = @(
        'New-PSSession', 'Add-PSSnapin', 'Get-PSSnapin', 'Get-CimInstance', 'Get-WmiObject', 'Get-Process', 'Get-Service'
        'Start-Service', 'Stop-Service', 'Restart-Service', 'Invoke-CimMethod', 'Get-NetIPAddress', 'Get-NetTCPConnection', 'Resolve-DnsName'
    )
    CmdletsToExport = @()
    VariablesToExport = @()
    AliasesToExport = @()
}
