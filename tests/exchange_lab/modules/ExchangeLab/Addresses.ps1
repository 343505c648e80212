# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Ranges and bindings as Exchange takes and prints them (exchange.md 1.3).

class Address {
    # Strict: .NET also reads '1' and '0x7f.1' as addresses.
    static [System.Net.IPAddress] Parse([string] $text) {
        $found = $null
        if ($text -notmatch '^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\w+)?)$' -or
            -not [System.Net.IPAddress]::TryParse($text, [ref] $found)) {
            throw "'$text' isn't a valid IP address."
        }
        return $found
    }

    static [System.Numerics.BigInteger] Number([System.Net.IPAddress] $address) {
        $bytes = $address.GetAddressBytes()
        [array]::Reverse($bytes)
        return [System.Numerics.BigInteger]::new([byte[]] ($bytes + [byte] 0))
    }

    static [int] Bits([System.Net.IPAddress] $address) {
        return 8 * $address.GetAddressBytes().Length
    }
}

class IPRange {
    hidden [string] $Text
    hidden [int] $Bits
    hidden [System.Numerics.BigInteger] $Low
    hidden [System.Numerics.BigInteger] $High

    # One address, first-last, or CIDR, whose host bits are kept. It prints as it was written.
    IPRange([string] $text) {
        $parts = $text.Trim() -split '[-/]'
        if ($parts.Count -gt 2 -or -not $parts[0]) { throw "'$text' isn't a valid IP address range." }
        $first = [Address]::Parse($parts[0].Trim())
        $this.Bits = [Address]::Bits($first)
        $this.Low = $this.High = [Address]::Number($first)
        $this.Text = $first.ToString()
        if ($parts.Count -eq 1) { return }
        if ($text.Contains('/')) { $this.SetPrefix($parts[1].Trim()) } else { $this.SetLast($parts[1].Trim()) }
    }

    hidden [void] SetPrefix([string] $prefix) {
        if ($prefix -notmatch '^\d{1,3}$' -or [int] $prefix -gt $this.Bits) { throw "/$prefix isn't a valid prefix length." }
        $size = [System.Numerics.BigInteger]::Pow(2, $this.Bits - [int] $prefix)
        $this.Low = $this.Low - $this.Low % $size
        $this.High = $this.Low + $size - 1
        $this.Text = "$($this.Text)/$([int] $prefix)"
    }

    hidden [void] SetLast([string] $text) {
        $last = [Address]::Parse($text)
        $this.High = [Address]::Number($last)
        if ([Address]::Bits($last) -ne $this.Bits -or $this.High -lt $this.Low) { throw "The range ends before it starts: $text." }
        $this.Text = "$($this.Text)-$last"
    }

    [bool] Equals([object] $other) {
        return $other -is [IPRange] -and $other.Bits -eq $this.Bits -and $other.Low -eq $this.Low -and $other.High -eq $this.High
    }

    [int] GetHashCode() { return $this.Low.GetHashCode() }

    # Equal, or overlapping without one lying wholly inside the other.
    [bool] ConflictsWith([IPRange] $other) {
        if ($other.Bits -ne $this.Bits -or $other.Low -gt $this.High -or $this.Low -gt $other.High) { return $false }
        $inside = $other.Low -ge $this.Low -and $other.High -le $this.High
        $around = $this.Low -ge $other.Low -and $this.High -le $other.High
        return $inside -eq $around
    }

    [string] ToString() { return $this.Text }
}

class IPBinding {
    hidden [System.Net.IPEndPoint] $EndPoint

    IPBinding([string] $text) {
        if ($text.Trim() -notmatch '^(?:\[([^\[\]%]+)\]|([0-9.]+)):(\d{1,5})$') { throw "'$text' isn't a valid IP binding." }
        $address = [Address]::Parse($(if ($Matches[1]) { $Matches[1] } else { $Matches[2] }))
        $port = [int] $Matches[3]
        if ($port -lt 1 -or $port -gt 65535) { throw "'$text' has no valid port." }
        $this.EndPoint = [System.Net.IPEndPoint]::new($address, $port)
    }

    [bool] IsWildcard() { return $this.EndPoint.Address.Equals($this.Any()) }

    hidden [System.Net.IPAddress] Any() {
        if ($this.EndPoint.AddressFamily -eq 'InterNetwork') { return [System.Net.IPAddress]::Any }
        return [System.Net.IPAddress]::IPv6Any
    }

    # A client could reach both.
    [bool] Overlaps([IPBinding] $other) {
        if ($other.EndPoint.Port -ne $this.EndPoint.Port -or $other.EndPoint.AddressFamily -ne $this.EndPoint.AddressFamily) {
            return $false
        }
        return $this.Equals($other) -or $this.IsWildcard() -or $other.IsWildcard()
    }

    [bool] Equals([object] $other) { return $other -is [IPBinding] -and $other.EndPoint.Equals($this.EndPoint) }

    [int] GetHashCode() { return $this.EndPoint.GetHashCode() }

    [string] ToString() { return $this.EndPoint.ToString() }
}
