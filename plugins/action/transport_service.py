# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatch of the module of this name."""

from __future__ import annotations

from ansible_collections.mailops.relay.plugins.plugin_utils._dispatch import DispatchAction


class ActionModule(DispatchAction):
    pass
