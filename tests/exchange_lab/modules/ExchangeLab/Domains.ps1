# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Get-, New-, Set- and Remove-AcceptedDomain: exchange.md 9. A domain of the state: name, domain_name, type, default,
# match_sub_domains, address_book_enabled, guid, when_changed, when_created.

function Get-LabDomainDn($Context, $Domain) {
    "$([Dn]::Rdn($Domain.name)),CN=Accepted Domains,CN=Transport Settings,$([Dn]::Configuration($Context.State))"
}

function Find-LabDomain($Context, [string] $Identity) {
    foreach ($domain in $Context.State.accepted_domains) {
        if ($Identity -in $domain.name, $domain.domain_name, $domain.guid, (Get-LabDomainDn $Context $domain)) { return $domain }
    }
    throw (New-LabNotFound $Context $Identity)
}

# The link of a connector to its default domain.
function New-LabDomainId($Context, $Name) {
    if (-not $Name) { return $null }
    foreach ($domain in $Context.State.accepted_domains) {
        if ($domain.name -eq $Name) { return [ADObjectId]::new($Name, $Name, (Get-LabDomainDn $Context $domain), $domain.guid) }
    }
    return [ADObjectId]::new($Name, $Name, '', [guid]::Empty)
}

function New-LabDomainObject($Context, $Domain) {
    $found = New-LabObject 'AcceptedDomain' $Context.State $Domain $Domain.name $Domain.name (Get-LabDomainDn $Context $Domain) `
        'top', 'msExchAcceptedDomain'
    if ($script:LabVersion -notin '2007', '2010') { $found.ExchangeVersion = '0.20 (15.0.0.0)' }
    $found.DomainName = [SmtpDomainWithSubdomains]::new($Domain.domain_name)
    $found.DomainType = [AcceptedDomainType] $Domain.type
    $found.Default = $Domain.default
    if ($script:LabVersion -ne '2007') { $found.AddressBookEnabled = $Domain.address_book_enabled }
    if ($script:LabVersion -notin '2007', '2010', '2013') { $found.MatchSubDomains = $Domain.match_sub_domains }
    return [pscustomobject] $found
}

function Invoke-LabGetAcceptedDomain($Context) {
    if ($Context.Bound['Identity']) {
        New-LabDomainObject $Context (Find-LabDomain $Context "$($Context.Bound['Identity'])")
        return
    }
    foreach ($domain in $Context.State.accepted_domains) { New-LabDomainObject $Context $domain }
}

function Assert-LabDomain($Context, $Domain) {
    foreach ($other in $Context.State.accepted_domains) {
        if ($other.guid -ne $Domain.guid -and ($other.name -eq $Domain.name -or $other.domain_name -eq $Domain.domain_name)) {
            throw [LabError]::new('ADObjectAlreadyExistsException', "The accepted domain ""$($Domain.name)"" already exists.", 'ResourceExists')
        }
    }
    if (-not $Domain.name -or $Domain.name.Length -gt 64) { throw (New-LabRefusal 'The name must have 1 to 64 characters.') }
}

function Invoke-LabNewAcceptedDomain($Context) {
    $bound = $Context.Bound
    $type = if ($bound.ContainsKey('DomainType')) { "$($bound['DomainType'])" } else { 'Authoritative' }
    $now = Get-LabNow
    $domain = [ordered] @{
        name = "$($bound['Name'])"; domain_name = "$($bound['DomainName'])"; type = $type
        default = -not @($Context.State.accepted_domains); match_sub_domains = $false
        address_book_enabled = $type -eq 'Authoritative'; guid = "$([guid]::NewGuid())"; when_changed = $now; when_created = $now
    }
    Assert-LabDomain $Context $domain
    if (-not $Context.Cmdlet.ShouldProcess($domain.name, 'New-AcceptedDomain')) { return }
    $Context.State.accepted_domains.Add($domain)
    Save-LabState $Context
    New-LabDomainObject $Context $domain
}

function Invoke-LabSetAcceptedDomain($Context) {
    $bound = $Context.Bound
    $domain = Find-LabDomain $Context "$($bound['Identity'])"
    $before = [Json]::Write($Context.State.accepted_domains)
    $keys = @{ Name = 'name'; DomainType = 'type'; MatchSubDomains = 'match_sub_domains'; AddressBookEnabled = 'address_book_enabled' }
    foreach ($key in $keys.Keys) {
        if ($bound.ContainsKey($key)) { $domain[$keys[$key]] = if ($bound[$key] -is [bool]) { $bound[$key] } else { "$($bound[$key])" } }
    }
    if ($bound['MakeDefault']) {
        foreach ($other in $Context.State.accepted_domains) { $other.default = $other.guid -eq $domain.guid }
    } elseif ($bound.ContainsKey('MakeDefault') -and $domain.default) {
        throw (New-LabRefusal 'Make another domain the default instead.')
    }
    Assert-LabDomain $Context $domain
    if ([Json]::Write($Context.State.accepted_domains) -eq $before) {
        $Context.Cmdlet.WriteWarning((Format-LabNotModified $Context $domain.name))
        return
    }
    if (-not $Context.Cmdlet.ShouldProcess($domain.name, 'Set-AcceptedDomain')) { return }
    $domain.when_changed = Get-LabNow
    Save-LabState $Context
}

function Invoke-LabRemoveAcceptedDomain($Context) {
    $domain = Find-LabDomain $Context "$($Context.Bound['Identity'])"
    if ($domain.default) { throw (New-LabRefusal "The default accepted domain can't be removed.") }
    if (-not $Context.Cmdlet.ShouldProcess($domain.name, 'Remove-AcceptedDomain')) { return }
    $null = $Context.State.accepted_domains.Remove($domain)
    Save-LabState $Context
}
