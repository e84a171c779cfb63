"""LiveCall: a connection's parts, and what becomes of what each tells the others. In memory; time takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import pytest

from fsm_rtc.connection.call import LAST_WORDS_SECONDS, LiveCall
from fsm_rtc.connection.channel import LinkDown, LinkUp
from fsm_rtc.connection.delivery.frames import StreamGoodbye, encode_control
from fsm_rtc.connection.events import (
    ConnectionEvent,
    ConnectionStateChanged,
    Ended,
    Joined,
    LossReason,
    Negotiated,
    PeerBusy,
    PeerLost,
    Ready,
    Recovered,
    Recovering,
    SignalingStatusChanged,
)
from fsm_rtc.connection.exchange.requests import ExchangeEnded
from fsm_rtc.connection.options import CallOptions
from fsm_rtc.connection.pipe import PipeChannel, memory_pipe
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.errors import ChannelClosedError, InvalidAccessError, NoUsableAddressError, OperationError, SignalingError
from fsm_rtc.machines.call import CallState
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.data_channel import FlowLimits
from fsm_rtc.machines.recovery import RecoveryState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import EndCode, Identity, Member, MemberJoined, encode
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from fsm_rtc.testing.fake_backend import FakeBackend
from tests.connection.connection_pairs import FIRST, SECOND, Tap
from tests.instant_loop import instantly

PEER = Member("kitchen", SECOND, "bob").introduction


class Side:
    """A live call, all that it told, and the messages that were read of it."""

    def __init__(self, channel: Tap | PipeChannel, identity: Identity, network: FakeNetwork, **options: Any) -> None:
        self.told: list[ConnectionEvent] = []
        self.heard: list[str | bytes] = []
        self.depth = 0
        self.call = LiveCall(
            channel,
            identity,
            CallOptions(
                label=identity.id[:8],
                configuration=Configuration(close_timeout_seconds=0.02),
                peer_connection_factory=partial(FakePeerConnection, network=network),
                clock=asyncio.get_running_loop().time,
                **options,
            ),
            told=self._note,
            together=self._together,
        )
        self.call.messages.on_message(self.heard.append)
        self.together: list[ConnectionEvent] = []

    def _note(self, event: ConnectionEvent) -> None:
        self.told.append(event)
        if self.depth:
            self.together.append(event)

    @contextmanager
    def _together(self) -> Iterator[None]:
        self.depth += 1
        yield
        self.depth -= 1

    def all_told(self, kind: type[ConnectionEvent]) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def library(self) -> FakeBackend:
        """What stands behind its peer connection."""
        assert isinstance(self.call.peer_connection, FakePeerConnection)
        return self.call.peer_connection.library

    async def close(self, *, for_good: bool = True, code: EndCode | None = None) -> None:
        """As a connection closes its call."""
        self.call.life.fire(self.call.machine.end)
        await self.call.aclose("closed", for_good=for_good, code=code)


class Pair:
    """Two sides; the polite one is `a`."""

    def __init__(self, **options: Any) -> None:
        self.network = FakeNetwork()
        self.taps = [Tap(channel) for channel in memory_pipe("kitchen")]
        self.a = Side(self.taps[0], FIRST, self.network, **options)
        self.b = Side(self.taps[1], SECOND, self.network, **options)

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.a, self.b

    async def ready(self) -> None:
        for side in self.sides:
            await side.call.driver.start()
        for side in self.sides:
            await until(side, lambda side=side: side.all_told(Ready))


async def until(side: Side, is_true: Any) -> None:
    """Wait for something that a side tells, or changes."""
    async with asyncio.timeout(600):
        while not is_true():
            side.call.changed.clear()
            await side.call.changed.wait()


@asynccontextmanager
async def pair(**options: Any) -> AsyncIterator[Pair]:
    """Two sides that are ready; afterwards both are closed, and no task is left."""
    made = Pair(**options)
    await made.ready()
    yield made
    for side in made.sides:
        if side.call.is_open:
            await side.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@contextmanager
def unopened(**options: Any) -> Iterator[Side]:
    """A side whose channel was never opened."""
    yield Side(memory_pipe("kitchen")[0], FIRST, FakeNetwork(), **options)


@asynccontextmanager
async def alone_with_a_silent_peer(**options: Any) -> AsyncIterator[Side]:
    """A side whose peer has joined, and says nothing."""
    here, there = memory_pipe("kitchen")
    side = Side(here, FIRST, FakeNetwork(), **options)
    await there.send(encode(MemberJoined(PEER)))
    await side.call.driver.start()
    await until(side, lambda: side.all_told(Joined))
    yield side
    await side.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


# From its beginning to the first message.


@instantly
async def test_what_it_tells_comes_in_the_order_of_a_call() -> None:
    async with pair() as here:
        for side, other in ((here.a, here.b), (here.b, here.a)):
            assert isinstance(side.told[0], SignalingStatusChanged)
            assert side.told[1] == Joined(other.call.driver.me.introduction)
            assert side.told[-1] == Ready()
            states = [event.state for event in side.all_told(ConnectionStateChanged)]
            assert states == [PeerConnectionState.NEW, PeerConnectionState.CONNECTING, PeerConnectionState.CONNECTED]
            assert len(side.all_told(Negotiated)) == len(side.all_told(Ready)) == 1
            assert side.call.recoverer.machine.state is RecoveryState.WATCHING
            assert side.call.failure is None


@instantly
async def test_before_anything_is_told_it_stands_at_the_beginning() -> None:
    with unopened() as side:
        call = side.call
        assert call.is_open
        assert call.peer_connection is None
        assert call.last_end is None
        assert call.failure is None
        assert not call.facts.has_peer
        call.state_changed()
        call.peer_left(PEER)
        call.keep_alive()
        assert not side.all_told(ConnectionStateChanged)
        with pytest.raises(ChannelClosedError):
            call.link.send("too soon")


@instantly
async def test_a_message_before_there_is_a_channel_harms_nothing() -> None:
    with unopened() as side:
        side.call.message_received("before anything")
        assert side.heard == ["before anything"]
        assert side.call.machine.state is CallState.OPEN
        side.call.recoverer.close()


@instantly
async def test_messages_cross_and_a_frame_out_of_place_is_counted() -> None:
    async with pair() as here:
        here.a.call.link.send("hello")
        here.b.call.link.send(b"back")
        await until(here.a, lambda: here.a.heard)
        await until(here.b, lambda: here.b.heard)
        assert (here.a.heard, here.b.heard) == ([b"back"], ["hello"])
        here.a.call.message_received(b"\x07")
        assert here.a.call.refused == {"unknown type": 1}
        assert here.a.call.machine.state is CallState.READY


# The signalling.


@instantly
async def test_a_link_that_goes_and_comes_is_told_and_what_belongs_together_is_told_together() -> None:
    with unopened() as side:
        error = SignalingError("no route")
        side.call.link_changed(LinkUp())
        side.call.link_changed(LinkDown(error, 3.0))
        side.call.link_changed(LinkUp())
        side.call.link_changed(LinkDown(None, 1.0))
        assert side.told == side.together
        assert [(one.status, one.error, one.retry_seconds) for one in side.all_told(SignalingStatusChanged)] == [
            (SignalingStatus.CONNECTED, None, None),
            (SignalingStatus.ERROR, error, 3.0),
            (SignalingStatus.CONNECTED, None, None),
            (SignalingStatus.DISCONNECTED, None, 1.0),
        ]
        assert side.call.failure is None
        assert side.call.life.signaling_error is None


@instantly
async def test_a_signalling_that_is_given_up_is_why_nothing_comes_of_it_until_the_link_stands_again() -> None:
    with unopened() as side:
        error = SignalingError("the room is closed")
        side.call.link_changed(LinkDown(error, None))
        assert side.call.failure is not None
        assert side.call.failure.error is error
        assert not side.call.machine.permits("keep_waiting")
        side.call.link_changed(LinkUp())
        assert side.call.machine.permits("keep_waiting")


@instantly
async def test_a_call_that_is_ready_outlives_its_signalling() -> None:
    async with pair() as here:
        here.a.call.link_changed(LinkDown(SignalingError("gone"), None))
        assert here.a.call.failure is None
        here.a.call.link.send("still here")
        await until(here.b, lambda: here.b.heard)
        here.a.call.link_changed(LinkUp())


# The peer.


@instantly
async def test_a_busy_peer_is_told_once_however_often_it_says_so() -> None:
    async with alone_with_a_silent_peer() as side:
        for _ in range(3):
            side.call.peer_busy(PEER)
        assert side.all_told(PeerBusy) == [PeerBusy(PEER)]
        assert side.call.machine.state is CallState.BUSY


@instantly
async def test_that_a_peer_is_busy_who_is_not_there_is_not_told() -> None:
    with unopened() as side:
        side.call.peer_busy(PEER)
        assert not side.told
        assert side.call.machine.state is CallState.OPEN


@instantly
async def test_a_peer_that_is_not_connected_in_time_ends_the_call_and_it_says_how_far_it_came() -> None:
    async with alone_with_a_silent_peer(recovery=RecoveryPolicy(connect_timeout_seconds=5.0)) as side:
        joined = asyncio.get_running_loop().time()
        assert side.call.facts.has_peer
        await until(side, lambda: side.all_told(Ended))
        assert asyncio.get_running_loop().time() == joined + 5.0
        end = side.all_told(Ended)[-1]
        assert not end.by_peer
        assert end.reason.startswith("not connected within 5 s; ")
        assert side.call.failure is not None
        assert side.call.machine.state is CallState.FAILED


@instantly
async def test_the_peer_of_before_goes_on_with_a_call_that_has_not_begun_and_with_no_other() -> None:
    with unopened() as side:
        assert side.call.peer_back(PEER)
        assert side.told == [Joined(PEER)]
        assert not side.call.peer_back(PEER)
        assert side.told == [Joined(PEER)]
        side.call.recoverer.close()


@instantly
async def test_a_new_session_of_the_peer_is_a_new_call_and_no_end_of_the_one_before() -> None:
    async with pair() as here:
        before = here.a.call.peer_connection
        told = len(here.a.told)
        here.a.call.peer_joined(PEER)
        assert here.a.call.peer_connection is None
        assert before is not None
        assert here.a.call.machine.state is CallState.MET
        assert here.a.call.recoverer.machine.state is RecoveryState.IDLE
        assert not any(isinstance(event, Ended | PeerLost) for event in here.a.told[told:])


@instantly
async def test_a_goodbye_behind_a_failed_exchange_drops_what_was_kept_for_that_peer() -> None:
    with unopened() as side:
        side.call.link.go_on(PEER.id)
        side.call.link.send("kept")
        side.call.link.fail()
        assert side.call.store.of(PEER.id).waiting == 1
        side.call.peer_wants_nothing(PEER)
        assert side.call.store.is_empty


# How it ends.


@instantly
async def test_the_peers_goodbye_ends_the_call_for_both_and_a_reason_is_kept() -> None:
    async with pair() as here:
        await here.a.close()
        await until(here.b, lambda: here.b.all_told(Ended))
        end = here.b.all_told(Ended)[-1]
        assert (end.reason, end.by_peer, end.code) == ("closed", True, EndCode.CLOSED)
        assert here.b.call.last_end == end
        assert here.b.call.failure is not None
        assert here.b.call.failure.is_goodbye
        assert here.b.call.peer_connection is None
        assert here.b.call.recoverer.machine.state is RecoveryState.IDLE


@instantly
async def test_an_exchange_that_is_over_without_a_call_is_told_together_with_its_error() -> None:
    with unopened() as side:
        error = OperationError("made up")
        side.call.failed(error)
        side.call.ended(ExchangeEnded("it failed", by_peer=False, for_good=False, code=None))
        assert side.told == side.together == [Ended("it failed", by_peer=False, error=error)]
        assert side.call.failure is not None
        assert side.call.failure.error is error
        side.call.peer_joined(PEER)
        assert side.call.last_end is None
        side.call.recoverer.close()


@pytest.mark.parametrize("for_good", [True, False])
@instantly
async def test_what_did_not_arrive_is_dropped_by_a_goodbye_and_kept_by_a_leaving(for_good: bool) -> None:
    async with pair() as here:
        here.network.cut()
        here.a.call.link.send("does not arrive")
        await here.a.close(for_good=for_good)
        assert here.a.call.store.of(SECOND.id).waiting == (0 if for_good else 1)


@instantly
async def test_behind_a_failed_call_nothing_can_be_sent_before_the_next_one() -> None:
    async with pair() as here:
        await here.a.close(for_good=False)
        await until(here.b, lambda: here.b.all_told(Ended))
        assert here.b.all_told(Ended)[-1].by_peer
        with pytest.raises(ChannelClosedError):
            here.b.call.link.send("to nobody")


@instantly
async def test_last_words_that_wait_for_the_channel_are_waited_for() -> None:
    async with pair() as here:
        library = here.a.library.channels[0]
        library.buffered_amount = FlowLimits().high_bytes
        for word in ("last", "words"):
            here.a.call.link.send(word)
        closing = asyncio.create_task(here.a.close())
        await asyncio.sleep(LAST_WORDS_SECONDS / 2)
        library.buffered_amount = 0
        assert here.a.call.peers.channel is not None
        here.a.call.peers.channel.drained()
        await closing
        assert here.b.heard == ["last", "words"]


@instantly
async def test_last_words_arrive_before_the_goodbye() -> None:
    async with pair() as here:
        for number in range(100):
            here.a.call.link.send(str(number))
        await here.a.close()
        await until(here.b, lambda: here.b.all_told(Ended))
        assert here.b.heard == [str(number) for number in range(100)]
        assert not here.b.all_told(PeerLost)


@instantly
async def test_closing_does_not_wait_for_ever_for_last_words(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as here:
        here.network.cut()
        here.a.call.link.send("never arrives")
        began = asyncio.get_running_loop().time()
        await here.a.close()
        assert asyncio.get_running_loop().time() - began < 2 * LAST_WORDS_SECONDS + 1
        assert "may not have all that was sent" in caplog.text
        here.network.heal()


@instantly
async def test_closing_twice_closes_once() -> None:
    async with pair() as here:
        await asyncio.gather(here.a.close(), here.a.close())
        assert here.a.call.machine.state is CallState.ENDED
        assert here.a.call.signaling_link.state is SignalingStatus.DISCONNECTED
        told = len(here.a.told)
        await here.a.close()
        assert len(here.a.told) == told


@pytest.mark.parametrize("turns", range(0, 40, 3))
@instantly
async def test_a_closing_that_is_cancelled_leaves_nothing_but_says_goodbye(turns: int) -> None:
    async with pair() as here:
        closing = asyncio.create_task(here.a.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        if here.a.call.is_open:  # it was cancelled before it began
            await here.a.close()
        await here.a.call.driver.aclose()
        await here.a.call.peers.aclose()
        await until(here.b, lambda: here.b.all_told(Ended))
        assert here.b.all_told(Ended)[-1].by_peer


@instantly
async def test_a_call_that_was_never_opened_closes_and_its_readers_end() -> None:
    with unopened() as side:
        events = side.call.events.reader(8)
        await side.close()
        assert [event async for event in events] == side.told
        assert side.call.machine.state is CallState.ENDED
        assert not side.call.is_open


@instantly
async def test_what_comes_while_it_leaves_and_waits_to_be_heard_is_for_the_next_call() -> None:
    async with pair() as here:
        here.network.cut()
        here.a.call.link.send("on its way")
        here.taps[0].down()  # nobody acknowledges that it leaves
        leaving = asyncio.create_task(here.b.close(for_good=False))
        await until(here.b, lambda: here.b.all_told(Ended))
        assert not leaving.done()
        for channel in here.b.library.channels:
            channel.deliver("on its way")  # what was sent before the other side has heard that it is closed
        await leaving
        assert here.a.call.store.of(SECOND.id).waiting == 1  # so it will be sent again
        assert here.b.heard == []


# A loss, and the way back.


@instantly
async def test_a_loss_is_told_attempted_and_undone() -> None:
    async with pair() as here:
        here.network.cut()
        await until(here.a, lambda: here.a.all_told(PeerLost))
        await until(here.b, lambda: here.b.all_told(Recovering))
        here.a.call.link.send("sent while it is lost")
        here.network.heal()
        for side in here.sides:
            await until(side, lambda side=side: side.all_told(Recovered))
            assert [type(one) for one in side.told if isinstance(one, PeerLost | Recovered)] == [PeerLost, Recovered]
        await until(here.b, lambda: here.b.heard)
        assert here.b.heard == ["sent while it is lost"]


@instantly
async def test_only_what_recovery_could_mend_is_tried_again_and_only_while_it_is_at_work() -> None:
    async with pair() as here:
        call = here.a.call
        mendable = (NoUsableAddressError("no network"), OperationError("made up"))
        assert not any(map(call.will_retry, mendable))
        call.recoverer.lost(LossReason.ICE_DISCONNECTED)
        assert all(map(call.will_retry, mendable))
        assert not call.will_retry(InvalidAccessError("a mistake"))
        call.recoverer.heard()


@instantly
async def test_a_goodbye_on_the_channel_alone_ends_the_call() -> None:
    async with pair() as here:
        here.a.call.message_received(encode_control(StreamGoodbye("good night")))
        assert here.a.call.recoverer.machine.state is RecoveryState.GOODBYE
        await until(here.a, lambda: here.a.all_told(Ended))
        end = here.a.all_told(Ended)[-1]
        assert (end.reason, end.by_peer) == ("good night", True)
        assert not here.a.all_told(PeerLost)
