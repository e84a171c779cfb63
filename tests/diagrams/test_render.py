"""One call for each language."""

from __future__ import annotations

import pytest

from fsm_rtc.diagrams import Format, dot, matrix, mermaid, render, rule_table, table_text
from tests.diagrams.sample_charts import Door, Lighting


def test_the_language_chooses_the_text() -> None:
    assert render(Door, Format.MERMAID) == mermaid(Door)
    assert render(Lighting, Format.DOT) == dot(Lighting)
    assert render(Door, Format.SVG).startswith("<?xml")


@pytest.mark.parametrize(("language", "suffix"), [("mermaid", ".mmd"), ("dot", ".dot"), ("svg", ".svg")])
def test_each_language_has_its_suffix(language: str, suffix: str) -> None:
    assert Format(language).suffix == suffix


def test_a_chart_has_a_matrix_and_a_derived_table_its_rules() -> None:
    assert table_text(Door) == matrix(Door)
    assert table_text(Lighting) == rule_table(Lighting)
