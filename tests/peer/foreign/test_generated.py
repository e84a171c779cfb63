"""Descriptions as nobody writes them: real ones, changed at random. Nothing raises but the named errors."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.errors import InvalidAccessError, InvalidDescriptionError, SpecificationError
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.sdp import check_description, read
from tests.peer.foreign.descriptions import OFFERS

pytestmark = pytest.mark.live

LINES = sorted({line for sdp in OFFERS.values() for line in sdp.split("\r\n") if len(line) < 200})
WHOLE = sorted(sdp for sdp in OFFERS.values() if len(sdp) < 4_000)
ODD = ["\x00", "\ufeff", "\u2028", "\x85", "\x0c", "\t", " ", "\r", "\n", ":", "=", "/", "-1", "9" * 30, "é", "\ud800"]


@st.composite
def changed(draw: st.DrawFn) -> str:
    """An offer with lines taken out, put in, doubled, moved, cut off, or spoilt."""
    lines = draw(st.sampled_from(WHOLE)).split("\r\n")
    for _ in range(draw(st.integers(0, 8))):
        place = draw(st.integers(0, max(len(lines) - 1, 0)))
        line = lines[place] if lines else ""
        how = draw(st.sampled_from(["out", "in", "twice", "move", "cut", "spoil", "word"]))
        if how == "in":
            lines.insert(place, draw(st.sampled_from(LINES)))
        elif how == "twice":
            lines.insert(place, line)
        elif how == "cut":
            lines[place : place + 1] = [line[: draw(st.integers(0, len(line)))]]
        elif how == "spoil":
            at = draw(st.integers(0, len(line)))
            lines[place : place + 1] = [line[:at] + draw(st.sampled_from(ODD)) + line[at:]]
        elif how == "word":
            words = line.split(" ")
            words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(ODD) | st.text(max_size=8))
            lines[place : place + 1] = [" ".join(words)]
        elif lines:
            del lines[place]
            if how == "move":
                lines.insert(draw(st.integers(0, len(lines))), line)
    return draw(st.sampled_from(["\r\n", "\n"])).join(lines)


@given(changed(), st.sampled_from(["offer", "answer"]))
def test_reading_raises_nothing_but_the_named_errors(sdp: str, kind: str) -> None:
    description = SessionDescription(kind, sdp)  # type: ignore[arg-type]
    with suppress(InvalidDescriptionError, InvalidAccessError):
        check_description(description)
        assert read(description) is read(description)


@given(changed())
async def test_whatever_is_read_is_answered_or_refused_by_name_and_the_answer_can_be_read(sdp: str) -> None:
    peer = RTCPeerConnection(RTCConfiguration(loopback=True))
    try:
        with suppress(SpecificationError):
            await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            answer = await peer.createAnswer()
            await peer.setLocalDescription(answer)
            sections = read(SessionDescription("answer", answer.sdp)).sections
            offered = read(SessionDescription("offer", sdp)).sections
            assert [(one.kind, one.proto, one.mid) for one in sections] == [
                (one.kind, one.proto, one.mid) for one in offered
            ]
    finally:
        await peer.close()
