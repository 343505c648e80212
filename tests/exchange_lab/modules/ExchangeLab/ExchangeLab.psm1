# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What a script finds on the Windows side of an Exchange server: snap-ins, the session to the server's own endpoint, and
# services. It loads by itself with the first of its commands that PowerShell does not have. New-PSSession it has:
# prelude.ps1 takes that away. Get-Process is the lab's as soon as the module is loaded.
#
# Services, state and start time, as a script on Windows gets them: Get-CimInstance Win32_Service has State and ProcessId
# (Get-Service has no ProcessId in Windows PowerShell 5.1); then StartTime of Get-Process -Id, or CreationDate of
# Get-CimInstance Win32_Process, which needs no right to open the process. Get-WmiObject has the same for Exchange 2007's
# PowerShell 1.0, with times as DMTF texts.

. $PSScriptRoot/State.ps1
. $PSScriptRoot/Host.ps1
. $PSScriptRoot/Services.ps1
. $PSScriptRoot/Processes.ps1
. $PSScriptRoot/Network.ps1
. $PSScriptRoot/Sessions.ps1
