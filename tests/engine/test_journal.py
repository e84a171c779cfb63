"""Journal: what is recorded, what is kept, what is told to whom, and what never stands in a line."""

from __future__ import annotations

import json
import logging
import weakref

import pytest

from fsm_rtc.engine import Dropped, Entry, Journal, Record, Started
from fsm_rtc.engine.replay import replay
from fsm_rtc.machines.signaling_link import SignalingLink
from fsm_rtc.testing import ManualClock
from tests.engine.door_chart import Door, House

SECRET = "a=candidate:1 1 udp 1 192.0.2.77 9 typ host"


class Ticks:
    """A clock that goes on by one second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def watched(capacity: int = 100) -> tuple[Journal, Door]:
    journal = Journal(Ticks(), capacity=capacity)
    door = Door(House(), generation=4)
    journal.watch(door, "front")
    return journal, door


def test_watching_begins_with_where_the_machine_is() -> None:
    journal, _ = watched()
    assert list(journal) == [Started(1.0, "front", "Door", Door.chart.digest, 4, "open")]
    assert journal.entries() == ()


def test_an_accepted_event_is_recorded_with_its_guards() -> None:
    journal, door = watched()
    door.lock(1)
    assert journal.entries() == (
        Entry(2.0, "front", "Door", 4, "shut", True, "open", "shut"),
        Entry(3.0, "front", "Door", 4, "lock", True, "shut", "locked", guards=("key_fits",)),
    )


def test_a_rejected_event_is_recorded_with_its_reason() -> None:
    journal, door = watched()
    door.lock(2)
    door.lock(1)
    door.slam()
    refused, _, _, first = journal.entries()
    assert refused == Entry(
        2.0, "front", "Door", 4, "lock", False, "open", "open", reason="guard refused", guard="key_fits"
    )
    assert (first.trigger, first.reason, first.first) == ("slam", "no row", "shut")


def test_what_was_rejected_is_counted_by_machine_trigger_and_why() -> None:
    journal, door = watched()
    back = Door(House())
    journal.watch(back, "back")
    door.lock(2)
    door.lock(2)
    back.lock(2)
    link = SignalingLink()
    journal.watch(link, "link")
    link.on_connected()
    assert not link.on_connected()  # it is: that changes nothing, and is no rejection to tell of
    door.lock(1)
    door.slam()
    assert journal.rejections() == {"Door lock: key_fits": 3, "Door slam: no row": 1}
    assert journal.rejections("back") == {"Door lock: key_fits": 1}


def test_it_counts_also_what_it_no_longer_keeps() -> None:
    journal, door = watched(capacity=3)
    for _ in range(5):
        door.toggle(None)
        door.unlock(1)
    assert (journal.accepted, journal.rejected) == (5, 5)
    assert len(journal) == 3
    assert [entry.time for entry in journal.entries()] == [9.0, 10.0, 11.0]


def test_several_machines_are_told_apart() -> None:
    journal, door = watched()
    back = Door(House())
    unwatch = journal.watch(back, "back")
    door.shut()
    back.remove(None)
    unwatch()
    unwatch()
    back.shut()
    assert [entry.trigger for entry in journal.entries("back")] == ["remove"]
    assert journal.states() == {"front": "shut", "back": "gone"}


def test_lines_are_json_without_what_is_empty() -> None:
    journal, door = watched()
    door.shut()
    door.shut()
    started, accepted, rejected = (json.loads(line) for line in journal.lines())
    assert started["record"] == "started"
    assert accepted == {
        "record": "event",
        "time": 2.0,
        "label": "front",
        "machine": "Door",
        "generation": 4,
        "trigger": "shut",
        "accepted": True,
        "source": "open",
        "target": "shut",
    }
    assert rejected["reason"] == "already there"
    assert "guard" not in rejected


def test_a_payload_is_never_in_a_line() -> None:
    journal, door = watched()
    door.toggle(SECRET)
    door.fire("knock", SECRET)
    door.fire("remove", SECRET)
    door.fire("open", SECRET)
    assert len(list(journal.lines())) == 5
    assert SECRET not in "".join(journal.lines())


def test_a_listener_hears_each_record_until_it_is_unsubscribed() -> None:
    journal, door = watched()
    heard: list[Record] = []
    unsubscribe = journal.subscribe(heard.append)
    door.shut()
    journal.watch(Door(House()), "back")
    assert heard == list(journal)[1:]
    unsubscribe()
    door.open(None)
    assert len(heard) == 2


def test_the_same_listener_twice_is_two_subscriptions() -> None:
    journal, door = watched()
    heard: list[Record] = []
    listener = heard.append
    unsubscribe = journal.subscribe(listener)
    journal.subscribe(listener)
    door.shut()
    unsubscribe()
    unsubscribe()
    door.open(None)
    assert len(heard) == 3


def test_a_listener_that_raises_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    journal, door = watched()
    heard: list[object] = []

    def broken(record: object) -> None:
        raise LookupError("broken listener")

    journal.subscribe(broken)
    journal.subscribe(heard.append)
    with caplog.at_level(logging.ERROR, "fsm_rtc.engine"):
        assert door.remove(SECRET)
        journal.watch(Door(House()), "back")
    assert len(heard) == 2
    assert len(journal) == 3
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert SECRET not in caplog.text


def test_it_may_be_read_while_it_is_written() -> None:
    journal, door = watched()
    door.shut()
    seen = []
    for record in journal:
        door.toggle(None)
        seen.append(record)
    assert len(seen) == 2


def test_who_is_watched_is_known_when_its_records_are_dropped() -> None:
    journal, door = watched(capacity=2)
    started = Started(1.0, "front", "Door", Door.chart.digest, 4, "open")
    assert journal.present() == ((started, None),)
    door.shut()
    (last,) = journal.entries("front")
    door.shut()
    for _ in range(2):
        journal.watch(SignalingLink(), "link")()
    assert journal.entries("front") == ()
    assert journal.present() == ((started, last),)


def test_who_is_watched_no_longer_is_not_present() -> None:
    journal = Journal(Ticks())
    stop = journal.watch(Door(House()), "front")
    again = journal.watch(Door(House()), "front")
    stop()
    assert [started.time for started, _ in journal.present()] == [2.0]
    again()
    assert journal.present() == ()


def test_if_nobody_says_that_machines_are_gone_the_oldest_are_forgotten() -> None:
    journal = Journal(Ticks(), capacity=3)
    for number in range(5):
        journal.watch(SignalingLink(), f"link.{number}")
    assert [started.label for started, _ in journal.present()] == ["link.2", "link.3", "link.4"]


def test_of_the_last_event_of_who_is_watched_no_payload_is_kept() -> None:
    journal, door = watched(capacity=2)
    payload = House()
    door.fire("shut", payload)
    for _ in range(2):
        journal.watch(SignalingLink(), "link")
    gone = weakref.ref(payload)
    del payload
    assert journal.present()[0][1] is not None
    assert gone() is None


def test_no_payload_is_kept_of_what_was_accepted_or_refused() -> None:
    class Key(float):
        """One that can be referred to weakly."""

    journal, door = watched()
    keys = [Key(1), Key(2)]
    gone = [weakref.ref(key) for key in keys]
    for key in keys:
        door.fire("lock", key)
    assert [one.accepted for one in journal.entries()] == [True, True, False]
    keys.clear()
    del key
    assert [one() for one in gone] == [None, None]


def test_what_was_dropped_stands_in_the_journal_without_payload() -> None:
    clock = ManualClock(7.0)
    journal = Journal(clock)
    door = Door(House(), generation=3)
    journal.watch(door, "door")
    journal.drop(door, "door", "Creak")
    assert list(journal)[1:] == [Dropped(7.0, "door", "Door", 3, "open", "Creak")]
    assert json.loads(list(journal.lines())[1]) == {
        "record": "dropped",
        "time": 7.0,
        "label": "door",
        "machine": "Door",
        "generation": 3,
        "state": "open",
        "request": "Creak",
    }
    assert journal.states() == {"door": "open"}
    assert replay(journal, {"Door": Door}).walks[0].accepted == 0
