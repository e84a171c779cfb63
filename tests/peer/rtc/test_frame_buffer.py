"""Video frames leave whole, in order and in time, whatever the network does to their packets."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.peer.jsep.frame_buffer import CAPACITY, CLOCK_RATE, PATIENCE_SECONDS, FrameBuffer

PER_FRAME = CLOCK_RATE // 15

sizes = st.lists(st.integers(1, 6), min_size=2, max_size=60)
starts = st.sampled_from((0, 1000, 0xFFF0, 0xFFFF))
clocks = st.sampled_from((0, 5, (1 << 32) - 10 * PER_FRAME))


def packet_of(number: int, frame: int, *, clock: int = 0, ssrc: int = 1) -> RtpPacket:
    packet = RtpPacket(
        payload_type=96,
        sequence_number=number % (1 << 16),
        timestamp=(clock + frame * PER_FRAME) % (1 << 32),
        ssrc=ssrc,
    )
    packet._data = f"{frame}.{number} ".encode()  # type: ignore[attr-defined]
    return packet


def sent(sizes: list[int], start: int = 0, clock: int = 0, first_frame: int = 0) -> tuple[list[RtpPacket], list[bytes]]:
    """The packets of frames of so many packets each, and the frames."""
    packets, frames, number = [], [], start
    for frame, size in enumerate(sizes, first_frame):
        its = [packet_of(number + more, frame, clock=clock) for more in range(size)]
        packets += its
        frames.append(b"".join(one._data for one in its))  # type: ignore[attr-defined]
        number += size
    return packets, frames


def given_by(buffer: FrameBuffer, packets: Iterable[RtpPacket]) -> list[bytes]:
    frames = []
    for packet in packets:
        _, frame = buffer.add(packet)
        frames += [one.data for one in (frame, *buffer.more()) if one is not None]
    return frames


@given(sizes, starts, clocks)
def test_what_comes_in_order_leaves_as_it_does_from_aiortcs_own_buffer(
    sizes: list[int], start: int, clock: int
) -> None:
    packets, frames = sent(sizes, start, clock)
    theirs = JitterBuffer(capacity=CAPACITY, is_video=True)
    found = (theirs.add(packet)[1] for packet in packets)
    assert given_by(FrameBuffer(), packets) == frames[:-1] == [one.data for one in found if one is not None]


@given(sizes, starts, clocks, st.randoms(use_true_random=False))
def test_what_comes_in_another_order_leaves_whole_and_in_order(
    sizes: list[int], start: int, clock: int, random: object
) -> None:
    packets, frames = sent(sizes, start, clock)
    delays = {id(one): index + random.uniform(0, 5) for index, one in enumerate(packets)}  # type: ignore[attr-defined]
    mixed = [packets[0], *sorted(packets[1:], key=lambda one: delays[id(one)])]
    assert given_by(FrameBuffer(), mixed) == frames[:-1]


@given(sizes, starts, clocks, st.data())
def test_behind_a_loss_only_whole_frames_leave_and_nothing_waits_longer_than_it_may(
    sizes: list[int], start: int, clock: int, data: st.DataObject
) -> None:
    packets, frames = sent(sizes, start, clock)
    lost = data.draw(st.sets(st.integers(1, len(packets) - 1)))
    repeated = data.draw(st.sets(st.sampled_from(sorted(lost)))) if lost else set()
    buffer, found = FrameBuffer(), list[bytes]()
    order = [packet for index, packet in enumerate(packets) if index not in lost]
    for index in sorted(repeated):  # never before its first time
        earliest = next((place for place, one in enumerate(order) if packets.index(one) > index), len(order))
        order.insert(data.draw(st.integers(earliest, len(order))), packets[index])
    for number, packet in enumerate(order):
        found += given_by(buffer, [packet])
        newest = max(ticks_of(one, clock) for one in order[: number + 1])
        waiting = [ticks_of(one, clock) for one in buffer._waiting.values()]
        assert newest - min(waiting, default=newest) <= PATIENCE_SECONDS * CLOCK_RATE + 3 * PER_FRAME
    assert set(found) <= set(frames)
    assert found == sorted(found, key=frames.index)
    assert len(set(found)) == len(found)


def ticks_of(packet: RtpPacket, clock: int) -> int:
    return (packet.timestamp - clock) % (1 << 32)


def test_a_lost_packet_is_waited_for_half_a_second_and_a_key_frame_asked_for() -> None:
    packets, frames = sent([1] * 40)
    buffer = FrameBuffer()
    asked: list[int] = []
    found: dict[bytes, int] = {}
    for number, packet in enumerate(packets):
        if number != 5:
            is_lost, frame = buffer.add(packet)
            found |= {one.data: number for one in (frame, *buffer.more()) if one is not None}
            asked += [number] * is_lost
    assert asked == [5 + 1 + 8], "the frame behind it is more than half a second old then"
    assert list(found) == [*frames[:4], *frames[7:-1]], "without the one that lacks its end, and the one that may"
    assert [number - frames.index(frame) for frame, number in found.items()][-20:] == [1] * 20, (
        "as far behind as before"
    )
    assert buffer.passed_over == 1


def test_what_is_repeated_too_late_is_dropped_and_nothing_else_with_it() -> None:
    packets, frames = sent([1] * 400)
    buffer = FrameBuffer()
    found = given_by(buffer, packets[:300])
    found += given_by(buffer, packets[100:250])
    found += given_by(buffer, packets[300:])
    assert found == frames[:-1]


@pytest.mark.parametrize("jump", [2 * CAPACITY, 5_000, 30_000, -200, -30_000])
def test_a_source_that_begins_anew_is_seen_again(jump: int) -> None:
    before, _ = sent([1] * 20, start=40_000)
    behind, frames = sent([1] * (CAPACITY + 50), start=40_000 + jump, first_frame=20 if jump > 0 else 5)
    buffer = FrameBuffer()
    given_by(buffer, before)
    found = given_by(buffer, behind)
    assert found[-40:] == frames[-41:-1]
    if jump > 0:
        assert found == frames[:-1], "at once"


def test_another_source_is_seen_at_once() -> None:
    buffer = FrameBuffer()
    given_by(buffer, sent([1] * 20, start=40_000)[0])
    others = [packet_of(number, number, ssrc=2) for number in range(10)]
    assert len(given_by(buffer, others)) == 9


def test_it_holds_no_more_than_its_capacity() -> None:
    buffer = FrameBuffer()
    for number in range(3 * CAPACITY):
        if number != 1:
            buffer.add(packet_of(number, 0))
            assert len(buffer._waiting) <= CAPACITY
