"""MessageChannel: a call's messages over one data channel after the other. Channels in memory; time takes no time."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from fsm_rtc.connection.delivery.frames import (
    CHANNEL_PROTOCOL,
    Acknowledged,
    Pong,
    StreamBegin,
    StreamPing,
    decode_frame,
    encode_control,
)
from fsm_rtc.connection.delivery.message_channel import ACKNOWLEDGE_WITHIN_SECONDS, MessageChannel
from fsm_rtc.connection.delivery.message_store import MessageStore
from fsm_rtc.connection.delivery.messages import Messages
from fsm_rtc.connection.delivery.reliable_stream import MAX_UNACKNOWLEDGED_MESSAGES
from fsm_rtc.errors import ChannelClosedError
from fsm_rtc.machines.data_channel import Channel, Flow, FlowLimits
from fsm_rtc.peer import ChannelOptions, DataChannel
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.testing.fake_backend import FakeBackend, FakeChannel, FakeNetwork
from tests.instant_loop import instantly

NUMBERED = ChannelOptions(protocol=CHANNEL_PROTOCOL)


class Side:
    """One side's messages; `library` is what stands behind its present data channel."""

    def __init__(self, name: str, *, store: MessageStore | None = None, is_shared: bool = False) -> None:
        self.name = name
        self.machines = MachineSet(name, generation=0, engine="compiled", journal=None)
        self.messages = Messages()
        self.link = MessageChannel(self.machines, self.messages, store, is_shared=is_shared)
        self.heard: list[str | bytes] = []
        self.frames: list[str | bytes] = []
        self.library: FakeChannel

    def listen(self) -> None:
        self.messages.on_message(self.heard.append)

    def give(self, library: FakeChannel) -> DataChannel:
        """A data channel, followed as a call follows its own."""
        self.library = library
        channel = DataChannel(library, Channel(None), Flow(FlowLimits()))
        channel.on("statechange", lambda: self.follow(channel))
        self.link.follow(channel)
        channel.on("message", self._received)
        return channel

    def follow(self, channel: DataChannel) -> None:
        if self.link.channel is channel:
            self.link.follow(channel)

    def _received(self, frame: str | bytes) -> None:
        self.frames.append(frame)
        self.link.received(frame)

    @property
    def pongs(self) -> int:
        return sum(isinstance(decode_frame(frame), Pong) for frame in self.frames)

    @property
    def control_frames(self) -> int:
        return sum(isinstance(frame, bytes) for frame in self.frames)


class Pair:
    """Two sides that talk to each other; a channel between them when it is given."""

    def __init__(self) -> None:
        self.a, self.b = Side("a"), Side("b")
        for side, other in ((self.a, self.b), (self.b, self.a)):
            side.link.begin(other.name)
            side.listen()

    def channel(self, options: ChannelOptions = NUMBERED) -> None:
        """A new data channel; it isn't open yet."""
        owner = FakeBackend(FakeNetwork())
        here = FakeChannel(owner, "secure-channel", options, None)
        there = FakeChannel(owner, "secure-channel", options, here)
        here.peer = there
        self.a.give(here)
        self.b.give(there)

    def open(self) -> None:
        for side in (self.a, self.b):
            side.library.tell_opened()

    def lose(self) -> None:
        """The channel is lost, with what is on its way."""
        for side in (self.a, self.b):
            side.library.lose()

    async def connected(self, options: ChannelOptions = NUMBERED) -> Pair:
        self.channel(options)
        self.open()
        await turns()
        return self


async def turns(count: int = 20) -> None:
    """Let arrive what was sent."""
    for _ in range(count):
        await asyncio.sleep(0)


# Before there is a channel.


@instantly
async def test_before_there_is_a_channel_nothing_can_be_sent_and_nobody_waits() -> None:
    side = Pair().a
    with pytest.raises(ChannelClosedError, match="no data channel yet"):
        side.link.send("too soon")
    assert not side.link.is_ready
    assert not side.link.is_numbered
    assert not side.link.is_congested
    await side.link.drained()
    await side.link.finish("nobody hears it", 2.0)
    side.link.ping()


@instantly
async def test_what_the_call_of_another_run_is_given_waits_for_its_channel() -> None:
    pair = Pair()
    pair.a.link.go_on("b")
    pair.a.link.send("early")
    assert not pair.a.link.is_ready
    await pair.connected()
    assert pair.b.heard == ["early"]
    assert pair.a.link.is_ready


@instantly
async def test_a_channel_that_is_connecting_carries_nothing_yet() -> None:
    pair = Pair()
    pair.channel()
    with pytest.raises(ChannelClosedError):
        pair.a.link.send("too soon")
    await turns()
    assert pair.b.frames == []


@instantly
async def test_it_is_ready_when_both_sides_have_greeted_and_not_before() -> None:
    pair = Pair()
    pair.channel()
    pair.a.library.tell_opened()
    ready = [pair.a.link.is_ready]
    pair.a.link.send("behind the greeting")
    await turns()
    assert pair.b.heard == []
    pair.b.library.tell_opened()
    await turns()
    ready += [side.link.is_ready for side in (pair.a, pair.b)]
    assert ready == [False, True, True]
    assert pair.b.heard == ["behind the greeting"]


@instantly
async def test_a_channel_without_the_protocol_is_ready_when_it_is_open_and_carries_messages_as_they_are() -> None:
    pair = Pair()
    pair.channel(ChannelOptions())
    with pytest.raises(ChannelClosedError):
        pair.a.link.send("too soon")
    pair.open()
    assert pair.a.link.is_ready
    pair.a.link.send("hello")
    pair.a.link.send(b"\x01bytes")
    pair.a.link.ping()
    await turns()
    assert pair.b.frames == pair.b.heard == ["hello", b"\x01bytes"]
    assert not pair.a.link.is_numbered


@instantly
async def test_what_is_no_message_is_refused_before_it_is_taken() -> None:
    pair = await Pair().connected()
    with pytest.raises(TypeError):
        pair.a.link.send(cast("str", 7))
    pair.a.link.send("good")
    await turns()
    assert pair.b.heard == ["good"]


# One channel after the other.


@instantly
async def test_what_a_lost_channel_took_with_it_goes_over_the_next_one_once_and_in_order() -> None:
    pair = await Pair().connected()
    pair.a.link.send("arrives")
    await turns()
    pair.a.link.send("is lost on its way")
    pair.lose()
    assert not pair.a.link.is_ready
    pair.a.link.follow(None)
    pair.b.link.follow(None)
    pair.a.link.send("while there is none")
    await pair.connected()
    assert pair.b.heard == ["arrives", "is lost on its way", "while there is none"]


@instantly
async def test_while_a_lost_channel_is_still_there_messages_wait_for_the_next_one() -> None:
    pair = await Pair().connected()
    pair.lose()
    pair.a.link.send("waits")
    await turns()
    assert pair.b.heard == []
    await pair.connected()
    assert pair.b.heard == ["waits"]


@instantly
async def test_a_frame_that_is_said_again_is_handed_over_once() -> None:
    pair = await Pair().connected()
    pair.a.link.send("once")
    pair.lose()
    await pair.connected()
    pair.lose()
    await pair.connected()
    assert pair.b.heard == ["once"]


@instantly
async def test_the_next_peer_gets_nothing_that_was_meant_for_the_one_before() -> None:
    pair = await Pair().connected()
    pair.lose()
    pair.a.link.send("for b alone")
    pair.a.link.begin("c")
    await pair.connected()
    assert pair.b.heard == []
    pair.a.link.begin("b")
    await pair.connected()
    assert pair.b.heard == ["for b alone"]


@instantly
async def test_to_begin_with_the_same_peer_again_changes_nothing() -> None:
    pair = await Pair().connected()
    pair.a.link.begin("b")
    assert pair.a.link.is_ready


# Acknowledgements, signs of life.


@instantly
async def test_several_messages_are_acknowledged_together_and_soon() -> None:
    pair = await Pair().connected()
    before = pair.a.control_frames
    for number in range(10):
        pair.a.link.send(str(number))
    await turns()
    assert pair.a.control_frames == before
    await asyncio.sleep(ACKNOWLEDGE_WITHIN_SECONDS)
    await turns()
    assert pair.a.control_frames == before + 1


@instantly
async def test_an_acknowledgement_that_is_due_is_forgotten_with_the_call() -> None:
    pair = await Pair().connected()
    pair.a.link.send("hello")
    await turns()
    before = pair.a.control_frames
    pair.b.link.fail()
    await asyncio.sleep(2 * ACKNOWLEDGE_WITHIN_SECONDS)
    await turns()
    assert pair.a.control_frames == before


@instantly
async def test_a_ping_is_answered_and_when_the_peer_was_heard_is_known_of_this_channel_alone() -> None:
    pair = await Pair().connected()
    await asyncio.sleep(5)
    pair.a.link.ping()
    await turns()
    assert pair.a.pongs == 1
    assert pair.a.link.heard_at == asyncio.get_running_loop().time()
    pair.lose()
    assert pair.a.link.heard_at is None


# What isn't in place.


@instantly
async def test_frames_in_the_wrong_order_are_counted_and_the_count_outlives_the_call() -> None:
    pair = await Pair().connected()
    for frame in (encode_control(Acknowledged(7)), encode_control(StreamBegin(0)), b"\x07"):
        pair.b.link.received(frame)
    assert pair.b.heard == []
    refused = pair.b.link.refused
    assert refused == {"was_sent": 1, "leaves_no_gap": 1, "unknown type": 1}
    pair.b.link.fail()
    assert pair.b.link.refused == refused


# Waiting.


@instantly
async def test_a_sender_waits_while_too_much_is_unacknowledged_and_goes_on_with_the_acknowledgement() -> None:
    pair = await Pair().connected()
    pair.a.library.peer = None  # nothing arrives
    for number in range(MAX_UNACKNOWLEDGED_MESSAGES):
        pair.a.link.send(str(number))
    assert pair.a.link.is_congested
    waiting = asyncio.create_task(pair.a.link.drained())
    await turns()
    assert not waiting.done()
    await pair.connected()
    await asyncio.sleep(ACKNOWLEDGE_WITHIN_SECONDS)
    await waiting
    assert not pair.a.link.is_congested


@instantly
async def test_a_sender_that_is_cancelled_while_it_waits_leaves_the_others_waiting() -> None:
    pair = await Pair().connected(ChannelOptions())
    pair.a.library.buffered_amount = FlowLimits().high_bytes
    pair.a.link.send("fills it")
    assert pair.a.link.is_congested
    first, second = (asyncio.create_task(pair.a.link.drained()) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    assert first.cancelled()
    assert not second.done()
    pair.a.library.buffered_amount = 0
    assert pair.a.link.channel is not None
    pair.a.link.channel.drained()
    await second


@instantly
async def test_who_waits_to_send_is_let_go_of_when_the_call_is_over() -> None:
    pair = await Pair().connected()
    pair.a.library.peer = None
    for number in range(MAX_UNACKNOWLEDGED_MESSAGES):
        pair.a.link.send(str(number))
    waiting = asyncio.create_task(pair.a.link.drained())
    await turns()
    pair.a.link.end()
    await waiting


@instantly
async def test_while_the_channel_is_congested_messages_wait_and_go_when_it_is_clear() -> None:
    pair = await Pair().connected()
    pair.a.library.buffered_amount = FlowLimits().high_bytes
    for number in range(3):
        pair.a.link.send(str(number))
    await turns()
    assert pair.b.heard == ["0"]  # the one that told that so much waits
    pair.a.library.buffered_amount = 0
    assert pair.a.link.channel is not None
    pair.a.link.channel.drained()
    await turns()
    assert pair.b.heard == ["0", "1", "2"]


# Its end.


@instantly
async def test_finishing_sends_what_waits_and_the_goodbye_behind_it() -> None:
    pair = await Pair().connected()
    pair.a.library.buffered_amount = FlowLimits().high_bytes
    for word in ("last", "words"):
        pair.a.link.send(word)
    finishing = asyncio.create_task(pair.a.link.finish("good night", 2.0))
    await turns()
    assert not finishing.done()
    pair.a.library.buffered_amount = 0
    assert pair.a.link.channel is not None
    pair.a.link.channel.drained()
    await finishing
    await turns()
    assert pair.b.heard == ["last", "words"]
    assert pair.b.link.goodbye is not None
    assert (pair.b.link.goodbye.reason, pair.b.link.goodbye.failed) == ("good night", False)


@instantly
async def test_finishing_does_not_wait_for_a_channel_that_is_lost_meanwhile() -> None:
    pair = await Pair().connected()
    pair.a.library.buffered_amount = FlowLimits().high_bytes
    for word in ("last", "words"):
        pair.a.link.send(word)
    finishing = asyncio.create_task(pair.a.link.finish("good night", 2.0))
    await turns()
    pair.lose()
    await finishing


class Narrow(FakeChannel):
    """One that takes a message at a time, and tells each time that there is room for one more."""

    def send(self, data: str | bytes) -> None:
        super().send(data)
        self.buffered_amount = FlowLimits().high_bytes


def narrowed(side: Side) -> None:
    side.library.__class__ = Narrow
    side.library.buffered_amount = FlowLimits().high_bytes


@instantly
async def test_finishing_goes_on_while_something_goes_out_however_slowly() -> None:
    pair = await Pair().connected()
    narrowed(pair.a)
    for number in range(6):
        pair.a.link.send(f"{number}")
    channel = pair.a.link.channel
    assert channel is not None
    finishing = asyncio.create_task(pair.a.link.finish("good night", 2.0))
    while not finishing.done():
        await asyncio.sleep(1.5)
        pair.a.library.buffered_amount = 0
        channel.drained()
    await finishing
    channel.drained()
    await turns()
    assert pair.b.heard == [f"{number}" for number in range(6)]
    assert pair.b.link.goodbye is not None


@instantly
async def test_finishing_ends_when_nothing_goes_out_any_more() -> None:
    pair = await Pair().connected()
    narrowed(pair.a)
    for number in range(6):
        pair.a.link.send(f"{number}")
    with pytest.raises(TimeoutError):
        await pair.a.link.finish("good night", 2.0)
    assert asyncio.get_running_loop().time() < 3


@instantly
async def test_who_waits_for_delivery_waits_until_the_peer_is_done_with_all() -> None:
    pair = await Pair().connected()
    await pair.a.link.delivered()
    deliveries = pair.b.messages.deliveries(10)
    for number in range(2):
        pair.a.link.send(f"{number}")
    waiting = asyncio.create_task(pair.a.link.delivered())
    first = await anext(deliveries)
    await turns()
    assert not waiting.done()
    first.ack()
    (await anext(deliveries)).ack()
    await waiting
    assert pair.a.link.is_ready


@pytest.mark.parametrize("ends", [True, False])
def test_who_waits_for_delivery_is_told_that_the_call_has_ended(ends: bool) -> None:
    @instantly
    async def end() -> None:
        pair = await Pair().connected()
        pair.lose()
        pair.a.link.send("never confirmed")
        waiting = asyncio.create_task(pair.a.link.delivered())
        await turns()
        if ends:
            pair.a.link.end()
        else:
            pair.a.link.fail()
        with pytest.raises(ChannelClosedError, match="not confirmed"):
            await waiting

    end()


@instantly
async def test_a_message_that_the_peer_would_not_take_is_refused_before_it_counts() -> None:
    pair = await Pair().connected()
    pair.a.library.max_message_bytes = 100
    for too_long in ("x" * 101, b"x" * 100):
        with pytest.raises(ValueError, match="send at most 100 bytes"):
            pair.a.link.send(too_long)
    pair.a.link.send("x" * 100)
    pair.a.link.send(b"x" * 99)
    await turns()
    await pair.a.link.delivered()
    assert [len(message) for message in pair.b.heard] == [100, 99]


@instantly
async def test_a_message_that_another_run_of_the_peer_does_not_take_stops_the_channel() -> None:
    pair = await Pair().connected()
    pair.lose()
    pair.a.link.send("x" * 101)
    pair.channel()
    pair.a.library.max_message_bytes = 100
    pair.open()
    await turns()
    assert pair.b.heard == []
    assert not pair.a.link.is_ready


@instantly
async def test_a_call_that_fails_keeps_what_was_not_delivered_and_one_that_ends_drops_it() -> None:
    for ends, arrives in ((False, ["kept"]), (True, [])):
        pair = await Pair().connected()
        pair.lose()
        pair.a.link.send("kept")
        if ends:
            pair.a.link.end()
        else:
            pair.a.link.fail()
        pair.a.link.begin("b")
        await pair.connected()
        assert pair.b.heard == arrives


@instantly
async def test_to_end_or_fail_twice_and_in_either_order_is_to_do_it_once() -> None:
    pair = await Pair().connected()
    for stop in (pair.a.link.fail, pair.a.link.end, pair.a.link.fail, pair.a.link.end):
        stop()
    assert not pair.a.link.is_ready
    assert pair.a.link.goodbye is None
    assert not pair.a.machines.by_label()
    pair.a.link.say_goodbye("nobody is there")
    await turns()
    assert pair.b.link.goodbye is None


@instantly
async def test_what_nobody_has_read_of_a_call_is_read_in_the_next_one_with_that_peer() -> None:
    store = MessageStore()
    reader = Side("b", store=store, is_shared=True)
    pair = Pair()
    pair.b = reader
    reader.link.begin("a")
    await pair.connected()
    pair.a.link.send("read by nobody yet")
    await turns()
    reader.link.leave_unread()
    pair.lose()
    again = Side("b", store=store, is_shared=True)
    again.link.begin("a")
    again.listen()
    pair.b = again
    await pair.connected()
    assert again.heard == ["read by nobody yet"]


@instantly
async def test_frames_behind_the_end_of_the_call_are_no_messages() -> None:
    pair = await Pair().connected()
    pair.b.link.fail()
    pair.b.link.received(encode_control(StreamPing()))
    assert pair.b.heard == []
