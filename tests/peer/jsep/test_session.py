"""JsepSession: what applying and taking back descriptions does to it; without a network, but where it is marked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc.errors import InvalidAccessError, InvalidDescriptionError, OperationError
from fsm_rtc.peer import ChannelOptions, Configuration, SessionDescription
from fsm_rtc.peer.aiortc.backend import AiortcBackend
from fsm_rtc.peer.jsep.session import SECTIONS_A_TURN
from fsm_rtc.peer.w3c.profile import SPECIFICATION
from tests.peer.peers import turns

LOOPBACK = Configuration(loopback=True)
LIMIT_SECONDS = 60.0


@asynccontextmanager
async def sessions(count: int = 1) -> AsyncIterator[list[AiortcBackend]]:
    """So many sessions, closed in the end; then nothing is left of them."""
    made = [AiortcBackend(LOOPBACK, SPECIFICATION) for _ in range(count)]
    async with asyncio.timeout(LIMIT_SECONDS):
        try:
            yield made
        finally:
            for session in made:
                session.shut()
                await session.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def offer_of(*kinds: str) -> SessionDescription:
    """Somebody's offer of these kinds; ``application`` for a data channel."""
    somebody = AiortcBackend(LOOPBACK, SPECIFICATION)
    for kind in kinds:
        if kind == "application":
            somebody.create_data_channel("chat", ChannelOptions())
        else:
            somebody.add_transceiver(kind, "sendrecv")
    offer = await somebody.create_offer()
    somebody.shut()
    await somebody.close()
    return offer


async def apply(session: AiortcBackend, description: SessionDescription) -> Any:
    """Apply what the other side has written; what that changes in its tracks."""
    read = session.read_remote(description)
    return session.apply_remote(read, await session.prepare_remote(read))


def kinds_of(session: AiortcBackend) -> list[str]:
    return [one.kind for one in session.media.transceivers]


def mids_of(session: AiortcBackend) -> list[str | None]:
    return [one.mid for one in session.media.transceivers]


def renamed(offer: SessionDescription, mids: Sequence[str]) -> SessionDescription:
    """The same with other mids, and no groups."""
    names = iter(mids)
    sdp = re.sub("a=group:.*\r\n", "", offer.sdp)
    return SessionDescription(offer.type, re.sub("a=mid:.*", lambda _: f"a=mid:{next(names)}", sdp))


# The other side's offer.


async def test_an_offer_makes_what_its_sections_need_and_says_which_tracks_come() -> None:
    async with sessions() as (session,):
        tracks = await apply(session, await offer_of("audio", "video", "application"))
        assert kinds_of(session) == ["audio", "video"]
        assert mids_of(session) == ["0", "1"]
        assert session.media.sctp is not None
        assert session.media.sctp.mid == "2"
        assert len(session.media.paths) == 1
        assert session.slots.pending_remote is not None
        assert [event.track.kind for event in tracks.events] == ["audio", "video"]


async def test_sections_that_are_not_bundled_have_a_transport_each() -> None:
    async with sessions() as (session,):
        await apply(session, renamed(await offer_of("audio", "video"), ["left", "right"]))
        assert mids_of(session) == ["left", "right"]
        assert len({one.sender.path for one in session.media.transceivers}) == 2


async def test_an_added_track_takes_the_section_that_the_other_side_offers() -> None:
    async with sessions() as (session,):
        session.add_track(AudioStreamTrack())
        waiting = session.media.transceivers[0]
        await apply(session, await offer_of("audio", "video"))
        assert session.media.transceivers[0] is waiting
        assert kinds_of(session) == ["audio", "video"]


async def test_this_sides_next_section_has_no_name_that_the_other_side_has_used() -> None:
    async with sessions() as (session,):
        await apply(session, renamed(await offer_of("audio"), ["7"]))
        session.roll_back()
        session.add_transceiver("audio", "sendrecv")
        assert re.findall("a=mid:(.*)\r\n", (await session.create_offer()).sdp) == ["8"]


async def test_what_is_read_before_it_is_applied_is_read_once() -> None:
    async with sessions() as (session,):
        offer = await offer_of("audio")
        read = session.read_remote(offer)
        assert session.read_remote(offer) is read
        assert session.read_remote(SessionDescription(offer.type, offer.sdp)) is not read


@pytest.mark.parametrize("sdp", ["", "v=0\r\n", "no description"])
async def test_what_is_no_description_is_refused_and_changes_nothing(sdp: str) -> None:
    async with sessions() as (session,):
        with pytest.raises(InvalidDescriptionError):
            await apply(session, SessionDescription("offer", sdp))
        assert session.slots.remote is session.slots.before is None
        assert kinds_of(session) == []


async def test_preparing_changes_nothing_and_may_be_cancelled_anywhere() -> None:
    async with sessions() as (session,):
        read = session.read_remote(await offer_of(*["audio"] * (SECTIONS_A_TURN + 1)))
        preparing = asyncio.create_task(session.prepare_remote(read))
        await asyncio.sleep(0)
        assert not preparing.done()
        preparing.cancel()
        await asyncio.wait({preparing})
        assert kinds_of(session) == []
        assert session.slots.remote is None
        session.apply_remote(read, await session.prepare_remote(read))
        assert len(kinds_of(session)) == SECTIONS_A_TURN + 1
        assert len(session.media.paths) == 1


async def test_a_preparation_that_is_cancelled_leaves_no_transport() -> None:
    async with sessions() as (session,):
        read = session.read_remote(await offer_of(*["audio"] * (SECTIONS_A_TURN + 1)))
        for _ in range(3):
            preparing = asyncio.create_task(session.prepare_remote(read))
            await asyncio.sleep(0)
            preparing.cancel()
            await asyncio.wait({preparing})
        assert session.media.paths == []


# Taking it back.


async def test_a_rollback_before_any_description_changes_nothing() -> None:
    async with sessions() as (session,):
        session.add_transceiver("audio", "sendrecv")
        session.roll_back()
        session.roll_back()
        assert kinds_of(session) == ["audio"]


async def test_a_rollback_removes_what_the_offer_made_and_leaves_what_was_added_here_meanwhile() -> None:
    async with sessions() as (session,):
        session.add_track(AudioStreamTrack())
        await apply(session, await offer_of("audio", "video", "application"))
        session.add_transceiver("video", "sendonly")
        session.roll_back()
        assert kinds_of(session) == ["audio", "video"]
        assert mids_of(session) == [None, None]
        assert [one.direction for one in session.media.transceivers] == ["sendrecv", "sendonly"]
        assert session.media.sctp is None
        assert session.slots.remote is None


async def test_a_rollback_leaves_the_data_channels_that_were_made_here_and_takes_their_section() -> None:
    async with sessions() as (session,):
        session.create_data_channel("chat", ChannelOptions())
        sctp = session.media.sctp
        await apply(session, await offer_of("application"))
        assert sctp is not None
        places = [(sctp.mid, sctp.line)]
        session.roll_back()
        places.append((sctp.mid, sctp.line))
        assert places == [("0", 0), (None, None)]
        assert session.media.sctp is sctp


async def test_a_rollback_leaves_the_transport_of_a_data_channel_that_was_made_here_meanwhile() -> None:
    async with sessions() as (session,):
        await apply(session, await offer_of("application"))
        session.create_data_channel("chat", ChannelOptions())
        sctp = session.media.sctp
        session.roll_back()
        assert session.media.sctp is sctp
        assert [path for path in session.media.paths if sctp is not None and sctp.path is path]


async def test_an_offer_in_the_place_of_another_is_taken_back_to_before_the_first() -> None:
    async with sessions() as (session,):
        await apply(session, await offer_of("audio"))
        await apply(session, await offer_of("audio", "video"))
        assert kinds_of(session) == ["audio", "video"]
        session.roll_back()
        assert kinds_of(session) == []
        assert session.media.paths == []
        session.roll_back()
        assert session.slots.before is None


async def test_the_tracks_that_came_with_an_offer_go_with_it_and_none_that_never_came() -> None:
    async with sessions() as (session,):
        await apply(session, await offer_of("audio"))
        session.add_transceiver("video", "sendrecv")
        receivers = [one.receiver for one in session.media.transceivers]
        gone = session.roll_back()
        assert (gone.muted, gone.events) == (receivers[:1], [])


# Out of order.


async def test_only_the_description_that_was_created_last_can_be_applied() -> None:
    async with sessions() as (session,):
        session.add_transceiver("audio", "sendrecv")
        first = await session.create_offer()
        session.add_transceiver("video", "sendrecv")
        await session.create_offer()
        for wrong in (first, SessionDescription("answer", first.sdp)):
            with pytest.raises(OperationError, match="not the one that was created last"):
                session.apply_local(wrong)
        assert session.slots.local is session.slots.before is None
        assert mids_of(session) == [None, None]


async def test_candidates_before_any_description_are_nobodys() -> None:
    async with sessions() as (session,):
        session.add_candidate(None, None, None)
        session.add_candidate(None, 3, "unknown")
        assert session.slots.remote is None


async def test_a_candidate_is_its_generations_and_its_sections() -> None:
    async with sessions() as (session,):
        await apply(session, renamed(await offer_of("audio", "video"), ["0", "1"]))
        remote: Any = session.slots.remote
        ufrag = remote.media[0].ice.usernameFragment
        session.add_candidate(None, 0, "another")
        assert [media.ice_candidates_complete for media in remote.media] == [False, False]
        session.add_candidate(None, 1, ufrag)
        assert [media.ice_candidates_complete for media in remote.media] == [False, True]
        session.add_candidate(None, None, None)
        assert [media.ice_candidates_complete for media in remote.media] == [True, True]


async def test_without_a_negotiation_a_restart_of_ice_has_nothing_to_replace() -> None:
    async with sessions() as (session,):
        session.restart_ice()
        assert not session.needs_negotiation()
        session.add_transceiver("audio", "sendrecv")
        assert session.needs_negotiation()


# Its end.


async def test_closing_twice_and_before_anything_leaves_nothing() -> None:
    session = AiortcBackend(LOOPBACK, SPECIFICATION)
    await session.close()
    session.shut()
    session.shut()
    await session.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_one_that_is_shut_in_the_middle_of_a_negotiation_has_ended_with_all_it_had() -> None:
    async with sessions() as (session,):
        await apply(session, await offer_of("audio", "application"))
        session.shut()
        assert session.media.sctp is not None
        assert session.media.sctp.state == "closed"
        assert [path.ice.state for path in session.media.paths] == ["closed"]
        assert [path.dtls.state for path in session.media.paths] == ["closed"]


# A whole negotiation, which gathers: with sockets on loopback.


async def negotiated(offerer: AiortcBackend, answerer: AiortcBackend) -> None:
    """The first offers, the other one answers."""
    offer = await offerer.create_offer()
    offerer.apply_local(offer)
    await apply(answerer, offer)
    answer = await answerer.create_answer()
    answerer.apply_local(answer)
    await apply(offerer, answer)
    await turns()  # gathering begins, so that a restart needs other credentials


def ufrag_of(session: AiortcBackend) -> str:
    """The user fragment that is in force."""
    local: Any = session.slots.current_local
    return str(local.media[0].ice.usernameFragment)


@pytest.mark.live
async def test_an_answer_completes_a_negotiation_on_both_sides() -> None:
    async with sessions(2) as (offerer, answerer):
        offerer.add_track(AudioStreamTrack())
        offerer.create_data_channel("chat", ChannelOptions())
        assert offerer.needs_negotiation()
        await negotiated(offerer, answerer)
        for session in (offerer, answerer):
            assert not session.needs_negotiation()
            assert session.slots.pending_local is session.slots.pending_remote is session.slots.before is None
            assert session.slots.current_local is not None
            assert session.slots.current_remote is not None
        assert [one.currentDirection for one in offerer.media.transceivers] == ["sendonly"]
        assert [one.currentDirection for one in answerer.media.transceivers] == ["recvonly"]


@pytest.mark.live
async def test_a_rollback_behind_a_complete_negotiation_gives_back_what_that_had_agreed_on() -> None:
    async with sessions(2) as (offerer, answerer):
        offerer.add_track(AudioStreamTrack())
        await negotiated(offerer, answerer)
        in_force = (offerer.slots.current_local, offerer.slots.current_remote)
        negotiated_before = offerer.media.transceivers[0].negotiated
        offerer.add_track(VideoStreamTrack())
        offerer.apply_local(await offerer.create_offer())
        assert mids_of(offerer) == ["0", "1"]
        offerer.roll_back()
        assert mids_of(offerer) == ["0", None]
        assert offerer.media.transceivers[0].negotiated == negotiated_before
        assert (offerer.slots.current_local, offerer.slots.current_remote) == in_force
        assert offerer.needs_negotiation()


@pytest.mark.live
async def test_a_restart_of_ice_is_due_until_an_offer_with_new_credentials_is_answered() -> None:
    async with sessions(2) as (offerer, answerer):
        offerer.create_data_channel("chat", ChannelOptions())
        await negotiated(offerer, answerer)
        before = ufrag_of(offerer)
        offerer.restart_ice()
        assert offerer.needs_negotiation()
        offerer.apply_local(await offerer.create_offer())
        offerer.roll_back()
        assert offerer.needs_negotiation()
        await negotiated(offerer, answerer)
        assert not offerer.needs_negotiation()
        assert ufrag_of(offerer) != before


@pytest.mark.live
async def test_an_answer_to_another_offer_is_refused_and_the_right_one_taken_after_it() -> None:
    async with sessions(2) as (offerer, answerer):
        offerer.add_track(AudioStreamTrack())
        offer = await offerer.create_offer()
        offerer.apply_local(offer)
        await apply(answerer, offer)
        answer = await answerer.create_answer()
        wrong = SessionDescription("answer", (await offer_of("audio", "video")).sdp)
        with pytest.raises(InvalidAccessError):
            offerer.read_remote(wrong)
        assert offerer.slots.pending_local is not None
        answerer.apply_local(answer)
        await apply(offerer, answer)
        assert offerer.slots.pending_local is None


@pytest.mark.live
async def test_a_section_that_the_answer_rejects_is_no_part_of_the_session_any_more() -> None:
    async with sessions(2) as (offerer, answerer):
        for track in (AudioStreamTrack(), VideoStreamTrack()):
            offerer.add_track(track)
        offer = await offerer.create_offer()
        offerer.apply_local(offer)
        await apply(answerer, offer)
        sdp = (await answerer.create_answer()).sdp
        rejecting = sdp.replace("m=video 9", "m=video 0").replace("BUNDLE 0 1", "BUNDLE 0")
        rejected = offerer.media.transceivers[1]
        await apply(offerer, SessionDescription("answer", rejecting))
        assert kinds_of(offerer) == ["audio"]
        assert rejected.mid is None
        assert offerer.slots.pending_local is None
