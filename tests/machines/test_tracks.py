"""A local track as a source, against docs/media.md, and the other side's track, against webrtc-pc."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.remote_track import (
    UNHEARD,
    FireMute,
    FireUnmute,
    Listen,
    ListenNoLonger,
    RemoteTrackState,
    RemoteTrackStatus,
)
from fsm_rtc.machines.track_source import TrackSource, TrackSourceState
from tests.machines.handwritten_tables import asked, triggers_of, written

SOURCE = """
           idle     reading  failed   ended
begin      reading  =        reading  closed
on_failed  -        failed   -        closed
on_ended   ended    ended    ended    closed
"""

REMOTE = """
                 muted  live   ended
on_packet        live   -      closed
on_bye           -      muted  closed
on_silence       -      muted  closed
on_disconnected  -      muted  closed
on_removed       -      muted  closed
end              ended  ended  closed
"""


def test_every_cell_of_a_source_is_as_documented() -> None:
    assert asked(TrackSource, triggers_of(SOURCE)) == written(SOURCE)
    assert {*TrackSource.chart.triggers} == {*triggers_of(SOURCE)}


def test_every_cell_of_a_remote_track_is_as_the_specification_has_it() -> None:
    assert asked(RemoteTrackStatus, triggers_of(REMOTE)) == written(REMOTE)
    assert {*RemoteTrackStatus.chart.triggers} == {*triggers_of(REMOTE)}


@pytest.mark.parametrize("state", RemoteTrackState)
@pytest.mark.parametrize("trigger", triggers_of(REMOTE))
def test_muting_and_unmuting_are_told_and_silence_is_looked_for_while_it_is_live(
    state: RemoteTrackState, trigger: str
) -> None:
    outcome = RemoteTrackStatus(state=state).fire(trigger)
    expected: list[type] = []
    if isinstance(outcome, Accepted):
        expected += [ListenNoLonger] if outcome.source is RemoteTrackState.LIVE else []
        told: dict[RemoteTrackState, list[type]] = {
            RemoteTrackState.LIVE: [Listen, FireUnmute],
            RemoteTrackState.MUTED: [FireMute],
        }
        expected += told.get(RemoteTrackState(outcome.target.value), [])
    effects = outcome.effects if isinstance(outcome, Accepted) else ()
    assert [type(effect) for effect in effects] == expected


def test_it_counts_as_muted_but_while_it_is_live() -> None:
    assert {*RemoteTrackState} - UNHEARD == {RemoteTrackState.LIVE}


def test_where_they_begin_and_end() -> None:
    assert TrackSource().state is TrackSourceState.IDLE
    assert TrackSource.final == {TrackSourceState.ENDED}
    assert RemoteTrackStatus().state is RemoteTrackState.MUTED
    assert RemoteTrackStatus.final == {RemoteTrackState.ENDED}


@given(st.lists(st.sampled_from(triggers_of(REMOTE))))
def test_a_remote_track_is_live_just_when_the_last_that_happened_was_a_packet(events: list[str]) -> None:
    track = RemoteTrackStatus()
    for event in events:
        track.fire(event)
    before_the_end = events[: events.index("end")] if "end" in events else events
    if "end" in events:
        assert track.state is RemoteTrackState.ENDED
    else:
        heard = bool(before_the_end) and before_the_end[-1] == "on_packet"
        assert (track.state is RemoteTrackState.LIVE) is heard
