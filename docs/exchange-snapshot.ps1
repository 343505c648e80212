# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Paste all of this into an Exchange Management Shell on the server, 2007 to SE. It reads and changes nothing, and writes
# one file, whose path it prints. What is in it and what it is good for: docs/exchange.md.
#
# Exchange 2007 has PowerShell 1.0: no splatting, no try, no JSON, no block comments, no -split, no -join.
# No empty lines either: a pasted one would end the input of an old console.
& {
    $server = $env:COMPUTERNAME
    $file = Join-Path $HOME "exchange-snapshot-$server.txt"
    $script:lines = New-Object System.Collections.ArrayList
    $script:objects = @{}
    function Escape($text) {
        if (([string]$text) -cnotmatch '[^\x20-\x5b\x5d-\x7e]') {
            return [string]$text
        }
        $escaped = New-Object System.Text.StringBuilder
        foreach ($character in ([string]$text).ToCharArray()) {
            $number = [int]$character
            if ($number -eq 92) {
                [void]$escaped.Append('\\')
            }
            elseif ($number -lt 32 -or $number -gt 126) {
                [void]$escaped.Append('\u' + $number.ToString('x4'))
            }
            else {
                [void]$escaped.Append($character)
            }
        }
        $escaped.ToString()
    }
    function Put($line) {
        [void]$script:lines.Add($line)
    }
    function PutValue($start, $value) {
        if ($value -eq $null) {
            Put "$start -"
        }
        elseif ($value -is [datetime]) {
            Put ("$start = " + $value.ToString('o', [System.Globalization.CultureInfo]::InvariantCulture))
        }
        elseif (($value -is [System.Collections.IEnumerable]) -and -not ($value -is [string])) {
            $count = 0
            foreach ($element in $value) {
                Put ("$start + " + (Escape $element))
                $count = $count + 1
            }
            if ($count -eq 0) {
                Put "$start *"
            }
        }
        else {
            Put ("$start = " + (Escape $value))
        }
    }
    function PutObject($start, $object, $names) {
        foreach ($path in $names) {
            $name = $path
            $inner = ''
            if ($path.IndexOf('.') -gt 0) {
                $name = $path.Substring(0, $path.IndexOf('.'))
                $inner = $path.Substring($path.IndexOf('.') + 1)
            }
            $property = $object.PSObject.Properties[$name]
            if ($property -and $inner) {
                $owner = $property.Value
                $property = $null
                if ($owner -ne $null) {
                    $property = $owner.PSObject.Properties[$inner]
                }
            }
            if ($property) {
                PutValue "$start $path" $property.Value
            }
        }
    }
    function PutProblem($id, $problem) {
        $name = (Escape $problem.FullyQualifiedErrorId).Replace(' ', '\u0020')
        Put ("$id ! $name " + (Escape $problem.Exception.Message))
    }
    function Save($id, $found, $names) {
        trap {
            PutProblem $id $_
            continue
        }
        $list = New-Object System.Collections.ArrayList
        $script:objects[$id] = $list
        Put "$id"
        foreach ($object in (& $found)) {
            if ($object -ne $null) {
                $number = $list.Add($object)
                PutObject "$id $number" $object $names
            }
        }
    }
    function SaveEach($id, $source, $find, $names) {
        trap {
            PutProblem $id $_
            continue
        }
        Put "$id"
        $number = 0
        $place = 0
        foreach ($one in $script:objects[$source]) {
            foreach ($object in (& $find $one)) {
                if ($object -ne $null) {
                    Put "$id $number for = $place"
                    PutObject "$id $number" $object $names
                    $number = $number + 1
                }
            }
            $place = $place + 1
        }
    }
    function LocalName($sid) {
        trap {
            continue
        }
        $identifier = New-Object System.Security.Principal.SecurityIdentifier($sid)
        $identifier.Translate([System.Security.Principal.NTAccount]).Value
    }
    $ErrorActionPreference = 'Stop'
    Put 'mailops.relay snapshot 1'
    Put ('host 0 Name = ' + (Escape $server))
    Put ('host 0 Anonymous = ' + (Escape (LocalName 'S-1-5-7')))
    Put ('host 0 Authenticated = ' + (Escape (LocalName 'S-1-5-11')))
    Put ('host 0 Everyone = ' + (Escape (LocalName 'S-1-1-0')))
    Put ('host 0 Network = ' + (Escape (LocalName 'S-1-5-2')))
    Put ('host 0 Users = ' + (Escape (LocalName 'S-1-5-32-545')))
    Put ('host 0 Guests = ' + (Escape (LocalName 'S-1-5-32-546')))
    Save 'server' { Get-ExchangeServer -Identity $server } @(
        'Name', 'Fqdn', 'AdminDisplayVersion', 'ServerRole', 'OriginatingServer')
    Save 'connectors' { Get-ReceiveConnector -Server $server } @(
        'Name', 'Guid', 'DistinguishedName', 'Server', 'WhenChangedUTC', 'WhenChanged', 'Enabled', 'Bindings',
        'RemoteIPRanges', 'PermissionGroups', 'Fqdn', 'Banner', 'MaxMessageSize', 'Comment', 'AuthMechanism',
        'RequireTLS', 'MaxRecipientsPerMessage', 'MaxInboundConnection', 'MaxInboundConnectionPerSource',
        'MaxProtocolErrors', 'ConnectionTimeout', 'ConnectionInactivityTimeout', 'TarpitInterval', 'TransportRole',
        'DomainSecureEnabled', 'EnableAuthGSSAPI', 'ExtendedProtectionPolicy', 'SuppressXAnonymousTls',
        'TlsCertificateName', 'TlsDomainCapabilities', 'ServiceDiscoveryFqdn', 'DefaultDomain',
        'AdvertiseClientSettings', 'ProtocolLoggingLevel', 'MaxHeaderSize', 'MaxHopCount', 'MaxLocalHopCount',
        'MaxInboundConnectionPercentagePerSource', 'MessageRateLimit', 'MessageRateSource', 'MaxLogonFailures',
        'AuthTarpitInterval', 'MaxAcknowledgementDelay', 'ChunkingEnabled', 'BinaryMimeEnabled',
        'EightBitMimeEnabled', 'PipeliningEnabled', 'DeliveryStatusNotificationEnabled', 'EnhancedStatusCodesEnabled',
        'SizeEnabled', 'LongAddressesEnabled', 'OrarEnabled', 'RequireEHLODomain', 'BareLinefeedRejectionEnabled',
        'RejectReservedTopLevelRecipientDomains', 'RejectReservedSecondLevelRecipientDomains',
        'RejectSingleLabelRecipientDomains', 'SmtpUtf8Enabled')
    SaveEach 'rights' 'connectors' { Get-ADPermission -Identity ([string]$args[0].DistinguishedName) } @(
        'Identity', 'User', 'User.SecurityIdentifier', 'User.RawIdentity', 'Deny', 'IsInherited', 'AccessRights',
        'ExtendedRights')
    Save 'domains' { Get-AcceptedDomain } @(
        'DomainName', 'DomainType', 'MatchSubDomains', 'WhenChangedUTC', 'WhenChanged')
    Save 'services' {
        Get-WmiObject -Class Win32_Service -Filter "Name='MSExchangeTransport' OR Name='MSExchangeFrontEndTransport'"
    } @('Name', 'State', 'ProcessId')
    SaveEach 'processes' 'services' {
        if ($args[0].ProcessId) {
            Get-Process -Id $args[0].ProcessId
        }
    } @('Id', 'StartTime')
    Save 'marker' {
        Get-ChildItem -Path $env:ProgramData -Filter 'mailops.relay.rights-changed'
    } @('Name', 'LastWriteTimeUtc')
    Put ('end ' + ($script:lines.Count + 1))
    $script:lines | Out-File -FilePath $file -Encoding Unicode -Width 1000000
    "Written: $file"
}
