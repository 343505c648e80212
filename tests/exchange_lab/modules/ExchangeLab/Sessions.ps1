# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Snap-ins, and the session to a server's /PowerShell endpoint: a real one, to a process of its own, in no-language mode.

$script:LabSnapins = @{ '2007' = 'Admin'; '2010' = 'E2010' }
# what a restricted session has besides the cmdlets
$script:LabAllowed = 'Exit-PSSession', 'Get-Command', 'Get-FormatData', 'Get-Help', 'Measure-Object', 'Out-Default', 'Select-Object'

function Get-LabSnapinName {
    $version = (Get-LabLocalServer (Read-LabState)).version
    $last = if ($script:LabSnapins[$version]) { $script:LabSnapins[$version] } else { 'SnapIn' }
    "Microsoft.Exchange.Management.PowerShell.$last"
}

function Test-LabSnapin { [bool] (Get-Module Exchange) }

function Write-LabNoSnapins($Cmdlet) {
    $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([System.Management.Automation.PSArgumentException]::new(
        'No snap-ins have been registered for Windows PowerShell version 5.'), 'NoSnapInsRegistered', 'ObjectNotFound', $null))
}

function Get-PSSnapin {
    [CmdletBinding()]
    param([Parameter(Position = 0)] [string[]] $Name = '*', [switch] $Registered)
    Write-LabLog 'Get-PSSnapin' $PSBoundParameters
    $snapin = Get-LabSnapinName
    if ((Find-LabFault 'Get-PSSnapin').kind -eq 'no_snapins') { return Write-LabNoSnapins $PSCmdlet }
    $shown = $Registered -or (Test-LabSnapin)
    if ($shown -and @($Name | Where-Object { $snapin -like $_ })) { [pscustomobject] @{ Name = $snapin; PSVersion = '1.0' }; return }
    foreach ($item in $Name) {
        if ($item -match '[*?]') { continue }
        $text = "No Windows PowerShell snap-ins matching the pattern '$item' were found. Check the pattern and then try the command again."
        $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
            [System.Management.Automation.PSArgumentException]::new($text), 'NoPSSnapInsFound', 'ObjectNotFound', $item))
    }
}

function Add-PSSnapin {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)] [string[]] $Name, [switch] $PassThru)
    Write-LabLog 'Add-PSSnapin' $PSBoundParameters
    foreach ($item in $Name) {
        if ($item -ne (Get-LabSnapinName)) {
            $text = "The Windows PowerShell snap-in '$item' is not installed on this computer."
            $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
                [System.Management.Automation.PSArgumentException]::new($text), 'AddPSSnapInRead', 'InvalidArgument', $item))
        } elseif (Test-LabSnapin) {
            $text = "Cannot add Windows PowerShell snap-in $item because it is already added. Verify the name of the snap-in and try again."
            $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new(
                [System.Management.Automation.PSArgumentException]::new($text), 'AddPSSnapInRead', 'InvalidArgument', $item))
        } else {
            Import-Module $PSScriptRoot/Exchange.psm1 -Global -DisableNameChecking
        }
    }
}

# Errors of opening a session: (id, text). The texts are those of WinRM and Exchange.
$script:LabRefusals = @{
    access_denied = @('AccessDenied', 'Access is denied.')
    second_hop = @('-2144108387', ('WinRM cannot process the request. The following error with errorcode 0x8009030e occurred while using ' +
        'Kerberos authentication: A specified logon session does not exist. It may already have been terminated.'))
    quota = @('-2144108116', ('Fail to create a runspace because you have exceeded the maximum number of connections allowed : 18 for the ' +
        'policy party : MaxConcurrency. Please close existing runspace and try again. Policy: CN=GlobalThrottlingPolicy.'))
    busy = @('ServerBusy', 'The WS-Management service is busy servicing other requests. Retry later.')
    no_role = @('CannotConnect', ('[ClientAccessServer={1},BackEndServer={1},RequestId=c0a5f6b2-7f7c-4c4e-9f0e-2d6a8d1f5a11,' +
        'TimeStamp=1/1/2026 10:00:00 AM] [FailureCategory=AuthZ-CmdletAccessDeniedException] The user "corp.test/Users/svc-ansible" ' +
        "isn't assigned to any management roles."))
    shell_not_found = @('-2144108453', ('[ClientAccessServer={1},RequestId=c0a5f6b2-7f7c-4c4e-9f0e-2d6a8d1f5a11,TimeStamp=1/1/2026 ' +
        '10:00:00 AM] [FailureCategory=WSMan-InvalidShellID] The request for the Windows Remote Shell with ShellId ' +
        '5C7F8A0D-9E1B-4C5E-8A41-6D0D3C1C9B7E failed because the shell was not found on the server.'))
    denied_german = @('AccessDenied', 'Der Zugriff wurde verweigert.')
    forbidden = @('WinRMHttpError', 'The WinRM client received an HTTP status code of 403 from the remote WS-Management service.')
    server_error = @('WinRMHttpError', ('The WinRM client received an HTTP server error status (500), but the remote service did not ' +
        'include any other information about the cause of the failure.'))
    wrong_principal = @('-2144108387', ('WinRM cannot process the request. The following error with errorcode 0x80090322 occurred while ' +
        'using Kerberos authentication: An unknown security error occurred.'))
    not_found = @('WinRMHttpError', ('The WinRM client received an HTTP status code of 404 from the remote WS-Management service.'))
    no_such_configuration = @('InvalidResourceUri', ('The WS-Management service cannot process the request. Cannot find the {0} session ' +
        'configuration in the WSMan: drive on the {1} computer.'))
    cannot_connect = @('CannotConnect', ('The client cannot connect to the destination specified in the request. Verify that the service ' +
        'on the destination is running and is accepting requests.'))
}

function Write-LabRefusal($Cmdlet, [uri] $Uri, [string] $Kind, [string] $Configuration) {
    $id, $reason = $script:LabRefusals[$Kind]
    $text = "[$($Uri.Host)] Connecting to remote server $($Uri.Host) failed with the following error message : " +
        ($reason -f $Configuration, $Uri.Host) + ' For more information, see the about_Remote_Troubleshooting Help topic.'
    $problem = [System.Management.Automation.Remoting.PSRemotingTransportException]::new($text)
    $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new($problem, "$id,PSSessionOpenFailed", 'OpenError', $Uri))
}

# The server of that name. This machine's own full name is the first server's: where the lab stands in for Windows, the
# machine is that server.
function Get-LabRemote($State, [string] $Name) {
    $names = [System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $mine = @($names.HostName, $names.DomainName | Where-Object { $_ -and $_ -ne '(none)' }) -join '.'
    foreach ($server in $State.servers) { if ($server.fqdn -eq $Name) { return $server } }
    if ($Name -eq $mine) { return $State.servers[0] }
}

# Why this session does not open; nothing if it does.
function Get-LabRefusal($State, [uri] $Uri, $Bound) {
    $fault = Find-LabFault 'New-PSSession'
    if ($fault) { return $fault.kind }
    $server = Get-LabRemote $State $Uri.Host
    if (-not $server -or $server.role -eq 'Edge' -or $server.version -eq '2007') { return 'cannot_connect' }
    if ($Uri.AbsolutePath -notmatch '^/PowerShell/?$') { return 'not_found' }
    if ($Bound['ConfigurationName'] -ne 'Microsoft.Exchange') { return 'no_such_configuration' }
    # a second hop without credentials
    if (-not $State.delegation -and -not $Bound['Credential']) { return 'second_hop' }
}

# Import the cmdlets, hide everything else, refuse script text.
$script:LabEndpoint = {
    param($Module, $Allowed)
    Import-Module $Module -DisableNameChecking
    $mine = (Get-Module Exchange).ExportedFunctions.Keys
    $null = Get-Command $Allowed -ErrorAction Ignore
    foreach ($command in Get-Command -ListImported -CommandType Cmdlet, Function, Alias) {
        if ($command.Name -notin $mine -and $command.Name -notin $Allowed) { $command.Visibility = 'Private' }
    }
    $global:PSModuleAutoLoadingPreference = 'None'
    $ExecutionContext.SessionState.Applications.Clear()
    $ExecutionContext.SessionState.Scripts.Clear()
    $ExecutionContext.SessionState.LanguageMode = 'NoLanguage'
}

function Open-LabRunspace([string] $Server, $State) {
    $env:EXCHANGE_LAB_WHERE, $env:EXCHANGE_LAB_SERVER = 'session', $Server
    try {
        $types = [System.Management.Automation.Runspaces.TypeTable]::LoadDefaultTypeFiles()
        $runspace = [runspacefactory]::CreateOutOfProcessRunspace($types)
        $runspace.Open()
    } finally {
        $env:EXCHANGE_LAB_WHERE, $env:EXCHANGE_LAB_SERVER = $null, $null
    }
    $shell = [powershell]::Create()
    $shell.Runspace = $runspace
    $module = if ($State.users_print -eq 'object') { 'Exchange.psd1' } else { 'Exchange.psm1' }
    $null = $shell.AddScript($script:LabEndpoint).AddArgument("$PSScriptRoot/$module").AddArgument($script:LabAllowed)
    $null = $shell.Invoke()
    if ($shell.HadErrors) { throw $shell.Streams.Error[0] }
    $shell.Dispose()
    return $runspace
}

function New-PSSession {
    [CmdletBinding(DefaultParameterSetName = 'Uri')]
    param(
        [Parameter(Mandatory, ParameterSetName = 'Uri')] [uri] $ConnectionUri,
        [string] $ConfigurationName = 'Microsoft.PowerShell',
        [System.Management.Automation.Runspaces.AuthenticationMechanism] $Authentication = 'Default',
        [pscredential] $Credential,
        [System.Management.Automation.Remoting.PSSessionOption] $SessionOption,
        [switch] $AllowRedirection,
        [string] $Name = 'Exchange'
    )
    Write-LabLog 'New-PSSession' $PSBoundParameters
    $state = Read-LabState
    $refusal = Get-LabRefusal $state $ConnectionUri $PSBoundParameters
    if ($refusal) {
        Write-LabRefusal $PSCmdlet $ConnectionUri $refusal $ConfigurationName
        return
    }
    $server = Get-LabRemote $state $ConnectionUri.Host
    [System.Management.Automation.Runspaces.PSSession]::Create((Open-LabRunspace $server.name $state), 'Exchange lab', $null)
}
