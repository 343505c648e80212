# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand in a column of a server: text of any kind, nothing, truth values, lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from ansible_collections.mailops.relay.plugins.module_utils._connector.model import Connector
from ansible_collections.mailops.relay.plugins.module_utils._connector.properties import CONNECTOR_PROPERTIES

TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["", " ", "x" * 9000, "9" * 5000, "-1", "mail_relay.corp.test", "\x00", "a\nb", "\ud800", "None", "{a, b...}", "İ"]
)
PRINTED: st.SearchStrategy[Any] = st.none() | st.booleans() | TEXTS | st.lists(TEXTS, max_size=3)
GIVEN: st.SearchStrategy[Any] = TEXTS | st.lists(TEXTS, max_size=3)
"""Without what a task would leave out."""
LENIENT = tuple(row for row in CONNECTOR_PROPERTIES if row.may_be_odd)
DECIDING = tuple(row for row in CONNECTOR_PROPERTIES if row.exchange and row.decides)
ODD_TEXT = "\x00 \u2603 odd_text"
"""What no column can mean."""


def holding(connector: Connector, **values: Any) -> Connector:
    """``connector`` with these values, whatever their types."""
    return replace(connector, **values)
