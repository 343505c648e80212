# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs before what a client sent, in the same process: makes it the machine of the state's first server. PowerShell's
# own New-PSSession is taken away from every runspace to come, so that the name is looked for and the lab's is found:
# it needs a library that is only on Windows.
& {
    $helpers = [psobject].Assembly.GetType('System.Management.Automation.Runspaces.PSSnapInHelpers')
    $cache = $helpers.GetField('s_cmdletCache', 'NonPublic,Static').GetValue($null).Value
    foreach ($commands in $cache.Values) { $null = $commands.Remove('New-PSSession') }
    if (-not [System.IO.File]::Exists($env:EXCHANGE_LAB_STATE)) { return }
    if ([System.IO.File]::ReadAllText($env:EXCHANGE_LAB_STATE) -match '"servers":\s*\[\s*\{\s*"name":\s*"([^"]+)"') {
        $env:COMPUTERNAME = $Matches[1]
    }
    if (-not $env:ProgramData) { $env:ProgramData = [System.IO.Path]::GetDirectoryName($env:EXCHANGE_LAB_STATE) }
}
