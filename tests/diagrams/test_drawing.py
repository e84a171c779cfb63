"""Drawings as data: which boxes and arrows, with which words."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.diagrams.drawing import LONGEST_LINE, RESERVED, Arrow, Drawing, box_ids, chart_drawing, derived_drawing
from fsm_rtc.machines.negotiation import Negotiation
from tests.diagrams.sample_charts import Door, Light, Lighting


def words(drawing: Drawing) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(arrow.source, arrow.target): arrow.lines for arrow in drawing.arrows}


def test_an_arrow_tells_its_check_guard_effect_and_implicit_first() -> None:
    told = words(chart_drawing(Door))
    assert told["shut", "wide_open"] == ("unlock", "  [check key_is_named and has_key]", "  / ring_bell")
    assert told["wide_open", "gone"] == ("replace after shut",)


def test_what_leads_from_one_state_to_the_same_other_is_one_arrow() -> None:
    drawing = chart_drawing(Door)
    assert words(drawing)["shut", "gone"] == ("unlock [check key_is_named]", "replace")
    ends = [(arrow.source, arrow.target) for arrow in drawing.arrows]
    assert len(ends) == len(set(ends))


def test_every_edge_of_the_table_is_on_an_arrow() -> None:
    told = words(chart_drawing(Negotiation))
    ids = box_ids(Negotiation.chart.states)
    for source, row, target in Negotiation.chart.edges():
        assert any(line.startswith(row.trigger) for line in told[ids[source], ids[target]])


def test_the_initial_and_final_states_are_marked() -> None:
    drawing = chart_drawing(Door)
    assert drawing.arrows[0] == Arrow("start", "shut")
    assert drawing.initial == "shut"
    assert [box.id for box in drawing.boxes if box.final] == ["end_state"]


def test_a_trigger_from_everywhere_to_everywhere_is_told_in_a_note() -> None:
    drawing = chart_drawing(Light)
    assert not any("on_desync" in line for arrow in drawing.arrows for line in arrow.lines)
    (note,) = drawing.notes
    assert note == (
        "on_desync, from any other of off,",
        "  dim, on:",
        "to off [library_is_off]",
        "to dim [library_is_dim]",
        "to on [library_is_on]",
    )


def test_a_trigger_that_stands_for_others_is_told_in_a_note() -> None:
    assert chart_drawing(Door).notes == (("use stands for", "unlock in shut", "shut in wide-open"),)


def test_rules_are_questions_in_their_order_and_the_last_no_is_the_last_rule() -> None:
    told = words(derived_drawing(Lighting))
    assert list(told) == [
        ("start", "rule_1"),
        ("rule_1", "off"),
        ("rule_1", "rule_2"),
        ("rule_2", "dim"),
        ("rule_2", "on"),
    ]
    assert told["rule_2", "on"] == ("no",)


def test_no_line_is_too_long_where_it_can_be_broken() -> None:
    for chart in (Door, Light, Negotiation):
        for arrow in chart_drawing(chart).arrows:
            for line in arrow.lines:
                assert len(line) <= LONGEST_LINE + 2


@given(st.lists(st.from_regex(r"[A-Za-z_\-][A-Za-z0-9_\-]{0,5}", fullmatch=True), min_size=1, max_size=8, unique=True))
def test_ids_differ_also_when_case_is_ignored_and_are_no_words_of_a_language(names: list[str]) -> None:
    try:
        enum = StrEnum("Any", {name: f"value {place}" for place, name in enumerate(names)})  # type: ignore[misc]
    except (TypeError, ValueError):  # a name that an enum can't have, such as mro
        return
    ids = list(box_ids(tuple(enum)).values())
    assert len({one.lower() for one in ids}) == len(enum)
    for one in ids:
        assert one.isidentifier()
        assert one not in RESERVED


@pytest.mark.parametrize("member", sorted(RESERVED))
def test_a_state_with_a_reserved_name_gets_another_id(member: str) -> None:
    (found,) = box_ids(tuple(StrEnum("Reserved", {member.upper(): "x"}))).values()  # type: ignore[arg-type]
    assert found == f"{member}_state"
