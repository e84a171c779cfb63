"""What an inspector knows of every machine."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_rtc.engine import Entry, Started
from fsm_rtc.inspector import ChartBook, index
from fsm_rtc.inspector.index import Index, IndexChanges
from fsm_rtc.machines.session import Session
from tests.inspector.watched_machines import journal_of, rejecting

DIGEST = Session.chart.digest


def taken(records: Any, *, history: int | None = None) -> tuple[Index, IndexChanges]:
    known, changes = Index(ChartBook(), history=history), IndexChanges()
    for record in records:
        known.take(record, changes)
    return known, changes


def session(label: str, state: str = "joined") -> Started:
    return Started(1.0, label, "Session", DIGEST, 0, state)


def test_a_machine_stands_where_its_last_accepted_event_led() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    link.on_connected()
    link.on_connected()
    known, changes = taken(journal)
    number, label, connection, chart, digest, generation, state, accepted, rejected, last = known.machines()[0]
    assert (number, label, connection, chart) == (1, "offerer.signaling_link", "offerer", "SignalingLink")
    assert (digest, generation, state) == (type(link).chart.digest, 0, "Connected")
    assert accepted + rejected == 2
    assert last == (1, 2.0, 0, "on_connected", "Disconnected", "Connected", ())
    assert [row[3] for row in changes.rows] == [None, "on_connected", "on_connected"]


def test_a_rejected_event_has_its_reason_and_leaves_the_state() -> None:
    journal, _ = journal_of()
    rejecting(journal, "offerer.negotiation")
    known, changes = taken(journal)
    assert changes.rows[1][3:] == ("set_remote_answer", "stable", None, None, "no row", None)
    assert known.machines()[0][6:] == ("stable", 0, 1, None)


def test_its_chart_is_told_once() -> None:
    journal, _ = journal_of("a.signaling_link", "b.signaling_link")
    known, changes = taken(journal)
    assert [words["name"] for words in changes.charts.values()] == ["SignalingLink"]
    assert known.charts() == changes.charts


def test_a_machine_whose_beginning_is_forgotten_is_known_by_its_charts_name() -> None:
    entry = Entry(2.0, "room.1.session.1", "Session", 0, "on_link_lost", True, "joined", "in grace")
    known, changes = taken([entry])
    assert [(row[4], row[6]) for row in known.machines()] == [(DIGEST, "in grace")]
    assert [row[6] for row in changes.machines] == ["joined"]


def test_a_label_that_is_used_again_is_the_same_machine_begun_anew() -> None:
    lost = Entry(2.0, "room.1.session.1", "Session", 0, "on_link_lost", True, "joined", "in grace")
    known, changes = taken([session("room.1.session.1"), lost, session("room.1.session.1")])
    assert [(row[0], row[6], row[9]) for row in known.machines()] == [(1, "joined", None)]
    assert len(changes.machines) == 1


def test_a_label_that_comes_with_another_chart_is_told_again() -> None:
    other = Started(2.0, "room.1.session.1", "Door", "f" * 16, 0, "open")
    known, changes = taken([session("room.1.session.1"), other])
    assert [(row[0], row[3], row[4]) for row in known.machines()] == [(1, "Door", "f" * 16)]
    assert len(changes.machines) == 2


def test_a_chart_that_nobody_knows_has_no_words() -> None:
    known, changes = taken([Started(1.0, "mine.door", "Door", "f" * 16, 0, "open")])
    assert (changes.charts, known.charts()) == ({}, {})


def test_the_latest_records_are_kept_and_all_are_counted() -> None:
    known, _ = taken([session(f"room.{number}.session.1") for number in range(5)], history=2)
    assert (known.total, len(known.rows())) == (5, 2)


def test_of_too_many_connections_those_that_are_over_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_CONNECTIONS", 10)
    sessions = [session(f"room.{number}.session.1", "gone" if number == 7 else "joined") for number in range(11)]
    known, changes = taken(sessions)
    assert changes.gone == ["room.7"]
    assert len(known.machines()) == 10


def test_if_none_is_over_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_CONNECTIONS", 10)
    _, changes = taken([session(f"room.{number}.session.1") for number in range(12)])
    assert changes.gone == ["room.0", "room.1"]
