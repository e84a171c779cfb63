"""How much the tests of this run try, by the profile that ``HYPOTHESIS_PROFILE`` names.

- ``quick``: a handful of examples, for the newer Pythons, for the unit tests by themselves and the mutation check.
- ``default``: for a developer; drawn anew each time, so this is what finds new examples.
- ``ci``: many examples. They are drawn from a fixed seed, as the few of ``quick`` are, so that a change passes or fails
  by what it changes.
- ``thorough``: as ``ci``, and what is only done over and over, calls, attacks, kills, as often as patience allows:
  ``tox -e thorough``, for a night.
"""

from __future__ import annotations

import os
from typing import TypeVar

from hypothesis import HealthCheck, settings

T = TypeVar("T")

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")


def by_profile(*, quick: T, default: T, ci: T, thorough: T) -> T:
    """What a test does with this run's profile."""
    return {"quick": quick, "default": default, "ci": ci, "thorough": thorough}[PROFILE]


def load_profile() -> None:
    """Make it the profile of Hypothesis, too."""
    settings.register_profile("default", deadline=None, print_blob=True)
    settings.register_profile(
        "ci",
        settings.get_profile("default"),
        max_examples=200,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile("quick", settings.get_profile("ci"), max_examples=15)
    settings.register_profile("thorough", settings.get_profile("ci"))
    settings.load_profile(PROFILE)
