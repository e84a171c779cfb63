"""Data channels between two connections: announced, used, closed."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_rtc import RTCDataChannel
from fsm_rtc.errors import InvalidStateError, RTCError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import channel_pair, connected, exchange, happens, soon, trickle, until, upcoming, watched
from tests.peer.wpt.subtests import wpt

ANNOUNCED = "RTCPeerConnection-ondatachannel.html"
SEND = "RTCDataChannel-send.html"
CLOSE = "RTCDataChannel-close.html"
RESTART = "RTCDataChannel-iceRestart.html"

EITHER = pytest.mark.parametrize("options", [{}, {"negotiated": True, "id": 0}], ids=["announced", "negotiated"])


@wpt(ANNOUNCED, "Data channel event should fire when new data channel is announced to the remote peer")
async def test_an_announced_channel_is_open_and_told_of_once(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    seen = watched(other, "datachannel")
    states: list[str] = []
    other.on("datachannel", lambda event: states.append(event.channel.readyState))
    await channel_pair(one, other)
    (event,) = seen
    assert isinstance(event.channel, RTCDataChannel)
    assert states == ["open"]


@wpt(ANNOUNCED, "Should be able to send data in a datachannel event handler")
async def test_an_announced_channel_sends_at_once(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    other.on("datachannel", lambda event: event.channel.send("meow"))
    channel = one.createDataChannel("test")
    message = upcoming(channel, "message")
    await exchange(one, other)
    assert await soon(message) == "meow"


@wpt(ANNOUNCED, "Open event should not be raised when closing the channel in the datachannel event")
async def test_a_channel_closed_when_it_is_announced_never_opens(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    events: list[str] = []

    def close(event: Any) -> None:
        event.channel.on("open", lambda: events.append("open"))
        event.channel.on("close", lambda: events.append("close"))
        event.channel.close()

    other.on("datachannel", close)
    channel = one.createDataChannel("test")
    closed = upcoming(channel, "close")
    await exchange(one, other)
    await soon(closed)
    assert "open" not in events


@wpt(ANNOUNCED, "In-band negotiated channel created on remote peer should match the same configuration as local peer")
@wpt(
    ANNOUNCED,
    "In-band negotiated channel created on remote peer should match the same (default) configuration as local peer",
)
@pytest.mark.parametrize("options", [{"ordered": False, "maxRetransmits": 1, "protocol": "custom"}, {}])
async def test_both_ends_of_a_channel_are_alike(rtc: MakeRtc, options: dict[str, Any]) -> None:
    ends = await channel_pair(rtc(), rtc(), **options)
    first, second = (
        (end.label, end.ordered, end.maxPacketLifeTime, end.maxRetransmits, end.protocol, end.negotiated, end.id)
        for end in ends
    )
    assert first == second


@wpt(ANNOUNCED, "Negotiated channel should not fire datachannel event on remote peer")
async def test_a_negotiated_channel_is_not_announced(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    announced = watched(other, "datachannel")
    first, second = await channel_pair(one, other, negotiated=True, id=42)
    first.send("over")
    await happens(second, "message")
    assert announced == []


@wpt(SEND, "Calling send() when data channel is in connecting state should throw InvalidStateError")
async def test_a_channel_that_connects_does_not_send(rtc: MakeRtc) -> None:
    channel = rtc().createDataChannel("test")
    with pytest.raises(InvalidStateError):
        channel.send("hello")


@wpt(SEND, "Datachannel should be able to send simple string and receive as string")
@wpt(SEND, "Datachannel should be able to send unicode string and receive as unicode string")
@wpt(SEND, "Datachannel should be able to send an empty string and receive an empty string")
@wpt(SEND, "Datachannel should be able to send Uint8Array message and receive as ArrayBuffer")
@wpt(SEND, "Datachannel should be able to send an empty ArrayBuffer message and receive as ArrayBuffer")
@wpt(SEND, "Datachannel sending multiple messages with different types should succeed and be received")
@EITHER
async def test_messages_arrive_as_they_were_sent(rtc: MakeRtc, options: dict[str, Any]) -> None:
    first, second = await channel_pair(rtc(), rtc(), **options)
    received = watched(second, "message")
    messages: list[str | bytes] = ["hello", "世界你好", "", b"hello", b""]
    for message in messages:
        first.send(message)
    await until(second, "message", lambda: len(received) == len(messages))
    assert received == messages


@wpt(CLOSE, "Close datachannel causes onclosing and onclose to be called")
@wpt(CLOSE, "Close negotiated datachannel causes onclosing and onclose to be called")
@EITHER
async def test_the_other_end_of_a_closed_channel_is_closing_then_closed(rtc: MakeRtc, options: dict[str, Any]) -> None:
    first, second = await channel_pair(rtc(), rtc(), **options)
    ours = watched(first, "closing")
    states = watched(second, "closing", lambda: second.readyState)
    second.on("close", lambda: states.append(second.readyState))
    errors = watched(second, "error")
    first.close()
    await until(second, "close", lambda: second.readyState == "closed")
    assert states == ["closing", "closed"]
    assert ours == errors == []


@wpt(CLOSE, "Close peerconnection causes close event and error to be called on datachannel")
@wpt(CLOSE, "Close peerconnection causes close event and error to be called on negotiated datachannel")
@EITHER
async def test_a_channel_whose_connection_is_closed_there_fails_and_closes(
    rtc: MakeRtc, options: dict[str, Any]
) -> None:
    one, other = rtc(), rtc()
    _, second = await channel_pair(one, other, **options)
    events: list[Any] = watched(second, "error")
    second.on("close", lambda: events.append("close"))
    await one.close()
    await until(second, "close", lambda: "close" in events)
    error, close = events
    assert close == "close"
    error = getattr(error, "error", error)
    assert isinstance(error, RTCError)
    assert error.errorDetail == "sctp-failure"


@wpt(CLOSE, "Close peerconnection after datachannel close causes no events")
@wpt(CLOSE, "Close peerconnection after negotiated datachannel close causes no events")
@EITHER
async def test_a_closed_channel_tells_nothing_of_its_connection(rtc: MakeRtc, options: dict[str, Any]) -> None:
    one, other = rtc(), rtc()
    channels = await channel_pair(one, other, **options)
    channels[0].close()
    for channel in channels:
        await until(channel, "close", lambda channel=channel: channel.readyState == "closed")  # type: ignore[misc]
    events = [watched(channel, name) for channel in channels for name in ("close", "error")]
    await one.close()
    await other.close()
    assert not any(events)


async def assert_messages_pass(*channels: RTCDataChannel) -> None:
    """Send a message each way."""
    for source, sink in (channels, channels[::-1]):
        message = upcoming(sink, "message")
        source.send("hello")
        assert await soon(message) == "hello"


@wpt(RESTART, "Data channel remains usable after ICE restart")
async def test_a_channel_outlives_an_ice_restart(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    channels = await channel_pair(one, other)
    errors = [watched(channel, "error") for channel in channels]
    await assert_messages_pass(*channels)
    one.restartIce()
    await exchange(one, other)
    await assert_messages_pass(*channels)
    await connected(one, other)
    assert not any(errors)


@wpt(RESTART, "Data channel remains usable at each step of an ICE restart")
async def test_a_channel_passes_messages_at_each_step_of_an_ice_restart(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    channels = await channel_pair(one, other)
    one.restartIce()
    await one.setLocalDescription()
    await assert_messages_pass(*channels)
    await other.setRemoteDescription(one.localDescription)
    await assert_messages_pass(*channels)
    await other.setLocalDescription()
    await assert_messages_pass(*channels)
    await one.setRemoteDescription(other.localDescription)
    await assert_messages_pass(*channels)
