# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many random cases the tests try: the environment variable SCALE, 1 if it is not set, multiplies them all."""

from __future__ import annotations

import os

from hypothesis import settings

SCALE = float(os.environ.get("SCALE", "1"))


def scaled(count: int) -> int:
    return max(1, round(count * SCALE))


def examples(count: int) -> settings:
    """For @given: so many cases at SCALE 1; without it there are a hundred."""
    return settings(max_examples=scaled(count))


settings.register_profile("scaled", max_examples=scaled(100), deadline=None)
settings.load_profile("scaled")
