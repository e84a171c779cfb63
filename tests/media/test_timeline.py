"""The time of one sender: it goes on, whatever the frames' own time does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.media.timeline import Timeline

VIDEO = 90_000


def placed(*frames: tuple[int | None, float], rate: int = VIDEO, lasts: int = 0) -> list[int]:
    """Where frames of (ticks, seconds of the clock) stand."""
    timeline = Timeline(rate)
    return [timeline.place(ticks, lasts, now) for ticks, now in frames]


def test_it_begins_at_0_and_keeps_the_distances() -> None:
    assert placed((5000, 9.0), (8000, 9.03), (11_500, 9.2)) == [0, 3000, 6500]


def test_another_track_goes_on_where_the_clock_is() -> None:
    timeline = Timeline(VIDEO)
    before = [timeline.place(ticks, 0, 1 + ticks / VIDEO) for ticks in (900_000, 903_000)]
    timeline.break_off()
    after = [timeline.place(ticks, 0, 13 + ticks / VIDEO) for ticks in (0, 3000)]
    assert before == [0, 3000]
    assert after[0] - before[1] == int((13 - (1 + 903_000 / VIDEO)) * VIDEO)
    assert after[1] - after[0] == 3000


def test_a_file_that_begins_anew_goes_on() -> None:
    assert placed((0, 0.0), (3000, 0.033), (0, 0.066), (3000, 0.1)) == [0, 3000, 5970, 8970]


def test_the_same_time_twice_is_not_sent_twice() -> None:
    first, second = placed((0, 0.0), (0, 0.0))
    assert second > first


def test_frames_without_a_time_go_by_the_clock() -> None:
    assert placed((None, 0.0), (None, 0.5), (None, 1.0)) == [0, 45_000, 90_000]


def test_a_leap_that_the_clock_doesnt_know_is_no_time() -> None:
    assert placed((0, 0.0), (1 << 40, 0.033)) == [0, 2970]


def test_sound_that_begins_anew_has_no_gap_where_the_loop_was_late_and_has_one_where_it_was_silent() -> None:
    assert placed((960, 0.0), (0, 0.05), rate=48_000, lasts=960) == [0, 960]
    assert placed((960, 0.0), (0, 5.0), rate=48_000, lasts=960) == [0, 240_000]


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-(1 << 50), 1 << 50)), st.floats(0, 100, allow_nan=False), st.booleans()
        )
    )
)
def test_it_never_stands_still_and_never_goes_back(frames: list[tuple[int | None, float, bool]]) -> None:
    timeline, now, last = Timeline(VIDEO), 0.0, -1
    for ticks, passed, is_other in frames:
        now += passed
        if is_other:
            timeline.break_off()
        at = timeline.place(ticks, 0, now)
        assert last < at <= (now + 10 * (len(frames) + 1)) * VIDEO + len(frames)
        last = at
