"""What remains of the statistics where another version lacks a private part."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import pytest_asyncio

from fsm_rtc.peer.jsep import private
from tests.peer.conftest import MakeBare
from tests.peer.statistics_call import Call, called, visible
from tests.peer.statistics_table import TARGETS

pytestmark = pytest.mark.live


@pytest_asyncio.fixture
async def call(bare: MakeBare) -> Call:
    return await called(bare)


@pytest.mark.parametrize(
    ("part", "off", "gone"),
    [
        ("_check_list", "candidates and candidate pairs", {"local-candidate", "remote-candidate", "candidate-pair"}),
        ("_RTCIceTransport__iceGatherer", "the changes of the selected pair, and its traffic", set()),
        ("_ssl", "the remote certificate, the DTLS version and the ciphers", set()),
        ("_RTCDtlsTransport__local_certificate", "the local certificate", set()),
        ("_RTCRtpSender__rtp_task", "the codecs of what is sent", set()),
    ],
)
async def test_a_part_that_another_version_lacks_is_named_once_and_the_rest_stays(
    call: Call,
    part: str,
    off: str,
    gone: set[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(private, "_switched_off", set())
    whole = {stats.type for stats in (await call[0].report()).values()}
    sctp: Any = call[0].connection.sctp
    ice = sctp.transport.transport
    owners = [sctp.transport, ice, ice._connection, *call[0].connection.getSenders()]
    taken = [(owner, owner.__dict__.pop(part)) for owner in owners if part in owner.__dict__]
    assert taken
    with caplog.at_level(logging.WARNING, "fsm_rtc.peer"):
        report = await call[0].report()
        await call[0].report()
    for owner, value in taken:
        setattr(owner, part, value)
    assert [record.getMessage().split(": ")[-1] for record in caplog.records] == [off]
    assert {stats.type for stats in report.values()} == whole - gone
    for stats in report.values():
        assert all(value in report for name, value in visible(stats).items() if name in TARGETS)
