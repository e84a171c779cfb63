"""A chart with what a journal says of it: counts in the labels, colours that say the same again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest

from fsm_rtc.diagrams import DiagramError, Format, journal_text, machines_in
from fsm_rtc.diagrams.drawing import SHADES
from fsm_rtc.engine import Journal
from tests.diagrams.sample_charts import SHUT, Door, Light, Lighting


@dataclass(frozen=True)
class Keys:
    keys: frozenset[str] = frozenset({"iron"})


def a_day_of_the_door() -> Journal:
    """The front door is unlocked and shut four times, and misused; the back door is replaced."""
    times = iter(range(1000))
    journal = Journal(lambda: float(next(times)))
    front, back = Door(Keys()), Door(Keys(), state=SHUT)
    journal.watch(front, "front.door")
    journal.watch(back, "back.door")
    for _ in range(4):
        front.unlock("iron")
        front.shut()
    front.unlock("")
    front.restore()
    front.restore()
    back.replace()
    return journal


MERMAID = """\
---
title: Door, 12 events, 3 rejected, 2 machines
---
flowchart LR
    start(( ))
    shut(["shut"])
    wide_open(["wide-open"])
    gone(["Shut"])
    end_state(["end"])
    start --> shut
    shut -->|"0× shut"| shut
    shut -->|"4× unlock"| wide_open
    shut -->|"0× unlock<br/>1× replace"| gone
    shut -->|"0× demolish"| end_state
    wide_open -->|"4× shut"| shut
    wide_open -->|"0× replace"| gone
    wide_open -->|"0× demolish"| end_state
    gone -->|"0× restore"| shut
    gone -->|"0× demolish"| end_state
    shut -->|"rejected 2× restore: no row<br/>rejected 1× unlock: check refused, key_is_named"| shut
    linkStyle 1 stroke:#b8c0c8,stroke-dasharray:4
    linkStyle 2 stroke:#0f4f22,stroke-width:4px
    linkStyle 3 stroke:#3b8f57,stroke-width:2px
    linkStyle 4 stroke:#b8c0c8,stroke-dasharray:4
    linkStyle 5 stroke:#0f4f22,stroke-width:4px
    linkStyle 6 stroke:#b8c0c8,stroke-dasharray:4
    linkStyle 7 stroke:#b8c0c8,stroke-dasharray:4
    linkStyle 8 stroke:#b8c0c8,stroke-dasharray:4
    linkStyle 9 stroke:#b8c0c8,stroke-dasharray:4
    linkStyle 10 stroke:#c81e1e,stroke-width:3px
"""


def test_each_edge_has_its_count_and_a_colour_and_rejections_stand_where_they_happened() -> None:
    assert journal_text(Door, Format.MERMAID, a_day_of_the_door()) == MERMAID


@pytest.mark.parametrize("language", [Format.DOT, Format.SVG])
def test_the_other_languages_say_the_same(language: Format) -> None:
    text = journal_text(Door, language, a_day_of_the_door())
    for words in ("4× unlock", "1× replace", "0× demolish", "rejected 2× restore", SHADES[3], "#c81e1e", "#b8c0c8"):
        assert words in text.replace("\N{NO-BREAK SPACE}", " ").replace("&#160;", " "), words


def test_the_text_is_the_same_each_time() -> None:
    assert journal_text(Door, Format.DOT, a_day_of_the_door()) == journal_text(Door, Format.DOT, a_day_of_the_door())


def test_a_way_that_a_note_tells_otherwise_is_drawn_where_it_was_taken() -> None:
    journal = Journal()
    lamp = Light()
    journal.watch(lamp, "lamp")
    lamp.report("on")
    lamp.on_desync(Light.initial.ON)
    text = journal_text(Light, Format.MERMAID, journal)
    assert re.search(r'off -->\|"1× on_desync"\| on_?', text), text


def test_a_journal_without_the_chart_is_told() -> None:
    assert machines_in(a_day_of_the_door()) == {"Door"}
    with pytest.raises(DiagramError, match="the journal has no Light"):
        journal_text(Light, Format.MERMAID, a_day_of_the_door())


def test_a_journal_of_another_version_is_told() -> None:
    records = [replace(one, target="ajar") for one in a_day_of_the_door().entries()]
    with pytest.raises(DiagramError, match="a Door in 'ajar', which is no state of it any longer"):
        journal_text(Door, Format.MERMAID, records)


def test_what_has_no_events_is_refused_in_words() -> None:
    with pytest.raises(DiagramError, match="derived by rules"):
        journal_text(Lighting, Format.MERMAID, a_day_of_the_door())
    with pytest.raises(DiagramError, match="SCXML has no place"):
        journal_text(Door, Format.SCXML, a_day_of_the_door())
