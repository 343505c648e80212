# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Values of parameters and properties, as Exchange takes and prints them (exchange.md 1.3). The state holds sizes as
# bytes, spans as seconds, flags and multi-valued ones as lists of texts; Stored() of a value is that form.

[Flags()] enum AuthMechanisms {
    None = 0; Tls = 1; Integrated = 2; BasicAuth = 4; BasicAuthRequireTLS = 8; ExchangeServer = 16; ExternalAuthoritative = 32
}
[Flags()] enum PermissionGroups {
    None = 0; AnonymousUsers = 1; ExchangeUsers = 2; ExchangeServers = 4; ExchangeLegacyServers = 8; Partners = 16; Custom = 32
}
[Flags()] enum MessageRateSourceFlags { None = 0; IPAddress = 1; User = 2; All = 3 }
[Flags()] enum ServerRoles { None = 0; Mailbox = 2; ClientAccess = 4; HubTransport = 32; Edge = 64 }
enum ServerRole { FrontendTransport = 16384; HubTransport = 32 }
enum ExtendedProtectionPolicySetting { None; Allow; Require }
enum ProtocolLoggingLevel { None; Verbose }
enum SizeMode { Disabled; Enabled; EnabledWithoutValue }
enum UsageType { Custom; Internet; Internal; Client; Partner }
enum AcceptedDomainType { Authoritative; ExternalRelay; InternalRelay }
enum ActiveDirectorySecurityInheritance { None; All; Descendents; SelfAndChildren; Children }
[Flags()] enum ActiveDirectoryRights {
    CreateChild = 1; DeleteChild = 2; ListChildren = 4; Self = 8; ReadProperty = 16; WriteProperty = 32; DeleteTree = 64
    ListObject = 128; ExtendedRight = 256; Delete = 65536; ReadControl = 131072; GenericExecute = 131076
    GenericWrite = 131112; GenericRead = 131220; WriteDacl = 262144; WriteOwner = 524288; GenericAll = 983551
    Synchronize = 1048576; AccessSystemSecurity = 16777216
}

# A text that may be null: [string] makes '' of $null, and clearing asks for $null (exchange.md 1.3).
class Text {
    hidden [string] $Value
    Text([string] $value) { $this.Value = $value }
    [object] Stored() { return $this.Value }
    [string] ToString() { return $this.Value }
}

class Fqdn {
    hidden [string] $Value
    Fqdn([string] $value) {
        $label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
        if ($value.Length -gt 255 -or $value -notmatch "^$label(\.$label)*$") {
            throw "'$value' isn't a valid fully qualified domain name."
        }
        $this.Value = $value
    }
    [object] Stored() { return $this.Value }
    [string] ToString() { return $this.Value }
}

class ByteQuantifiedSize {
    static [bool] $Compact = $false  # Exchange 2007
    hidden [long] $Bytes

    ByteQuantifiedSize([string] $text) {
        if ($text.Replace(',', '') -notmatch '^\s*(\d+)\s*([KMGT]?B)?\s*(\((\d+) bytes\))?\s*$') { throw "'$text' isn't a valid size." }
        $unit = [array]::IndexOf(@('B', 'KB', 'MB', 'GB', 'TB'), "$($Matches[2])".ToUpper())
        $scale = [math]::Max($unit, 0)
        $this.Bytes = if ($Matches[4]) { [long] $Matches[4] } else { [long] $Matches[1] * [long] [math]::Pow(1024, $scale) }
    }
    [long] Number() { return $this.Bytes }
    [object] Stored() { return $this.Bytes }

    [string] ToString() {
        $culture = [cultureinfo]::InvariantCulture
        $units = 'B', 'KB', 'MB', 'GB', 'TB'
        $scale = 0
        if ([ByteQuantifiedSize]::Compact) {
            while ($scale -lt 4 -and $this.Bytes -gt 0 -and $this.Bytes % [math]::Pow(1024, $scale + 1) -eq 0) { $scale++ }
            return [string]::Format($culture, '{0}{1}', $this.Bytes / [math]::Pow(1024, $scale), $units[$scale])
        }
        while ($scale -lt 4 -and $this.Bytes -ge [math]::Pow(1024, $scale + 1)) { $scale++ }
        return [string]::Format($culture, '{0:G4} {1} ({2:N0} bytes)', $this.Bytes / [math]::Pow(1024, $scale), $units[$scale], $this.Bytes)
    }
}

# Prints [d.]hh:mm:ss. Of a number it makes ticks, as .NET does.
class EnhancedTimeSpan {
    hidden [timespan] $Span
    EnhancedTimeSpan([object] $value) {
        try { $this.Span = [timespan] $value } catch { throw "'$value' isn't a valid time span." }
        if ($this.Span -lt [timespan]::Zero) { throw "'$value' is negative." }
    }
    [long] Number() { return [long] [math]::Ceiling($this.Span.TotalSeconds) }
    [object] Stored() { return [long] $this.Span.TotalSeconds }
    [string] ToString() { return $this.Span.ToString() }
}

class Unlimited {
    hidden [long] $Value
    Unlimited([string] $text) {
        if ($text -eq 'unlimited') { $this.Value = -1; return }
        if ($text -notmatch '^\d{1,10}$') { throw "'$text' is neither a number nor unlimited." }
        $this.Value = [long] $text
    }
    [object] Number() { if ($this.Value -lt 0) { return $null } return $this.Value }
    [object] Stored() { if ($this.Value -lt 0) { return 'Unlimited' } return $this.Value }
    [string] ToString() { if ($this.Value -lt 0) { return 'Unlimited' } return "$($this.Value)" }
}

class SmtpX509Identifier {
    hidden [string] $Value
    SmtpX509Identifier([string] $value) {
        if ($value -notmatch '^<I>.+<S>.+$') { throw "'$value' isn't a valid certificate identifier: <I>issuer<S>subject." }
        $this.Value = $value
    }
    [object] Stored() { return $this.Value }
    [string] ToString() { return $this.Value }
}

# domain:capability[,capability]
class SmtpReceiveDomainCapabilities {
    hidden [string] $Value
    SmtpReceiveDomainCapabilities([string] $value) {
        $domain, $capabilities = $value -split ':', 2
        if ($domain -ne 'NO-TLS') { $null = [Fqdn]::new($domain) }
        $known = 'AcceptCloudServicesMail', 'AcceptOorgProtocol', 'AcceptOorgHeader', 'AcceptOrgHeaders'
        foreach ($capability in "$capabilities" -split ',') {
            if ($capability.Trim() -notin $known) { throw "'$value' isn't a valid list of capabilities of a domain." }
        }
        $this.Value = $value
    }
    [bool] Equals([object] $other) { return "$other" -eq $this.Value }
    [int] GetHashCode() { return $this.Value.ToLower().GetHashCode() }
    [string] ToString() { return $this.Value }
}

# contoso.com, *.contoso.com or *
class SmtpDomainWithSubdomains {
    hidden [string] $Value
    SmtpDomainWithSubdomains([string] $value) {
        if ($value.Length -gt 256) { throw 'The domain has more than 256 characters.' }
        if ($value -ne '*') { $null = [Fqdn]::new(($value -replace '^\*\.', '')) }
        $this.Value = $value
    }
    [object] Stored() { return $this.Value }
    [string] ToString() { return $this.Value }
}

# An object of the directory, named by something that has one or by its text.
class IdParameter {
    [string] $RawIdentity
    IdParameter([object] $value) {
        $this.RawIdentity = "$value"
        if ($value -is [string]) { return }
        foreach ($property in 'RawIdentity', 'DistinguishedName') {
            if ($value.$property) { $this.RawIdentity = $value.$property }
        }
    }
    [string] ToString() { return $this.RawIdentity }
}
class ReceiveConnectorIdParameter : IdParameter { ReceiveConnectorIdParameter([object] $value) : base($value) { } }
class ServerIdParameter : IdParameter { ServerIdParameter([object] $value) : base($value) { } }
class AcceptedDomainIdParameter : IdParameter { AcceptedDomainIdParameter([object] $value) : base($value) { } }
class ADRawEntryIdParameter : IdParameter { ADRawEntryIdParameter([object] $value) : base($value) { } }
class ADSchemaObjectIdParameter : IdParameter { ADSchemaObjectIdParameter([object] $value) : base($value) { } }
class SecurityPrincipalIdParameter : IdParameter {
    [string] $SecurityIdentifier
    SecurityPrincipalIdParameter([object] $value) : base($value) { }
}
class ExtendedRightIdParameter : IdParameter { ExtendedRightIdParameter([object] $value) : base($value) { } }

class ADObjectId {
    [string] $Name
    [string] $DistinguishedName
    [guid] $ObjectGuid
    hidden [string] $Text
    ADObjectId([string] $text, [string] $name, [string] $dn, [guid] $guid) {
        $this.Text = $text
        $this.Name = $name
        $this.DistinguishedName = $dn
        $this.ObjectGuid = $guid
    }
    [string] ToString() { return $this.Text }
}

# A number, size or span between two ends, in its Number().
class Within : System.Management.Automation.ValidateArgumentsAttribute {
    [string] $Least
    [string] $Most
    [void] Validate([object] $value, [System.Management.Automation.EngineIntrinsics] $engine) {
        $number = if ($null -ne $value) { $value.Number() }
        if ($null -ne $number -and ($number -lt [long] $this.Least -or $number -gt [long] $this.Most)) {
            throw [System.Management.Automation.ValidationMetadataException]::new(
                "'$value' is not between $($this.Least) and $($this.Most).")
        }
    }
}

# A list of one type, or @{Add = ...; Remove = ...}; null is the empty list.
class ListOf : System.Management.Automation.ArgumentTransformationAttribute {
    [string] $Type
    ListOf([string] $type) { $this.Type = $type }

    [object] Transform([System.Management.Automation.EngineIntrinsics] $engine, [object] $value) {
        try {
            if ($value -isnot [System.Collections.IDictionary]) { return $this.Items($value) }
            $changes = @{}
            foreach ($key in $value.Keys) {
                if ($key -notin 'Add', 'Remove') { throw "'$key' isn't Add or Remove." }
                $changes[$key] = $this.Items($value[$key])
            }
            return $changes
        } catch {
            throw [System.Management.Automation.ArgumentTransformationMetadataException]::new($_.Exception.Message)
        }
    }

    hidden [object[]] Items([object] $value) {
        $items = foreach ($item in $value) {
            switch ($this.Type) {
                'IPBinding' { [IPBinding]::new("$item") }
                'IPRange' { [IPRange]::new("$item") }
                'SmtpReceiveDomainCapabilities' { [SmtpReceiveDomainCapabilities]::new("$item") }
            }
        }
        return @($items)
    }
}
