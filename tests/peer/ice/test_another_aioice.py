"""With another aioice that lacks a part a warning says what is switched off, and calls go on to work."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from aioice import ice

from fsm_rtc import RTCConfiguration, RTCPeerConnection
from fsm_rtc.peer.ice.private import missing_parts
from fsm_rtc.peer.jsep.private import warn_of_another_version
from tests.peer.wpt.exchanges import until


@pytest.fixture
def another_aioice(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("fsm_rtc.peer.ice.private.FUNCTIONS", ("StunProtocol", "a_part_of_another_version"))
    monkeypatch.setattr(ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    missing_parts.cache_clear()
    yield
    missing_parts.cache_clear()


@pytest.mark.usefixtures("another_aioice")
async def test_a_call_works_by_aioices_own_way_and_a_warning_says_what_is_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, other = (RTCPeerConnection(RTCConfiguration(gatherTimeoutSeconds=1.0)) for _ in range(2))
    heard: list[str] = []
    other.on("datachannel", lambda event: event.channel.on("message", heard.append))
    channel = one.createDataChannel("chat")
    channel.on("open", lambda: channel.send("hello"))
    try:
        await one.setLocalDescription()
        await until(one, "icegatheringstatechange", lambda: one.iceGatheringState == "complete")
        await other.setRemoteDescription(one.localDescription)
        await other.setLocalDescription()
        await until(other, "icegatheringstatechange", lambda: other.iceGatheringState == "complete")
        await one.setRemoteDescription(other.localDescription)
        await until(other, "connectionstatechange", lambda: other.connectionState == "connected")
        await until(channel, "open", lambda: channel.readyState == "open")
        channel.send("still there")
        channel.close()
        await until(channel, "close", lambda: channel.readyState == "closed")
        assert heard == ["hello", "still there"]
    finally:
        await one.close()
        await other.close()
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "lacks a_part_of_another_version" in warning.message
    assert "ICE restarts are switched off" in warning.message


def test_another_aiortc_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    assert not warn_of_another_version()
    assert warn_of_another_version("2.0.0")
    assert "aiortc is 2.0.0" in caplog.text
