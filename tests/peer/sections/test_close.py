"""close() after a stop, in each signalling state: at once, with nothing left, and every transceiver is stopped.

Source: webrtc-pc, #dom-rtcpeerconnection-close.
"""

from __future__ import annotations

from typing import Any

import aiortc
import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc.errors import InvalidStateError
from tests.peer.bare_aiortc import until_bare as until
from tests.peer.sections.conftest import Make
from tests.peer.sections.signalling import STATES, bring, connected, exchange, with_media

TRACKS = {"audio": AudioStreamTrack, "video": VideoStreamTrack}


@pytest.mark.parametrize("stops", ["peer", "other", "nobody"])
@pytest.mark.parametrize("is_connected", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("state", STATES)
async def test_close_ends_it_at_once_and_leaves_nothing(make: Make, state: str, is_connected: bool, stops: str) -> None:
    peer, other = with_media(make()), with_media(make())
    if is_connected:
        await exchange(other, peer)
        await connected(peer, other)
    await bring(state, peer, other)
    stopping = {"peer": peer, "other": other}.get(stops)
    for transceiver in stopping.getTransceivers() if stopping is not None else ():
        transceiver.stop()
    transceivers = peer.getTransceivers()
    closing = peer.close()
    if peer.profile.stops_in_two_steps:
        # Not awaited yet: it is closed at the call.
        assert [(one.direction, one.currentDirection, one.stopped) for one in transceivers] == [
            ("stopped", "stopped", True)
        ] * len(transceivers)
    await closing
    assert all(one.stopped for one in transceivers)
    assert (peer.getTransceivers(), peer.getSenders(), peer.getReceivers()) == (transceivers, [], [])
    assert [one.receiver.track.readyState for one in transceivers if one.receiver.track is not None] in (
        ["ended"] * len(transceivers),
        [],
    )


@pytest.mark.parametrize("rounds", [1, 2])
async def test_close_after_the_last_section_was_negotiated_away_waits_for_nothing(make: Make, rounds: int) -> None:
    peer, other = with_media(make()), with_media(make())
    await exchange(peer, other)
    await connected(peer, other)
    for _ in range(rounds):
        for transceiver in other.getTransceivers():
            transceiver.stop()
        await exchange(other, peer)
    assert (peer.connectionState, other.connectionState) == ("new", "new")
    await peer.close()


def refusals(peer: Any, transceiver: Any) -> list[str]:
    """What a transceiver and its sender refuse."""

    def turn() -> None:
        transceiver.direction = "recvonly"

    calls = {
        "direction": turn,
        "replaceTrack": lambda: transceiver.sender.replaceTrack(TRACKS[transceiver.kind]()),
        "replaceTrack(None)": lambda: transceiver.sender.replaceTrack(None),
        "setStreams": transceiver.sender.setStreams,
        "stop": transceiver.stop,
        "removeTrack": lambda: peer.removeTrack(transceiver.sender),
        "addTrack": lambda: peer.addTrack(AudioStreamTrack()),
    }
    refused = []
    for name, call in calls.items():
        try:
            call()
        except aiortc.InvalidStateError as error:
            refused.append(name if isinstance(error, InvalidStateError) and str(error) else f"{name}: {error!r}")
    return refused


async def test_what_is_stopped_or_closed_refuses_what_the_text_says(make: Make) -> None:
    """By the text setCodecPreferences asks nothing, and stop() only whether the connection is closed."""
    peer, other = with_media(make()), with_media(make())
    await exchange(peer, other)
    gone, kept = peer.getTransceivers()
    gone.stop()
    by_stop = ["direction", "replaceTrack", "replaceTrack(None)"]
    assert refusals(peer, gone) == by_stop
    await exchange(peer, other)
    assert refusals(peer, gone) == by_stop
    await peer.close()
    stop = ["stop"] if peer.profile.stops_in_two_steps else []
    for transceiver in (gone, kept):
        assert refusals(peer, transceiver) == [*by_stop, "setStreams", *stop, "removeTrack", "addTrack"]
        transceiver.setCodecPreferences([])


@pytest.mark.parametrize("ends", ["its shutdown was sent", "it was stopped", "the other side has closed"])
async def test_data_that_is_sent_when_dtls_has_ended_is_lost_without_a_warning(make: Make, ends: str) -> None:
    # SCTP learns of it later than DTLS, and sends again by a timer of its own.
    peer, other = with_media(make()), with_media(make())
    channel = peer.createDataChannel("file")
    await exchange(peer, other)
    await connected(peer, other)
    if channel.readyState != "open":
        await until(channel, "open", lambda: channel.readyState == "open")
    channel.send(b"x" * 200_000)
    if ends == "the other side has closed":
        await other.close()
    elif ends == "it was stopped":
        await peer.sctp.transport.stop()
    else:
        peer.sctp.transport._ssl.shutdown()
    peer.sctp._t3_expired()
    await peer.close()
