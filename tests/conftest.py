# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import support.scale as support_scale

__all__ = ["support_scale"]  # loading it sets how many cases hypothesis tries
