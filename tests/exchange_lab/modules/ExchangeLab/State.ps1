# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The state file (its shape: tests/exchange_lab/state.py) and the log of calls.

# Not ConvertFrom-Json: it makes dates of texts that look like one. A loop, because calls are slow here.
class Json {
    static [object] Read([string] $path) { return [Json]::Parse([System.IO.File]::ReadAllText($path)) }

    static [object] Parse([string] $text) {
        $reader = [Newtonsoft.Json.JsonTextReader]::new([System.IO.StringReader]::new($text))
        $reader.DateParseHandling = 'None'
        $open = [System.Collections.Generic.Stack[object]]::new()
        $root = $top = $key = $null
        $isObject = $false
        while ($reader.Read()) {
            $kind = [int] $reader.TokenType  # 1 {, 2 [, 4 key, 13 }, 14 ]
            if ($kind -eq 4) {
                $key = $reader.Value
                continue
            }
            if ($kind -ge 13 -and $kind -le 14) {
                $null = $open.Pop()
                if ($open.Count) { $top = $open.Peek() }
                $isObject = $top -is [System.Collections.IDictionary]
                continue
            }
            if ($kind -eq 1) { $value = [ordered] @{} }
            elseif ($kind -eq 2) { $value = [System.Collections.Generic.List[object]]::new() }
            else { $value = $reader.Value }
            if ($null -eq $top) { $root = $value } elseif ($isObject) { $top[$key] = $value } else { $top.Add($value) }
            if ($kind -le 2) {
                $open.Push($value)
                $top = $value
                $isObject = $kind -eq 1
            }
        }
        return $root
    }

    static [string] Write([object] $value) {
        if ($value -is [string]) { return [Json]::Text($value) }
        if ($null -eq $value) { return 'null' }
        if ($value -is [bool]) { return $value.ToString().ToLower() }
        if ($value -is [int] -or $value -is [long]) { return [string] $value }
        if ($value -is [System.Collections.IDictionary]) {
            $pairs = foreach ($key in $value.Keys) { [Json]::Text($key) + ': ' + [Json]::Write($value[$key]) }
            return '{' + ($pairs -join ', ') + '}'
        }
        if ($value -is [System.Collections.IEnumerable]) {
            if ($value.Count -gt 8 -and $value[0] -is [string]) { return [Json]::Texts($value) }
            return '[' + (@(foreach ($item in $value) { [Json]::Write($item) }) -join ', ') + ']'
        }
        return [Json]::Text([string] $value)
    }

    # Entries and ranges come again and again.
    hidden static [System.Collections.Generic.Dictionary[string, string]] $Encoded = [System.Collections.Generic.Dictionary[string, string]]::new()

    # A long list of texts: entries or ranges.
    hidden static [string] Texts([object] $texts) {
        $key = [string]::Join([char] 0, [string[]] $texts)
        $found = $null
        if ([Json]::Encoded.TryGetValue($key, [ref] $found)) { return $found }
        $found = '[' + (@(foreach ($item in $texts) { [Json]::Text($item) }) -join ', ') + ']'
        [Json]::Encoded[$key] = $found
        return $found
    }

    hidden static [string] Text([string] $text) {
        $found = $null
        if ([Json]::Encoded.TryGetValue($text, [ref] $found)) { return $found }
        $found = '"' + [System.Text.Encodings.Web.JavaScriptEncoder]::Default.Encode($text) + '"'
        if ($text.Length -lt 200) { [Json]::Encoded[$text] = $found }
        return $found
    }
}

# Why a cmdlet does not do what it was asked for; Invoke-LabCmdlet makes an error record of it.
class LabError : System.Exception {
    [string] $Kind
    [System.Management.Automation.ErrorCategory] $Category
    LabError([string] $kind, [string] $message) : base($message) { $this.Kind = $kind; $this.Category = 'InvalidOperation' }
    LabError([string] $kind, [string] $message, [System.Management.Automation.ErrorCategory] $category) : base($message) {
        $this.Kind = $kind
        $this.Category = $category
    }
}

# What is read once is kept until the file changes. Who changes it asks for a copy of its own.
function Read-LabState([switch] $Fresh) {
    $stamp = [System.IO.File]::GetLastWriteTimeUtc($env:EXCHANGE_LAB_STATE)
    if (-not $Fresh -and $script:LabRead -and $script:LabRead.stamp -eq $stamp) { return $script:LabRead.state }
    $state = [Json]::Read($env:EXCHANGE_LAB_STATE)
    $script:LabRead = if (-not $Fresh) { @{ stamp = $stamp; state = $state } }
    return $state
}

# The server whose shell or session this is: the first of the state, unless a session was opened to another.
function Get-LabLocalServer($State) {
    foreach ($server in $State.servers) { if ($server.name -eq $env:EXCHANGE_LAB_SERVER) { return $server } }
    return $State.servers[0]
}

# Held by who reads the state to change it: two scripts may run at the same time. Its owner's end frees it.
function Enter-LabLock {
    for ($try = 0; $try -lt 3000; $try++) {
        try { return [System.IO.File]::Open("$env:EXCHANGE_LAB_STATE.lock", 'OpenOrCreate', 'ReadWrite', 'None') }
        catch { [System.Threading.Thread]::Sleep(20) }
    }
    throw 'The state of the lab stays locked.'
}

# The process of the session ends, or that of the shell. The client of a session waits for ever for a process that just
# ends, so it gets something first that is no answer.
function Stop-LabProcess {
    if ($env:EXCHANGE_LAB_WHERE) {
        [Console]::OpenStandardOutput().Write([System.Text.Encoding]::ASCII.GetBytes("connection lost`n"))
        [System.Threading.Thread]::Sleep(200)
    }
    [System.Diagnostics.Process]::GetCurrentProcess().Kill()
}

# Whole or not at all: written beside it and moved over.
function Write-LabState($State) {
    $scratch = "$env:EXCHANGE_LAB_STATE.$PID"
    [System.IO.File]::WriteAllText($scratch, [Json]::Write($State))
    [System.IO.File]::Move($scratch, $env:EXCHANGE_LAB_STATE, $true)
}

# As the log and the history hold it: texts, and nothing of a credential.
function ConvertTo-LabText($Value) {
    if ($Value -is [pscredential] -or $Value -is [securestring]) { return '<secret>' }
    if ($null -eq $Value -or $Value -is [bool] -or $Value -is [int] -or $Value -is [long]) { return $Value }
    if ($Value -is [switch]) { return [bool] $Value }
    if ($Value -is [System.Collections.IDictionary]) {
        $pairs = [ordered] @{}
        foreach ($key in $Value.Keys) { $pairs[[string] $key] = ConvertTo-LabText $Value[$key] }
        return $pairs
    }
    if ($Value -is [System.Collections.IEnumerable] -and $Value -isnot [string]) {
        return , @(foreach ($item in $Value) { ConvertTo-LabText $item })
    }
    return $Value.ToString()
}

function Get-LabCall([string] $Name, $Bound) {
    $common = [System.Management.Automation.Cmdlet]::CommonParameters
    $parameters = [ordered] @{}
    [string[]] $keys = @($Bound.Keys)
    [array]::Sort($keys)
    foreach ($key in $keys) {
        if ($key -notin $common) { $parameters[$key] = ConvertTo-LabText $Bound[$key] }
    }
    [ordered] @{ cmdlet = $Name; parameters = $parameters }
}

# One line for each call; `where`: shell (of the task) or session.
function Write-LabLog([string] $Name, $Bound) {
    if (-not $env:EXCHANGE_LAB_LOG) { return }
    $call = Get-LabCall $Name $Bound
    $call.where = if ($env:EXCHANGE_LAB_WHERE) { $env:EXCHANGE_LAB_WHERE } else { 'shell' }
    [System.IO.File]::AppendAllText($env:EXCHANGE_LAB_LOG, [Json]::Write($call) + "`n")
}

function Get-LabNow { [DateTimeOffset]::UtcNow.ToUnixTimeSeconds() }

function ConvertFrom-LabTime([long] $Seconds) { [DateTimeOffset]::FromUnixTimeSeconds($Seconds).UtcDateTime }

# The fault that the state has for this call, if any. It is left out `skip` times, then it happens `times` times.
function Find-LabFault([string] $Name, [string] $Controller) {
    if (-not (Read-LabState).faults) { return }
    $lock = Enter-LabLock
    try { return Get-LabFault (Read-LabState -Fresh) $Name $Controller } finally { $lock.Dispose() }
}

function Get-LabFault($State, [string] $Name, [string] $Controller) {
    foreach ($fault in $State.faults) {
        if ($fault.cmdlet -notin $Name, '*' -or $fault.kind -eq 'absent' -or $fault.times -eq 0) { continue }
        if ($fault.kind -eq 'gone' -and $fault.message -ne $Controller) { continue }
        $happens = -not $fault.skip
        $counter = if ($happens) { 'times' } else { 'skip' }
        if ($fault[$counter]) { $fault[$counter] = $fault[$counter] - 1 }
        elseif ($fault.kind -eq 'gone' -and $fault.cmdlet -ne '*') { $fault.cmdlet = '*' }  # for good, and for all
        else { return $fault }
        Write-LabState $State
        if ($happens) { return $fault }
    }
}
