#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: accepted_domains
version_added: 0.1.0
short_description: Manage the domains a mail server accepts mail for
description:
  - Says which domains are ours and where their mail goes. Every other domain is external, and only sessions that
    may relay can send there.
  - Settings bite when the service is restarted, see RV(restart_required) and M(mailops.relay.transport_service).
  - With O(backend=exchange) it only reads, because there accepted domains belong to the whole organisation. A task that
    says what is there succeeds, any other is refused with that explanation. C(MatchSubDomains) reads as a second
    domain, C(*.) before the first.
author:
  - mailops.relay contributors (@mailops)
extends_documentation_fragment:
  - mailops.relay.backend
  - mailops.relay.guard
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  accepted_domains:
    description: The accepted domains. An option that is omitted or null is left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The domain, or C(*.example.com) for every domain below it (and not itself).
        type: str
        required: true
      state:
        description: Whether it is accepted.
        type: str
        choices: [present, absent]
        default: present
      type:
        description: Exchange's domain type. A new domain is V(Authoritative).
        type: str
        choices: [Authoritative, InternalRelay, ExternalRelay]
      next_hop:
        description:
          - Server that takes its mail, as V(host:port). Empty means the smarthost of the relay.
          - A V(Authoritative) domain needs one, because the relay keeps no mail.
        type: str
  purge:
    description: Remove the domains that are not listed.
    type: bool
    default: false
seealso:
  - module: mailops.relay.receive_connectors
  - module: mailops.relay.transport_service
"""

EXAMPLES = r"""
- name: Accept mail for our domain and pass it to the mailbox server
  mailops.relay.accepted_domains:
    backend: aiosmtpd
    accepted_domains:
      - name: example.com
        type: Authoritative
        next_hop: mailbox.example.com:25
"""

RETURN = r"""
before:
  description:
    - The domains of the task as they were, in the shape of O(accepted_domains). One that did not exist is
      C({name, state}) with C(state=absent), so that feeding RV(before) back undoes the change.
  returned: success
  type: list
  elements: dict
after:
  description: The same domains after the change. In check mode as they would be.
  returned: success
  type: list
  elements: dict
commands:
  description: What was done, or in check mode would be, one operation a line.
  returned: success
  type: list
  elements: str
backend:
  description: The backend.
  returned: success
  type: str
  sample: aiosmtpd
relay_surface:
  description: Exactly the addresses that may send beyond our own mailboxes without AUTH, see
    M(mailops.relay.receive_connectors).
  returned: success
  type: list
  elements: dict
surface_change:
  description:
    - What the change opens and closes, as C(opens) and C(closes), in the shape of RV(relay_surface). In check mode what
      it would. With C(--diff) also in words.
  returned: success
  type: dict
  sample:
    opens: [{"binding": "0.0.0.0:25", "reach": "branch.example.com", "ranges": ["10.0.0.0/8"], "addresses": 16777216}]
    closes: []
listeners:
  description: Addresses and ports that the server listens on.
  returned: success
  type: list
  elements: dict
restart_required:
  description: The running service has loaded something else.
  returned: success
  type: bool
error:
  description: >-
    The sort of error, V(input), V(conflict), V(capability), V(guard), V(rights), V(store), V(service), V(apply) or
    V(exchange).
  returned: failure
  type: str
"""

from ansible_collections.mailops.relay.plugins.module_utils._ansible_module import run_module


def main() -> None:
    run_module("accepted_domains")


if __name__ == "__main__":
    main()
