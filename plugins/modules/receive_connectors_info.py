#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: receive_connectors_info
version_added: 0.1.0
short_description: Read the receive connectors of a mail server
description:
  - Reads connectors and accepted domains back in the shape of the options of M(mailops.relay.receive_connectors) and
    M(mailops.relay.accepted_domains), so that feeding them to those modules changes nothing.
  - Says exactly which addresses may send to external domains without AUTH.
author:
  - mailops.relay contributors (@mailops)
extends_documentation_fragment:
  - mailops.relay.backend
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  query:
    description:
      - JMESPath expression that is applied to the result on the controller; the answer is RV(query_result).
      - Needs the Python package C(jmespath) on the controller.
    type: str
  select:
    description: Ask which connector takes a session; the answer is RV(selected).
    type: dict
    suboptions:
      binding:
        description: Local address and port that the client reaches, as V(0.0.0.0:587).
        type: str
        required: true
      client:
        description: Address of the client.
        type: str
        required: true
seealso:
  - module: mailops.relay.receive_connectors
"""

EXAMPLES = r"""
- name: Names of the connectors that let anybody submit
  mailops.relay.receive_connectors_info:
    backend: aiosmtpd
    query: connectors[?enabled && contains(permission_groups, 'AnonymousUsers')].name
  register: relay

- name: Which connector takes a laptop outside the office
  mailops.relay.receive_connectors_info:
    backend: aiosmtpd
    select:
      binding: 0.0.0.0:587
      client: 198.51.100.1
"""

RETURN = r"""
connectors:
  description: The connectors, in the shape of the option of M(mailops.relay.receive_connectors).
  returned: success
  type: list
  elements: dict
accepted_domains:
  description: The accepted domains, in the shape of the option C(domains) of M(mailops.relay.accepted_domains).
  returned: success
  type: list
  elements: dict
built_in:
  description: Names of the connectors that came with the server.
  returned: success
  type: list
  elements: str
selected:
  description: Name of the connector that takes the session of O(select), null if none does.
  returned: success
  type: str
query_result:
  description: What O(query) found.
  returned: when O(query) is given
  type: raw
service:
  description: The transport service.
  returned: success
  type: dict
  sample: {"state": "started", "restart_required": false}
backend:
  description: The backend.
  returned: success
  type: str
  sample: aiosmtpd
relay_surface:
  description: Exactly the addresses that may send beyond our own mailboxes without AUTH, per binding and reach, see
    M(mailops.relay.receive_connectors).
  returned: success
  type: list
  elements: dict
listeners:
  description: Addresses and ports that the server listens on.
  returned: success
  type: list
  elements: dict
restart_required:
  description: The running service has loaded something else than what is stored.
  returned: success
  type: bool
error:
  description: The sort of error, V(input), V(capability), V(store) or V(service).
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mailops.relay.plugins.module_utils._run import run_info
from ansible_collections.mailops.relay.plugins.module_utils._spec import backend_spec, info_spec


def main() -> None:
    run_info(AnsibleModule(argument_spec={**backend_spec(), **info_spec()}, supports_check_mode=True))


if __name__ == "__main__":
    main()
