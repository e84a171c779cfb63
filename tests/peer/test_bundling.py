"""BUNDLE absent, partial, in several groups or another order, by every policy: each section with real media."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from aiortc import AudioStreamTrack, RTCBundlePolicy

import fsm_rtc
import fsm_rtc.aiortc
from fsm_rtc import RTCConfiguration, RTCSessionDescription
from fsm_rtc.errors import InvalidAccessError
from fsm_rtc.media import SyntheticVideoTrack

pytestmark = pytest.mark.live

FACES = (fsm_rtc.RTCPeerConnection, fsm_rtc.aiortc.RTCPeerConnection)
LIMIT_SECONDS = 60.0

Change = Callable[[str], str]


def grouped(*groups: str) -> Change:
    """An offer with these groups for its own."""
    lines = "".join(f"a=group:BUNDLE {group}\r\n" for group in groups)
    return lambda sdp: re.sub("a=group:.*\r\n", "", sdp).replace("t=0 0\r\n", f"t=0 0\r\n{lines}", 1)


def without_mids(sdp: str) -> str:
    return re.sub("a=(mid|group):.*\r\n", "", sdp)


FORMS: dict[str, tuple[Change, list[str], int]] = {
    "as it is": (lambda sdp: sdp, ["0 1 2"], 1),
    "no group": (grouped(), [], 3),
    "a partial group": (grouped("0 1"), ["0 1"], 2),
    "another order": (grouped("2 1 0"), ["2 1 0"], 1),
    "two groups": (grouped("0", "1 2"), ["0", "1 2"], 2),
    "the data alone": (grouped("2"), ["2"], 3),
    "no mids": (without_mids, [], 3),
}


async def gathered(side: Any) -> None:
    """Wait until its description has all of its candidates."""
    happened = asyncio.Event()
    side.on("icegatheringstatechange", happened.set)
    async with asyncio.timeout(LIMIT_SECONDS):
        while side.iceGatheringState != "complete":
            await happened.wait()
            happened.clear()


class Pair:
    """An offerer that sends audio and video and has a channel, and an answerer that sends the same back."""

    def __init__(self, face: Any, policy: str = "max-compat") -> None:
        self.offerer, self.answerer = (
            face(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy(policy), loopback=True)) for _ in range(2)
        )
        self.tracks: dict[Any, list[Any]] = {self.offerer: [], self.answerer: []}
        for side in self.tracks:
            side.on("track", lambda event, side=side: self.tracks[side].append(getattr(event, "track", event)))
            side.addTrack(AudioStreamTrack())
            side.addTrack(SyntheticVideoTrack())
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.channel = self.offerer.createDataChannel("x")
        self._opened = asyncio.Event()
        self.channel.on("open", lambda *_: self._opened.set())
        self.answerer.on("datachannel", self._announced)

    def _announced(self, event: Any) -> None:
        getattr(event, "channel", event).on(
            "message", lambda told: self.messages.put_nowait(getattr(told, "data", told))
        )

    async def exchange(self, change_offer: Change = str, change_answer: Change = str) -> str:
        """Offer and answer, changed on their ways; the answer as it was made."""
        await self.offerer.setLocalDescription(await self.offerer.createOffer())
        await gathered(self.offerer)
        await self.answerer.setRemoteDescription(
            RTCSessionDescription(change_offer(self.offerer.localDescription.sdp), "offer")
        )
        await self.answerer.setLocalDescription(await self.answerer.createAnswer())
        await gathered(self.answerer)
        answer = str(self.answerer.localDescription.sdp)
        await self.offerer.setRemoteDescription(RTCSessionDescription(change_answer(answer), "answer"))
        return answer

    async def flows(self) -> None:
        """Wait until media have come on each track, both ways, and a message on the channel."""
        async with asyncio.timeout(LIMIT_SECONDS):
            await self._opened.wait()
            self.channel.send("hello")
            assert await self.messages.get() == "hello"
            for tracks in self.tracks.values():
                assert sorted(track.kind for track in tracks) == ["audio", "video"]
                for track in tracks:
                    await track.recv()

    def transports(self) -> list[int]:
        """How many transports either side uses."""
        return [
            len({id(one.sender.transport) for one in side.getTransceivers()} | {id(side.sctp.transport)})
            for side in self.tracks
        ]

    async def close(self) -> None:
        await self.offerer.close()
        await self.answerer.close()


@pytest.fixture(params=FACES, ids=lambda face: face.__module__)
def face(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("form", FORMS)
async def test_each_form_of_offer_connects_and_carries_media_on_each_section(face: Any, form: str) -> None:
    change, groups, transports = FORMS[form]
    # Who offered one group can't be told of two; what stands alone in a group is as good as in none.
    change_answer = grouped("1 2") if form == "two groups" else str
    pair = Pair(face)
    try:
        answer = await pair.exchange(change, change_answer)
        assert re.findall("a=group:BUNDLE (.*)\r\n", answer) == groups
        await pair.flows()
        assert pair.transports() == [transports, transports]
    finally:
        await pair.close()


@pytest.mark.parametrize("policy", ["balanced", "max-compat"])
async def test_an_answerer_that_does_not_bundle_gets_a_transport_for_each_section(policy: str) -> None:
    pair = Pair(fsm_rtc.RTCPeerConnection, policy)
    try:
        await pair.exchange(grouped())
        await pair.flows()
        assert pair.transports() == [3, 3]
    finally:
        await pair.close()


async def test_one_that_does_not_bundle_is_refused_by_max_bundle_with_what_to_do() -> None:
    pair = Pair(fsm_rtc.RTCPeerConnection, "max-bundle")
    try:
        with pytest.raises(InvalidAccessError, match="bundle_policy max-compat"):
            await pair.exchange(grouped())
    finally:
        await pair.close()


async def test_what_is_added_beside_sections_that_are_not_bundled_gets_a_transport_of_its_own() -> None:
    pair = Pair(fsm_rtc.RTCPeerConnection)
    try:
        await pair.exchange(grouped())
        await pair.flows()
        pair.offerer.addTransceiver(SyntheticVideoTrack(), direction="sendonly")
        answer = await pair.exchange()
        assert re.findall("a=group:BUNDLE (.*)\r\n", answer) == ["3"]
        assert pair.transports() == [4, 4]
        async with asyncio.timeout(LIMIT_SECONDS):
            await pair.tracks[pair.answerer][-1].recv()
    finally:
        await pair.close()


async def test_an_answer_without_mids_takes_those_of_the_offer() -> None:
    pair = Pair(fsm_rtc.RTCPeerConnection)
    try:
        await pair.exchange(grouped(), without_mids)
        await pair.flows()
        assert [one.mid for one in pair.offerer.getTransceivers()] == ["0", "1"]
    finally:
        await pair.close()


WRONG = "a=fingerprint:sha-256 " + ":".join(["00"] * 32) + "\r\n"


@pytest.mark.parametrize(
    ("change", "connects"),
    [
        (lambda sdp: sdp.replace("a=fingerprint:sha-256", f"{WRONG}a=fingerprint:sha-256"), True),
        (lambda sdp: re.sub("a=fingerprint:sha-(384|512).*\r\n", "", sdp).replace("sha-256 ", "SHA-256 "), True),
        (lambda sdp: re.sub("(?<=a=fingerprint:sha-512 )..", lambda byte: f"{int(byte[0], 16) ^ 1:02X}", sdp), False),
        (lambda sdp: re.sub("a=fingerprint:.*\r\n", WRONG, sdp), False),
    ],
    ids=["one of several", "one in upper case", "the best one is wrong", "all wrong"],
)
async def test_one_fingerprint_of_the_best_hash_function_has_to_hold(change: Change, *, connects: bool) -> None:
    pair = Pair(fsm_rtc.RTCPeerConnection)
    states: asyncio.Queue[str] = asyncio.Queue()
    pair.answerer.on("connectionstatechange", lambda: states.put_nowait(pair.answerer.connectionState))
    try:
        await pair.exchange(change)
        async with asyncio.timeout(LIMIT_SECONDS):
            while (state := await states.get()) not in ("connected", "failed"):
                pass
        assert state == ("connected" if connects else "failed")
    finally:
        await pair.close()


@pytest.mark.parametrize("is_lite", [True, False])
async def test_who_answers_a_lite_agent_controls_ice(*, is_lite: bool) -> None:
    pair = Pair(fsm_rtc.RTCPeerConnection)
    try:
        await pair.exchange(lambda sdp: sdp.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n") if is_lite else sdp)
        assert pair.answerer.sctp.transport.transport.role == ("controlling" if is_lite else "controlled")
    finally:
        await pair.close()
