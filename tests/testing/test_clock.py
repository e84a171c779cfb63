"""The clock that is set by hand."""

from __future__ import annotations

import pytest

from fsm_rtc.engine import Entry, Journal, Started
from fsm_rtc.machines.signaling_link import SignalingLink
from fsm_rtc.testing import ManualClock


def test_it_goes_only_when_it_is_told_to() -> None:
    clock = ManualClock(10.0)
    assert (clock(), clock()) == (10.0, 10.0)
    clock.advance(2.5)
    clock.advance(0)
    assert clock() == 12.5


def test_it_never_goes_back() -> None:
    clock = ManualClock()
    with pytest.raises(ValueError, match=r"back by 0\.5 seconds"):
        clock.advance(-0.5)
    assert clock() == 0.0


def test_a_journal_takes_its_times_from_it() -> None:
    clock = ManualClock()
    journal = Journal(clock)
    link = SignalingLink()
    journal.watch(link, "link")
    clock.advance(3)
    link.on_connected()
    started, entry = journal
    assert isinstance(started, Started)
    assert isinstance(entry, Entry)
    assert (started.time, entry.time) == (0.0, 3.0)
