"""Pairs in memory negotiate on as live ones do: kinds are added, offers taken back and crossed, by each engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_rtc.engine import Journal
from fsm_rtc.errors import InvalidAccessError, NotSupportedError
from fsm_rtc.peer import PeerConnection, SessionDescription
from fsm_rtc.peer.sdp import sections_of
from fsm_rtc.testing import FakeNetwork, FakePeerConnection, FakeTrack
from fsm_rtc.testing.agreed import direction_of
from tests.peer.peers import announced, answer_of, connected, exchange, offer_of, opened, turns
from tests.peer.renegotiation import STEPS, Call, Step

ROLLBACK = SessionDescription("rollback")


async def play(engine: str, steps: list[Step], first: int) -> None:
    network = FakeNetwork()

    def make(label: str, journal: Journal) -> PeerConnection:
        return FakePeerConnection(network=network, engine=engine, journal=journal, label=label)

    await Call(make).play(steps, first)


@pytest.mark.parametrize("engine", ["compiled", "transitions"])
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(0, 1))
def test_pairs_in_memory_stay_stable_connected_and_of_one_mind(engine: str, steps: list[Step], first: int) -> None:
    asyncio.run(play(engine, steps, first))


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[tuple[FakePeerConnection, FakePeerConnection]]:
    """Two that are connected, with a video section."""
    network = FakeNetwork()
    one, other = FakePeerConnection(network=network, label="one"), FakePeerConnection(network=network, label="other")
    one.add_transceiver("video")
    await exchange(one, other)
    await connected(one, other)
    yield one, other
    await one.close()
    await other.close()


Pair = tuple[FakePeerConnection, FakePeerConnection]


def lines(description: SessionDescription | None) -> list[str]:
    """The media lines' kinds, with mid and direction."""
    assert description is not None
    return [f"{section.kind} {section.mid} {direction_of(section)}" for section in sections_of(description)]


async def test_kinds_that_come_later_stand_behind_those_there_are_and_bring_tracks(pair: Pair) -> None:
    one, other = pair
    kinds: list[str] = []
    other.on("track", lambda event: kinds.append(event.track.kind))
    one.add_track(FakeTrack("audio"))
    await exchange(one, other)
    await exchange(one, other)
    assert kinds == ["audio"]
    assert lines(one.local_description) == ["video 0 sendrecv", "audio 1 sendrecv"]
    assert lines(other.local_description) == ["video 0 recvonly", "audio 1 recvonly"]


async def test_a_track_goes_on_a_transceiver_that_has_none(pair: Pair) -> None:
    one, other = pair
    kinds: list[str] = []
    one.on("track", lambda event: kinds.append(event.track.kind))
    other.add_track(FakeTrack("video"))
    await exchange(other, one)
    assert lines(other.local_description) == ["video 0 sendrecv"]
    assert kinds == ["video"]


async def test_a_first_channel_that_comes_later_opens_when_it_is_negotiated(pair: Pair) -> None:
    one, other = pair
    here = one.create_data_channel("chat")
    await turns()
    states = [here.ready_state.value]
    await exchange(one, other)
    await opened(here)
    there = await announced(other)
    assert (states, there.label, one.machines["one.sctp"].state) == (
        ["connecting"],
        "chat",
        "connected",
    )
    await opened(one.create_data_channel("second"))


async def test_a_rollback_gives_the_sections_back(pair: Pair) -> None:
    one, other = pair
    one.add_transceiver("audio")
    await offer_of(one)
    other.create_data_channel("chat")
    await one.set_remote_description(await offer_of(other))
    await one.set_local_description()
    assert lines(one.local_description) == ["video 0 sendonly", "application 1 sendrecv"]
    assert one.local_description is not None
    await other.set_remote_description(one.local_description)
    await exchange(one, other)
    assert [line.split()[0] for line in lines(other.local_description)] == ["video", "application", "audio"]


async def test_a_rollback_of_the_other_sides_offer_takes_its_transceiver_away(pair: Pair) -> None:
    one, other = pair
    one.add_transceiver("audio")
    offer = await offer_of(one)
    for _ in range(2):
        await other.set_remote_description(offer)
        assert other.library.transceiver_kinds() == {"video", "audio"}
        await other.set_local_description(ROLLBACK)
        assert other.library.transceiver_kinds() == {"video"}
    kinds: list[str] = []
    other.on("track", lambda event: kinds.append(event.track.kind))
    await one.set_remote_description(await answer_of(other, offer))
    assert kinds == ["audio"]


async def test_a_track_that_is_taken_back_comes_again_with_the_next_offer(pair: Pair) -> None:
    one, other = pair
    kinds: list[str] = []
    other.on("track", lambda event: kinds.append(event.track.kind))
    other.add_transceiver("audio")
    one.add_transceiver("audio")
    offer = await offer_of(one)
    for _ in range(2):
        await other.set_remote_description(offer)
        await other.set_local_description(ROLLBACK)
    assert kinds == ["audio", "audio"]


async def test_a_further_offer_takes_the_place_of_the_one_before(pair: Pair) -> None:
    one, other = pair
    one.add_transceiver("audio")
    offer = await offer_of(one)
    await other.set_remote_description(offer)
    await other.set_remote_description(SessionDescription("offer", offer.sdp.replace("m=audio", "m=video")))
    assert other.library.transceiver_kinds() == {"video"}


async def test_a_strangers_offer_that_is_taken_back_leaves_the_two_connected(pair: Pair) -> None:
    one, other = pair
    stranger = FakePeerConnection()
    stranger.add_transceiver("video")
    await other.set_remote_description(await offer_of(stranger))
    await other.set_local_description(ROLLBACK)
    await one.close()
    await turns()
    assert other.connection_state == "closed"
    await stranger.close()


async def test_they_connect_when_both_have_applied_the_answer() -> None:
    one, other = FakePeerConnection(), FakePeerConnection()
    one.add_transceiver("video")
    await other.set_remote_description(await offer_of(one))
    await one.set_remote_description(await other.create_answer())
    await turns()
    states = [one.connection_state.value]
    await other.set_local_description()
    await connected(one, other)
    assert states == ["new"]
    await one.close()
    await other.close()


async def test_descriptions_that_belong_to_another_exchange_are_refused(pair: Pair) -> None:
    one, other = pair
    answer = await answer_of(other, await offer_of(one))
    one.add_transceiver("audio")
    offer = await offer_of(one)
    with pytest.raises(InvalidAccessError, match="it belongs to another one"):
        await one.set_remote_description(answer)
    assert one.signaling_state == "have-local-offer"
    stranger = FakePeerConnection()
    stranger.create_data_channel("chat")
    await other.set_remote_description(offer)
    with pytest.raises(InvalidAccessError, match="it belongs to another one"):
        await other.set_remote_description(await offer_of(stranger))
    await other.set_local_description()
    assert other.local_description is not None
    await one.set_remote_description(other.local_description)
    assert (one.connection_state, other.connection_state) == ("connected", "connected")
    await stranger.close()


async def test_a_library_that_can_not_roll_back_can_be_imitated(pair: Pair) -> None:
    one, other = pair
    await offer_of(one)
    one.library.rolls_back = False
    assert not one.can_roll_back
    with pytest.raises(NotSupportedError):
        await one.set_remote_description(await offer_of(other))
