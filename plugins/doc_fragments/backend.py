# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that choose a backend."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  backend:
    description:
      - Which kind of server this is. It is never guessed from what is installed. Windows hosts take V(exchange) only.
      - V(exchange) has never run on a real Exchange server, see C(docs/exchange.md). V(postfix) is not built yet and
        refused.
      - Say it once for a play with C(module_defaults) and the group C(mailops.relay.all).
    type: str
    required: true
    choices: [aiosmtpd, postfix, exchange]
  directory:
    description:
      - Directory of the relay on the target, as set up by the role P(mailops.relay.relay_server#role).
    type: path
    default: /var/lib/mailops-relay
  exchange_session:
    description:
      - With O(backend=exchange), how Exchange's cmdlets are reached from the host.
      - V(remote) is the way that Microsoft supports, a session with the server's own C(/PowerShell/) endpoint, in which
        the user has what its management roles grant.
      - V(snapin) loads the cmdlets into the process. Edge Transport servers need it. Anywhere else Microsoft does not
        support it, and it goes round the management roles.
      - Both need credentials that reach the directory, most often C(become) with C(runas) and a password.
    type: str
    choices: [remote, snapin]
    default: remote
attributes:
  check_mode:
    description: Can run in check mode and return changed status without touching the target.
  diff_mode:
    description: Returns what changed, or would change, when in diff mode.
  idempotent:
    description: A second run with the same options changes nothing.
  platform:
    description: Where the module runs. On Windows hosts the controller does the work.
    platforms: posix, windows
    support: full
"""
