"""What the text says of data channels when their connection is closed, and of how long a message may be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fsm_rtc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.aiortc import RTCPeerConnection as DropIn
from tests.peer.sections.signalling import gathered
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import channel_pair, until, watched

BLOCK = bytes(60_000)


@pytest.mark.parametrize("closes", ["the channel", "the connection", "the other side"])
async def test_what_was_never_sent_is_still_counted_once_it_is_closed(rtc: MakeRtc, closes: str) -> None:
    one, other = rtc(), rtc()
    channel, _ = await channel_pair(one, other)
    for _ in range(100):
        channel.send(BLOCK)
    assert channel.bufferedAmount == 100 * len(BLOCK)
    if closes == "the channel":
        channel.close()
        assert channel.bufferedAmount == 100 * len(BLOCK)
        await until(channel, "close", lambda: channel.readyState == "closed")
        return
    closing = (one if closes == "the connection" else other).close()
    await until(channel, "close", lambda: channel.readyState == "closed")
    unsent = channel.bufferedAmount
    await closing
    await one.close()
    assert channel.bufferedAmount == unsent > 0
    if closes == "the connection":
        assert unsent == 100 * len(BLOCK)


async def test_ones_own_close_fires_nothing_at_ones_own_channels(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    channel, theirs = await channel_pair(one, other)
    early = one.createDataChannel("early")
    heard = [watched(each, event) for each in (channel, early) for event in ("close", "closing", "error")]
    closing = one.close()
    assert (channel.readyState, early.readyState) == ("closed", "closed")
    await closing
    await until(theirs, "close", lambda: theirs.readyState == "closed")
    assert heard == [[]] * 6


async def test_the_drop_in_tells_its_channels_as_aiortc_does() -> None:
    one = DropIn(RTCConfiguration(iceServers=[], loopback=True))
    closed = watched(one.createDataChannel("x"), "close")
    await one.close()
    assert len(closed) == 1


async def with_limit(rtc: MakeRtc, line: str) -> tuple[RTCPeerConnection, Any]:
    """A connection whose other side's description has this line, or none, and its open channel."""
    one, other = rtc(), rtc()
    channel = one.createDataChannel("x")
    await one.setLocalDescription()
    assert one.sctp.maxMessageSize is None
    await gathered(one)
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription()
    await gathered(other)
    answer = re.sub("a=max-message-size:.*\r\n", line, other.localDescription.sdp)
    await one.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(channel, "open", lambda: channel.readyState == "open")
    return one, channel


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        ("", 65_536),
        ("a=max-message-size:0\r\n", 262_144),
        ("a=max-message-size:1000\r\n", 1000),
        ("a=max-message-size:262144\r\n", 262_144),
        ("a=max-message-size:1073741823\r\n", 262_144),
    ],
)
async def test_a_message_is_as_long_as_the_description_says(rtc: MakeRtc, line: str, limit: int) -> None:
    one, channel = await with_limit(rtc, line)
    assert one.sctp.maxMessageSize == limit
    channel.send(bytes(limit))
    channel.send("ä" * (limit // 2))
    before = channel.bufferedAmount
    for message in (bytes(limit + 1), "ä" * (limit // 2 + 1)):
        with pytest.raises(TypeError, match=f"takes {limit}"):
            channel.send(message)
        with pytest.raises(ValueError, match=f"at most {limit}"):
            channel.channel.send(message)
    assert channel.bufferedAmount == before


async def test_a_later_description_changes_it(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    channel, _ = await channel_pair(one, other)
    for size in (100, 200_000):
        await one.setLocalDescription()
        await other.setRemoteDescription(one.localDescription)
        await other.setLocalDescription()
        answer = re.sub("a=max-message-size:.*\r\n", f"a=max-message-size:{size}\r\n", other.localDescription.sdp)
        await one.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert one.sctp.maxMessageSize == size
        channel.send(bytes(size))
