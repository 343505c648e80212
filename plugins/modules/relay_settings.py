#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: relay_settings
version_added: 0.1.0
short_description: Manage who a bundled relay is, its smarthost and its limits
description:
  - Says what a bundled relay is called, where it sends mail to external domains, and how much may relay through it.
  - The limits hold for every task that changes connectors or accepted domains of this server. A task may be stricter,
    and never less strict.
  - The name, the host name and the smarthost bite when the service is restarted, see RV(restart_required). The limits
    bite at once.
  - Exchange is refused, because its name, its send connectors and its limits are not managed here.
author:
  - mailops.relay contributors (@mailops)
extends_documentation_fragment:
  - mailops.relay.backend
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the server, 1 to 56 characters. Its built-in connector is called C(Default <name>).
      - Needed for a new relay. It cannot be changed later.
    type: str
  fqdn:
    description:
      - Host name in greetings, EHLO and Received headers of connectors that have none of their own.
      - Needed for a new relay.
    type: str
  smarthost:
    description:
      - Server that takes mail to external domains, and mail of accepted domains without a next hop.
      - An empty dictionary means none. Such mail is then deferred.
    type: dict
    suboptions:
      host:
        description: Its name or address.
        type: str
      port:
        description: Its port, by default 25.
        type: int
  max_relay_addresses:
    description:
      - How many addresses may send to external domains without AUTH. A new relay has 256.
      - A lower limit than what relays now is taken with a warning that names what exceeds it. It never stands in the
        way of a change that narrows.
    type: int
  shared_sources:
    description:
      - Addresses that many clients arrive from (load balancer, NAT, proxy), each as one address, C(first-last) or CIDR.
        None of them may become a device.
      - A list (exactly this) or a dictionary of C(add), C(remove) or C(set).
    type: raw
seealso:
  - module: mailops.relay.receive_connectors
  - module: mailops.relay.transport_service
"""

EXAMPLES = r"""
- name: Send mail to the outside through the provider
  mailops.relay.relay_settings:
    backend: aiosmtpd
    name: relay
    fqdn: relay.example.com
    smarthost:
      host: smtp.provider.example
      port: 25

- name: Let at most 20 devices relay, and never the load balancer
  mailops.relay.relay_settings:
    backend: aiosmtpd
    max_relay_addresses: 20
    shared_sources: {add: [10.0.0.250]}
"""

RETURN = r"""
before:
  description: The settings as they were. Feed them back to undo the change. Empty where there was no relay.
  returned: success
  type: dict
  sample:
    name: relay
    fqdn: relay.example.com
    smarthost: {}
    max_relay_addresses: 256
    shared_sources: []
after:
  description: The settings after the change. In check mode as they would be.
  returned: success
  type: dict
commands:
  description: What was done, or in check mode would be.
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
  description: What the change opens and closes. Settings open and close nothing.
  returned: success
  type: dict
  sample: {"opens": [], "closes": []}
listeners:
  description: Addresses and ports that the server listens on, for your firewall.
  returned: success
  type: list
  elements: dict
restart_required:
  description: The running service has loaded something else.
  returned: success
  type: bool
error:
  description: The sort of error, V(input), V(conflict), V(capability), V(guard), V(store), V(service) or V(apply).
  returned: failure
  type: str
"""

from ansible_collections.mailops.relay.plugins.module_utils._ansible_module import run_module


def main() -> None:
    run_module("settings")


if __name__ == "__main__":
    main()
