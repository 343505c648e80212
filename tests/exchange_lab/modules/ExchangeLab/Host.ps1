# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What every cmdlet of Windows goes through: log and faults.

function Write-LabNoCommand($Cmdlet) {
    $name = $Cmdlet.MyInvocation.MyCommand.Name
    $Cmdlet.ThrowTerminatingError([System.Management.Automation.ErrorRecord]::new(
        [System.Management.Automation.CommandNotFoundException]::new("The term '$name' is not recognized as the name of a cmdlet."),
        'CommandNotFoundException', 'ObjectNotFound', $name))
}

# Whether the call goes on; Exit-LabHost says that it is done.
function Enter-LabHost($Cmdlet, $Bound) {
    $name = $Cmdlet.MyInvocation.MyCommand.Name
    Write-LabLog $name $Bound
    $state = Read-LabState
    if (@($state.faults | Where-Object { $_.kind -eq 'absent' -and $_.cmdlet -eq $name })) { Write-LabNoCommand $Cmdlet }
    $script:LabHostFault = Find-LabFault $name
    switch ($script:LabHostFault.kind) {
        'access_denied' {
            $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
                [System.UnauthorizedAccessException]::new('Access is denied.'), 'UnauthorizedAccess', 'PermissionDenied', $name))
            return $false
        }
        'non_terminating' {
            $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
                [System.InvalidOperationException]::new($script:LabHostFault.message), 'Failed', 'InvalidOperation', $name))
            return $false
        }
        'warning' { $Cmdlet.WriteWarning($script:LabHostFault.message) }
        'slow' { [System.Threading.Thread]::Sleep(1000 * [double] $script:LabHostFault.message) }
        'connection_lost' { Stop-LabProcess }
    }
    return $true
}

function Exit-LabHost { if ($script:LabHostFault.kind -eq 'connection_lost_after') { Stop-LabProcess } }
