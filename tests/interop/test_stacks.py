"""Ours with other stacks: as offerer and as answerer, with media added from both sides and offers taken back."""

from __future__ import annotations

import pytest

from fsm_rtc import RTCSessionDescription
from tests.interop.foreign import Foreign, Ours, Side, exchange

STACKS = ("aiortc", "wrtc", "chromium")


class Talk:
    """Numbered messages in both directions; none may be lost, none may come twice."""

    def __init__(self, one: Side, other: Side) -> None:
        self._sides = (one, other)
        self._said: list[str] = []

    async def go_on(self) -> None:
        """Say something both ways, and wait until all is heard."""
        self._said.append(f"message {len(self._said)}")
        for side in self._sides:
            await side.send(self._said[-1])
        for side in self._sides:
            await side.heard_all(self._said)


@pytest.mark.parametrize("theirs", STACKS, indirect=True)
@pytest.mark.parametrize("we_offer", [True, False], ids=["we offer", "they offer"])
async def test_a_call_with_another_stack(ours: Ours, theirs: Foreign, *, we_offer: bool) -> None:
    offerer, answerer = (ours, theirs) if we_offer else (theirs, ours)
    await offerer.open_channel()
    await offerer.add("audio")
    await exchange(offerer, answerer)
    await ours.ready()
    await theirs.ready()
    channel = ours.channel
    talk = Talk(ours, theirs)
    await talk.go_on()

    for side, other in ((ours, theirs), (theirs, ours)):
        await side.add("video")
        await exchange(side, other)
        await talk.go_on()
    kinds = [line.split()[0] for line in ours.pc.localDescription.sdp.splitlines() if line.startswith("m=")]
    assert sorted(kinds) == ["m=application", "m=audio", "m=video", "m=video"]

    await ours.add("audio")
    await ours.offer()
    await ours.pc.setLocalDescription(RTCSessionDescription(type="rollback"))
    assert ours.pc.signalingState == "stable"
    await talk.go_on()

    await ours.offer()
    offer = await theirs.offer()
    await theirs.apply(await ours.answer(offer))
    await talk.go_on()
    await exchange(ours, theirs)
    await talk.go_on()

    assert ours.channel is channel
    assert ours.pc.connectionState == "connected"
    assert theirs.states.signalingState == "stable"
