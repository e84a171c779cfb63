"""stop() in each signalling state, before and after the connection is there, and what comes of it.

Source: webrtc-pc, #dom-rtcrtptransceiver-stop: the next offer rejects the section, an answer that is made meanwhile is
not affected.
"""

from __future__ import annotations

import pytest

from tests.peer.bare_aiortc import until_bare as until
from tests.peer.sections.conftest import Make
from tests.peer.sections.signalling import STATES, bring, connected, exchange, finish, with_media

SENDS_NOTHING = ("inactive", "stopped")


def sections(sdp: str) -> list[tuple[bool, str]]:
    """Whether each section is rejected, and its direction."""
    read = []
    for section in sdp.split("\r\nm=")[1:]:
        direction = next(line[2:] for line in section.splitlines() if line[2:] in DIRECTIONS)
        read.append((section.split()[1] == "0", direction))
    return read


DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@pytest.mark.parametrize("stopped", [(0,), (1,), (0, 1)], ids=["first", "second", "both"])
@pytest.mark.parametrize("is_connected", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("state", STATES)
async def test_a_stopped_section_is_rejected_by_the_next_offer_and_leaves_the_others_alone(
    make: Make, state: str, is_connected: bool, stopped: tuple[int, ...]
) -> None:
    peer, other = with_media(make()), with_media(make())
    if is_connected:
        await exchange(other, peer)
        await connected(peer, other)
    await bring(state, peer, other)
    transceivers = peer.getTransceivers()
    gone = [transceivers[index] for index in stopped]
    for transceiver in gone:
        transceiver.stop()
        assert transceiver.stopped is (peer.profile.stops_in_two_steps is False)
    answer = await finish(state, peer, other)
    if "remote-offer" in state or "local-pranswer" in state:
        # An answer with a rejected section could take the bundle's transport from the others.
        assert sections(answer) == [
            (False, "inactive" if index in stopped else "sendrecv") for index in range(len(transceivers))
        ]
    if is_connected or state != "stable":
        await exchange(peer, other)
        assert [rejected for rejected, _ in sections(peer.localDescription.sdp)] == [
            index in stopped for index in range(len(transceivers))
        ]
    else:
        await exchange(peer, other)
        assert len(sections(peer.localDescription.sdp)) == len(transceivers) - len(stopped)
    kept = [one for one in transceivers if one not in gone]
    assert [one for one in peer.getTransceivers() if one.mid is not None] == kept
    assert [one.currentDirection for one in kept] == ["sendrecv"] * len(kept)
    if kept:
        await connected(peer, other)
    assert all(one.connectionState in ("connected", "new") for one in (peer, other))


async def test_another_section_takes_the_place_of_a_stopped_one(make: Make) -> None:
    peer, other = with_media(make()), with_media(make())
    await exchange(peer, other)
    await connected(peer, other)
    for transceiver in peer.getTransceivers():
        transceiver.stop()
    await exchange(peer, other)
    with_media(peer)
    await exchange(peer, other)
    await connected(peer, other)
    assert [rejected for rejected, _ in sections(peer.localDescription.sdp)] == [False, False]


async def test_a_transceiver_that_was_never_offered_keeps_no_state_from_being_connected(make: Make) -> None:
    peer, other = make(), with_media(make())
    peer.addTransceiver("video").stop()
    peer.addTransceiver("audio")
    await peer.setLocalDescription(await peer.createOffer())
    late = [peer.addTransceiver("video"), peer.addTransceiver("video")]
    late[0].stop()
    await until(peer, "icegatheringstatechange", lambda: peer.iceGatheringState == "complete")
    await other.setRemoteDescription(peer.localDescription)
    await other.setLocalDescription(await other.createAnswer())
    await until(other, "icegatheringstatechange", lambda: other.iceGatheringState == "complete")
    await peer.setRemoteDescription(other.localDescription)
    await connected(peer, other)


async def test_a_rollback_brings_no_stopped_section_back(make: Make) -> None:
    peer, other = with_media(make()), with_media(make())
    await exchange(peer, other)
    audio, video = peer.getTransceivers()
    other.getTransceivers()[0].stop()
    await bring("have-remote-offer", peer, other)
    await peer.setRemoteDescription(type(peer.localDescription)(sdp="", type="rollback"))
    assert audio.stopped
    assert (audio.currentDirection or "inactive") in ("sendrecv", "stopped")
    assert sections((await peer.createOffer()).sdp) == [(True, "inactive"), (False, "sendrecv")]
    assert not video.stopped
