"""A call as a sequence diagram, from its journal."""

from __future__ import annotations

from fsm_rtc.diagrams import sequence_text
from fsm_rtc.engine import Dropped, Entry, Started

CALL: list[Started | Entry] = [
    Started(1.0, "alice.ice", "Ice", "0", 1, "new"),
    Started(1.0, "bob.ice", "Ice", "0", 1, "new"),
    Started(1.0, "alice.dtls", "Dtls", "0", 1, "new"),
    Started(1.0, "bob.sctp", "Sctp", "0", 1, "connecting"),
    Entry(1.25, "alice.ice", "Ice", 1, "on_checking", True, "new", "checking"),
    Entry(1.5, "bob.ice", "Ice", 1, "on_connected", False, "new", "new", reason="guard", guard="is_checking"),
    Entry(1.75, "alice.dtls", "Dtls", 1, "on_connecting", True, "new", "connecting"),
    Entry(2.0, "alice.ice", "Ice", 1, "add", True, "checking", "checking"),
]

TEXT = """\
---
title: A call
---
sequenceDiagram
    box alice
    participant m1 as ice
    participant m2 as dtls
    end
    box bob
    participant m3 as ice
    end
    m1->>m1: 0.250 s on_checking<br/>new → checking
    Note over m3: 0.500 s<br/>rejected on_connected in new: guard (is_checking)
    m2->>m2: 0.750 s on_connecting<br/>new → connecting
    m1->>m1: 1.000 s add<br/>stays checking
    Note over m1,m3: Left out: 1 machine to which nothing happened
"""


def test_each_peers_machines_stand_together_and_rejections_say_why() -> None:
    assert sequence_text(CALL) == TEXT


def test_events_that_change_nothing_go_first_then_the_latest_and_it_is_said() -> None:
    lines = sequence_text(CALL, most_events=2).splitlines()
    assert "add" not in "".join(lines)
    assert "on_connecting" not in "".join(lines)
    assert lines[-1].endswith("1 event accepted without a change of state#59; 1 later event")


def test_machines_beyond_the_bound_are_left_out_with_their_events_and_it_is_said() -> None:
    text = sequence_text(CALL, most_lifelines=1)
    assert "participant m2" not in text
    assert "rejected" not in text
    assert "2 machines beyond the first 1, with all events" in text


def test_the_text_is_the_same_each_time() -> None:
    assert sequence_text(CALL) == sequence_text(iter(CALL))


def test_what_was_dropped_is_a_note() -> None:
    text = sequence_text([*CALL, Dropped(CALL[0].time + 2.0, "alice.ice", "Ice", 1, "checking", "SendCheck")])
    assert "    Note over m1: 2.000 s<br/>dropped SendCheck, in checking\n" in text
