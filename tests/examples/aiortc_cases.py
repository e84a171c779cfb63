"""What bare aiortc and the drop-in do with the same sequence: the rows of docs/coming-from-aiortc.md."""

from __future__ import annotations

import asyncio

from aiortc import RTCSessionDescription

from fsm_rtc import aiortc as drop_in
from tests.examples.aiortc_stack import (
    CASES,
    Stack,
    answer_of,
    candidate,
    case,
    closed,
    negotiated,
    offer_of,
    offered,
    state,
)

__all__ = ["CASES"]


@case("`setRemoteDescription` with garbage as an offer")
async def _(stack: Stack) -> str:
    peer = stack.peer(channel=False)
    await peer.setRemoteDescription(RTCSessionDescription("garbage", "offer"))
    return state(peer)


@case("`setRemoteDescription` with an offer whose SDP is empty")
async def _(stack: Stack) -> str:
    peer = stack.peer(channel=False)
    await peer.setRemoteDescription(RTCSessionDescription("", "offer"))
    return state(peer)


@case("an offer without a fingerprint")
async def _(stack: Stack) -> str:
    lines = (await offer_of(stack.peer())).sdp.splitlines(keepends=True)
    sdp = "".join(line for line in lines if not line.startswith("a=fingerprint:"))
    peer = stack.peer(channel=False)
    await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    return state(peer)


@case("`setLocalDescription` with an offer that was changed since `createOffer`")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    offer = await peer.createOffer()
    offer.sdp = offer.sdp.replace("a=mid:0", "a=mid:data")
    await peer.setLocalDescription(offer)
    return state(peer)


@case("`setLocalDescription` with an answer that was changed since `createAnswer`")
async def _(stack: Stack) -> str:
    peer = await offered(stack)
    answer = await peer.createAnswer()
    answer.sdp = answer.sdp.replace("a=setup:active", "a=setup:passive")
    await peer.setLocalDescription(answer)
    return state(peer)


@case("`setLocalDescription` with an offer older than the last")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    offer = await peer.createOffer()
    peer.addTransceiver("audio")
    await peer.createOffer()
    await peer.setLocalDescription(offer)
    return state(peer)


@case("`createOffer` in have-remote-offer")
async def _(stack: Stack) -> str:
    peer = await offered(stack)
    await peer.createOffer()
    return state(peer)


@case("two answers to one offer, at once")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    offer = await offer_of(peer)
    answers = [await answer_of(stack.peer(channel=False), offer) for _ in range(2)]
    ends = await asyncio.gather(*(peer.setRemoteDescription(one) for one in answers), return_exceptions=True)
    errors = [one for one in ends if isinstance(one, Exception)]
    if errors:
        raise errors[-1]
    return state(peer)


@case("a candidate before the remote description")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    await offer_of(peer)
    await peer.addIceCandidate(candidate("0"))
    return "dropped, with a warning"


@case("a candidate for a media section that is not there")
async def _(stack: Stack) -> str:
    peer = await negotiated(stack)
    await peer.addIceCandidate(candidate("9"))
    return "dropped"


@case("`addIceCandidate` after `close`")
async def _(stack: Stack) -> str:
    peer = await negotiated(stack)
    await peer.close()
    await peer.addIceCandidate(candidate("0"))
    return state(peer)


@case("`createDataChannel` after `close`")
async def _(stack: Stack) -> str:
    peer = await closed(stack)
    return f"a channel that stays `{peer.createDataChannel('late').readyState}`"


@case("`close` during `setRemoteDescription`")
async def _(stack: Stack) -> str:
    offer = await offer_of(stack.peer())
    peer = stack.peer(channel=False)
    applying = asyncio.ensure_future(peer.setRemoteDescription(offer))
    await asyncio.sleep(0)
    await peer.close()
    await applying
    return state(peer)


@case("rollback in stable")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    await peer.setLocalDescription(RTCSessionDescription("", "rollback"))
    return state(peer)


@case("rollback of one's own offer")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    await offer_of(peer)
    await peer.setLocalDescription(RTCSessionDescription("", "rollback"))
    description = peer.localDescription
    return f"{state(peer)}, `localDescription` " + ("is None" if description is None else f"a {description.type}")


@case("rollback of the other side's offer")
async def _(stack: Stack) -> str:
    peer = await offered(stack)
    await peer.setRemoteDescription(RTCSessionDescription("", "rollback"))
    return state(peer)


@case("an offer in have-local-offer")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    await offer_of(peer)
    await peer.setRemoteDescription(await offer_of(stack.peer()))
    return state(peer)


@case("a provisional answer of one's own")
async def _(stack: Stack) -> str:
    peer = await offered(stack)
    answer = await peer.createAnswer()
    await peer.setLocalDescription(RTCSessionDescription(answer.sdp, "pranswer"))
    return state(peer)


@case("a provisional answer of the other side")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    answer = await answer_of(stack.peer(channel=False), await offer_of(peer))
    await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "pranswer"))
    return state(peer)


@case("an offer without a common codec")
async def _(stack: Stack) -> str:
    offerer = stack.peer(channel=False)
    offerer.addTransceiver("video")
    sdp = (await offer_of(offerer)).sdp.replace("/90000", "/92000")
    peer = stack.peer(channel=False)
    await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    said = state(peer)
    assert "m=video 0 " in (await peer.createAnswer()).sdp
    return f"{said}, the answer's port is 0"


@case("a second media section on a live connection")
async def _(stack: Stack) -> str:
    offerer, answerer = stack.peer(), stack.peer(channel=False)
    seen: list[str] = []
    is_connected = asyncio.Event()

    def note() -> None:
        if offerer.connectionState == "connected":
            is_connected.set()

    offerer.on("connectionstatechange", note)
    await offerer.setRemoteDescription(await answer_of(answerer, await offer_of(offerer)))
    await is_connected.wait()
    seen.append(offerer.iceConnectionState)
    offerer.on("iceconnectionstatechange", lambda: seen.append(offerer.iceConnectionState))
    offerer.addTransceiver("audio")
    offer = await offer_of(offerer)
    await offerer.setRemoteDescription(await answer_of(answerer, offer))
    went = f"ICE went {', '.join(seen)}" if len(seen) > 1 else f"ICE stayed {seen[0]}"
    return f"{state(offerer)}, {went}"


@case("a handler of an event that raises, during `setLocalDescription`")
async def _(stack: Stack) -> str:
    peer = stack.peer()

    def raises() -> None:
        peer.remove_listener("signalingstatechange", raises)
        raise RuntimeError("a mistake in a handler")

    peer.on("signalingstatechange", raises)
    await offer_of(peer)
    return f"logged; {state(peer)}"


# Where aiortc raises as well.


@case("an answer in stable")
async def _(stack: Stack) -> str:
    peer = stack.peer()
    offer = await peer.createOffer()
    await peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "answer"))
    return state(peer)


@case("an answer that doesn't fit the offer")
async def _(stack: Stack) -> str:
    peer = stack.peer(channel=False)
    peer.addTransceiver("audio")
    await offer_of(peer)
    await peer.setRemoteDescription(await answer_of(stack.peer(channel=False), await offer_of(stack.peer())))
    return state(peer)


@case("an offer without `a=rtcp-mux`")
async def _(stack: Stack) -> str:
    offerer = stack.peer(channel=False)
    offerer.addTransceiver("audio")
    sdp = (await offer_of(offerer)).sdp.replace("a=rtcp-mux\r\n", "")
    peer = stack.peer(channel=False)
    await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    return state(peer)


@case("`addTrack` of a track that is sent already")
async def _(stack: Stack) -> str:
    peer, track = stack.peer(channel=False), drop_in.AudioStreamTrack()
    peer.addTrack(track)
    peer.addTrack(track)
    return state(peer)


@case("`addTransceiver` of no such kind")
async def _(stack: Stack) -> str:
    peer = stack.peer(channel=False)
    peer.addTransceiver("smell")
    return state(peer)


@case("`createDataChannel` with both limits")
async def _(stack: Stack) -> str:
    peer = stack.peer(channel=False)
    peer.createDataChannel("chat", maxRetransmits=1, maxPacketLifeTime=1)
    return state(peer)


@case("`send` on a channel that is not open")
async def _(stack: Stack) -> str:
    stack.peer(channel=False).createDataChannel("chat").send("too early")
    return "sent"


@case("`createOffer` after `close`")
async def _(stack: Stack) -> str:
    peer = await closed(stack)
    await peer.createOffer()
    return state(peer)
