"""SCXML: every chart is valid, and another engine that reads it goes the way that ours goes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from statemachine import StateChart
from statemachine.io.scxml.processor import SCXMLProcessor

from fsm_rtc.diagrams import DiagramError, scxml
from fsm_rtc.diagrams.scxml import scxml_ids
from fsm_rtc.engine import Chart, On, Row, resolves_to, stay
from fsm_rtc.engine.chart_class import ChartMeta
from fsm_rtc.engine.compile import AnyRow
from fsm_rtc.machines import CHARTS
from tests.diagrams.sample_charts import Door, Light, Lighting

ChartClass = type[Chart[Any, Any]]
EVERY: dict[str, ChartClass] = {**CHARTS, "door": Door, "light": Light}
WALKS = 12
STEPS = 30
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("scxml.xsd"))
TAG = "{http://www.w3.org/2005/07/scxml}"


def answering(name: str) -> Callable[[Mapping[str, bool], object], bool]:
    """A guard that says what the context says of it."""

    def answer(context: Mapping[str, bool], event: object) -> bool:
        return context[name]

    answer.__name__ = name
    answer.__doc__ = f"{name} is so."
    return answer


def copied(row: AnyRow) -> AnyRow:
    if row.resolves:
        return resolves_to(row.resolves, *row.sources)
    when = [answering(guard.__name__) for guard in row.when]
    if row.target is None:
        return stay(*row.sources, when=when)
    return Row(row.sources, row.target, when=when, first=row.first)


def asking_the_context(chart: ChartClass) -> ChartClass:
    """The same table, run by our engine, whose guards answer what its context says."""
    triggers = {
        name: On(
            *map(copied, trigger.rows),
            checks=[answering(check.__name__) for check in trigger.checks],
            idempotent=trigger.idempotent,
        )
        for name, trigger in chart.chart.triggers.items()
    }
    body = {"initial": chart.chart.initial, "final": chart.chart.final, **triggers}
    made: Any = ChartMeta(chart.__name__, (Chart,), {"__module__": __name__, "__slots__": (), **body})
    return made  # type: ignore[no-any-return]


def read(name: str) -> Any:
    """The other engine with a chart's document, but for the timers, which it would wait for; `start` makes machines."""
    document = re.sub(r"<(send|cancel) [^>]*/>", "", scxml(EVERY[name]))
    processor: Any = SCXMLProcessor()
    processor.parse_scxml(name, document)
    return processor


def send(machine: Any, event: str, **answers: bool) -> None:
    """The other engine's own `send`: its machines hide it behind an event of that name."""
    unhidden: Any = StateChart.send
    unhidden(machine, event, **answers)


def asked(chart: ChartClass) -> list[str]:
    triggers = chart.chart.triggers.values()
    names = {check.__name__ for trigger in triggers for check in trigger.checks}
    names |= {guard.__name__ for trigger in triggers for row in trigger.rows for guard in row.when}
    return sorted(names)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_document_is_valid(name: str) -> None:
    assert [error.reason for error in SCHEMA.iter_errors(scxml(EVERY[name]))] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('target="suspect"', 'target="nowhere"'),
        ('<state id="suspect"', '<state id="idle"'),
        ('event="on_silence"', 'event="on silence!"'),
        ("cond=", "when="),
        ("<raise event=", "<raise name="),
        (' version="1.0" datamodel', " datamodel"),
        ("<state id=", "<status id="),
        ("<send event=", "<sent event="),
        ('delay="0s"', 'delay="0 seconds"'),
    ],
)
def test_the_schema_finds_what_is_not(right: str, wrong: str) -> None:
    document = scxml(CHARTS["recovery"])
    assert right in document
    broken = document.replace(right, wrong, 1).replace("</state>", "</status>", 1 if "<status" in wrong else 0)
    assert not SCHEMA.is_valid(broken)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_another_engine_goes_where_ours_goes(name: str) -> None:
    chart = EVERY[name]
    ours = asking_the_context(chart)
    ids = scxml_ids(chart.chart)
    processor = read(name)
    chance = random.Random(name)
    for _ in range(WALKS):
        machine, other = ours({}), processor.start()
        for _ in range(STEPS):
            trigger = chance.choice(sorted(chart.chart.triggers))
            answers = {one: chance.random() < 0.7 for one in asked(chart)}
            machine.context = answers
            machine.fire(trigger)
            send(other, trigger, **answers)
            assert [state.id for state in other.configuration] == [ids[machine.state]]
            if machine.is_final:
                break


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_guard_that_nobody_speaks_for_is_not_met(name: str) -> None:
    ours = asking_the_context(EVERY[name])(dict.fromkeys(asked(EVERY[name]), False))
    other = read(name).start()
    for trigger in EVERY[name].chart.triggers:
        ours.fire(trigger)
        send(other, trigger)
    assert [state.id for state in other.configuration] == [scxml_ids(EVERY[name].chart)[ours.state]]


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_document_has_every_state_and_every_effect(name: str) -> None:
    table = EVERY[name].chart
    root = ET.fromstring(scxml(EVERY[name]))
    assert [one.get("id") for one in root] == list(scxml_ids(table).values())
    assert {one.get("id") for one in root.iter(f"{TAG}final")} == {scxml_ids(table)[state] for state in table.final}
    raised = {one.get("event") for one in root.iter(f"{TAG}raise")}
    taken = [row for state in table.states for trigger in table.triggers for row in table.rows(trigger, state)]
    of_states = [effect for by_state in (table.entry, table.exit) for some in by_state.values() for effect in some]
    assert raised == {
        f"effect.{effect.__name__}" for effect in [*(one for row in taken for one in row.then), *of_states]
    }
    delayed = {one.get("event") for one in root.iter(f"{TAG}send")}
    assert delayed == table.timers.keys()


def test_what_is_fired_before_is_asked_and_raised_too() -> None:
    replaced = [line.strip() for line in scxml(Door).splitlines() if 'event="replace"' in line]
    assert replaced == [
        '<transition event="replace" target="gone"/>',
        '<transition event="replace" target="gone"/>',
    ]


def test_a_derived_table_is_refused_in_words() -> None:
    with pytest.raises(DiagramError, match="no transitions of its own"):
        scxml(Lighting)
