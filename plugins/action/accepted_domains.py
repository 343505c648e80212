# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of this name, where it can be done."""

from __future__ import annotations

from ansible_collections.mailops.relay.plugins.plugin_utils._action import RelayAction


class ActionModule(RelayAction):
    kind = "accepted_domains"
