"""One reader for each track: who gets which frames, and how it begins and ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack

from fsm_rtc.errors import InvalidStateError
from fsm_rtc.machines.track_source import TrackSourceState
from fsm_rtc.media import Subscription, missed_frames, subscribe
from fsm_rtc.media.pump import Pump
from tests.media.numbered_tracks import AtOnce, Ending, Fed, NextTurn, packet, picture, sound, turns


def pumps() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("fsm_rtc pump")]


@pytest.fixture(autouse=True)
def no_pump_is_left() -> Iterator[None]:
    yield
    gc.collect()


def asking(*subscriptions: Subscription) -> list[asyncio.Task[Any]]:
    return [asyncio.ensure_future(one.recv()) for one in subscriptions]


async def number_of(subscription: Subscription) -> int:
    """The number of its next frame."""
    frame: Any = await subscription.recv()
    return int(frame.pts) // 3000


async def numbers_of(*tasks: asyncio.Task[Any]) -> list[int]:
    return [frame.pts // 3000 for frame in await asyncio.gather(*tasks)]


# Who gets what.


async def test_each_subscriber_gets_every_frame_as_a_frame_of_its_own() -> None:
    track = Fed()
    readers = [subscribe(track) for _ in range(3)]
    for number in range(5):
        asked = asking(*readers)
        await turns()
        track.feed(picture(number))
        frames = await asyncio.gather(*asked)
        assert [frame.pts for frame in frames] == [number * 3000] * 3
        assert len({id(frame) for frame in frames}) == 3
        frames[0].pict_type, frames[0].pts = 1, 77
        assert [frame.pts for frame in frames[1:]] == [number * 3000] * 2
        assert [int(frame.pict_type) for frame in frames[1:]] == [0, 0]
    assert track.most_readers == 1
    assert [reader.missed for reader in readers] == [0, 0, 0]
    track.stop()


async def test_a_picture_is_shared_and_sound_is_copied_but_what_the_user_writes_again_is_never_shared() -> None:
    track, again = Fed(), picture(0)
    reader = subscribe(track)
    seen = []
    for number in range(3):
        (asked,) = asking(reader)
        await turns()
        again.pts = number
        again.planes[0].update(bytes([number]) * again.planes[0].buffer_size)
        track.feed(again)
        seen.append(await asked)
    assert [bytes(frame.planes[0])[0] for frame in seen[1:]] == [1, 2]
    assert [frame.pts for frame in seen] == [0, 1, 2]
    track.stop()


async def test_a_slow_one_gets_the_latest_picture_and_is_told_how_many_it_missed() -> None:
    track = Fed()
    slow, quick = subscribe(track), subscribe(track)
    asked = asking(slow, quick)
    await turns()
    track.feed(picture(0))
    assert await numbers_of(*asked) == [0, 0]
    for number in range(1, 40):
        asked = asking(quick)
        await turns()
        track.feed(picture(number))
        assert await numbers_of(*asked) == [number]
    assert await numbers_of(*asking(slow)) == [39]
    assert (slow.missed, quick.missed) == (38, 0)
    assert missed_frames(track) == 38
    slow.stop()
    assert missed_frames(track) == 38
    track.stop()


async def test_one_that_is_late_once_gets_every_picture() -> None:
    track = Fed()
    reader = subscribe(track)
    asked = asking(reader)
    await turns()
    track.feed(*map(picture, range(6)))
    assert await numbers_of(*asked) == [0]
    await turns()
    assert [await number_of(reader) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert reader.missed == 0
    track.stop()


async def test_a_slow_one_misses_the_sound_that_is_older_than_200_ms() -> None:
    track = Fed("audio")
    slow, quick = subscribe(track), subscribe(track)
    asked = asking(slow, quick)
    await turns()
    track.feed(sound(0))
    await asyncio.gather(*asked)
    for number in range(1, 31):
        asked = asking(quick)
        await turns()
        track.feed(sound(number))
        await asyncio.gather(*asked)
    heard = [(await slow.recv()).pts for _ in range(10)]
    assert heard == [number * 960 for number in range(21, 31)]
    assert (slow.missed, quick.missed) == (20, 0)
    track.stop()


async def test_packets_are_taken_from_a_key_frame_on() -> None:
    track = Fed()
    reader = subscribe(track)
    asked = asking(reader)
    await turns()
    track.feed(packet(0), packet(1, key=True), packet(2))
    assert bytes(await asked[0]) == b"1"
    following: Any = await reader.recv()
    assert bytes(following) == b"2"
    assert reader.missed == 1
    track.stop()


async def test_frames_come_from_the_first_that_is_asked_for() -> None:
    track = Fed()
    first, late = subscribe(track), subscribe(track)
    asked = asking(first)
    await turns()
    track.feed(picture(0))
    await asyncio.gather(*asked)
    asked = asking(first, late)
    await turns()
    track.feed(picture(1))
    assert await numbers_of(*asked) == [1, 1]
    assert late.missed == 0
    track.stop()


async def test_a_subscription_can_be_subscribed_to() -> None:
    track = Fed()
    middle = subscribe(track)
    asked = asking(subscribe(middle), subscribe(middle))
    await turns()
    track.feed(picture(4))
    assert await numbers_of(*asked) == [4, 4]
    track.stop()
    await turns()
    assert middle.readyState == "ended"


async def test_two_tasks_may_wait_for_one_subscription() -> None:
    track = Fed()
    reader = subscribe(track)
    asked = asking(reader, reader)
    await turns()
    track.feed(picture(0), picture(1))
    assert sorted(await numbers_of(*asked)) == [0, 1]
    track.stop()


async def test_who_is_cancelled_takes_no_frame_along() -> None:
    track = Fed()
    reader = subscribe(track)
    (asked,) = asking(reader)
    await turns()
    asked.cancel()
    await turns()
    track.feed(picture(0), picture(1))
    await turns()
    assert [await number_of(reader) for _ in range(2)] == [0, 1]
    track.stop()


# How it is read.


async def test_nothing_is_read_before_somebody_asks_and_everything_from_then_on() -> None:
    track = Fed()
    track.feed(*map(picture, range(3)))
    reader = subscribe(track)
    await turns()
    assert track.taken == 0
    await reader.recv()
    reader.stop()
    async with asyncio.timeout(30):
        await track.is_empty.wait()  # a queue that is full is read at the pace of its frames
    assert track.taken == 3
    track.stop()


async def test_a_track_that_keeps_the_wall_clock_is_drained_and_doesnt_burst_after_a_pause() -> None:
    track = VideoStreamTrack()
    reader = subscribe(track)
    before = await number_of(reader)
    reader.stop()
    drained = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, drained.set)
    await drained.wait()
    assert await number_of(subscribe(track)) - before >= 0.25 * 30
    track.stop()


@pytest.mark.parametrize("kind", [AtOnce, NextTurn])
async def test_a_track_that_keeps_no_time_is_read_as_its_reader_asks_and_leaves_the_loop_free(
    kind: type[AtOnce],
) -> None:
    track = kind()
    reader = subscribe(track)
    got = [await number_of(reader) for _ in range(50)]
    assert got == [*range(1, 51)]
    given = track.given
    await turns(500)
    assert track.given - given <= 2
    assert reader.missed == 0
    track.stop()


# How it ends.


async def test_who_waits_is_told_when_the_track_is_stopped_though_its_recv_waits_for_ever() -> None:
    track = Fed()
    reader = subscribe(track)
    (asked,) = asking(reader)
    await turns()
    track.stop()
    with pytest.raises(MediaStreamError):
        await asked
    assert reader.readyState == "ended"
    await turns()
    assert pumps() == []
    assert track.readers == 0


async def test_a_track_may_be_stopped_in_another_thread() -> None:
    track = Fed()
    (asked,) = asking(subscribe(track))
    await turns()
    thread = threading.Thread(target=track.stop)
    thread.start()
    with pytest.raises(MediaStreamError):
        await asked
    thread.join()


async def test_the_frames_before_the_end_are_taken_first() -> None:
    track = Ending([picture(0), picture(1)])
    reader = subscribe(track)
    got = [await number_of(reader) for _ in range(2)]
    with pytest.raises(MediaStreamError):
        await reader.recv()
    assert got == [0, 1]
    with pytest.raises(MediaStreamError):
        await reader.recv()
    with pytest.raises(MediaStreamError):
        await subscribe(track).recv()


async def test_stopping_a_subscription_wakes_it_alone_and_keeps_the_others_and_the_listeners() -> None:
    track = Fed()
    ended: list[str] = []
    track.on("ended", lambda: ended.append("ended"))
    one, other = subscribe(track), subscribe(track)
    asked = asking(one, other)
    await turns()
    one.stop()
    with pytest.raises(MediaStreamError):
        await asked[0]
    track.feed(picture(0))
    assert await numbers_of(asked[1]) == [0]
    assert (track.readyState, ended) == ("live", [])
    track.stop()
    assert ended == ["ended"]


async def test_a_track_that_raises_fails_and_is_tried_again_when_somebody_asks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    track = Fed()
    one = subscribe(track)
    asked = asking(one)
    await turns()
    with caplog.at_level(logging.WARNING, "fsm_rtc.media"):
        track.feed(OSError("the camera was unplugged"))
        await turns()
    assert "the camera was unplugged" in caplog.text
    assert Pump.of(track).source.state is TrackSourceState.FAILED
    assert pumps() == []
    asked += asking(subscribe(track))
    await turns()
    track.feed(picture(0))
    assert await numbers_of(*asked) == [0, 0]
    track.stop()


@pytest.mark.parametrize("nonsense", [None, "a frame", 7])
async def test_what_is_no_frame_lets_the_track_fail_with_a_sentence(
    nonsense: object, caplog: pytest.LogCaptureFixture
) -> None:
    track = Fed()
    asked = asking(subscribe(track))
    await turns()
    track.feed(nonsense)
    await turns()
    assert "give an av frame or packet" in caplog.text
    track.stop()
    with pytest.raises(MediaStreamError):
        await asked[0]


async def test_a_pump_that_was_cancelled_with_everything_else_begins_anew() -> None:
    track = Fed()
    reader = subscribe(track)
    (asked,) = asking(reader)
    await turns()
    for task in pumps():
        task.cancel()
    await turns()
    asked.cancel()
    (asked,) = asking(reader)
    await turns()
    track.feed(picture(3))
    assert await numbers_of(asked) == [3]
    track.stop()


# Whose it is.


async def test_a_track_that_nobody_knows_any_more_is_gone_with_its_pump_though_its_recv_waits() -> None:
    track = Fed()
    reader = subscribe(track)
    (asked,) = asking(reader)
    await turns()
    track.feed(picture(0))
    await asked
    await turns()
    gone = weakref.ref(track)
    reader.stop()
    del track, reader, asked
    gc.collect()
    await turns()
    assert gone() is None
    assert pumps() == []


async def test_a_track_that_keeps_the_wall_clock_is_gone_too() -> None:
    track = VideoStreamTrack()
    reader = subscribe(track)
    await reader.recv()
    gone = asyncio.Event()
    weakref.finalize(track, gone.set)
    reader.stop()
    del track, reader
    async with asyncio.timeout(30):
        await gone.wait()
    await turns()
    assert pumps() == []


async def test_a_subscription_that_is_dropped_is_not_served() -> None:
    track = Fed()
    keeps, dropped = subscribe(track), subscribe(track)
    asked = asking(keeps, dropped)
    await turns()
    track.feed(picture(0))
    await asyncio.gather(*asked)
    gone = weakref.ref(dropped)
    del dropped, asked
    gc.collect()
    assert gone() is None
    track.stop()


def test_a_track_may_be_used_in_one_loop_after_another() -> None:
    track = Fed()

    async def use(number: int) -> int:
        (asked,) = asking(subscribe(track))
        await turns()
        track.frames = asyncio.Queue()
        asked.cancel()
        for task in pumps():
            task.cancel()
        await turns()
        track.feed(picture(number))
        return await number_of(subscribe(track))

    assert [asyncio.run(use(number)) for number in range(2)] == [0, 1]


async def test_two_running_loops_at_once_are_refused() -> None:
    track = Fed()
    (asked,) = asking(subscribe(track))
    await turns()
    refused: list[Exception] = []

    async def elsewhere() -> None:
        try:
            await subscribe(track).recv()
        except InvalidStateError as error:
            refused.append(error)

    await asyncio.to_thread(asyncio.run, elsewhere())
    assert "one track for each loop" in str(refused[0])
    track.stop()
    with pytest.raises(MediaStreamError):
        await asked


async def test_a_track_whose_class_compares_its_tracks_by_value_is_read_like_any_other() -> None:
    class Equal(Fed):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    one, other = Equal(), Equal()
    asked = asking(subscribe(one), subscribe(other))
    await turns()
    one.feed(picture(1))
    other.feed(picture(2))
    assert await numbers_of(*asked) == [1, 2]
    one.stop()
    other.stop()
