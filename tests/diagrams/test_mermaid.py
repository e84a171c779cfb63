"""Mermaid: the text of a small chart, and its form for every chart."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fsm_rtc.diagrams import mermaid
from fsm_rtc.engine import Chart, Derived
from fsm_rtc.machines.negotiation import Negotiation, NegotiationJsep
from tests.diagrams.sample_charts import Door, Light, Lighting

DOOR = """\
---
title: Door
---
stateDiagram-v2
    direction LR
    state "shut" as shut
    state "wide-open" as wide_open
    state "Shut" as gone
    state "end" as end_state
    [*] --> shut
    shut --> shut: shut
    shut --> wide_open: unlock [check key_is_named and has_key] / ring_bell
    shut --> gone: unlock [check key_is_named]<br/>replace
    shut --> end_state: demolish
    wide_open --> shut: shut
    wide_open --> gone: replace after shut
    wide_open --> end_state: demolish
    gone --> shut: restore
    gone --> end_state: demolish
    end_state --> [*]
    note right of shut
        use stands for
        unlock in shut
        shut in wide-open
    end note
"""

LIGHTING = """\
---
title: Lighting
---
flowchart TB
    start(( ))
    rule_1{"1. nobody is #quot;at home#quot;#59; not even the cat"}
    rule_2{"2. fewer than three are at home"}
    off(["off"])
    dim(["dim"])
    on(["on"])
    start --> rule_1
    rule_1 -->|"yes"| off
    rule_1 -->|"no"| rule_2
    rule_2 -->|"yes"| dim
    rule_2 -->|"no"| on
"""

ID = r"[a-z_][a-z0-9_]*"
STATE_LINES = (
    r"    direction (LR|TB)",
    rf'    state "[^"]+" as {ID}',
    rf"    \[\*\] --> {ID}",
    rf"    {ID} --> \[\*\]",
    rf"    {ID} --> {ID}: [^:;#\"]+",
    rf"    note right of {ID}",
    r"        [^;\"]+",
    r"    end note",
)


def test_the_text_of_a_small_chart() -> None:
    assert mermaid(Door) == DOOR


def test_the_text_of_a_small_table_of_rules() -> None:
    assert mermaid(Lighting) == LIGHTING


@pytest.mark.parametrize("chart", [Door, Light, Negotiation, NegotiationJsep])
def test_every_line_has_a_form_that_mermaid_knows(chart: type[Chart[Any, Any]]) -> None:
    head, body = mermaid(chart).split("stateDiagram-v2\n")
    assert head == f"---\ntitle: {chart.__name__}\n---\n"
    for line in body.splitlines():
        assert any(re.fullmatch(form, line) for form in STATE_LINES), line


@pytest.mark.parametrize("chart", [Door, Light, Negotiation])
def test_every_id_is_declared_before_it_is_used(chart: type[Chart[Any, Any]]) -> None:
    text = mermaid(chart)
    declared = set(re.findall(rf'state "[^"]+" as ({ID})', text))
    used = {end for pair in re.findall(rf"    ({ID}) --> ({ID})", text) for end in pair}
    assert used <= declared
    assert len(declared) == len(chart.chart.states)


@pytest.mark.parametrize("drawn", [Door, Lighting])
def test_the_text_is_the_same_each_time(drawn: type[Chart[Any, Any]] | type[Derived[Any, Any]]) -> None:
    assert mermaid(drawn) == mermaid(drawn)
