"""The rule table of a derived status."""

from __future__ import annotations

from fsm_rtc.diagrams import rule_table
from fsm_rtc.machines.connection_state import ConnectionState
from tests.diagrams.sample_charts import Lighting

LIGHTING = """\
# Lighting

How bright the house is.

Derived, 3 states, 3 rules; the first that applies wins. Source: The book of lamps

| rule | state   | when                                         | condition     |
| ---- | ------- | -------------------------------------------- | ------------- |
| 1    | **off** | nobody is "at home"; not even the cat        | `nobody_home` |
| 2    | **dim** | fewer than three are at home                 | `few_home`    |
| 3    | **on**  | otherwise                                    |               |
"""


def test_the_columns_line_up_for_a_reader_of_the_text() -> None:
    for derived in (Lighting, ConnectionState):
        assert len({len(line) for line in rule_table(derived).splitlines() if line.startswith("|")}) == 1


def test_the_rules_stand_in_their_order_with_their_sentences() -> None:
    rows = [" ".join(line.replace("-", "").split()) for line in rule_table(Lighting).splitlines()]
    assert rows == [" ".join(line.replace("-", "").split()) for line in LIGHTING.splitlines()]
