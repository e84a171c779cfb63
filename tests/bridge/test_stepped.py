"""on_transitions and chart_class: the same chart, stepped by the library."""

from __future__ import annotations

import copy
import gc
import subprocess
import sys
import weakref
from enum import StrEnum

import pytest
import transitions

from fsm_rtc.bridge import chart_class, on_transitions
from fsm_rtc.engine import Accepted, Chart, Journal, Observed, On, Row, adopt
from fsm_rtc.errors import InvalidModificationError, Reason, Rejected, UnknownEngineError
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, Creak, Door, House

pytestmark = pytest.mark.live

SteppedDoor = on_transitions(Door)


def test_it_is_the_chart_by_name_type_and_table() -> None:
    door = SteppedDoor(House())
    assert isinstance(door, Door)
    assert type(door).__name__ == "Door"
    assert type(door).__qualname__ == Door.__qualname__
    assert type(door).__module__ == Door.__module__
    assert door.chart.name == "Door"
    assert door.chart.digest == Door.chart.digest
    assert repr(door) == "<Door 'open'>"


def test_a_class_is_made_once() -> None:
    assert on_transitions(Door) is SteppedDoor
    assert on_transitions(SteppedDoor) is SteppedDoor


def test_a_profile_has_a_class_of_its_own() -> None:
    class SlidingDoor(Door):
        shut = On(Row((OPEN, LOCKED), SHUT))

    assert on_transitions(SlidingDoor) is not SteppedDoor
    assert on_transitions(SlidingDoor)(House(), state=LOCKED).shut()
    assert not SteppedDoor(House(), state=LOCKED).shut()


def test_a_forgotten_chart_is_forgotten_with_its_class() -> None:
    def make() -> weakref.ref[type]:
        class Brief(Chart[StrEnum, None]):
            initial = OPEN
            end = On(Row(OPEN, SHUT), Row(SHUT, LOCKED), Row(LOCKED, GONE))

        on_transitions(Brief)().end()
        return weakref.ref(Brief)

    gone = make()
    gc.collect()
    assert gone() is None


def test_the_library_moves_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[object] = []
    whole = transitions.Machine.set_state

    def set_state(self: transitions.Machine, state: str, model: object = None) -> None:
        moved.append(state)
        whole(self, state, model)

    monkeypatch.setattr(transitions.Machine, "set_state", set_state)
    door = SteppedDoor(House())
    door.shut()
    door.lock(1)
    assert moved == ["SHUT", "LOCKED"]
    assert door.state is LOCKED


def test_an_implicit_first_transition_is_an_event_of_its_own() -> None:
    door = SteppedDoor(House())
    seen: list[object] = []
    door.observe(lambda machine, outcome: seen.append((repr(outcome), machine.state)))
    outcome = door.lock(1)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == ("click", Creak(1))
    assert seen == [
        ("Accepted(Door: open --shut--> shut)", SHUT),
        ("Accepted(Door: shut --lock--> locked)", LOCKED),
    ]


def test_the_first_transitions_requests_come_first() -> None:
    class Creaking(Door):
        shut = On(Row(OPEN, SHUT, then=(lambda_free_creak,)))

    outcome = on_transitions(Creaking)(House()).lock(1)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == ("shutting", "click", Creak(1))


def lambda_free_creak(context: House, event: object) -> str:
    """Say so."""
    return "shutting"


def test_a_refused_check_names_the_error() -> None:
    outcome = SteppedDoor(House()).lock(-1)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.guard, outcome.error) == (Reason.CHECK, "key_is_positive", InvalidModificationError)


def test_where_there_is_no_row_the_checks_still_come_first() -> None:
    assert SteppedDoor(House(), state=LOCKED).fire("lock", -1).reason is Reason.CHECK  # type: ignore[union-attr]
    assert SteppedDoor(House(), state=LOCKED).fire("lock", 1).reason is Reason.NO_ROW  # type: ignore[union-attr]


def test_permits_asks_and_moves_nothing() -> None:
    door = SteppedDoor(House(), state=LOCKED)
    row = door.permits("unlock", 2)
    assert isinstance(row, Row)
    assert row.target is OPEN
    assert door.state is LOCKED
    refusal = SteppedDoor(House(somebody_in=True), state=LOCKED).permits("unlock", 2)
    assert isinstance(refusal, Rejected)
    assert refusal.guard == "key_fits"


def test_an_event_of_another_generation_is_stale() -> None:
    outcome = SteppedDoor(House(), generation=2).fire("shut", generation=1)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.STALE


def test_what_raises_changes_nothing() -> None:
    door = SteppedDoor(House(), state=LOCKED)
    with pytest.raises(ZeroDivisionError, match="torn"):
        door.jam()
    assert door.state is LOCKED
    assert door.unlock(1)


def test_the_journal_says_the_same_for_both_engines() -> None:
    lines = []
    for engine in ("compiled", "transitions"):
        journal = Journal(lambda: 0.0)
        door = chart_class(Door, engine)(House())
        journal.watch(door, "door")
        for _ in range(2):
            door.lock(1)
        door.remove(None)
        lines.append(list(journal.lines()))
    assert lines[0] == lines[1]
    assert len(lines[0]) == 5


def test_reports_are_stepped_too() -> None:
    class Watched(Observed[StrEnum, None]):
        initial = OPEN
        on_shut = On(Row(OPEN, SHUT))
        on_locked = On(Row(SHUT, LOCKED))
        on_gone = On(Row(LOCKED, GONE))
        on_desync = adopt((OPEN, SHUT), (LOCKED,))

    machine = on_transitions(Watched)()
    assert machine.report("shut")
    assert not machine.report("open")
    assert machine.report("ajar").reason is Reason.UNKNOWN_REPORT  # type: ignore[union-attr]
    assert machine.on_desync(LOCKED)
    assert machine.state is LOCKED


def test_a_machine_stays_small_and_is_not_copied() -> None:
    door = SteppedDoor(House())
    assert not hasattr(door, "__dict__")
    with pytest.raises(TypeError, match="can't be copied"):
        copy.copy(door)


def test_chart_class_chooses_by_name() -> None:
    assert chart_class(Door, "compiled") is Door
    assert chart_class(Door, "transitions") is SteppedDoor
    with pytest.raises(UnknownEngineError, match="no engine 'turbo'; choose 'compiled' or 'transitions'"):
        chart_class(Door, "turbo")


def test_importing_the_bridge_does_not_load_the_library() -> None:
    code = (
        "import sys; from fsm_rtc.bridge import chart_class; from fsm_rtc.machines.negotiation import Negotiation as N;"
        "chart_class(N, 'compiled'); assert 'transitions' not in sys.modules;"
        "chart_class(N, 'transitions'); assert 'transitions' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
