"""What the drawings read of a class."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_rtc.diagrams.drawable import kind_of, opening_of
from fsm_rtc.engine import Chart, Derived
from tests.diagrams.sample_charts import Door, Light, Lighting


@pytest.mark.parametrize(("drawn", "kind"), [(Door, "commanded"), (Light, "observed"), (Lighting, "derived")])
def test_the_kind_follows_from_the_class(drawn: type[Chart[Any, Any]] | type[Derived[Any, Any]], kind: str) -> None:
    assert kind_of(drawn) == kind


def test_the_opening_is_the_first_paragraph_on_one_line() -> None:
    assert opening_of("One\n    sentence.\n\n    More.") == "One sentence."
    assert opening_of(None) == ""
