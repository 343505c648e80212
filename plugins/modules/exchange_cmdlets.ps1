#!powershell

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

#Requires -Version 5.1
#Requires -Module Ansible.ModuleUtils.FileUtil

# Carries out lists of cmdlet calls and returns what they say as text, one line of ASCII JSON. It decides nothing, and it
# never repeats a parameter. The calls and the shape of the answers are described in plugin_utils/_exchange/calls.py.
# Windows PowerShell 5.1; ASCII only, because 5.1 reads a file without BOM in the code page of the machine.

# What may be called, and where: in Exchange's session or on the machine itself.
$places = @{
    'Get-Command' = 'exchange'
    'Get-ExchangeServer' = 'exchange'
    'Get-ServerComponentState' = 'exchange'
    'Get-ReceiveConnector' = 'exchange'
    'New-ReceiveConnector' = 'exchange'
    'Set-ReceiveConnector' = 'exchange'
    'Remove-ReceiveConnector' = 'exchange'
    'Get-ADPermission' = 'exchange'
    'Add-ADPermission' = 'exchange'
    'Remove-ADPermission' = 'exchange'
    'Get-AcceptedDomain' = 'exchange'
    'Get-CimInstance' = 'host'
    'Invoke-CimMethod' = 'host'
    'Get-Process' = 'host'
    'Get-Service' = 'host'
    'Stop-Service' = 'host'
    'Get-NetIPAddress' = 'host'
    'Get-NetTCPConnection' = 'host'
    'Resolve-DnsName' = 'host'
    'Get-AnsibleItem' = 'host'
    'Get-Content' = 'host'
    'New-Item' = 'host'
    'Set-Content' = 'host'
    'Remove-Item' = 'host'
}
$snapins = @('Microsoft.Exchange.Management.PowerShell.SnapIn', 'Microsoft.Exchange.Management.PowerShell.E2010')
$patience = 60

function New-Problem {
    param([string]$Id, [string]$Message)
    $exception = New-Object System.InvalidOperationException $Message
    return New-Object System.Management.Automation.ErrorRecord $exception, $Id, 'InvalidOperation', $null
}

function Assert-Call {
    param($Call, [bool]$Write)
    $name = [string]$Call.cmdlet
    if (-not $places.ContainsKey($name)) {
        throw "The cmdlet $name is none of those that may be called."
    }
    if ($name -notmatch '^(Get|Resolve)-' -and -not $Write) {
        throw "The cmdlet $name writes, and this task only reads."
    }
}

function ConvertTo-Plain {
    # Text, element by element; truth values stay, times are round-trip ISO 8601.
    param($Value)
    if ($null -eq $Value) {
        return $null
    }
    if ($Value -is [bool]) {
        return [bool]$Value
    }
    if ($Value -is [datetime]) {
        return $Value.ToString('o', [cultureinfo]::InvariantCulture)
    }
    if ($Value -is [System.Collections.IEnumerable] -and $Value -isnot [string]) {
        $texts = New-Object System.Collections.ArrayList
        foreach ($element in $Value) {
            [void]$texts.Add([string]$element)
        }
        return , $texts
    }
    return [string]$Value
}

function Get-Property {
    # The property, or the property of a property ("User.SecurityIdentifier"), or the object itself ("*"); nothing where
    # the object has none.
    param($Object, [string]$Path)
    if ($Path -eq '*') {
        return @{ value = $Object }
    }
    $found = $null
    foreach ($name in $Path.Split('.')) {
        if ($null -eq $Object) {
            return $null
        }
        $found = $Object.PSObject.Properties[$name]
        if ($null -eq $found) {
            return $null
        }
        try {
            $Object = $found.Value
        }
        catch {
            $Object = $null
        }
    }
    return @{ value = $Object }
}

function ConvertTo-Problem {
    # What failed in a session comes inside of the failure of Invoke.
    param([string]$Stage, $Record)
    $exception = $Record.Exception
    while ($exception -is [System.Management.Automation.MethodInvocationException] -and $exception.InnerException) {
        $exception = $exception.InnerException
        if ($exception -is [System.Management.Automation.IContainsErrorRecord] -and $exception.ErrorRecord) {
            $Record = $exception.ErrorRecord
        }
    }
    return @{
        stage = $Stage
        message = [string]$exception.Message
        id = [string]$Record.FullyQualifiedErrorId
        category = [string]$Record.CategoryInfo.Category
        type = $exception.GetType().FullName
    }
}

function Open-Session {
    # The supported way in: the server's own endpoint, as the user that runs this, under the roles that the user has.
    $names = [System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $server = ($names.HostName, $names.DomainName | Where-Object { $_ -and $_ -ne '(none)' }) -join '.'
    $parameters = @{
        ConfigurationName = 'Microsoft.Exchange'
        ConnectionUri = "http://$server/PowerShell/"
        Authentication = 'Kerberos'
        ErrorAction = 'Stop'
    }
    return New-PSSession @parameters
}

function Add-Snapin {
    $registered = Get-PSSnapin -Registered -ErrorAction Stop
    $found = $registered | Where-Object { $snapins -contains $_.Name } | Select-Object -First 1
    if (-not $found) {
        throw 'No snap-in of Exchange is registered on this machine.'
    }
    $loaded = Get-PSSnapin -ErrorAction Stop
    if (@($loaded | ForEach-Object { $_.Name }) -notcontains $found.Name) {
        Add-PSSnapin -Name $found.Name -ErrorAction Stop
    }
}

function Invoke-Remote {
    param($Session, [string]$Name, [hashtable]$Parameters)
    $pipeline = [powershell]::Create()
    try {
        $pipeline.Runspace = $Session.Runspace
        [void]$pipeline.AddCommand($Name).AddParameters($Parameters)
        $objects = $pipeline.Invoke()
        if ($pipeline.Streams.Error.Count) {
            throw $pipeline.Streams.Error[0]
        }
        return @{ objects = $objects; notices = @($pipeline.Streams.Warning | ForEach-Object { [string]$_.Message }) }
    }
    finally {
        $pipeline.Dispose()
    }
}

function Invoke-Here {
    # The streams are merged: what is left in the error stream of a module spoils its answer.
    param([string]$Name, [hashtable]$Parameters)
    $objects = New-Object System.Collections.ArrayList
    $notices = New-Object System.Collections.ArrayList
    foreach ($item in (& $Name @Parameters 2>&1 3>&1)) {
        if ($item -is [System.Management.Automation.ErrorRecord]) {
            throw $item
        }
        elseif ($item -is [System.Management.Automation.WarningRecord]) {
            [void]$notices.Add([string]$item.Message)
        }
        else {
            [void]$objects.Add($item)
        }
    }
    return @{ objects = $objects; notices = $notices }
}

function Get-Taken {
    # The parameters of a call: its own, and those from the first object of an earlier answer.
    param($Call, [hashtable]$Objects)
    $parameters = @{}
    if ($Call.params) {
        foreach ($name in @($Call.params.Keys)) {
            $parameters[$name] = $Call.params[$name]
        }
    }
    foreach ($taken in @($Call.take | Where-Object { $_ })) {
        $source, $property = $taken.from.Split('.', 2)
        $first = @($Objects[$source])[0]
        $value = Get-Property $first $property
        $other = $null
        if ($taken.unless) {
            $other = Get-Property $first $taken.unless
        }
        if ($value -and $value.value -and -not ($other -and [string]$other.value -eq $taken.is)) {
            $parameters[$taken.as] = ConvertTo-Plain $value.value
        }
    }
    return $parameters
}

function Test-Match {
    # Whether some object has all these values; of a list one element is enough.
    param($Objects, $Match)
    foreach ($object in @($Objects)) {
        $fits = $true
        foreach ($path in @($Match.Keys)) {
            $property = Get-Property $object $path
            $texts = @()
            if ($property) {
                $texts = @(ConvertTo-Plain $property.value | ForEach-Object { [string]$_ })
            }
            $fits = $fits -and $texts -contains [string]$Match[$path]
        }
        if ($fits) {
            return $true
        }
    }
    return $false
}

function Invoke-Once {
    # One call, or with "foreach" one for each value of a property of an earlier answer. Where the call is optional, an
    # object of which it fails does not keep the others from being asked.
    param($Call, $Session, [hashtable]$Objects)
    $done = @{}
    foreach ($list in 'found', 'notices', 'problems') {
        $done[$list] = New-Object System.Collections.ArrayList
    }
    $each = @($null)
    if ($Call.foreach) {
        $source, $property = $Call.foreach.Split('.', 2)
        $each = @($Objects[$source])
    }
    for ($number = 0; $number -lt $each.Count; $number++) {
        $parameters = Get-Taken $Call $Objects
        if ($Call.foreach) {
            $value = Get-Property $each[$number] $property
            if (-not $value -or -not $value.value) {
                continue
            }
            $parameters[$Call.as] = ConvertTo-Plain $value.value
        }
        try {
            if ($Session -and $places[$Call.cmdlet] -eq 'exchange') {
                $answer = Invoke-Remote $Session $Call.cmdlet $parameters
            }
            else {
                $answer = Invoke-Here $Call.cmdlet $parameters
            }
        }
        catch {
            if (-not $Call.foreach -or -not $Call.optional) {
                throw
            }
            $problem = ConvertTo-Problem ([string]$Call.id) $_
            $problem.for = [string]$number
            [void]$done.problems.Add($problem)
            continue
        }
        foreach ($object in $answer.objects) {
            [void]$done.found.Add(@{ for = $number; object = $object })
        }
        foreach ($notice in $answer.notices) {
            [void]$done.notices.Add($notice)
        }
    }
    return $done
}

function Invoke-Call {
    # A call with its conditions: left out unless an earlier answer has a value (or has it not); repeated until its own
    # answer has.
    param($Call, $Session, [hashtable]$Objects)
    if ($Call.only_if) {
        $there = Test-Match $Objects[[string]$Call.only_if.from] $Call.only_if.match
        if ($there -eq [bool]$Call.only_if.absent) {
            return @{ found = @(); notices = @(); problems = @() }
        }
    }
    $end = [datetime]::UtcNow.AddSeconds([int]$Call.seconds)
    while ($true) {
        $done = Invoke-Once $Call $Session $Objects
        $found = @($done.found | ForEach-Object { $_.object })
        $missing = @($Call.until | Where-Object { $_ -and -not (Test-Match $found $_) })
        if (-not $missing) {
            return $done
        }
        if ([datetime]::UtcNow -ge $end) {
            throw (New-Problem 'NotInTime' "It did not come about in $($Call.seconds) seconds.")
        }
        Start-Sleep -Milliseconds 500
    }
}

function ConvertTo-Table {
    # Rows of values. A column that no object has is left out: the server knows no such property.
    param($Call, $Found)
    $columns = New-Object System.Collections.ArrayList
    if ($Call.foreach) {
        [void]$columns.Add('for')
    }
    $present = @{}
    $values = New-Object System.Collections.ArrayList
    foreach ($item in $Found) {
        $properties = @{ for = [string]$item.for }
        foreach ($path in $Call.select) {
            $property = Get-Property $item.object $path
            if ($property) {
                $present[$path] = $true
                $properties[$path] = ConvertTo-Plain $property.value
            }
        }
        [void]$values.Add($properties)
    }
    foreach ($path in $Call.select) {
        if ($present.ContainsKey($path)) {
            [void]$columns.Add($path)
        }
    }
    $rows = New-Object System.Collections.ArrayList
    foreach ($properties in $values) {
        $row = New-Object System.Collections.ArrayList
        foreach ($path in $columns) {
            [void]$row.Add($properties[$path])
        }
        [void]$rows.Add($row)
    }
    return @{ columns = $columns; rows = $rows }
}

function Get-Digest {
    # Of the rows in whatever order, without the number of the object that they are about.
    param($Table)
    $lines = New-Object System.Collections.ArrayList
    foreach ($row in $Table.rows) {
        $texts = New-Object System.Collections.ArrayList
        for ($number = 0; $number -lt $Table.columns.Count; $number++) {
            if ($Table.columns[$number] -notin 'for', 'WhenChanged', 'WhenChangedUTC') {
                [string[]]$elements = @($row[$number] | ForEach-Object { [string]$_ })
                [array]::Sort($elements, [System.StringComparer]::Ordinal)
                [void]$texts.Add([string]$Table.columns[$number] + [char]31 + ($elements -join [char]30))
            }
        }
        [void]$lines.Add($texts -join [char]29)
    }
    [string[]]$sorted = @($lines)
    [array]::Sort($sorted, [System.StringComparer]::Ordinal)
    $bytes = [System.Text.Encoding]::UTF8.GetBytes($sorted -join [char]28)
    $hash = [System.Security.Cryptography.SHA256]::Create()
    try {
        return [System.BitConverter]::ToString($hash.ComputeHash($bytes)).Replace('-', '').ToLowerInvariant()
    }
    finally {
        $hash.Dispose()
    }
}

function Invoke-List {
    # Every call, in order; the first failure of one that is not optional ends it.
    param($Calls, $Session, [hashtable]$Objects, $Answers, [hashtable]$At)
    foreach ($call in @($Calls | Where-Object { $_ })) {
        $At.stage = [string]$call.id
        $answer = @{ id = $call.id }
        $Objects[$call.id] = @()
        try {
            $done = Invoke-Call $call $Session $Objects
            $Objects[$call.id] = @($done.found | ForEach-Object { $_.object })
            $table = ConvertTo-Table $call $done.found
            $answer.columns = $table.columns
            $answer.rows = $table.rows
            $answer.notices = $done.notices
            $answer.problems = $done.problems
            $answer.digest = Get-Digest $table
        }
        catch {
            if (-not $call.optional -or $call.expect) {
                throw
            }
            $answer.problem = ConvertTo-Problem $At.stage $_
        }
        if ($call.expect -and $call.expect -ne $answer.digest) {
            throw (New-Problem 'ChangedMeanwhile' 'It is not as it was read before.')
        }
        [void]$Answers.Add($answer)
    }
}

function Lock-Server {
    # One of us writes at a time, also one whose connection was cut. Windows lets go of the file when the process ends.
    param([string]$Folder)
    $path = [System.IO.Path]::Combine($Folder, 'mailops.relay.lock')
    $end = [datetime]::UtcNow.AddSeconds($patience)
    while ($true) {
        try {
            return [System.IO.File]::Open($path, 'OpenOrCreate', 'ReadWrite', 'None')
        }
        catch {
            if ($_.Exception.InnerException -isnot [System.IO.IOException] -or [datetime]::UtcNow -ge $end) {
                throw
            }
            Start-Sleep -Milliseconds 500
        }
    }
}

function Get-LocalName {
    # What this Windows calls a well-known principal, in its language.
    param([string]$Sid)
    try {
        $identifier = New-Object System.Security.Principal.SecurityIdentifier $Sid
        return $identifier.Translate([System.Security.Principal.NTAccount]).Value
    }
    catch {
        return $null
    }
}

$answers = New-Object System.Collections.ArrayList
$result = @{ answers = $answers }
$machine = New-Object PSObject -Property @{
    Name = $env:COMPUTERNAME
    Marker = [System.IO.Path]::Combine([string]$env:ProgramData, 'mailops.relay.rights-changed')
    Journal = [System.IO.Path]::Combine([string]$env:ProgramData, 'mailops.relay.unfinished')
    Now = [datetime]::UtcNow
    Anonymous = Get-LocalName 'S-1-5-7'
    Authenticated = Get-LocalName 'S-1-5-11'
    Everyone = Get-LocalName 'S-1-1-0'
    Network = Get-LocalName 'S-1-5-2'
    Users = Get-LocalName 'S-1-5-32-545'
    Guests = Get-LocalName 'S-1-5-32-546'
}
$objects = @{ host = @($machine) }
$session = $null
$lock = $null
$at = @{ stage = 'arguments' }
try {
    $write = [bool]$complex_args.write
    foreach ($call in @(@($complex_args.checks) + @($complex_args.calls) + @($complex_args.then) | Where-Object { $_ })) {
        Assert-Call $call $write
    }
    if ($write) {
        $at.stage = 'lock'
        $lock = Lock-Server ([string]$env:ProgramData)
    }
    $at.stage = 'session'
    if ($complex_args.session -eq 'snapin') {
        Add-Snapin
    }
    else {
        $session = Open-Session
    }
    $select = @('Name', 'Now', 'Anonymous', 'Authenticated', 'Everyone', 'Network', 'Users', 'Guests')
    $table = ConvertTo-Table @{ select = $select } @(@{ object = $machine })
    [void]$answers.Add(@{ id = 'host'; columns = $table.columns; rows = $table.rows; notices = @() })
    Invoke-List $complex_args.checks $session $objects (New-Object System.Collections.ArrayList) $at
    $result.began = $write
    Invoke-List $complex_args.calls $session $objects $answers $at
}
catch {
    $result.problem = ConvertTo-Problem $at.stage $_
}
finally {
    # what there is now, however far it came; what broke may have been the session
    if ($result.began -and $complex_args.then) {
        try {
            if ($session -and $result.problem) {
                Remove-PSSession -Session $session -ErrorAction SilentlyContinue
                $session = $null
                $session = Open-Session
            }
            Invoke-List $complex_args.then $session $objects $answers $at
        }
        catch {
            $result.unread = ConvertTo-Problem $at.stage $_
        }
    }
    if ($session) {
        Remove-PSSession -Session $session -ErrorAction SilentlyContinue
    }
    if ($lock) {
        $lock.Dispose()
    }
}

$json = ConvertTo-Json -InputObject $result -Depth 10 -Compress
$bytes = [System.Text.Encoding]::UTF8.GetBytes($json)
$packed = New-Object System.IO.MemoryStream
$zip = New-Object System.IO.Compression.GZipStream $packed, ([System.IO.Compression.CompressionMode]::Compress)
$zip.Write($bytes, 0, $bytes.Length)
$zip.Dispose()
ConvertTo-Json -Compress -InputObject @{ schema = 2; packed = [System.Convert]::ToBase64String($packed.ToArray()) }
