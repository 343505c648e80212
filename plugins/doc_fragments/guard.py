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
    type: int
    default: 256
  shared_sources:
    description:
      - Addresses that many clients arrive from (load balancer, NAT, proxy), in the form of C(remote_ip_ranges).
      - A change after which one of them could send to external domains without AUTH is refused, whether it is listed
        one by one or not.
    type: list
    elements: str
    default: []
  allow_open_relay:
    description:
      - Let a change pass that the guard refuses, with a warning.
      - "The guard refuses: too many relaying addresses (O(max_relay_addresses)); globally routable addresses and
        IPv6 addresses
        that are not listed one by one; any of O(shared_sources); anonymous relay through a built-in connector; the
        accepted domains C(*), C(*.tld) and those of a single label."
      - What was so before the change is a warning and does not block it.
    type: bool
    default: false
"""
