"""How a connection is brought into a signalling state, and the exchange carried to its end from there."""

from __future__ import annotations

from typing import Any

from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc import RTCSessionDescription
from tests.peer.bare_aiortc import until_bare as until

__all__ = ["STATES", "bring", "connected", "exchange", "finish", "with_media"]

STATES = ("stable", "have-local-offer", "have-remote-offer", "have-local-pranswer", "have-remote-pranswer")


def with_media(peer: Any) -> Any:
    """A connection that sends audio and video."""
    peer.addTrack(AudioStreamTrack())
    peer.addTrack(VideoStreamTrack())
    return peer


async def answer(answerer: Any, offerer: Any, kind: str = "answer") -> str:
    """Answer, provisionally or not; returns the answer's SDP."""
    made = await answerer.createAnswer()
    await answerer.setLocalDescription(RTCSessionDescription(made.sdp, kind))
    await gathered(answerer)
    sent = RTCSessionDescription(answerer.localDescription.sdp, kind)
    await offerer.setRemoteDescription(sent)
    return str(sent.sdp)


async def gathered(*peers: Any) -> None:
    """Wait until their descriptions hold every candidate; there is none if every section is rejected."""
    for peer in peers:
        if any(line.startswith("m=") and line.split()[1] != "0" for line in peer.localDescription.sdp.splitlines()):
            await until(peer, "icegatheringstatechange", lambda peer=peer: peer.iceGatheringState == "complete")  # type: ignore[misc]


async def exchange(one: Any, other: Any) -> None:
    """A whole negotiation."""
    await one.setLocalDescription(await one.createOffer())
    await gathered(one)
    await other.setRemoteDescription(one.localDescription)
    await answer(other, one)


async def connected(*peers: Any) -> None:
    """Wait until each is connected."""
    for peer in peers:
        await until(peer, "connectionstatechange", lambda peer=peer: peer.connectionState == "connected")  # type: ignore[misc]


async def bring(state: str, peer: Any, other: Any) -> None:
    """Bring `peer` into a signalling state."""
    if state == "stable":
        return
    offerer, answerer = (peer, other) if state in ("have-local-offer", "have-remote-pranswer") else (other, peer)
    await offerer.setLocalDescription(await offerer.createOffer())
    await gathered(offerer)
    await answerer.setRemoteDescription(offerer.localDescription)
    if state.endswith("pranswer"):
        await answer(answerer, offerer, "pranswer")
    assert peer.signalingState == state


async def finish(state: str, peer: Any, other: Any) -> str:
    """Carry the exchange to its end; returns the answer's SDP, or nothing if there was none under way."""
    if state == "stable":
        return ""
    answerer = other if state in ("have-local-offer", "have-remote-pranswer") else peer
    return await answer(answerer, other if answerer is peer else peer)
