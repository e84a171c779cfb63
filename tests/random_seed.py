"""The seed of a test that draws at random by itself: the same each time in CI, new on each run of a developer."""

from __future__ import annotations

import os
from random import Random

from hypothesis import settings

__all__ = ["seeded"]


def seeded(what: str = "") -> Random:
    """A source of random numbers; its seed is printed, which pytest shows if the test fails.

    ``FSM_RTC_SEED`` repeats a run.

    Args:
        what: told apart from others with the same seed.
    """
    fixed = os.environ.get("FSM_RTC_SEED") or ("1" if settings().derandomize else None)
    seed = fixed or str(Random().randrange(2**32))
    print(f"FSM_RTC_SEED={seed}")
    return Random(f"{seed} {what}")
