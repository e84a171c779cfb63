"""A log of records that somebody else made."""

from __future__ import annotations

from fsm_rtc.engine import Started
from fsm_rtc.inspector import RecordLog
from fsm_rtc.inspector.source import Record

RECORDS = [Started(float(number), f"machine.{number}", "Door", "0" * 16, 0, "open") for number in range(4)]


def test_it_holds_what_it_was_given_and_what_came() -> None:
    log = RecordLog(RECORDS[:2])
    log.add(RECORDS[2])
    assert list(log) == RECORDS[:3]


def test_the_oldest_go_first() -> None:
    log = RecordLog(RECORDS[:2], capacity=2)
    log.add(RECORDS[2])
    assert list(log) == RECORDS[1:3]


def test_what_is_read_is_of_the_moment_when_reading_began() -> None:
    log = RecordLog(RECORDS[:2])
    reading = iter(log)
    log.add(RECORDS[2])
    assert list(reading) == RECORDS[:2]


def test_whoever_listens_is_told_until_it_has_enough() -> None:
    log, heard = RecordLog(), list[Record]()
    stop = log.subscribe(heard.append)
    log.add(RECORDS[0])
    stop()
    log.add(RECORDS[1])
    assert heard == RECORDS[:1]
