"""The matrices of all machines, as reviewed. A change of the model shows here, and in review.

After a change on purpose: ``UPDATE_GOLDEN=1 pytest tests/machines/test_golden.py``, and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fsm_rtc.diagrams import matrix, rule_table
from fsm_rtc.engine import Chart, Derived
from fsm_rtc.machines import CHARTS, DERIVED

GOLDEN = Path(__file__).parent.parent / "golden"


def compare(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), (
        f"{name} is not as reviewed; read the difference, then UPDATE_GOLDEN=1"
    )


@pytest.mark.parametrize(("name", "chart"), CHARTS.items())
def test_golden_matrix(name: str, chart: type[Chart[Any, Any]]) -> None:
    compare(name, matrix(chart))


@pytest.mark.parametrize(("name", "derived"), DERIVED.items())
def test_golden_rules(name: str, derived: type[Derived[Any, Any]]) -> None:
    compare(name, rule_table(derived))


def test_golden_files_are_those_of_the_machines() -> None:
    assert {path.stem for path in GOLDEN.glob("*.md")} == {*CHARTS, *DERIVED}
