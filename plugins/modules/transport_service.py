#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: transport_service
version_added: 0.1.0
short_description: Start, stop and restart the transport service of a mail server
description:
  - Controls the service that must be restarted for settings of connectors and accepted domains to bite.
  - What the service would load is checked before it is stopped, so that a restart does not end without a service.
  - A stop lets a message in hand finish.
  - Started means that every listener answers. The task connects to each and waits for a greeting. A service that
    runs and does not answer somewhere is restarted; if it still does not answer, the task fails and names the binding.
  - On a bundled relay only the process that runs this service is ever signalled. If another one holds its lock, the
    task fails and names it.
  - On Exchange the services are C(MSExchangeTransport) and, on 2013 and newer, C(MSExchangeFrontEndTransport). They are
    stopped and started through the service manager of Windows, in one execution that goes on when the connection is
    cut; services that depend on them are started again. Each has 5 minutes to stop, to start, and to listen wherever it
    listened before and on every binding that was changed since. A binding where nothing listened before is a warning.
  - An Exchange service is not stopped while an enabled connector is bound to an address that the server does not have,
    or to a port that another program holds.
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
    support: partial
    details: With O(state=restarted) only if O(only_if_required=true).
options:
  state:
    description:
      - What the service should be. V(restarted) starts one that is not running.
      - V(started) restarts one that is running and does not answer on every listener.
    type: str
    choices: [started, stopped, restarted]
    required: true
  only_if_required:
    description:
      - With O(state=restarted), restart only a service that has loaded something else than what is stored now.
      - What it has loaded is asked of the running service, so a play that died between a change and the restart is
        completed by the next.
      - An Exchange service is restarted if it runs since before the newest change of what it holds.
    type: bool
    default: false
  restart_in_maintenance:
    description:
      - With O(state=restarted), restart the service of an Exchange server also while the server is in maintenance
        (a component of transport that is not C(Active)). Without this it is left alone, with a warning.
    type: bool
    default: false
seealso:
  - module: mailops.relay.receive_connectors
"""

EXAMPLES = r"""
- name: Restart the relay if its configuration has changed since it started
  mailops.relay.transport_service:
    backend: aiosmtpd
    state: restarted
    only_if_required: true

- name: The same on an Exchange server, in a window in which it is in maintenance
  mailops.relay.transport_service:
    backend: exchange
    state: restarted
    only_if_required: true
    restart_in_maintenance: true
"""

RETURN = r"""
before:
  description: The service as it was. C(silent) is where it should answer and does not.
  returned: success
  type: dict
  sample: {"state": "started", "restart_required": true, "silent": [{"address": "0.0.0.0", "port": 25}]}
after:
  description: The service after the task. In check mode as it would be.
  returned: success
  type: dict
  sample: {"state": "started", "restart_required": false, "silent": []}
commands:
  description:
    - What was done, or in check mode would be, V(stop) and V(start).
    - On Exchange with the name of the service, as V(stop MSExchangeFrontEndTransport).
  returned: success
  type: list
  elements: str
  sample: [stop, start]
reasons:
  description:
    - Why a restart was required before the task, where the backend can tell. On Exchange with both times, because the
      clocks of the server and of its domain controller may differ.
  returned: success
  type: list
  elements: str
  sample:
    - MSExchangeFrontEndTransport runs since 2026-01-02 09:00:00+00:00, and connector 'Scan' was changed at 2026-01-02
      10:00:00+00:00 (time of dc1.example.com).
backend:
  description: The backend.
  returned: success
  type: str
  sample: aiosmtpd
listeners:
  description: Addresses and ports that the running service holds open.
  returned: success
  type: list
  elements: dict
restart_required:
  description: The running service has loaded something else than what is stored.
  returned: success
  type: bool
error:
  description: The sort of error, V(input), V(capability), V(service) or V(store).
  returned: failure
  type: str
"""

from ansible_collections.mailops.relay.plugins.module_utils._ansible_module import run_module


def main() -> None:
    run_module("service")


if __name__ == "__main__":
    main()
