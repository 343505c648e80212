# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options of the open relay guard."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  max_relay_addresses:
    description:
      - Refuse a change after which more addresses than this could send to external domains without AUTH.
      - By default what the server has, see M(mailops.relay.relay_settings), which is 256 unless somebody changed it. A
        task may give less, and no more.
      - Exchange keeps no such limit. There it is 256, or what the task gives; say it once for a play with
        C(module_defaults) of this module.
    type: int
  shared_sources:
    description:
      - Addresses that many clients arrive from (load balancer, NAT, proxy), in the form of C(remote_ip_ranges).
      - A change after which one of them could send to external domains without AUTH is refused, whether it is listed
        one by one or not.
      - They are added to those of the server, see M(mailops.relay.relay_settings).
    type: list
    elements: str
  allow_open_relay:
    description:
      - Let a change pass that the guard refuses, with a warning.
      - "The guard refuses: too many relaying addresses (O(max_relay_addresses)); globally routable addresses and
        IPv6 addresses
        that are not listed one by one; any of O(shared_sources); anonymous relay through a built-in connector; the
        accepted domains C(*), C(*.tld) and those of a single label."
      - What was so before the change is a warning and does not block it. That is judged by addresses, and by what the
        server was given to run.
    type: bool
    default: false
  allow_inbound_loss:
    description:
      - Let a change pass that stops inbound mail, with a warning that says whose.
      - Whoever on the Internet could deliver to an accepted domain before, without TLS, must be able to after the
        change, whatever would stop it (TLS demanded, fewer addresses, another port, a domain that is gone). Where TLS
        was demanded before, whoever could with STARTTLS. Addresses in O(shared_sources) count as the Internet.
      - To remove an accepted domain by its name with C(state=absent) is consent for that domain. C(purge) is not.
    type: bool
    default: false
"""
