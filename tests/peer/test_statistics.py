"""The statistics of live aiortc connections on loopback, against the names of the specification."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio
from aiortc.mediastreams import AudioStreamTrack
from aiortc.stats import RTCStats

from fsm_rtc.peer.statistics.report import selected
from tests.peer.conftest import MakeBare
from tests.peer.statistics_call import NOW, Call, called, has_remote_streams, report_when, the, visible
from tests.peer.statistics_table import ALWAYS, MEMBERS, REQUIRED, TARGETS

pytestmark = pytest.mark.live


@pytest_asyncio.fixture
async def call(bare: MakeBare) -> Call:
    return await called(bare)


async def test_types_and_members_are_those_of_the_specification(call: Call) -> None:
    report = await report_when(call[0], has_remote_streams)
    assert {stats.type for stats in report.values()} == set(MEMBERS)
    for name, stats in report.items():
        assert isinstance(stats, RTCStats)
        members = set(visible(stats))
        ours = {"trackId"} if stats.type == "outbound-rtp" else set()  # aiortc's own
        assert members - ours <= ALWAYS | set(MEMBERS[stats.type].split()), stats.type
        assert members >= ALWAYS | set(REQUIRED[stats.type].split()), stats.type
        assert stats.id == name
        assert None not in visible(stats).values()


async def test_every_id_that_is_referred_to_is_that_of_an_object_of_the_right_type(call: Call) -> None:
    report = await report_when(call[0], has_remote_streams)
    seen = set()
    for stats in report.values():
        for name, value in visible(stats).items():
            if name.endswith("Id") and name != "trackId":
                assert report[value].type in TARGETS[name], name
                seen.add(name)
    assert seen == set(TARGETS)


async def test_ids_stay_and_only_a_shared_thing_has_the_same_id_at_both_peers(call: Call) -> None:
    first, later = await call[0].report(), await call[0].report(NOW + timedelta(seconds=1))
    assert set(first) <= set(later)
    assert {later[name].type for name in first} == {stats.type for stats in first.values()}
    own = [stats for stats in later.values() if not stats.type.endswith("rtp")]
    assert {stats.timestamp for stats in own} == {NOW + timedelta(seconds=1)}
    shared = set(first) & set(await call[1].report())
    assert {first[name].type for name in shared} == {"certificate", "peer-connection"}  # both are named "one"


async def test_a_channel_has_its_counters_if_it_counts(call: Call) -> None:
    stats = the(await call[0].report(), "data-channel")
    assert visible(stats) == {
        "timestamp": NOW,
        "type": "data-channel",
        "id": stats.id,
        "state": "open",
        "label": "chat",
        "protocol": "talk",
        "dataChannelIdentifier": call[0].channel.id,
    }
    for number, name in enumerate(("messagesSent", "bytesSent", "messagesReceived", "bytesReceived")):
        setattr(call[0].channel, name, number)
    stats = the(await call[0].report(), "data-channel")
    assert (stats.messagesSent, stats.bytesSent, stats.messagesReceived, stats.bytesReceived) == (0, 1, 2, 3)


async def test_the_connection_tells_how_many_channels_were_opened_and_closed(call: Call) -> None:
    stats = the(await call[0].report(), "peer-connection")
    assert (stats.dataChannelsOpened, stats.dataChannelsClosed) == (1, 0)


async def test_a_selector_takes_the_streams_of_its_track_and_all_that_they_refer_to(call: Call) -> None:
    whole = await report_when(call[0], has_remote_streams)
    below = {"codec", "transport", "candidate-pair", "local-candidate", "remote-candidate", "certificate"}
    (sender,) = [one for one in call[0].connection.getSenders() if one.kind == "video"]
    sent = selected(whole, sender.track)
    assert {stats.type for stats in sent.values()} == below | {"outbound-rtp", "remote-inbound-rtp", "media-source"}
    assert {the(sent, kind).kind for kind in ("outbound-rtp", "remote-inbound-rtp", "media-source")} == {"video"}
    received = selected(whole, call[0].track("audio"))
    assert {stats.type for stats in received.values()} == below | {"inbound-rtp", "remote-outbound-rtp"}
    assert the(received, "inbound-rtp").trackIdentifier == call[0].track("audio").id
    assert not selected(whole, AudioStreamTrack())
