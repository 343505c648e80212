# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatch of the module of this name. Exchange has no accounts of its own."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.relay.plugins.module_utils._connector.errors import CapabilityError
from ansible_collections.mailops.relay.plugins.plugin_utils._dispatch import EXCHANGE, DispatchAction


class ActionModule(DispatchAction):
    def _on_exchange(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        raise CapabilityError(
            "Exchange has no accounts of its own: whoever logs in is a user of the directory",
            where="backend",
            value=EXCHANGE,
            way_out="Manage users and mailboxes in the directory; ExchangeUsers in permission_groups lets them submit.",
        )
