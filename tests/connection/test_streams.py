"""Bounded streams: every reader gets everything, a slow one the latest, and all of them end."""

from __future__ import annotations

import asyncio

import pytest

from fsm_rtc.connection.streams import Stream, StreamReader


async def test_every_reader_gets_each_item_from_when_it_began() -> None:
    stream: Stream[int] = Stream("numbers")
    early = stream.reader(10)
    stream.put(1)
    late = stream.reader(10, first=[0])
    stream.put(2)
    stream.end()
    assert [item async for item in early] == [1, 2]
    assert [item async for item in late] == [0, 2]


async def test_a_slow_reader_loses_the_oldest_and_counts_them() -> None:
    stream: Stream[int] = Stream("numbers")
    reader = stream.reader(2)
    for number in range(5):
        stream.put(number)
    stream.end()
    assert reader.dropped == 3
    assert [item async for item in reader] == [3, 4]


async def test_cancelling_a_reader_loses_nothing() -> None:
    stream: Stream[int] = Stream("numbers")
    reader = stream.reader(2)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    stream.put(1)
    assert await anext(reader) == 1


async def test_a_reader_of_a_stream_that_is_over_ends_at_once() -> None:
    stream: Stream[int] = Stream("numbers")
    stream.end()
    assert [item async for item in stream.reader(1)] == []


async def test_readers_can_be_ended_and_the_stream_go_on() -> None:
    stream: Stream[int] = Stream("numbers")
    earlier = stream.reader(1)
    stream.end_readers()
    later = stream.reader(1)
    stream.put(1)
    stream.end()
    assert [item async for item in earlier] == []
    assert [item async for item in later] == [1]


def test_a_reader_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        StreamReader(0)


async def test_who_reads_no_longer_is_let_go_of() -> None:
    stream: Stream[int] = Stream("numbers")
    reader = stream.reader(1)
    assert stream.has_readers
    del reader
    assert not stream.has_readers
