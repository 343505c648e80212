#!powershell

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

#Requires -Version 5.1
#Requires -Module Ansible.ModuleUtils.FileUtil

# Carries out a list of cmdlet calls and returns what they say as text, one line of ASCII JSON. It decides nothing, and
# it never repeats a parameter. The calls and the shape of the answers are described in plugin_utils/_exchange/calls.py.
# Windows PowerShell 5.1; ASCII only, because 5.1 reads a file without BOM in the code page of the machine.

# What may be called, and where: in Exchange's session or on the machine itself.
$places = @{
    'Get-ExchangeServer' = 'exchange'
    'Get-ReceiveConnector' = 'exchange'
    'New-ReceiveConnector' = 'exchange'
    'Set-ReceiveConnector' = 'exchange'
    'Remove-ReceiveConnector' = 'exchange'
    'Get-ADPermission' = 'exchange'
    'Add-ADPermission' = 'exchange'
    'Remove-ADPermission' = 'exchange'
    'Get-AcceptedDomain' = 'exchange'
    'Get-CimInstance' = 'host'
    'Get-Process' = 'host'
    'Get-AnsibleItem' = 'host'
}
$snapins = @('Microsoft.Exchange.Management.PowerShell.SnapIn', 'Microsoft.Exchange.Management.PowerShell.E2010')

function Assert-Call {
    param($Call, [bool]$Write)
    $name = [string]$Call.cmdlet
    if (-not $places.ContainsKey($name)) {
        throw "The cmdlet $name is none of those that may be called."
    }
    if ($name -notlike 'Get-*' -and -not $Write) {
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
    # The property, or the property of a property ("User.SecurityIdentifier"); nothing where the object has none.
    param($Object, [string]$Path)
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
    Add-PSSnapin -Name $found.Name -ErrorAction Stop
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

function Invoke-Call {
    # One call, or with "foreach" one for each value of a property of an earlier answer; returns objects and notices.
    param($Call, $Session, [hashtable]$Objects)
    $found = New-Object System.Collections.ArrayList
    $notices = New-Object System.Collections.ArrayList
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
        if ($Session -and $places[$Call.cmdlet] -eq 'exchange') {
            $answer = Invoke-Remote $Session $Call.cmdlet $parameters
        }
        else {
            $answer = Invoke-Here $Call.cmdlet $parameters
        }
        foreach ($object in $answer.objects) {
            [void]$found.Add(@{ for = $number; object = $object })
        }
        foreach ($notice in $answer.notices) {
            [void]$notices.Add($notice)
        }
    }
    return @{ found = $found; notices = $notices }
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

$result = @{ schema = 1; answers = New-Object System.Collections.ArrayList }
$machine = New-Object PSObject -Property @{
    Name = $env:COMPUTERNAME
    Marker = [System.IO.Path]::Combine([string]$env:ProgramData, 'mailops.relay.rights-changed')
    Anonymous = Get-LocalName 'S-1-5-7'
    Authenticated = Get-LocalName 'S-1-5-11'
}
$objects = @{ host = @($machine) }
$session = $null
$stage = 'arguments'
try {
    foreach ($call in $complex_args.calls) {
        Assert-Call $call ([bool]$complex_args.write)
    }
    $stage = 'session'
    if ($complex_args.session -eq 'snapin') {
        Add-Snapin
    }
    else {
        $session = Open-Session
    }
    $select = @('Name', 'Anonymous', 'Authenticated')
    $table = ConvertTo-Table @{ select = $select } @(@{ object = $machine })
    [void]$result.answers.Add(@{ id = 'host'; columns = $table.columns; rows = $table.rows; notices = @() })
    foreach ($call in $complex_args.calls) {
        $stage = [string]$call.id
        $answer = @{ id = $call.id }
        $objects[$call.id] = @()
        try {
            $done = Invoke-Call $call $session $objects
            $objects[$call.id] = @($done.found | ForEach-Object { $_.object })
            $table = ConvertTo-Table $call $done.found
            $answer.columns = $table.columns
            $answer.rows = $table.rows
            $answer.notices = $done.notices
        }
        catch {
            if (-not $call.optional) {
                throw
            }
            $answer.problem = ConvertTo-Problem $stage $_
        }
        [void]$result.answers.Add($answer)
    }
}
catch {
    $result.problem = ConvertTo-Problem $stage $_
}
finally {
    if ($session) {
        Remove-PSSession -Session $session -ErrorAction SilentlyContinue
    }
}

$json = ConvertTo-Json -InputObject $result -Depth 10 -Compress
[regex]::Replace($json, '[^\x20-\x7e]', { param($match) '\u{0:x4}' -f [int][char]$match.Value })
