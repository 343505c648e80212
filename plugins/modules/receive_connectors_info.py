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
  - With O(backend=exchange) it reads an Exchange server over Ansible's Windows connections, or from a snapshot that was
    taken there. It has never run on a real Exchange server, only against a stand-in; see C(docs/exchange.md).
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
  connector_for:
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
  snapshot:
    description:
      - Path on the controller of a snapshot of an Exchange server, see C(docs/exchange.md). It is read instead of the
        server, without any connection, so the host may be any.
      - Needs O(backend=exchange).
    type: path
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
    connector_for:
      binding: 0.0.0.0:587
      client: 198.51.100.1

- name: Who may relay through an Exchange server that Ansible does not reach
  mailops.relay.receive_connectors_info:
    backend: exchange
    snapshot: exchange-snapshot-EX1.txt
  delegate_to: localhost
"""

RETURN = r"""
connectors:
  description:
    - The connectors, in the shape of the option of M(mailops.relay.receive_connectors). A property that this version of
      the server does not have is left out, and so is C(extended_rights) where the rights are not known.
    - A connector with values that cannot be read names their options in C(unvalidated), see C(docs/exchange.md).
  returned: success
  type: list
  elements: dict
inherited_rights:
  description:
    - Rights that connectors have from above them in the directory, in the shape of C(extended_rights) with the name of
      the C(connector). They count, and this collection never changes them. Only Exchange has any.
  returned: success
  type: list
  elements: dict
  sample:
    - connector: Default EX1
      principal: NT AUTHORITY\\Authenticated Users
      right: ms-Exch-SMTP-Submit
      deny: false
full_control:
  description:
    - Entries of the connectors that stand for every right at once, in the shape of RV(inherited_rights), with the
      C(right) V(GenericAll) or V(ExtendedRight). Listed are those of principals that mail sessions have. They count,
      and this collection never changes them. Only Exchange has any.
  returned: success
  type: list
  elements: dict
  sample: []
rights_known:
  description:
    - Whether the rights of the connectors could be read. On Exchange V(false) where the user may not run
      C(Get-ADPermission), or where what it said does not fit the permission groups. Then RV(relay_surface) is null and
      the filters of this collection refuse the result, because nothing can be said to be closed. A warning says why.
  returned: success
  type: bool
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
  description: Name of the connector that takes the session of O(connector_for), null if none does.
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
services:
  description:
    - The Windows services that together are the transport service of Exchange. Each must be restarted if a connector of
      its role, an accepted domain or a right was changed after it started. Empty on other backends.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "MSExchangeFrontEndTransport", "state": "started", "restart_required": true}]
backend:
  description: The backend.
  returned: success
  type: str
  sample: aiosmtpd
relay_surface:
  description: Exactly the addresses that may send beyond our own mailboxes without AUTH, per binding and reach, see
    M(mailops.relay.receive_connectors). Null unless RV(rights_known).
  returned: success
  type: list
  elements: dict
listeners:
  description: Addresses and ports that the running service holds open. Null where that cannot be seen (Exchange).
  returned: success
  type: list
  elements: dict
expected_listeners:
  description: Addresses and ports that it should hold open, by its connectors.
  returned: success
  type: list
  elements: dict
settings:
  description: Name, host name, smarthost and limits of the whole server, in the shape of the options of
    M(mailops.relay.relay_settings). Empty on Exchange.
  returned: success
  type: dict
restart_required:
  description: The running service has loaded something else than what is stored.
  returned: success
  type: bool
error:
  description: The sort of error, V(input), V(capability), V(store), V(service) or V(exchange).
  returned: failure
  type: str
"""

from ansible_collections.mailops.relay.plugins.module_utils._ansible_module import run_module


def main() -> None:
    run_module("info")


if __name__ == "__main__":
    main()
