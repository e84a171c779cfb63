"""negotiationneeded: told in a later turn, once, in stable, with no operation under way; asked for at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc.peer import PeerConnection, SessionDescription
from fsm_rtc.testing import FakePeerConnection, FakeTrack
from tests.peer.conftest import MakeFake, MakeLive
from tests.peer.peers import answer_of, connected, exchange, offer_of, turns

pytestmark = pytest.mark.live

ROLLBACK = SessionDescription("rollback")

ADDING: dict[str, Callable[[PeerConnection], object]] = {
    "track": lambda peer: peer.add_track(FakeTrack("audio")),
    "transceiver": lambda peer: peer.add_transceiver("audio"),
    "receive": lambda peer: peer.receive("audio"),
    "channel": lambda peer: peer.create_data_channel("chat"),
}


def note(peer: PeerConnection) -> list[str]:
    """Notes the signaling state at each negotiationneeded."""
    seen: list[str] = []
    peer.on("negotiationneeded", lambda: seen.append(peer.signaling_state.value))
    return seen


async def pair(make: MakeFake) -> tuple[FakePeerConnection, FakePeerConnection]:
    """Two that have negotiated."""
    one, other = make("one"), make("other")
    await exchange(one, other)
    await connected(one, other)
    return one, other


@pytest.mark.parametrize("what", ADDING)
async def test_what_is_added_is_told_in_a_later_turn(make: MakeFake, what: str) -> None:
    peer = make(media=False)
    seen = note(peer)
    needed = [peer.negotiation_needed]
    ADDING[what](peer)
    needed.append(peer.negotiation_needed)
    assert needed == [False, True]
    assert seen == []
    await turns(1)
    assert seen == ["stable"]


async def test_what_is_added_together_is_told_once_until_it_is_negotiated(make: MakeFake) -> None:
    one, other = make("one", media=False), make("other", media=False)
    seen = note(one)
    for add in ADDING.values():
        add(one)
    await turns()
    one.add_transceiver("video")
    await turns()
    assert seen == ["stable"]
    await exchange(one, other)
    await turns()
    assert (seen, one.negotiation_needed) == (["stable"], False)
    one.add_transceiver("video")
    await turns()
    assert seen == ["stable"] * 2


async def test_what_needs_no_negotiation_is_not_told(make: MakeFake) -> None:
    one, _ = await pair(make)
    one.create_data_channel("first")
    await exchange(one, _)
    seen = note(one)
    one.create_data_channel("second")
    one.receive("video")
    await turns()
    assert (seen, one.negotiation_needed) == ([], False)


async def test_between_offer_and_answer_it_waits_for_stable(make: MakeFake) -> None:
    one, other = await pair(make)
    seen = note(one)
    offer = await offer_of(one)
    one.add_transceiver("audio")
    await turns()
    assert (seen, one.negotiation_needed) == ([], False)
    await one.set_remote_description(await answer_of(other, offer))
    await turns()
    assert (seen, one.negotiation_needed) == (["stable"], True)
    await exchange(one, other)
    await turns()
    assert (seen, one.negotiation_needed) == (["stable"], False)


async def test_what_a_negotiation_leaves_is_told_again(make: MakeFake) -> None:
    one, other = await pair(make)
    one.add_transceiver("audio")
    seen = note(one)
    await turns()
    await exchange(other, one)
    await turns()
    assert (seen, one.negotiation_needed) == (["stable"] * 2, True)


async def test_behind_a_rollback_it_is_told_again(make: MakeFake) -> None:
    one, _ = await pair(make)
    one.add_transceiver("audio")
    seen = note(one)
    await turns()
    await offer_of(one)
    await one.set_local_description(ROLLBACK)
    await turns()
    assert (seen, one.negotiation_needed) == (["stable"] * 2, True)


async def test_while_operations_are_under_way_it_waits_for_their_end(make: MakeFake) -> None:
    peer = make(media=False)
    seen = note(peer)
    peer.library.hold()
    creating = asyncio.ensure_future(peer.create_offer())
    await turns()
    peer.add_transceiver("audio")
    await turns()
    assert (seen, peer.negotiation_needed) == ([], True)
    peer.library.release()
    await creating
    await turns()
    assert seen == ["stable"]


async def test_a_callback_may_negotiate_at_once(make: MakeFake) -> None:
    one, other = make("one", media=False), make("other", media=False)
    tasks: list[asyncio.Task[None]] = []
    one.on("negotiationneeded", lambda: tasks.append(asyncio.create_task(exchange(one, other))))
    one.create_data_channel("chat")
    await turns()
    one.add_transceiver("video")
    await turns()
    await asyncio.gather(*tasks)
    assert (len(tasks), one.negotiation_needed) == (2, False)


async def test_a_closed_connection_needs_nothing(make: MakeFake) -> None:
    peer = make()
    seen = note(peer)
    peer.add_transceiver("audio")
    await peer.close()
    await turns()
    assert (seen, peer.negotiation_needed) == ([], False)


def test_what_is_added_before_the_loop_runs_is_told_behind_the_first_operation() -> None:
    peer = FakePeerConnection()
    peer.create_data_channel("chat")
    seen = note(peer)

    async def create() -> None:
        await peer.create_offer()
        await turns()
        await peer.close()

    asyncio.run(create())
    assert seen == ["stable"]


# A track that this side begins to send on what it only received.


async def test_a_track_on_what_was_only_received_is_to_be_negotiated_in_memory_and_live(
    make: MakeFake, live: MakeLive
) -> None:
    pairs: list[tuple[PeerConnection, PeerConnection]] = [
        (make("one", media=False), make("other", media=False)),
        (live("one"), live("other")),
    ]
    ways = []
    for one, other in pairs:
        fake = isinstance(one, FakePeerConnection)
        seen = note(other)
        one.add_track(FakeTrack("audio") if fake else AudioStreamTrack())
        one.add_transceiver("video", "sendonly")
        await exchange(one, other)
        needed = [(one.negotiation_needed, other.negotiation_needed)]
        other.add_track(FakeTrack("audio") if fake else AudioStreamTrack())
        needed.append((one.negotiation_needed, other.negotiation_needed))
        await exchange(other, one)
        needed.append((one.negotiation_needed, other.negotiation_needed))
        other.add_track(FakeTrack("video") if fake else VideoStreamTrack())
        await exchange(one, other)
        needed.append((one.negotiation_needed, other.negotiation_needed))
        await turns()
        ways.append((needed, seen))
    assert ways[0] == ways[1]
    assert ways[0][0] == [(False, False), (False, True), (False, False), (False, False)]


async def test_a_first_channel_on_a_live_pair_is_to_be_negotiated_and_the_second_is_not(live: MakeLive) -> None:
    one, other = live("one"), live("other")
    one.add_transceiver("audio")
    await exchange(one, other)
    needed = [one.negotiation_needed]
    one.create_data_channel("chat")
    needed.append(one.negotiation_needed)
    await exchange(one, other)
    one.create_data_channel("second")
    needed.append(one.negotiation_needed)
    assert needed == [False, True, False]
