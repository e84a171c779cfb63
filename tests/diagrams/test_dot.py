"""DOT: what Graphviz reads back is the drawing."""

from __future__ import annotations

from typing import Any

import pytest
from pygraphviz import AGraph

from fsm_rtc.diagrams import dot
from fsm_rtc.diagrams.render import drawing_of
from fsm_rtc.engine import Chart, Derived
from fsm_rtc.machines.negotiation import Negotiation
from tests.diagrams.sample_charts import Door, Light, Lighting

EVERY = [Door, Light, Lighting, Negotiation]

Drawn = type[Chart[Any, Any]] | type[Derived[Any, Any]]


@pytest.mark.parametrize("drawn", EVERY)
def test_graphviz_reads_back_every_box_and_arrow(drawn: Drawn) -> None:
    graph, drawing = AGraph(string=dot(drawn)), drawing_of(drawn)
    notes = {f"note_{number}" for number in range(1, len(drawing.notes) + 1)}
    assert set(graph.nodes()) == {box.id for box in drawing.boxes} | notes
    assert sorted(graph.edges()) == sorted((arrow.source, arrow.target) for arrow in drawing.arrows)


def test_several_triggers_stand_on_lines_of_one_label() -> None:
    graph = AGraph(string=dot(Door))
    assert graph.get_edge("shut", "gone").attr["label"] == r" unlock [check key_is_named] \l replace \l"


def test_a_final_state_has_two_borders_and_the_initial_one_an_arrow_from_a_dot() -> None:
    graph = AGraph(string=dot(Door))
    assert graph.get_node("end_state").attr["peripheries"] == "2"
    assert graph.has_edge("start", "shut")
    assert graph.get_node("start").attr["shape"] == "circle"


def test_quotes_in_a_sentence_stay_quotes() -> None:
    graph = AGraph(string=dot(Lighting))
    assert '"at home"' in graph.get_node("rule_1").attr["label"]


@pytest.mark.parametrize(("drawn", "direction"), [(Door, "LR"), (Negotiation, "TB"), (Lighting, "TB")])
def test_few_states_read_from_left_to_right_and_many_downwards(drawn: Drawn, direction: str) -> None:
    graph = AGraph(string=dot(drawn))
    assert graph.graph_attr["rankdir"] == direction


def test_an_answer_stands_beside_its_question() -> None:
    assert "{ rank=same; rule_1; off; }" in dot(Lighting)


@pytest.mark.parametrize("drawn", EVERY)
def test_the_text_is_the_same_each_time(drawn: Drawn) -> None:
    assert dot(drawn) == dot(drawn)
