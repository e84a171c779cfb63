"""ReplaceablePeer: the peer connections of a call, one at a time, and what the next one takes over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from fsm_rtc.connection.options import CallOptions
from fsm_rtc.connection.peers import SECURE_CHANNEL, ReplaceablePeer
from fsm_rtc.errors import InvalidStateError
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.negotiation import SignalingState
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.testing import FakeNetwork, FakePeerConnection, FakeTrack

LIMIT_SECONDS = 60.0


class Told:
    """What a peer connection's owner is told."""

    def __init__(self) -> None:
        self.candidates: list[IceCandidate | None] = []
        self.announced: list[DataChannel] = []
        self.tracks: list[Any] = []
        self.messages: list[str | bytes] = []
        self.failed: list[object] = []
        self.needs = 0
        self._changed = asyncio.Event()

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        self.candidates.append(candidate)

    def candidate_failed(self, error: object) -> None:
        self.failed.append(error)

    def negotiation_needed(self) -> None:
        self.needs += 1

    def channel_ends(self) -> None:
        pass

    def state_changed(self) -> None:
        self._changed.set()

    def channel_announced(self, channel: DataChannel) -> None:
        self.announced.append(channel)
        self._changed.set()

    def track_added(self, track: Any) -> None:
        self.tracks.append(track)
        self._changed.set()

    def message_received(self, message: str | bytes) -> None:
        self.messages.append(message)
        self._changed.set()

    async def change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class End:
    """One side's peer connections, and what its owner is told."""

    def __init__(self, network: FakeNetwork, label: str, receive: tuple[Any, ...] = ()) -> None:
        self.told = Told()
        factory = partial(FakePeerConnection, network=network)
        configuration = Configuration(close_timeout_seconds=0.02)
        options = CallOptions(configuration=configuration, peer_connection_factory=factory, receive=receive)
        machines = MachineSet(label, generation=0, engine="compiled", journal=None)
        self.peer = ReplaceablePeer(options, self.told, machines, label)

    @property
    def library(self) -> FakePeerConnection:
        assert isinstance(self.peer.connection, FakePeerConnection)
        return self.peer.connection

    async def is_open(self) -> None:
        while self.peer.channel is None or self.peer.channel.ready_state is not DataChannelState.OPEN:
            await self.told.change()


@asynccontextmanager
async def ends(receive: tuple[Any, ...] = ()) -> AsyncIterator[tuple[End, End]]:
    network = FakeNetwork()
    one, other = End(network, "one", receive), End(network, "other")
    async with asyncio.timeout(LIMIT_SECONDS):
        try:
            yield one, other
        finally:
            await asyncio.gather(one.peer.aclose(), other.peer.aclose())
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def agree(one: End, other: End) -> SessionDescription:
    """One offers and the other answers; the offer."""
    offer = await one.peer.make_offer()
    await other.peer.apply_offer(offer)
    await one.peer.apply_answer(await other.peer.make_answer())
    return offer


async def test_the_side_that_offers_first_makes_the_channel_and_both_have_it() -> None:
    async with ends() as (one, other):
        assert one.peer.connection is None
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())
        assert one.peer.channel is not None
        assert other.peer.channel is not None
        assert one.peer.channel.label == other.peer.channel.label == SECURE_CHANNEL
        one.peer.channel.send("hello")
        while not other.told.messages:
            await other.told.change()
        assert other.told.messages == ["hello"]


async def test_a_second_offer_of_either_side_is_on_the_same_connection_and_channel() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())
        before = one.peer.connection, other.peer.connection, one.peer.channel, other.peer.channel
        await agree(other, one)
        await agree(one, other)
        assert (one.peer.connection, other.peer.connection, one.peer.channel, other.peer.channel) == before
        assert one.told.announced == other.told.announced == []


async def test_another_channel_of_the_peer_is_announced_and_not_taken_for_the_secure_one() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())
        secure = other.peer.channel
        one.library.create_data_channel("files")
        one.library.create_data_channel(SECURE_CHANNEL)
        while len(other.told.announced) < 2:
            await other.told.change()
        assert [channel.label for channel in other.told.announced] == ["files", SECURE_CHANNEL]
        assert other.peer.channel is secure


async def test_an_offer_is_taken_back_on_the_same_connection_where_the_library_can() -> None:
    async with ends() as (one, _):
        await one.peer.make_offer()
        before = one.peer.connection
        assert before is not None
        await one.peer.yield_offer()
        assert one.peer.connection is before
        assert before.signaling_state is SignalingState.STABLE


async def test_where_it_cannot_another_connection_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakePeerConnection, "can_roll_back", False)
    async with ends() as (one, other):
        track = FakeTrack("audio")
        one.peer.add_track(track)
        await one.peer.make_offer()
        one.peer.add_track(FakeTrack("video"))
        before = one.library
        await one.peer.yield_offer()
        assert one.library is not before
        assert (before.generation, one.library.generation) == (1, 2)
        assert one.peer.channel is None
        await agree(other, one)
        await asyncio.gather(one.is_open(), other.is_open())
        await agree(one, other)
        while len(other.told.tracks) < 2:
            await other.told.change()
        assert sorted(track.kind for track in other.peer.tracks.remote) == ["audio", "video"]
        assert before.signaling_state is SignalingState.CLOSED


async def test_what_a_replaced_connection_still_tells_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakePeerConnection, "can_roll_back", False)
    async with ends() as (one, _):
        await one.peer.make_offer()
        before, channel = one.library, one.peer.channel
        await one.peer.yield_offer()
        heard = len(one.told.candidates)
        assert channel is not None
        before._emitter.emit("icecandidate", IceCandidate("candidate:1 1 udp 1 192.0.2.1 9 typ host", "0", 0))
        channel._emitter.emit("message", "late")
        assert len(one.told.candidates) == heard
        assert one.told.messages == []


async def test_new_ice_credentials_of_the_other_side_are_another_connection() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())
        before = other.library
        one.peer.give_up("began anew")
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())
        assert other.library is not before
        assert (one.library.generation, other.library.generation) == (2, 2)


async def test_a_connection_that_closed_by_itself_is_replaced_at_the_next_offer() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        before = one.library
        await before.close()
        one.peer.add_track(FakeTrack("audio"))
        await agree(one, other)
        assert one.library is not before
        assert one.library.signaling_state is SignalingState.STABLE
        while not other.peer.tracks.remote:
            await other.told.change()


async def test_an_offer_during_which_the_connection_closes_by_itself_is_made_with_another() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        before = one.library
        before.library.hold()
        offering = asyncio.create_task(one.peer.make_offer())
        await asyncio.sleep(0)
        before.library.lose()
        before.library.release()
        await other.peer.apply_offer(await offering)
        await one.peer.apply_answer(await other.peer.make_answer())
        assert one.library is not before
        await asyncio.gather(one.is_open(), other.is_open())


async def test_the_answer_to_an_offer_whose_connection_has_closed_by_itself_is_given_by_another() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        before = other.library
        await other.peer.apply_offer(await one.peer.make_offer())
        before.library.lose()
        await one.peer.apply_answer(await other.peer.make_answer())
        assert other.library is not before
        assert one.peer.needs_negotiation(), "for that one has another certificate"
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())


async def test_an_answer_for_a_connection_that_has_closed_by_itself_asks_for_another_offer() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        before = one.library
        await other.peer.apply_offer(await one.peer.make_offer())
        before.library.lose()
        await one.peer.apply_answer(await other.peer.make_answer())
        assert one.library is not before
        assert one.peer.needs_negotiation()
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())


async def test_an_offer_is_not_taken_back_where_the_connection_has_closed_by_itself() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        before = one.library
        await one.peer.make_offer()
        before.library.lose()
        await one.peer.yield_offer()
        assert one.library is not before
        await agree(other, one)
        assert one.library.signaling_state is SignalingState.STABLE


async def test_a_new_session_of_the_peer_leaves_nothing_of_the_old_one() -> None:
    async with ends() as (one, other):
        other.peer.add_track(FakeTrack("audio"))
        await agree(one, other)
        await agree(other, one)
        while not one.peer.tracks.remote:
            await one.told.change()
        await one.peer.begin()
        assert one.peer.connection is None
        assert one.peer.channel is None
        assert one.peer.tracks.remote == ()
        assert not one.peer.needs_negotiation()


async def test_kinds_that_are_to_be_received_are_in_the_first_offer_and_in_an_answer() -> None:
    async with ends(receive=("audio", "video")) as (one, other):
        offer = await agree(one, other)
        assert {"m=audio", "m=video"} <= {line.split()[0] for line in offer.sdp.splitlines()}
    async with ends(receive=("audio",)) as (one, other):
        other.peer.add_track(FakeTrack("audio"))
        await agree(other, one)
        while not one.told.tracks:
            await one.told.change()


async def test_kinds_that_an_offer_lacks_are_asked_for_by_the_next_one() -> None:
    async with ends(receive=("audio",)) as (one, other):
        await agree(other, one)
        assert one.peer.needs_negotiation()
        offer = await agree(one, other)
        assert "m=audio" in offer.sdp
        assert not one.peer.needs_negotiation()


async def test_a_channel_that_is_still_on_its_way_is_not_made_a_second_time() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        assert other.peer.channel is None  # it is announced when the transports stand
        await agree(other, one)
        await asyncio.gather(one.is_open(), other.is_open())
        assert one.peer.channel is not None
        one.peer.channel.send("hello")
        while not other.told.messages:
            await other.told.change()
        assert one.told.announced == other.told.announced == []


async def test_a_channel_that_was_closed_is_made_again_by_the_next_offer() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())
        before = one.peer.channel
        await one.peer.finish_sending(1.0)
        await agree(one, other)
        assert one.peer.channel is not before
        await asyncio.gather(one.is_open(), other.is_open())


async def test_what_is_asked_for_without_a_connection_is_refused_and_why() -> None:
    async with ends() as (one, _):
        for asked in (one.peer.make_answer(), one.peer.add_candidate(None)):
            with pytest.raises(InvalidStateError, match="the exchange has ended"):
                await asked


async def test_closing_twice_is_closing_once() -> None:
    async with ends() as (one, _):
        await one.peer.make_offer()
        await asyncio.gather(one.peer.aclose(), one.peer.aclose())
        await one.peer.aclose()
        assert one.peer.connection is None


async def test_if_the_next_one_cannot_be_made_the_present_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ends() as (one, _):
        await one.peer.make_offer()
        before = one.library
        one.peer.add_track(FakeTrack("audio"))
        with monkeypatch.context() as patch:
            patch.setattr(FakePeerConnection, "add_track", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                one.peer.open_another("it is asked for")
        assert one.library is before
        assert not before.negotiation.is_final


async def test_an_operation_during_which_the_connection_is_given_up_says_so() -> None:
    async with ends() as (one, other):
        offer = await one.peer.make_offer()
        applying = asyncio.create_task(other.peer.apply_offer(offer))
        await asyncio.sleep(0)
        other.peer.give_up("the call ended: supper")
        with pytest.raises(InvalidStateError):
            await applying


async def test_what_was_sent_last_arrives_before_the_channel_closes() -> None:
    async with ends() as (one, other):
        await agree(one, other)
        await asyncio.gather(one.is_open(), other.is_open())
        assert one.peer.channel is not None
        one.peer.channel.send("last words")
        await one.peer.finish_sending(1.0)
        assert one.peer.channel.machine.is_final
        assert other.told.messages == ["last words"]
        await one.peer.finish_sending(1.0)
