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
      - V(postfix) and V(exchange) are not built yet and are refused with that explanation.
      - Say it once for a play with C(module_defaults) and the group C(mailops.relay.all).
    type: str
    required: true
    choices: [aiosmtpd, postfix, exchange]
  directory:
    description:
      - Directory of the relay on the target, as set up by the role P(mailops.relay.relay_server#role).
    type: path
    default: /var/lib/mailops-relay
attributes:
  check_mode:
    description: Can run in check mode and return changed status without touching the target.
  diff_mode:
    description: Returns what changed, or would change, when in diff mode.
  idempotent:
    description: A second run with the same options changes nothing.
  platform:
    description: Where the module runs.
    platforms: posix
    support: full
"""
