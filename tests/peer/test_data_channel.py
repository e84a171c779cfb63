"""Data channels of peers in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest
import pytest_asyncio

from fsm_rtc.engine import Journal
from fsm_rtc.errors import ChannelClosedError, Reason
from fsm_rtc.machines.data_channel import FlowLimits
from fsm_rtc.peer import ChannelOptions, DataChannel
from fsm_rtc.peer.data_channel import KEPT_BYTES, KEPT_MESSAGES, MAX_MESSAGE_BYTES
from fsm_rtc.testing import FakePeerConnection
from fsm_rtc.testing.fake_backend import FakeChannel
from tests.peer.conftest import MakeFake
from tests.peer.peers import announced, connected, exchange, opened, reasons, turns, until

STATES = ("open", "closing", "close")


@dataclass
class Pair:
    """Two connected peers, and both ends of one channel."""

    offerer: FakePeerConnection
    answerer: FakePeerConnection
    here: DataChannel
    there: DataChannel

    @property
    def library(self) -> FakeChannel:
        """What stands behind `here`."""
        return self.offerer.library.channels[0]


@pytest_asyncio.fixture
async def pair(make: MakeFake) -> Pair:
    offerer, answerer = make("offerer"), make("answerer")
    here = offerer.create_data_channel("chat")
    await exchange(offerer, answerer)
    await connected(offerer, answerer)
    await opened(here)
    return Pair(offerer, answerer, here, await announced(answerer))


def listen(channel: DataChannel) -> list[str]:
    """Notes what happens to a channel."""
    seen: list[str] = []
    for event in STATES:
        channel.on(event, lambda event=event: seen.append(event))
    return seen


async def received(channel: DataChannel, number: int) -> list[str | bytes]:
    """The next messages."""
    messages: list[str | bytes] = []
    stop = channel.on("message", messages.append)
    await until(channel, "message", lambda: len(messages) >= number)
    stop()
    return messages


# Messages.


async def test_text_and_bytes_arrive_in_order_on_both_sides(pair: Pair) -> None:
    pair.here.send("hello")
    pair.here.send(b"\x00\x01")
    pair.there.send("")
    assert await received(pair.there, 2) == ["hello", b"\x00\x01"]
    assert await received(pair.here, 1) == [""]


async def test_messages_before_the_first_listener_are_kept_for_it(pair: Pair) -> None:
    for number in range(5):
        pair.here.send(str(number))
    await turns()
    first: list[str | bytes] = []
    second: list[str | bytes] = []
    pair.there.on("message", first.append)
    pair.there.on("message", second.append)
    assert first == list("01234")
    assert second == []


async def test_no_more_messages_than_the_limit_are_kept_and_the_dropped_ones_are_counted(pair: Pair) -> None:
    for number in range(KEPT_MESSAGES + 3):
        pair.there.received(str(number))
    messages: list[str | bytes] = []
    pair.there.on("message", messages.append)
    assert (len(messages), messages[-1], pair.there.unheard) == (KEPT_MESSAGES, str(KEPT_MESSAGES - 1), 3)


async def test_a_message_listener_that_raises_is_logged_and_the_next_message_comes(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    messages: list[str | bytes] = []

    def broken(data: str | bytes) -> None:
        messages.append(data)
        raise RuntimeError("mine")

    pair.there.on("message", broken)
    with caplog.at_level(logging.ERROR, "fsm_rtc.peer"):
        pair.here.send("a")
        pair.here.send("b")
        await turns()
    assert messages == ["a", "b"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


@pytest.mark.parametrize("data", [7, None, bytearray(b"x"), memoryview(b"x"), ["x"]])
async def test_what_is_neither_text_nor_bytes_is_a_type_error(pair: Pair, data: object) -> None:
    with pytest.raises(TypeError, match="encode the message first"):
        pair.here.send(data)  # type: ignore[arg-type]


async def test_a_message_may_have_as_many_bytes_as_the_limit_and_no_more(pair: Pair) -> None:
    pair.here.send(b"x" * MAX_MESSAGE_BYTES)
    pair.here.send("é" * (MAX_MESSAGE_BYTES // 2))
    for data in (b"x" * (MAX_MESSAGE_BYTES + 1), "é" * (MAX_MESSAGE_BYTES // 2 + 1)):
        with pytest.raises(ValueError, match=f"at most {MAX_MESSAGE_BYTES}"):
            pair.here.send(data)
    assert [len(message) for message in await received(pair.there, 2)] == [MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES // 2]


async def test_sending_before_the_channel_is_open_is_refused_and_journalled(make: MakeFake, journal: Journal) -> None:
    channel = make().create_data_channel("chat")
    with pytest.raises(ChannelClosedError, match="wait for its open event") as raised:
        channel.send("early")
    assert raised.value.rejected is not None
    assert raised.value.rejected.reason is Reason.NO_ROW
    assert reasons(journal, "peer.channel.chat") == [("send", "no row")]


async def test_sending_on_a_closing_or_closed_channel_is_refused(pair: Pair) -> None:
    pair.here.close()
    assert pair.here.ready_state == "closing"
    with pytest.raises(ChannelClosedError):
        pair.here.send("late")
    await until(pair.here, "close", lambda: pair.here.ready_state == "closed")
    with pytest.raises(ChannelClosedError):
        pair.here.send("late")


async def test_a_message_can_be_sent_from_the_open_callback(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    here = offerer.create_data_channel("chat")
    here.on("open", lambda: here.send("first"))
    await exchange(offerer, answerer)
    assert await received(await announced(answerer), 1) == ["first"]


async def test_a_message_that_comes_before_its_channel_is_open_is_heard_behind_that(make: MakeFake) -> None:
    channel = make("offerer").create_data_channel("chat")
    heard: list[object] = []
    channel.on("open", lambda: heard.append(("open", channel.ready_state)))
    channel.on("message", heard.append)
    channel.received("early")
    channel.received(b"too")
    assert heard == []
    channel.opened()
    channel.received("later")
    assert heard == [("open", "open"), "early", b"too", "later"]


# States.


async def test_each_state_is_told_once_on_the_side_that_closes_and_on_the_other(pair: Pair) -> None:
    here, there = listen(pair.here), listen(pair.there)
    pair.here.close()
    pair.here.close()
    await turns()
    assert (pair.here.ready_state, pair.there.ready_state) == ("closed", "closed")
    assert here == ["close"]
    assert there == ["closing", "close"]


async def test_an_announced_channel_tells_that_it_is_open_to_who_listens_in_the_announcement(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    offerer.create_data_channel("chat")
    seen: list[str] = []
    answerer.on("datachannel", lambda channel: channel.on("open", lambda: seen.append(channel.ready_state.value)))
    await exchange(offerer, answerer)
    await announced(answerer)
    await turns()
    assert seen == ["open"]


async def test_a_channel_closed_in_its_own_open_callback_is_closed_on_both_sides(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    here = offerer.create_data_channel("chat")
    here.on("open", here.close)
    seen = listen(here)
    await exchange(offerer, answerer)
    there = await announced(answerer)
    await turns()
    assert (here.ready_state, there.ready_state) == ("closed", "closed")
    assert seen == ["open", "close"]


async def test_a_channel_can_be_closed_before_it_was_open(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    channel = offerer.create_data_channel("chat")
    seen = listen(channel)
    channel.close()
    await exchange(offerer, answerer)
    await connected(offerer, answerer)
    await turns()
    assert channel.ready_state == "closed"
    assert seen == ["close"]


async def test_closing_the_connection_closes_its_channels_abruptly(pair: Pair) -> None:
    here, there = listen(pair.here), listen(pair.there)
    messages: list[str | bytes] = []
    pair.here.on("message", messages.append)
    await pair.offerer.close()
    await turns()
    assert (here, there) == ([], ["close"])  # one's own close() fires nothing: #dom-rtcpeerconnection-close
    pair.here.received("late")
    pair.here.opened()
    pair.here.closed()
    assert pair.here.ready_state == "closed"
    assert here == []
    assert messages == []


async def test_channels_made_on_both_sides_with_one_number_are_joined(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    here, there = (peer.create_data_channel("same", negotiated=True, id=7) for peer in (offerer, answerer))
    await exchange(offerer, answerer)
    await connected(offerer, answerer)
    await opened(here, there)
    here.send("hello")
    assert await received(there, 1) == ["hello"]
    assert (here.id, len(answerer.data_channels)) == (7, 1)


@pytest.mark.parametrize(
    "options",
    [
        {"max_retransmits": 1, "max_packet_life_time": 1},
        {"negotiated": True},
        {"negotiated": True, "id": 65535},
        {"negotiated": True, "id": -1},
    ],
)
async def test_options_that_contradict_each_other_are_refused(make: MakeFake, options: dict[str, int]) -> None:
    peer = make()
    with pytest.raises(ValueError, match="data channel"):
        peer.create_data_channel("chat", **options)  # type: ignore[arg-type]
    assert peer.data_channels == ()


@pytest.mark.parametrize("field", ["max_retransmits", "max_packet_life_time"])
@pytest.mark.parametrize("number", [-1, 65536, 0.5])
def test_a_number_that_has_no_place_in_the_channels_first_message_is_refused(field: str, number: float) -> None:
    with pytest.raises(ValueError, match=f"{field}.*65535"):
        ChannelOptions(**{field: number})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["label", "protocol"])
async def test_a_label_or_protocol_of_more_than_65535_bytes_is_a_type_error(make: MakeFake, field: str) -> None:
    words = {"label": "chat", field: "é" * 32768}
    with pytest.raises(TypeError, match="65535 bytes"):
        make().create_data_channel(**words)  # type: ignore[arg-type]


async def test_a_stream_number_counts_only_for_a_negotiated_channel() -> None:
    assert ChannelOptions(id=7).id is None


# Flow.


async def test_a_channel_is_congested_while_much_waits_and_clear_when_little_does(pair: Pair, journal: Journal) -> None:
    drained: list[int] = []
    pair.here.on("bufferedamountlow", lambda: drained.append(pair.here.buffered_amount))
    pair.library.buffered_amount = FlowLimits().high_bytes - 1
    pair.here.send("a")
    assert pair.here.flow_state == "clear"
    pair.library.buffered_amount = FlowLimits().high_bytes
    pair.here.send("b")
    pair.here.send("c")
    assert pair.here.flow_state == "congested"
    pair.library.buffered_amount = FlowLimits().low_bytes
    pair.here.drained()
    assert pair.here.flow_state == "clear"
    assert drained == [FlowLimits().low_bytes]
    assert reasons(journal, "offerer.channel.chat.flow") == []


async def test_what_nobody_hears_is_bounded_in_bytes_too_and_told_once(pair: Pair) -> None:
    errors: list[object] = []
    pair.there.on("error", errors.append)
    for number in range(KEPT_BYTES // MAX_MESSAGE_BYTES + 3):
        pair.here.send(bytes([number]) * MAX_MESSAGE_BYTES)
    await turns(5)
    assert (pair.there.unheard, len(errors)) == (3, 1)
    assert "listen for messages" in str(errors[0])
    heard = await received(pair.there, KEPT_BYTES // MAX_MESSAGE_BYTES)
    assert heard[-1] == bytes([len(heard) - 1]) * MAX_MESSAGE_BYTES
    pair.here.send("again")
    assert await received(pair.there, 1) == ["again"]
