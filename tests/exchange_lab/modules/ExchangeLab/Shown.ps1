# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Values of the state as the objects that Get shows, and names in the directory. Classes, because fifty connectors have
# thousands of values and entries, and a function takes twenty times as long to call as a method.

class Shown {
    static [System.Collections.Generic.Dictionary[string, object]] $Known = [System.Collections.Generic.Dictionary[string, object]]::new()
    static [hashtable] $Lists = @{
        IPBinding = [IPBinding]; IPRange = [IPRange]; SmtpReceiveDomainCapabilities = [SmtpReceiveDomainCapabilities]
    }
    static [hashtable] $Flags = @{
        AuthMechanisms = [AuthMechanisms]; PermissionGroups = [PermissionGroups]; MessageRateSourceFlags = [MessageRateSourceFlags]
    }
    static [hashtable] $Others = @{
        ExtendedProtectionPolicySetting = [ExtendedProtectionPolicySetting]; ProtocolLoggingLevel = [ProtocolLoggingLevel]
        SizeMode = [SizeMode]; ServerRole = [ServerRole]; ByteQuantifiedSize = [ByteQuantifiedSize]; Unlimited = [Unlimited]
        Fqdn = [Fqdn]; SmtpX509Identifier = [SmtpX509Identifier]
    }

    # Values do not change, so the same one is made once.
    static [object] Value([string] $type, [object] $value) {
        if ($value -is [bool] -or $type -eq 'int' -or $type -eq 'Text') { return $value }
        $key = $type + '|' + ($value -join '|')
        $found = $null
        if ([Shown]::Known.TryGetValue($key, [ref] $found)) { return $found }
        $found = [Shown]::Make($type, $value)
        [Shown]::Known[$key] = $found
        return $found
    }

    hidden static [object] Make([string] $type, [object] $value) {
        $list = [Shown]::Lists[$type]
        if ($list) {
            $items = [System.Collections.Generic.List[object]]::new()
            foreach ($item in $value) { $items.Add($list::new($item)) }
            return $items.ToArray()
        }
        $flag = [Shown]::Flags[$type]
        if ($flag) { return [enum]::Parse($flag, $(if ($value.Count) { $value -join ',' } else { 'None' })) }
        if ($null -eq $value -or -not [Shown]::Others[$type]) {
            return $(if ($type -eq 'EnhancedTimeSpan') { [EnhancedTimeSpan]::new([timespan]::FromSeconds($value)) } else { $value })
        }
        return "$value" -as [Shown]::Others[$type]
    }
}

class Dn {
    # RFC 4514
    static [string] Rdn([string] $name) {
        return 'CN=' + ($name -replace '([,+"\\<>;=])', '\$1' -replace '^([# ])', '\$1' -replace ' $', '\ ')
    }

    static [string] Configuration([object] $state) {
        return 'CN=First Organization,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=' + $state.forest.Replace('.', ',DC=')
    }

    static [string] Server([object] $state, [object] $server) {
        return "CN=$($server.name),CN=Servers,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups," +
            [Dn]::Configuration($state)
    }
}

# A connector of the state and what names it.
class Located {
    hidden static [object] $State
    hidden static [Located[]] $All
    [object] $Server
    [object] $Connector
    [string] $Identity
    [string] $Dn

    Located([object] $state, [object] $server, [object] $connector) {
        $this.Server = $server
        $this.Connector = $connector
        $this.Identity = $server.name + '\' + $connector.name
        $this.Dn = [Dn]::Rdn($connector.name) + ',CN=SMTP Receive Connectors,CN=Protocols,' + [Dn]::Server($state, $server)
    }

    # Every connector of the organisation.
    static [Located[]] In([object] $state) {
        if ([object]::ReferenceEquals([Located]::State, $state)) { return [Located]::All }
        $found = [System.Collections.Generic.List[Located]]::new()
        foreach ($server in $state.servers) {
            foreach ($connector in $server.connectors) { $found.Add([Located]::new($state, $server, $connector)) }
        }
        [Located]::State = $state
        [Located]::All = $found.ToArray()
        return [Located]::All
    }

    # By DN, GUID, SERVER\Name or name.
    static [Located[]] Find([object] $state, [string] $identity) {
        $found = foreach ($item in [Located]::In($state)) {
            if ($identity -eq $item.Dn -or $identity -eq $item.Identity -or $identity -eq $item.Connector.guid -or
                $identity -eq $item.Connector.name) { $item }
        }
        return @($found)
    }
}
