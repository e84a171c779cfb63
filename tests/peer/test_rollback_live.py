"""Facts 2, 13 and 30 of aiortc: an offer can be taken back on a live connection, which goes on."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

import pytest
from aiortc import InvalidStateError as AiortcInvalidStateError
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc.engine import Journal
from fsm_rtc.errors import InvalidAccessError, InvalidStateError
from fsm_rtc.peer import DataChannel, PeerConnection, SessionDescription
from tests.peer.bare_aiortc import exchange_bare, offer_of_bare
from tests.peer.conftest import MakeBare, MakeLive
from tests.peer.peers import announced, answer_of, backend_of, connected, exchange, offer_of, opened, rejections, until

pytestmark = pytest.mark.live

ROLLBACK = SessionDescription("rollback")


async def pair(live: MakeLive) -> tuple[PeerConnection, PeerConnection, DataChannel, DataChannel]:
    """Two that are connected, and both ends of their channel, open."""
    one, other = live("one"), live("other")
    here = one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    await opened(here)
    return one, other, here, await announced(other)


async def flows(here: DataChannel, there: DataChannel) -> None:
    """A message goes over the channel each way."""
    for sender, receiver in ((here, there), (there, here)):
        got: list[str | bytes] = []
        stop = receiver.on("message", got.append)
        sender.send("still there?")
        await until(receiver, "message", lambda got=got: bool(got))  # type: ignore[misc]
        assert got == ["still there?"]
        stop()


def has_not_gathered(peer: PeerConnection) -> bool:
    return peer.ice_gathering_state == "new"


def transceivers(peer: PeerConnection) -> Any:
    """Its RTCRtpTransceivers."""
    return backend_of(peer).media.transceivers


def sections(description: SessionDescription | None) -> list[tuple[str, str]]:
    """The kind and the mid of each media section."""
    assert description is not None
    lines = description.sdp.splitlines()
    kinds = [line[2:].split()[0] for line in lines if line.startswith("m=")]
    return list(zip(kinds, (line[6:] for line in lines if line.startswith("a=mid:")), strict=True))


# Taking back.


async def test_fact_30_an_offer_that_is_taken_back_leaves_the_live_connection_as_it_was(
    live: MakeLive, journal: Journal
) -> None:
    one, other, here, there = await pair(live)
    before = (one.local_description, one.remote_description, len(journal.entries("one.ice")))
    one.add_transceiver("video")
    assert one.can_roll_back
    await offer_of(one)
    assert one.signaling_state == "have-local-offer"
    assert one.can_roll_back
    await one.set_local_description(ROLLBACK)
    assert one.signaling_state == "stable"
    assert (one.local_description, one.remote_description, len(journal.entries("one.ice"))) == before
    await flows(here, there)
    await exchange(one, other)
    assert [kind for kind, _ in sections(other.remote_description)] == ["application", "video"]
    await flows(here, there)
    assert rejections(journal) == []


async def test_fact_30_the_other_sides_rollback_takes_it_back_too(live: MakeLive) -> None:
    one, _, here, there = await pair(live)
    await offer_of(one)
    await one.set_remote_description(ROLLBACK)
    assert one.signaling_state == "stable"
    await flows(here, there)


async def test_the_first_offer_of_a_connection_can_be_taken_back_on_either_side(live: MakeLive) -> None:
    one, other = live("one"), live("other")
    here = one.create_data_channel("chat")
    assert one.can_roll_back
    offer = await offer_of(one)
    await other.set_remote_description(offer)
    for peer in (one, other):
        await peer.set_local_description(ROLLBACK)
        assert (peer.signaling_state, peer.local_description, peer.remote_description) == ("stable", None, None)
    for peer in (one, other):
        await until(peer, "icegatheringstatechange", partial(has_not_gathered, peer))
    await exchange(one, other)
    await connected(one, other)
    await opened(here)
    await flows(here, await announced(other))
    await other.close()
    assert not other.can_roll_back


async def test_the_other_sides_offer_can_be_taken_back_on_a_live_connection(live: MakeLive) -> None:
    one, other, here, there = await pair(live)
    one.add_transceiver("audio")
    await other.set_remote_description(await offer_of(one))
    assert len(transceivers(other)) == 1
    await other.set_local_description(ROLLBACK)
    await one.set_local_description(ROLLBACK)
    assert transceivers(other) == []
    await flows(here, there)


async def test_fact_30_what_was_taken_back_can_be_offered_again(live: MakeLive) -> None:
    one, other, here, there = await pair(live)
    one.add_transceiver("audio")
    offer = await one.create_offer()
    for _ in range(2):
        await one.set_local_description(offer)
        await one.set_local_description(ROLLBACK)
    await one.set_local_description(offer)
    await one.set_remote_description(await answer_of(other, offer))
    assert sections(one.remote_description) == sections(offer)
    await flows(here, there)


# Glare.


@pytest.mark.parametrize("explicit", [True, False])
async def test_fact_13_and_30_of_two_offers_at_once_one_is_taken_back_for_the_other(
    bare: MakeBare, live: MakeLive, *, explicit: bool
) -> None:
    theirs = [bare(), bare(channel=False)]
    await exchange_bare(*theirs)
    offers = [await offer_of_bare(peer) for peer in theirs]
    with pytest.raises(AiortcInvalidStateError):
        await theirs[0].setRemoteDescription(offers[1])

    polite, impolite, here, there = await pair(live)
    polite.add_transceiver("video")
    impolite.add_transceiver("audio")
    await offer_of(polite)
    offer = await offer_of(impolite)
    if explicit:
        await polite.set_local_description(ROLLBACK)
    await impolite.set_remote_description(await answer_of(polite, offer))
    assert sections(polite.local_description) == [("application", "0"), ("audio", "1")]
    await exchange(polite, impolite)
    assert sections(impolite.local_description) == [("application", "0"), ("audio", "1"), ("video", "2")]
    assert {polite.connection_state, impolite.connection_state} == {"connected"}
    await flows(here, there)


async def test_an_offer_that_is_created_and_never_applied_leaves_no_trace(bare: MakeBare, live: MakeLive) -> None:
    """Not among the numbered facts: bare aiortc numbers a new transceiver's line as it creates the offer."""
    one_bare, other_bare = bare(), bare(channel=False)
    await exchange_bare(one_bare, other_bare)
    one_bare.addTransceiver("video")
    await one_bare.createOffer()
    other_bare.addTransceiver("audio")
    with pytest.raises(ValueError, match="None is not in list"):
        await exchange_bare(other_bare, one_bare)
    assert [(one.kind, one.mid) for one in one_bare.getTransceivers()] == [("video", "1"), ("audio", "1")]

    one, other, here, there = await pair(live)
    one.add_transceiver("video")
    await one.create_offer()
    other.add_transceiver("audio")
    await exchange(other, one)
    assert [(peer.kind, peer.mid) for peer in transceivers(one)] == [("video", None), ("audio", "1")]
    await exchange(one, other)
    assert [(peer.kind, peer.mid) for peer in transceivers(one)] == [("video", "2"), ("audio", "1")]
    await flows(here, there)


async def test_creating_an_offer_leaves_the_codecs_that_were_negotiated(live: MakeLive) -> None:
    one, other, *_ = await pair(live)
    one.add_transceiver("audio")
    offer = await offer_of(one)
    sdp, number = re.subn(r"a=rtpmap:(?!96 )\d+ .*\r\n", "", offer.sdp.replace("SAVPF 96 9 0 8", "SAVPF 96"))
    assert number == 3
    opus = SessionDescription("offer", re.sub(r"a=extmap:.*\r\n", "", sdp))
    await one.set_remote_description(await answer_of(other, opus))
    (transceiver,) = transceivers(one)
    negotiated = transceiver.negotiated
    await one.create_offer()
    assert transceiver.negotiated == negotiated
    assert ([codec.mimeType for codec in negotiated.codecs], negotiated.extensions) == (["audio/opus"], ())


# Several offers.


async def test_an_offer_on_a_live_connection_uses_its_one_transport_with_its_candidates(live: MakeLive) -> None:
    one, other, *_ = await pair(live)
    one.add_track(VideoStreamTrack())
    one.receive("audio")
    offer = await offer_of(one)
    assert offer.sdp.count("a=candidate:") == 3, "the one transport has gathered; each section tells its candidate"
    await one.set_remote_description(await answer_of(other, offer))
    assert len({id(one.receiver.transport) for one in transceivers(one)}) == 1


async def test_the_last_of_several_offers_is_the_one_that_is_answered(live: MakeLive) -> None:
    one, other, here, there = await pair(live)
    one.add_transceiver("audio")
    await offer_of(one)
    one.add_transceiver("video")
    offer = await offer_of(one)
    one.create_data_channel("late")
    await one.create_offer()
    await one.set_remote_description(await answer_of(other, offer))
    assert [kind for kind, _ in sections(one.remote_description)] == ["application", "audio", "video"]
    await flows(here, there)


async def test_what_is_added_behind_an_offer_waits_for_the_next(live: MakeLive) -> None:
    one, other = live("one"), live("other")
    one.add_transceiver("audio")
    await exchange(one, other)
    await connected(one, other)
    one.create_data_channel("chat")
    offer = await offer_of(one)
    one.add_transceiver("video")
    await one.create_offer()
    await one.set_remote_description(await answer_of(other, offer))
    await exchange(one, other)
    assert sections(one.local_description) == [("audio", "0"), ("application", "1"), ("video", "2")]
    (here,) = one.data_channels
    await opened(here)
    await flows(here, await announced(other))


# Answers that fail.


async def test_an_answer_to_another_offer_is_refused_while_this_one_can_still_be_taken_back(live: MakeLive) -> None:
    one, other, here, there = await pair(live)
    answer = await answer_of(other, await offer_of(one))
    one.add_transceiver("video")
    offer = await offer_of(one)
    with pytest.raises(InvalidAccessError, match="Media sections in answer do not match"):
        await one.set_remote_description(answer)
    assert (one.signaling_state, one.can_roll_back) == ("have-local-offer", True)
    await one.set_remote_description(await answer_of(other, offer))
    await flows(here, there)


async def test_an_answer_that_is_refused_can_be_followed_by_a_better_one(live: MakeLive) -> None:
    one, other, here, there = await pair(live)
    answer = await answer_of(other, await offer_of(one))
    bad = SessionDescription("answer", answer.sdp.replace("a=setup:active", "a=setup:actpass"))
    assert bad != answer
    with pytest.raises(InvalidAccessError, match="must be 'active' or 'passive'"):
        await one.set_remote_description(bad)
    assert (one.signaling_state, one.can_roll_back) == ("have-local-offer", True)
    await one.set_remote_description(answer)
    await flows(here, there)


async def test_a_connection_that_is_closed_while_an_answer_is_applied_stays_closed(live: MakeLive) -> None:
    one, other, *_ = await pair(live)
    answer = await answer_of(other, await offer_of(one))
    answering = asyncio.ensure_future(one.set_remote_description(answer))
    await asyncio.sleep(0)
    await one.close()
    assert isinstance((await asyncio.gather(answering, return_exceptions=True))[0], InvalidStateError)
    assert (one.signaling_state, one.can_roll_back) == ("closed", False)


# Media.


async def received(track: Any) -> None:
    """Wait for a frame."""
    async with asyncio.timeout(20):
        await track.recv()


async def test_fact_30_media_flows_on_while_offers_are_made_and_taken_back(live: MakeLive) -> None:
    one, other, here, there = await pair(live)
    tracks: list[Any] = []
    other.on("track", tracks.append)
    one.add_track(AudioStreamTrack())
    await exchange(one, other)
    (audio,) = [event.track for event in tracks]
    await received(audio)
    one.add_track(VideoStreamTrack())
    await offer_of(one)
    await received(audio)
    await one.set_local_description(ROLLBACK)
    await received(audio)
    await exchange(other, one)
    await exchange(one, other)
    await received(audio)
    await received(tracks[1].track)
    assert [event.track.kind for event in tracks] == ["audio", "video"]
    await flows(here, there)
