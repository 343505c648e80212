# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The cmdlets of a session in which the User of an entry is sent with its properties.
@{
    ModuleVersion = '1.0.0'
    GUID = '0f6b5a1e-6f0c-4c6a-9a53-2f6f6f7a1c12'
    Description = 'Stands in for the cmdlets of Exchange in the tests of mailops.relay.'
    RootModule = 'Exchange.psm1'
    TypesToProcess = @('Exchange.types.ps1xml')
    FunctionsToExport = @('*')
}
