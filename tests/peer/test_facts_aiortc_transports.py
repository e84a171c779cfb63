"""What aiortc does with transports and events, by the numbers of the facts measured on 1.16.0; and what we
make of it.

Each test first asks bare aiortc, so it fails when the library changes, and then a PeerConnection over it. Where the
library's own time limits would make a test long, their values are asked for instead, or made short.
"""

from __future__ import annotations

import inspect
import time
from types import SimpleNamespace
from typing import Any

import aioice.ice
import ifaddr
import pytest
from aiortc import RTCIceServer, RTCPeerConnection
from aiortc.codecs import h264, vpx
from aiortc.rtcicetransport import connection_kwargs

from fsm_rtc.engine import Journal
from fsm_rtc.errors import NoUsableAddressError
from fsm_rtc.media import SyntheticVideoTrack
from fsm_rtc.peer import Configuration, IceServer, PeerConnection, SessionDescription
from tests.peer.bare_aiortc import answer_of_bare, changed, connected_bare, exchange_bare, offer_of_bare, until_bare
from tests.peer.conftest import MakeBare, MakeLive
from tests.peer.peers import (
    announced,
    answer_of,
    connected,
    exchange,
    make_impatient,
    offer_of,
    opened,
    reasons,
    turns,
    until,
)

pytestmark = pytest.mark.live

EVENTS = ("signalingstatechange", "icegatheringstatechange", "iceconnectionstatechange", "connectionstatechange")


def with_channel(peer: PeerConnection) -> PeerConnection:
    peer.create_data_channel("chat")
    return peer


def cut_off(peer: RTCPeerConnection) -> None:
    """Lose a bare connection without a goodbye: what it sends goes nowhere, what comes is not heard."""
    sctp: Any = peer.sctp
    for protocol in sctp.transport.transport._connection._protocols:
        protocol.transport.close()


async def test_fact_01_a_lost_peer_is_seen_as_closed_after_six_failures(
    bare: MakeBare, live: MakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (aioice.ice.CONSENT_FAILURES, aioice.ice.CONSENT_INTERVAL) == (6, 5)
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.001)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.005)
    lost, theirs = bare(), bare(channel=False)
    states: list[str] = []
    theirs.on("connectionstatechange", lambda: states.append(theirs.connectionState))
    await exchange_bare(lost, theirs)
    await connected_bare(lost, theirs)
    cut_off(lost)
    await until_bare(theirs, "connectionstatechange", lambda: theirs.connectionState == "closed")
    assert states == ["connecting", "connected", "closed"]

    gone, ours = bare(), live()
    answer = await answer_of(ours, SessionDescription("offer", (await offer_of_bare(gone)).sdp))
    await gone.setRemoteDescription(type(gone.localDescription)(answer.sdp, "answer"))
    await connected(ours)
    make_impatient(ours)
    cut_off(gone)
    await until(ours, "connectionstatechange", lambda: ours.connection_state == "failed")
    assert ours.signaling_state == "stable", "an ICE restart may rescue it"


async def test_fact_10_a_handler_that_raises_breaks_the_operation_unless_somebody_listens_for_errors(
    bare: MakeBare, live: MakeLive
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("mine")

    theirs = bare()
    theirs.on("signalingstatechange", broken)
    with pytest.raises(RuntimeError, match="mine"):
        await offer_of_bare(theirs)
    theirs.remove_listener("signalingstatechange", broken)

    guarded = bare()
    errors: list[object] = []
    guarded.on("error", errors.append)
    guarded.on("signalingstatechange", broken)
    await offer_of_bare(guarded)
    assert len(errors) == 1

    offerer, answerer = with_channel(live("offerer")), live("answerer")
    for peer in (offerer, answerer):
        for event in (*EVENTS, "icecandidate", "datachannel"):
            peer.on(event, broken)
    await exchange(offerer, answerer)
    await connected(offerer, answerer)
    await opened(offerer.data_channels[0])


async def test_fact_11_a_new_kind_of_media_sends_the_states_back_unless_everything_is_bundled(
    bare: MakeBare, live: MakeLive
) -> None:
    offerer, answerer = bare(), bare(channel=False)
    await exchange_bare(offerer, answerer)
    await connected_bare(offerer, answerer)
    theirs: list[str] = []
    offerer.on("connectionstatechange", lambda: theirs.append(offerer.connectionState))
    offerer.addTransceiver("video")
    await exchange_bare(offerer, answerer)
    await connected_bare(offerer, answerer)
    assert theirs == ["connecting", "connected"]

    one, other = with_channel(live("one")), live("other")
    await exchange(one, other)
    await connected(one, other)
    ours: list[str] = []
    for event in EVENTS[1:]:
        one.on(event, lambda event=event: ours.append(event))
    one.add_transceiver("video")
    await exchange(one, other)
    await turns()
    assert ours == []
    assert (one.connection_state, other.connection_state) == ("connected", "connected")


async def test_fact_15_one_server_that_does_not_answer_costs_five_seconds(live: MakeLive, silent_server: str) -> None:
    timeout = inspect.signature(aioice.ice.Connection.get_component_candidates).parameters["timeout"]
    assert timeout.default == 5

    ours = with_channel(live(ice_servers=(IceServer(silent_server),), gather_timeout_seconds=0.1))
    begun = time.monotonic()
    await ours.set_local_description()
    assert ours.ice_gathering_state == "gathering", "the server is still being asked"
    await until(ours, "icegatheringstatechange", lambda: ours.ice_gathering_state == "complete")
    assert 0.05 < time.monotonic() - begun < 2.0
    assert [candidate.candidate.split()[4] for candidate in ours.local_candidates] == ["127.0.0.1"]


async def test_fact_16_a_host_with_loopback_alone_gathers_nothing(
    live: MakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback = SimpleNamespace(ips=[SimpleNamespace(ip="127.0.0.1"), SimpleNamespace(ip=("::1", 0, 0))])
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [loopback])
    theirs = RTCPeerConnection()
    theirs.createDataChannel("chat")
    assert "a=candidate" not in (await offer_of_bare(theirs)).sdp
    assert (theirs.iceGatheringState, theirs.iceConnectionState) == ("complete", "new")
    await theirs.close()

    ours = with_channel(PeerConnection())
    with pytest.raises(NoUsableAddressError, match="loopback=True"):
        await ours.set_local_description()
    assert ours.signaling_state == "stable"
    await ours.close()

    offerer, answerer = with_channel(live("offerer")), live("answerer")
    await exchange(offerer, answerer)
    await connected(offerer, answerer)


@pytest.mark.parametrize(
    "url", ["http://example.org", "stun", "", "stun:", "stun:host:port", "stun:host?transport=udp"]
)
def test_fact_17_a_bad_url_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="malformed uri"):
        connection_kwargs([RTCIceServer(url)])

    with pytest.raises(ValueError, match="no ICE server URL"):
        IceServer(url)


@pytest.mark.parametrize(
    "url", ["turn:host:65536", "turn:host?transport=sctp", "turn:a b", "stun://host", "turn:host:0"]
)
def test_fact_17_some_bad_urls_are_taken(url: str) -> None:
    connection_kwargs([RTCIceServer(url)])

    with pytest.raises(ValueError, match="no ICE server URL"):
        IceServer(url)


async def test_fact_17_a_good_url_may_be_too_much_for_aiortc() -> None:
    with pytest.raises(ValueError, match="malformed uri"):
        connection_kwargs([RTCIceServer("stun:[::1]:3478")])

    with pytest.raises(ValueError, match="name hosts, or IPv4 addresses"):
        PeerConnection(Configuration((IceServer("stun:[::1]:3478"),)))


@pytest.mark.parametrize(
    "url", ["stun:host", "stuns:host:5349", "turn:192.0.2.1:3478?transport=tcp", "turns:host?transport=tcp"]
)
async def test_fact_17_good_urls_are_good(url: str) -> None:
    await PeerConnection(Configuration((IceServer(url, "name", "secret"),))).close()


def test_fact_17_only_the_first_server_of_each_kind_is_used_and_stuns_never() -> None:
    urls = ["stuns:secure.test", "stun:first.test", "stun:second.test", "turn:first.test", "turn:second.test"]
    found = connection_kwargs([RTCIceServer(urls, "name", "secret")])
    assert (found["stun_server"], found["turn_server"]) == (("first.test", 3478), ("first.test", 3478))
    assert connection_kwargs([RTCIceServer("stuns:secure.test")]) == {}


async def test_fact_21_machines_keep_no_order_among_each_other(bare: MakeBare, live: MakeLive) -> None:
    offerer, answerer = bare(channel=False), bare(channel=False)
    offerer.addTransceiver("audio")
    seen: list[str] = []
    answerer.on("track", lambda _: seen.append("track"))
    answerer.on("signalingstatechange", lambda: seen.append(answerer.signalingState))
    answerer.on("icegatheringstatechange", lambda: seen.append(answerer.iceGatheringState))
    stale: list[tuple[str, str]] = []
    answerer.on(
        "iceconnectionstatechange", lambda: stale.append((answerer.iceConnectionState, answerer.connectionState))
    )
    await exchange_bare(offerer, answerer)
    await connected_bare(answerer)
    assert seen[:4] == ["track", "have-remote-offer", "stable", "gathering"]
    assert stale[0] == ("checking", "new")

    one, other = live("one"), live("other")
    one.add_transceiver("audio")
    ours: list[tuple[str, str]] = []
    other.on(
        "iceconnectionstatechange",
        lambda: ours.append((other.ice_connection_state.value, other.connection_state.value)),
    )
    await exchange(one, other)
    await connected(other)
    assert ours == [("checking", "connecting"), ("connected", "connecting"), ("completed", "connecting")]


async def test_fact_22_a_remote_close_closes_the_connection_here(
    bare: MakeBare, live: MakeLive, journal: Journal
) -> None:
    offerer, answerer = bare(), bare(channel=False)
    await exchange_bare(offerer, answerer)
    await connected_bare(offerer, answerer)
    await offerer.close()
    await until_bare(answerer, "signalingstatechange", lambda: answerer.signalingState == "closed")

    one, other = with_channel(live("one")), live("other")
    await exchange(one, other)
    await connected(one, other)
    there = await announced(other)
    await one.close()
    await until(other, "connectionstatechange", lambda: other.connection_state == "closed")
    assert (other.signaling_state, there.ready_state) == ("closed", "closed")
    assert [reason for _, reason in reasons(journal) if reason != "already there"] == []


async def test_fact_23_a_wrong_fingerprint_fails_on_the_side_that_sees_it(bare: MakeBare, live: MakeLive) -> None:
    wrong = r"(a=fingerprint:\S+) ..", r"\1 00"
    offerer, answerer = bare(), bare(channel=False)
    offer = changed(await offer_of_bare(offerer), *wrong)
    await offerer.setRemoteDescription(await answer_of_bare(answerer, offer))
    await until_bare(answerer, "connectionstatechange", lambda: answerer.connectionState == "failed")
    await until_bare(offerer, "connectionstatechange", lambda: offerer.connectionState != "connecting")

    one, other = with_channel(live("one")), live("other")
    sent = changed(await offer_of(one), *wrong)  # type: ignore[arg-type]
    await one.set_remote_description(await answer_of(other, SessionDescription("offer", sent.sdp)))
    for peer in (one, other):
        await until(peer, "connectionstatechange", lambda peer=peer: peer.connection_state == "failed")  # type: ignore[misc]
        assert peer.ice_connection_state == "completed"


def test_fact_25_bitrates_are_constants_of_the_codecs() -> None:
    assert (vpx.MIN_BITRATE, vpx.DEFAULT_BITRATE, vpx.MAX_BITRATE) == (250_000, 500_000, 1_500_000)
    assert (h264.MIN_BITRATE, h264.DEFAULT_BITRATE, h264.MAX_BITRATE) == (500_000, 1_000_000, 3_000_000)


async def test_fact_26_handlers_run_inside_the_library_and_coroutines_later(bare: MakeBare, live: MakeLive) -> None:
    theirs = bare()
    seen: list[str] = []

    async def later() -> None:
        seen.append(f"task in {theirs.signalingState}")

    theirs.on("signalingstatechange", lambda: seen.append(theirs.signalingState))
    theirs.on("signalingstatechange", later)
    await theirs.close()
    await turns()
    assert seen == ["closed", "task in closed"]

    with pytest.raises(TypeError, match="starts a task you own"):
        live().on("signalingstatechange", later)


async def test_fact_27_no_candidate_is_ever_announced(bare: MakeBare, live: MakeLive) -> None:
    never = ("icecandidate", "icecandidateerror", "negotiationneeded")
    seen: list[str] = []
    offerer, answerer = bare(), bare(channel=False)
    for event in never:
        offerer.on(event, lambda *_, event=event: seen.append(event))
    offerer.on("iceconnectionstatechange", lambda: seen.append(offerer.iceConnectionState))
    await exchange_bare(offerer, answerer)
    await connected_bare(offerer, answerer)
    assert seen == ["checking", "completed"]

    ours = with_channel(live())
    told: list[object] = []
    ours.on("icecandidate", told.append)
    await ours.set_local_description()
    await until(ours, "icegatheringstatechange", lambda: ours.ice_gathering_state == "complete")
    assert told == [*ours.local_candidates, None]
    assert len(told) == 2


async def test_fact_28_an_offer_takes_no_options_so_receive_adds_transceivers(bare: MakeBare, live: MakeLive) -> None:
    assert list(inspect.signature(bare().createOffer).parameters) == []

    ours = live()
    ours.receive("audio", "video")
    sdp = (await ours.create_offer()).sdp
    assert ("m=audio" in sdp, "m=video" in sdp, sdp.count("a=recvonly")) == (True, True, 2)


async def test_media_and_channels_in_any_order_share_one_transport(live: MakeLive, journal: Journal) -> None:
    one, other = live("one"), live("other")
    one.create_data_channel("chat")
    one.add_track(SyntheticVideoTrack())
    tracks: list[Any] = []
    other.on("track", tracks.append)
    await exchange(one, other)
    await connected(one, other)
    await opened(one.data_channels[0])
    assert [event.track.kind for event in tracks] == ["video"]
    assert "one.ice.2" not in one.machines or one.machines["one.ice.2"].state == "closed"


async def test_an_address_is_asked_for_only_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ifaddr, "get_adapters", list)
    ours = PeerConnection(Configuration())
    ours.create_data_channel("chat")
    assert (await ours.create_offer()).type == "offer"
    await ours.close()
