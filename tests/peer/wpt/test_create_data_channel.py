"""createDataChannel: its options, and the channel's id."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_rtc import RTCDataChannel
from fsm_rtc.errors import InvalidStateError, OperationError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import exchange
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-createDataChannel.html"
IDS = "RTCDataChannel-id.html"

TOO_LONG = 65536


@wpt(FILE, "createDataChannel with no argument should throw TypeError")
async def test_a_channel_has_a_label(rtc: MakeRtc) -> None:
    with pytest.raises(TypeError):
        rtc().createDataChannel()  # type: ignore[call-arg]


@wpt(FILE, "createDataChannel with closed connection should throw InvalidStateError")
async def test_no_channel_once_closed(rtc: MakeRtc) -> None:
    pc = rtc()
    closing = pc.close()
    with pytest.raises(InvalidStateError):
        pc.createDataChannel("")
    await closing


@wpt(FILE, "createDataChannel attribute default values")
async def test_a_channel_is_ordered_and_reliable_unless_told_otherwise(rtc: MakeRtc) -> None:
    channel = rtc().createDataChannel("")
    assert isinstance(channel, RTCDataChannel)
    assert (channel.label, channel.protocol) == ("", "")
    assert (channel.ordered, channel.negotiated) == (True, False)
    assert channel.maxPacketLifeTime is channel.maxRetransmits is channel.id is None
    assert channel.readyState == "connecting"
    assert channel.bufferedAmount == channel.bufferedAmountLowThreshold == 0


@wpt(FILE, "createDataChannel with provided parameters should initialize attributes to provided values")
async def test_a_channel_is_as_it_was_asked_for(rtc: MakeRtc) -> None:
    pc = rtc()
    channel = pc.createDataChannel("test", ordered=False, maxRetransmits=1, protocol="custom", negotiated=True, id=3)
    assert (channel.label, channel.protocol, channel.id) == ("test", "custom", 3)
    assert (channel.ordered, channel.negotiated) == (False, True)
    assert (channel.maxPacketLifeTime, channel.maxRetransmits) == (None, 1)
    other = pc.createDataChannel("test2", ordered=False, maxPacketLifeTime=42)
    assert (other.maxPacketLifeTime, other.maxRetransmits) == (42, None)


@wpt(FILE, "createDataChannel with maxPacketLifeTime 0 should succeed")
async def test_a_packet_may_have_no_time_to_live(rtc: MakeRtc) -> None:
    assert rtc().createDataChannel("", maxPacketLifeTime=0).maxPacketLifeTime == 0


@wpt(FILE, "createDataChannel with maxRetransmits 0 should succeed")
async def test_a_packet_may_be_sent_only_once(rtc: MakeRtc) -> None:
    assert rtc().createDataChannel("", maxRetransmits=0).maxRetransmits == 0


@wpt(FILE, "createDataChannel with both maxPacketLifeTime and maxRetransmits should throw TypeError")
@pytest.mark.parametrize("limit", [0, 42])
async def test_a_channel_is_limited_by_time_or_by_number(rtc: MakeRtc, limit: int) -> None:
    with pytest.raises(TypeError):
        rtc().createDataChannel("", maxPacketLifeTime=limit, maxRetransmits=limit)


@wpt(FILE, "createDataChannel with id 0 and negotiated not set should succeed, but not set the channel's id")
@wpt(FILE, "createDataChannel with id 65534 and negotiated not set should succeed, but not set the channel's id")
@wpt(FILE, "createDataChannel with negotiated false and id 42 should ignore the id")
@pytest.mark.parametrize("number", [0, 65534, 42])
async def test_an_id_is_only_a_negotiated_channels(rtc: MakeRtc, number: int) -> None:
    channel = rtc().createDataChannel("", negotiated=False, id=number)
    assert channel.negotiated is False
    assert channel.id is None


@wpt(FILE, "createDataChannel with id 0 and negotiated true should succeed, and set the channel's id")
@wpt(FILE, "createDataChannel with id 65534 and negotiated true should succeed, and set the channel's id")
@pytest.mark.parametrize("number", [0, 65534])
async def test_a_negotiated_channel_has_its_id_at_once(rtc: MakeRtc, number: int) -> None:
    assert rtc().createDataChannel("", negotiated=True, id=number).id == number


@wpt(FILE, "createDataChannel with id -1 should throw TypeError")
@wpt(FILE, "createDataChannel with id 65535 should throw TypeError")
@wpt(FILE, "createDataChannel with id 65536 should throw TypeError")
@wpt(FILE, "createDataChannel with negotiated true and id not defined should throw TypeError")
@pytest.mark.parametrize("number", [-1, 65535, 65536, None])
async def test_a_negotiated_channel_needs_an_id_in_range(rtc: MakeRtc, number: int | None) -> None:
    with pytest.raises(TypeError):
        rtc().createDataChannel("", negotiated=True, id=number)


@wpt(FILE, "createDataChannel with too long label should throw TypeError")
@wpt(FILE, "createDataChannel with too long label (2 byte unicode) should throw TypeError")
@wpt(FILE, "createDataChannel with too long protocol should throw TypeError")
@wpt(FILE, "createDataChannel with too long protocol (2 byte unicode) should throw TypeError")
@pytest.mark.parametrize(
    ("label", "protocol"),
    [("l" * TOO_LONG, ""), ("µ" * (TOO_LONG // 2), ""), ("", "p" * TOO_LONG), ("", "¶" * (TOO_LONG // 2))],
)
@pytest.mark.parametrize("options", [{}, {"negotiated": True, "id": 42}])
async def test_names_have_at_most_65535_bytes(rtc: MakeRtc, label: str, protocol: str, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        rtc().createDataChannel(label, protocol=protocol, **options)


@wpt(FILE, "createDataChannel with maximum length label and protocol should succeed")
async def test_names_may_have_65535_bytes(rtc: MakeRtc) -> None:
    name = "l" * (TOO_LONG - 1)
    channel = rtc().createDataChannel(name, protocol=name)
    assert channel.label == channel.protocol == name


@wpt(FILE, "createDataChannel with same label used twice should not throw")
async def test_two_channels_may_have_one_label(rtc: MakeRtc) -> None:
    pc = rtc()
    assert pc.createDataChannel("test") is not pc.createDataChannel("test")


@wpt(FILE, "Channels created (after setRemoteDescription) should have id assigned")
async def test_a_channel_has_an_id_once_the_answer_is_there(rtc: MakeRtc) -> None:
    pc = rtc()
    negotiated = pc.createDataChannel("negotiated", negotiated=True, id=42)
    before = pc.createDataChannel("channel")
    assert before.id is None
    await exchange(pc, rtc())
    after = pc.createDataChannel("channel")
    assert negotiated.id == 42
    assert all(channel.id in range(65535) for channel in (before, after))
    assert before.id != after.id


@wpt(FILE, "Reusing a data channel id that is in use should throw OperationError")
@wpt(FILE, "Reusing a data channel id that is in use (after setRemoteDescription) should throw OperationError")
@pytest.mark.parametrize("is_agreed", [False, True])
async def test_an_id_is_taken_once(rtc: MakeRtc, is_agreed: bool) -> None:
    pc = rtc()
    for number in (42, 43):
        pc.createDataChannel("first", negotiated=True, id=number)
    if is_agreed:
        await exchange(pc, rtc())
    with pytest.raises(OperationError):
        pc.createDataChannel("second", negotiated=True, id=42)


@wpt(IDS, "DTLS client uses odd data channel IDs")
@wpt(IDS, "DTLS server uses even data channel IDs")
@pytest.mark.parametrize(("setup", "remainder"), [("active", 1), ("passive", 0)])
async def test_the_dtls_role_makes_ids_even_or_odd(rtc: MakeRtc, setup: str, remainder: int) -> None:
    """The answer's setup attribute is the other side's role: against a client we are the server, whose ids are odd."""
    pc, other = rtc(), rtc()
    before = pc.createDataChannel("")
    await pc.setLocalDescription()
    await other.setRemoteDescription(pc.localDescription)
    answer = await other.createAnswer()
    answer.sdp = answer.sdp.replace("a=setup:active", f"a=setup:{setup}")
    await pc.setRemoteDescription(answer)
    after = pc.createDataChannel("another")
    assert before.id is not None
    assert after.id is not None
    assert before.id % 2 == after.id % 2 == remainder
    assert before.id != after.id


@wpt(IDS, "Odd/even role should not be violated when mixing with negotiated channels")
async def test_negotiated_ids_leave_the_others_their_parity(rtc: MakeRtc) -> None:
    pc = rtc()
    announced = [pc.createDataChannel("announced") for _ in range(10)]
    negotiated = [pc.createDataChannel("negotiated", negotiated=True, id=number) for number in range(0, 20, 2)]
    await exchange(pc, rtc())
    announced += [pc.createDataChannel("announced") for _ in range(10)]
    assert [channel.id for channel in negotiated] == list(range(0, 20, 2))
    assert len({channel.id for channel in announced}) == 20
    assert {(channel.id or 0) % 2 for channel in announced} == {1}
