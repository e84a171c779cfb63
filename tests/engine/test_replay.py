"""Replay: what a machine did agrees with its table, and what it can't have done does not."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Chart, Entry, Journal, Observed, On, Record, Row, adopt, stay
from fsm_rtc.engine.replay import Replayed, replay
from fsm_rtc.errors import InvalidModificationError, JournalError, Reason


class State(StrEnum):
    """The states of both charts."""

    IDLE = "idle"
    BUSY = "busy"
    AWAY = "away"
    DONE = "done"


IDLE, BUSY, AWAY, DONE = State
LIVE = (IDLE, BUSY, AWAY)


def even(context: object, number: int) -> bool:
    """The number must be even."""
    return number % 2 == 0


def small(context: object, number: int) -> bool:
    """The number must be small."""
    return number < 5


def positive(context: object, number: int) -> bool:
    """The number must be positive."""
    return number >= 0


class Worker(Chart[State, None]):
    """Every kind of row."""

    initial = IDLE
    final = frozenset({DONE})

    take = On(
        Row(IDLE, BUSY, when=(even, small)),
        Row(IDLE, AWAY, when=(even,)),
        Row((AWAY, BUSY), BUSY, when=(small,), first="drop"),
        checks=(positive,),
        error=InvalidModificationError,
    )
    drop = On(Row(BUSY, IDLE), Row(AWAY, IDLE))
    sort = On(Row(IDLE, BUSY, when=(even,)), Row(IDLE, AWAY))
    wait = On(stay(IDLE, BUSY))
    pause = On(Row(AWAY, IDLE))
    leave = On(Row(IDLE, AWAY), Row(BUSY, AWAY, first="pause"))
    hide = On(Row(BUSY, AWAY, first="pause"), Row(BUSY, IDLE))
    finish = On(Row(LIVE, DONE), idempotent=True)


class Follower(Observed[State, None]):
    """An observed machine."""

    initial = IDLE
    on_busy = On(Row(IDLE, BUSY))
    on_away = On(Row(BUSY, AWAY))
    on_done = On(Row(AWAY, DONE))
    on_desync = adopt(LIVE, (IDLE, BUSY, DONE))


CHARTS: dict[str, type[Chart[Any, Any]]] = {"Worker": Worker, "Follower": Follower}


class Ticks:
    """A clock that counts its readings."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def worked(*events: tuple[str, int]) -> list[Record]:
    journal = Journal(Ticks())
    worker = Worker(generation=3)
    journal.watch(worker, "worker")
    for trigger, number in events:
        worker.fire(trigger, number)
    return list(journal)


def judged(records: list[Record]) -> Replayed:
    return replay(records, CHARTS)


def faults(records: list[Record]) -> list[str]:
    return [f"{one.line}: {one.message}" for one in judged(records).mismatches]


def changed(records: list[Record], place: int, **fields: object) -> list[Record]:
    return [replace(one, **fields) if index == place else one for index, one in enumerate(records)]  # type: ignore[arg-type]


events = st.tuples(st.sampled_from(sorted(Worker.chart.triggers)), st.integers(-2, 8))


@given(st.lists(st.tuples(events, st.sampled_from([None, 3, 2])), max_size=20))
def test_whatever_a_machine_did_agrees_with_its_table(fired: list[tuple[tuple[str, int], int | None]]) -> None:
    journal = Journal(Ticks())
    worker = Worker(generation=3)
    journal.watch(worker, "worker")
    for (trigger, number), generation in fired:
        worker.fire(trigger, number, generation=generation)
    result = replay(journal, CHARTS)
    assert result.mismatches == ()
    (walk,) = result.walks
    assert (walk.state, walk.accepted, walk.rejected) == (worker.state.value, journal.accepted, journal.rejected)


reports = st.sampled_from([*(state.value for state in State), "odd", "Busy", "desync"])


@given(st.lists(st.tuples(reports, st.sampled_from([None, 0, 7])), max_size=12))
def test_whatever_was_reported_to_an_observed_machine_agrees_too(reported: list[tuple[str, int | None]]) -> None:
    journal = Journal(Ticks())
    follower = Follower()
    journal.watch(follower, "follower")
    for value, generation in reported:
        if value == "desync":
            follower.fire("on_desync", BUSY, generation=generation)
        else:
            follower.report(value, generation=generation)
    assert replay(journal, CHARTS).mismatches == ()


@given(st.lists(events, min_size=1, max_size=12), st.data())
def test_a_changed_target_never_agrees(fired: list[tuple[str, int]], data: st.DataObject) -> None:
    records = worked(*fired)
    moves = [index for index, one in enumerate(records) if isinstance(one, Entry) and one.accepted]
    if not moves:
        return
    place = data.draw(st.sampled_from(moves))
    entry = records[place]
    assert isinstance(entry, Entry)
    others = [
        state.value
        for state in State
        if state.value != entry.target
        and not any(
            state is row.target and tuple(guard.__name__ for guard in row.when) == entry.guards
            for row in Worker.chart.triggers[entry.trigger].rows
        )
    ]
    assert not judged(changed(records, place, target=data.draw(st.sampled_from(others)))).agrees


def test_two_labels_walk_apart() -> None:
    journal = Journal(Ticks())
    worker, follower = Worker(), Follower()
    journal.watch(worker, "a.worker")
    journal.watch(follower, "a.follower")
    worker.fire("take", 2)
    follower.on_busy()
    worker.finish()
    assert [(walk.label, walk.machine, walk.state) for walk in replay(journal, CHARTS).walks] == [
        ("a.worker", "Worker", "done"),
        ("a.follower", "Follower", "busy"),
    ]


def test_a_label_that_starts_again_begins_a_new_walk() -> None:
    records = [*worked(("take", 2)), *worked(("leave", 0))]
    result = judged(records)
    assert result.agrees
    (walk,) = result.walks
    assert (walk.accepted, walk.state) == (2, "away")


def test_a_walk_begins_where_the_machine_was() -> None:
    journal = Journal(Ticks())
    worker = Worker(state=AWAY)
    journal.watch(worker, "worker")
    worker.drop()
    assert replay(journal, CHARTS).agrees


def test_a_lost_event_is_noticed_by_the_next_one() -> None:
    records = worked(("take", 2), ("drop", 0), ("take", 2))
    assert faults([*records[:2], *records[3:]]) == [
        "3: take from 'idle' to 'busy' [even and small]: the walk is in 'busy'"
    ]


def test_a_row_that_is_no_longer_there_is_a_mismatch() -> None:
    class Lazy(Worker):
        drop = On(Row(AWAY, IDLE))

    result = replay(worked(("take", 2), ("drop", 0)), {"Worker": Lazy}, despite_changes=True)
    assert "3: drop from 'busy' to 'idle': the event is one of Worker, but worker is a Lazy" in [
        f"{one.line}: {one.message}" for one in result.mismatches
    ]


def narrower() -> type[Chart[Any, Any]]:
    class Lazier(Worker):
        drop = On(Row(AWAY, IDLE))

    return renamed(Lazier)


def renamed(chart: type[Chart[Any, Any]]) -> type[Chart[Any, Any]]:
    """The chart under the name of the one that it changes, as after an edit."""
    edited: type[Chart[Any, Any]] = types.new_class("Worker", (chart,), {}, lambda body: body.update(initial=IDLE))
    return edited


def test_a_changed_chart_is_refused_unless_one_goes_on_despite_it() -> None:
    records = worked(("take", 2), ("drop", 0))
    with pytest.raises(JournalError, match=r"line 1: Worker has changed .* --despite-changes"):
        replay(records, {"Worker": narrower()})
    result = replay(records, {"Worker": narrower()}, despite_changes=True)
    assert [one.message for one in result.mismatches] == ["drop from 'busy' to 'idle': the table has no such row"]


def test_after_a_mismatch_the_walk_goes_on_where_the_record_says() -> None:
    records = worked(("take", 2), ("drop", 0), ("wait", 0))
    result = replay(records, {"Worker": narrower()}, despite_changes=True)
    assert [one.line for one in result.mismatches] == [3]
    assert result.walks[0].state == "idle"


def test_a_machine_without_chart_is_told_with_the_option_that_gives_it() -> None:
    with pytest.raises(JournalError, match="line 1: no chart is known for machine 'Worker'; give it with --chart"):
        replay(worked(), {})


def test_an_event_of_a_label_that_never_started_is_told() -> None:
    with pytest.raises(JournalError, match="line 1: an event of 'worker', which never started"):
        judged(worked(("take", 2))[1:])


def test_guards_that_would_have_taken_an_earlier_row_are_a_mismatch() -> None:
    records = worked(("take", 8))
    assert judged(records).agrees
    (fault,) = faults(changed(records, 1, target="busy"))
    assert fault.endswith("an earlier row takes it: idle -> away [even]")


def test_a_row_with_an_implicit_first_needs_that_event_directly_before() -> None:
    records = worked(("take", 2), ("take", 3))
    assert [one.trigger for one in records if isinstance(one, Entry)] == ["take", "drop", "take"]
    assert judged(records).agrees
    waited = worked(("wait", 0))[1]
    assert not judged([*records[:3], waited, records[3]]).agrees


def test_a_row_with_an_implicit_first_is_not_taken_without_it() -> None:
    records = worked(("take", 2), ("take", 3))
    (fault,) = faults([*records[:2], changed(records, 3, source="busy")[3]])
    assert fault == "3: take from 'busy' to 'busy' [small]: the table has no such row"


REFUSED = [
    (("take", -2), Reason.CHECK),
    (("take", 3), Reason.GUARD),
    (("drop", 0), Reason.NO_ROW),
]


@pytest.mark.parametrize(("event", "reason"), REFUSED)
@pytest.mark.parametrize("claimed", list(Reason))
def test_a_refusal_agrees_only_with_the_reason_that_the_table_gives(
    event: tuple[str, int], reason: Reason, claimed: Reason
) -> None:
    records = worked(event)
    assert isinstance(records[1], Entry)
    assert records[1].reason == reason
    possible = claimed in (reason, Reason.STALE)
    assert judged(changed(records, 1, reason=claimed.value)).agrees == possible


def refusals() -> Iterator[tuple[list[Record], str]]:
    yield changed(worked(("take", 3)), 1, guard="odd"), "has no guard odd"
    yield changed(worked(("take", -2)), 1, guard="negative"), "take has no check negative"
    yield changed(worked(("drop", 0)), 1, trigger="fly"), "Worker has no such trigger"
    yield changed(worked(("drop", 0)), 1, trigger="wait"), "the table has a row: idle, busy -> stays"
    yield changed(worked(("take", 2), ("leave", 0)), 2, first="drop"), "has no implicit drop"
    yield changed(worked(("take", 2), ("leave", 0)), 2, reason="closed"), "refuses it because: no row"
    yield changed(worked(("drop", 0)), 1, trigger="fly", reason="unknown report"), "Worker follows no reports"
    yield changed(worked(("drop", 0)), 1, first="wait"), "has no implicit wait"
    yield changed(worked(("finish", 0), ("finish", 0)), 2, trigger="take"), "refuses it because: closed"
    yield changed(worked(("finish", 0), ("take", 2)), 2, trigger="finish"), "refuses it because: already there"


@pytest.mark.parametrize(("records", "fault"), list(refusals()))
def test_a_refusal_that_the_table_can_not_give_is_a_mismatch(records: list[Record], fault: str) -> None:
    (found,) = faults(records)
    assert fault in found


def test_a_row_that_nothing_can_refuse_was_not_refused() -> None:
    refused = changed(worked(("take", 3)), 1, trigger="sort")
    assert faults(refused) == [
        "2: sort rejected in 'idle', guard refused (even): nothing can refuse the row idle -> away"
    ]


def test_a_row_behind_one_with_a_refused_first_was_not_refused() -> None:
    refused = changed(worked(("take", 2), ("leave", 0)), 2, trigger="hide")
    assert faults(refused) == [
        "3: hide rejected in 'busy' by its implicit pause, no row: nothing can refuse the row busy -> idle"
    ]


def test_mismatches_come_in_the_order_of_the_journal() -> None:
    journal = Journal(Ticks())
    one, two = Worker(), Worker()
    journal.watch(one, "one")
    journal.watch(two, "two")
    for worker in (two, one, two):
        worker.wait()
    records = [replace(record, trigger="fly") if isinstance(record, Entry) else record for record in journal]
    assert [(mismatch.line, mismatch.label) for mismatch in judged(records).mismatches] == [
        (3, "two"),
        (4, "one"),
        (5, "two"),
    ]


def test_a_start_in_a_state_that_the_chart_has_not_is_a_mismatch() -> None:
    (fault,) = faults(changed(worked(), 0, state="lost"))
    assert fault == "1: it started in 'lost', which is no state of Worker"
