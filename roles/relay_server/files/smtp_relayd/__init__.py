# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small SMTP relay: answers like Exchange from a compiled policy, forwards to a next hop inside the session.

It imports neither Ansible nor the plugins of the collection; docs/relay-files.md is what they share.
"""

from __future__ import annotations
