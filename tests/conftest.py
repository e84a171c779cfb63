"""What every test shares: the Hypothesis profiles, and a heap that is quickly looked through.

``HYPOTHESIS_PROFILE`` names the one to use:

- ``quick``: a handful of examples, for the older and newer Pythons and for the mutation check.
- ``default``: for a developer.
- ``ci``: many examples, drawn from a fixed seed, so that a change passes or fails by what it changes. A developer's run
  stays random and is what finds new examples.
"""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("quick", settings.get_profile("default"), max_examples=15)
settings.register_profile(
    "ci",
    settings.get_profile("default"),
    max_examples=200,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="module")
def young_heap() -> Iterator[None]:
    """For tests that collect garbage in each example: what earlier modules have left isn't looked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
