"""Conversation: messages each once and in order, over channels that are lost at any moment. No channel, no clock."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.connection.delivery import reliable_stream as module
from fsm_rtc.connection.delivery.frames import MAX_DATA_BYTES, Acknowledged, StreamBegin, StreamHello, encode_control
from fsm_rtc.connection.delivery.message_store import PeerMessages
from fsm_rtc.connection.delivery.messages import Delivery
from fsm_rtc.connection.delivery.reliable_stream import ReliableStream
from fsm_rtc.peer.machine_set import MachineSet


class Side:
    """One side, the frames on their way to it, and what it was handed."""

    def __init__(self, name: str, *, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.coming: deque[str | bytes] = deque()
        self.handed: list[Delivery] = []
        self.talk = ReliableStream(
            PeerMessages(f"stream-of-{name}"),
            MachineSet(name, generation=0, engine="compiled", journal=None),
            "deliveries",
            self.take,
            lambda: None,
        )

    def take(self, delivery: Delivery) -> None:
        self.handed.append(delivery)
        if self.acknowledges:
            delivery.ack()

    def is_full(self) -> bool:
        return self.talk.is_full

    @property
    def heard(self) -> list[str | bytes]:
        return [delivery.data for delivery in self.handed]


class Pair:
    """Two sides, and the channel between them, if there is one."""

    def __init__(self, **options: Any) -> None:
        self.a, self.b = Side("a", **options), Side("b", **options)

    def open(self) -> None:
        for side in (self.a, self.b):
            side.talk.channel_open()

    def lose(self) -> None:
        for side in (self.a, self.b):
            side.talk.channel_lost()
            side.coming.clear()

    def carry(self, times: int = 1000) -> None:
        """So many frames, each of the one and then the other."""
        for _ in range(times):
            for side, other in ((self.a, self.b), (self.b, self.a)):
                side.talk.acknowledge()
                other.coming.extend(side.talk.control_frames())
                if (frame := side.talk.next_frame()) is not None:
                    other.coming.append(frame)
                if other.coming:
                    other.talk.received(other.coming.popleft())
            if not (self.a.coming or self.b.coming or self.a.talk.unsent or self.b.talk.unsent):
                return


def test_what_is_sent_before_there_is_a_channel_arrives_when_there_is_one() -> None:
    pair = Pair()
    pair.a.talk.send("one")
    pair.a.talk.send(b"two")
    assert pair.a.talk.next_frame() is None
    pair.open()
    pair.carry()
    assert pair.b.heard == ["one", b"two"]
    assert [delivery.id for delivery in pair.b.handed] == ["stream-of-a.1", "stream-of-a.2"]
    assert pair.a.talk.unacknowledged == 0


@pytest.mark.parametrize("loses", ["a", "b"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_greeting_that_a_stack_loses_is_asked_for_again(loses: str, times: int) -> None:
    """Some lose what is sent as soon as a channel is open: aiortc's issue 1194, node-datachannel's 25."""
    pair = Pair()
    for number in range(times):
        pair.a.talk.send(f"from a, {number}")
        pair.b.talk.send(f"from b, {number}")
        pair.open()
        assert len(list(getattr(pair, loses).talk.control_frames())) == 1
        pair.carry()
        if number + 1 < times:
            pair.lose()
    assert pair.b.heard == [f"from a, {number}" for number in range(times)]
    assert pair.a.heard == [f"from b, {number}" for number in range(times)]
    assert pair.a.talk.unacknowledged == pair.b.talk.unacknowledged == 0


def test_what_was_on_its_way_when_the_channel_was_lost_goes_out_again_and_arrives_once() -> None:
    pair = Pair()
    pair.open()
    pair.carry()
    for number in range(10):
        pair.a.talk.send(f"{number}")
    pair.carry(4)
    assert 0 < len(pair.b.heard) < 10
    pair.lose()
    pair.open()
    pair.carry()
    assert pair.b.heard == [f"{number}" for number in range(10)]
    assert pair.a.talk.refused == pair.b.talk.refused == {}


def test_what_was_handed_over_and_not_acknowledged_is_not_handed_over_again() -> None:
    pair = Pair(acknowledges=False)
    pair.open()
    pair.a.talk.send("once")
    pair.carry()
    pair.lose()
    pair.open()
    pair.carry()
    assert pair.b.heard == ["once"]
    assert pair.a.talk.unacknowledged == 1
    pair.b.handed[0].ack()
    pair.carry()
    assert pair.a.talk.unacknowledged == 0


def test_another_run_of_the_peer_gets_what_its_last_one_had_not_acknowledged_under_the_same_ids() -> None:
    pair = Pair(acknowledges=False)
    pair.open()
    for number in range(4):
        pair.a.talk.send(f"{number}")
    pair.carry()
    pair.b.handed[0].ack()
    pair.carry()
    pair.lose()
    pair.b = Side("b again")
    pair.open()
    pair.carry()
    assert [delivery.id for delivery in pair.b.handed] == [f"stream-of-a.{number}" for number in (2, 3, 4)]
    assert pair.a.talk.unacknowledged == 0


def test_acknowledgements_out_of_turn_wait_for_those_before_them() -> None:
    pair = Pair(acknowledges=False)
    pair.open()
    for number in range(3):
        pair.a.talk.send(f"{number}")
    pair.carry()
    first, second, third = pair.b.handed
    third.ack()
    second.ack()
    pair.carry()
    assert pair.a.talk.unacknowledged == 3
    first.ack()
    first.ack()
    pair.carry()
    assert pair.a.talk.unacknowledged == 0


def test_it_is_full_when_too_much_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNACKNOWLEDGED_MESSAGES", 3)
    monkeypatch.setattr(module, "MAX_UNACKNOWLEDGED_BYTES", 10)
    pair = Pair()
    for _ in range(3):
        assert not pair.a.is_full()
        pair.a.talk.send("x")
    assert pair.a.is_full()
    pair.open()
    pair.carry()
    assert not pair.a.is_full()
    pair.a.talk.send("ten bytes!")
    assert pair.a.is_full()


@pytest.mark.parametrize(
    ("message", "error"),
    [(7, TypeError), ("x" * (MAX_DATA_BYTES + 1), ValueError), ("ü" * (MAX_DATA_BYTES // 2 + 1), ValueError)],
)
def test_what_is_no_message_is_refused_where_it_is_sent(message: Any, error: type[Exception]) -> None:
    pair = Pair()
    with pytest.raises(error):
        pair.a.talk.send(message)
    assert pair.a.talk.sent == 0


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"", "unknown type"),
        (b"\x02", "unknown type"),
        (b"\x01", "wrong shape"),
        (b"\x01{}", "wrong shape"),
        (b'\x01{"type":"ack","number":"1"}', "wrong shape"),
        (b"\x01" + b"[" * 5000, "wrong shape"),
        (b"\x01\xff\xfe", "wrong shape"),
        (encode_control(StreamHello("s", {f"{number}": 1 for number in range(17)})), "oversized"),
        (encode_control(StreamHello("another", {})), "is_the_same_stream"),
        (encode_control(Acknowledged(1)), "was_sent"),
        (encode_control(StreamBegin(5)), "leaves_no_gap"),
        (encode_control(StreamBegin(0)), "leaves_no_gap"),
    ],
)
def test_what_a_peer_may_not_send_is_refused_counted_and_changes_nothing(frame: bytes, why: str) -> None:
    pair = Pair()
    pair.open()
    pair.carry()
    pair.b.talk.send("before")
    pair.carry()
    pair.a.talk.received(frame)
    assert pair.a.talk.refused == {why: 1}
    pair.b.talk.send("behind")
    pair.carry()
    assert pair.a.heard == ["before", "behind"]


def test_a_message_before_the_greeting_or_its_number_is_refused() -> None:
    pair = Pair()
    pair.a.talk.channel_open()
    pair.a.talk.received("too early")
    pair.a.talk.received(encode_control(StreamHello("s", {})))
    pair.a.talk.received("still too early")
    assert pair.a.talk.refused == {"number_is_known": 2}
    assert pair.a.heard == []


def test_a_greeting_that_has_more_than_was_sent_is_refused() -> None:
    pair = Pair()
    pair.a.talk.channel_open()
    pair.a.talk.received(encode_control(StreamHello("s", {"stream-of-a": 1})))
    assert pair.a.talk.refused == {"peer_has_what_was_sent": 1}
    assert not pair.a.talk.is_flowing


@given(st.lists(st.sampled_from(("a", "b", "carry", "carry", "lose", "ack")), max_size=60), st.booleans())
def test_over_any_number_of_channels_each_message_arrives_once_and_in_order(
    steps: list[str], acknowledges: bool
) -> None:
    pair, said = Pair(acknowledges=acknowledges), {"a": [], "b": []}  # type: ignore[var-annotated]
    pair.open()
    for step in steps:
        match step:
            case "a" | "b":
                said[step].append(f"{len(said[step])}")
                getattr(pair, step).talk.send(said[step][-1])
            case "carry":
                pair.carry(1)
            case "lose":
                pair.lose()
                pair.open()
            case "ack":
                for delivery in (*pair.a.handed[::2], *pair.b.handed[1::2]):
                    delivery.ack()
    pair.carry()
    assert pair.b.heard == said["a"]
    assert pair.a.heard == said["b"]
    assert pair.a.talk.refused == pair.b.talk.refused == {}
    for side in (pair.a, pair.b):
        for delivery in side.handed:
            delivery.ack()
    pair.carry()
    assert pair.a.talk.unacknowledged == pair.b.talk.unacknowledged == 0
