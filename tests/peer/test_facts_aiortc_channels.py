"""What aiortc does with channels, by the numbers of the facts measured on 1.16.0; and what we
make of it.

Each test first asks bare aiortc, so it fails when the library changes, and then a PeerConnection over it. Where the
library's own time limits would make a test long, their values are asked for instead, or made short.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiortc import InvalidStateError as AiortcInvalidStateError
from aiortc import RTCDataChannel

from fsm_rtc.errors import ChannelClosedError
from fsm_rtc.peer import PeerConnection
from tests.peer.bare_aiortc import connected_bare, exchange_bare, until_bare
from tests.peer.conftest import MakeBare, MakeLive
from tests.peer.peers import announced, exchange, opened, turns, until

pytestmark = pytest.mark.live


def with_channel(peer: PeerConnection) -> PeerConnection:
    peer.create_data_channel("chat")
    return peer


async def test_fact_19_an_announced_channel_is_open_already_and_never_says_so(bare: MakeBare, live: MakeLive) -> None:
    seen: list[tuple[str, str]] = []
    offerer, answerer = bare(), bare(channel=False)

    def note(channel: Any) -> None:
        seen.append(("datachannel", channel.readyState))
        channel.on("open", lambda: seen.append(("open", channel.readyState)))

    answerer.on("datachannel", note)
    await exchange_bare(offerer, answerer)
    await until_bare(answerer, "datachannel", lambda: bool(seen))
    await turns()
    assert seen == [("datachannel", "open")]

    ours: list[str] = []
    one, other = with_channel(live("one")), live("other")
    other.on("datachannel", lambda channel: channel.on("open", lambda: ours.append(channel.ready_state.value)))
    await exchange(one, other)
    await announced(other)
    await turns()
    assert ours == ["open"]


async def test_fact_19_sending_too_early_too_much_or_the_wrong_thing(bare: MakeBare, live: MakeLive) -> None:
    channel = bare(channel=False).createDataChannel("chat")
    with pytest.raises(AiortcInvalidStateError) as raised:
        channel.send("early")
    assert str(raised.value) == ""

    one, other = with_channel(live("one")), live("other")
    ours = one.data_channels[0]
    with pytest.raises(ChannelClosedError, match="wait for its open event"):
        ours.send("early")
    with pytest.raises(ChannelClosedError, match="connecting, not open"):
        ours._backend.send("early")
    await exchange(one, other)
    await opened(ours)
    with pytest.raises(ValueError, match="262145 bytes is too long"):
        ours.send(b"x" * 262_145)
    longest = b"x" * 262_144
    ours.send(longest)
    messages: list[str | bytes] = []
    there = await announced(other)
    there.on("message", messages.append)
    await until(there, "message", lambda: bool(messages))
    assert messages == [longest]


async def test_fact_19_nothing_bounds_what_waits_so_flow_tells_it(bare: MakeBare, live: MakeLive) -> None:
    offerer, answerer = bare(channel=False), bare(channel=False)
    channel = offerer.createDataChannel("chat")
    await exchange_bare(offerer, answerer)
    await until_bare(channel, "open", lambda: channel.readyState == "open")
    for _ in range(32):
        channel.send(b"x" * 262_144)
    assert channel.bufferedAmount > 8_000_000

    one, other = with_channel(live("one")), live("other")
    ours = one.data_channels[0]
    await exchange(one, other)
    await opened(ours)
    while ours.flow_state == "clear":
        ours.send(b"x" * 65_536)
    assert 1_048_576 <= ours.buffered_amount <= 1_200_000
    await until(ours, "bufferedamountlow", lambda: ours.flow_state == "clear")


async def test_fact_20_messages_before_the_listener_are_lost(
    bare: MakeBare, live: MakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = asyncio.Event()
    emit = RTCDataChannel.emit

    def watched(channel: RTCDataChannel, event: str, *arguments: Any) -> bool:
        handled = bool(emit(channel, event, *arguments))
        if event == "message":
            arrived.set()
        return handled

    monkeypatch.setattr(RTCDataChannel, "emit", watched)
    offerer, answerer = bare(channel=False), bare(channel=False)
    channel = offerer.createDataChannel("chat")
    channel.on("open", lambda: channel.send("first"))
    announcements: list[Any] = []
    answerer.on("datachannel", announcements.append)
    await exchange_bare(offerer, answerer)
    await asyncio.wait_for(arrived.wait(), 5)
    heard: list[object] = []
    announcements[0].on("message", heard.append)
    channel.send("second")
    await until_bare(announcements[0], "message", lambda: bool(heard))
    assert heard == ["second"]

    arrived.clear()
    one, other = with_channel(live("one")), live("other")
    here = one.data_channels[0]
    here.on("open", lambda: here.send("first"))
    await exchange(one, other)
    await asyncio.wait_for(arrived.wait(), 5)
    kept: list[str | bytes] = []
    (await announced(other)).on("message", kept.append)
    assert kept == ["first"]


async def test_fact_24_a_connection_with_channels_alone_has_no_statistics(bare: MakeBare) -> None:
    offerer, answerer = bare(), bare(channel=False)
    await exchange_bare(offerer, answerer)
    await connected_bare(offerer, answerer)
    assert await offerer.getStats() == {}


async def test_a_label_beyond_ascii_closes_the_other_sides_connection(bare: MakeBare, live: MakeLive) -> None:
    """Not among the numbered facts: aiortc counts a label's characters where the protocol wants its bytes."""
    offerer, answerer = bare(channel=False), bare(channel=False)
    offerer.createDataChannel("grüße")
    await exchange_bare(offerer, answerer)
    await until_bare(answerer, "connectionstatechange", lambda: answerer.connectionState == "closed")

    one, other = live("one"), live("other")
    here = one.create_data_channel("grüße", protocol="dätä")
    await exchange(one, other)
    there = await announced(other)
    assert (there.label, there.protocol) == ("grüße", "dätä")
    # What counts in bytes is for aiortc alone: len() of a user's own label, or its JSON, would surprise.
    told = (here.label, here.protocol, here.options.protocol, there.label, there.protocol)
    assert {type(one) for one in told} == {str}
