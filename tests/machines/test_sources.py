"""Where each row comes from: anchors that the draft really has."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from fsm_rtc.machines import CHARTS, DERIVED

DRAFT = "W3C webrtc-pc, Editor's Draft 2026-05-04"

ANCHORS = {
    "#announce-datachannel-open",
    "#announcing-a-data-channel-as-closed",
    "#data-transport-closing-procedure",
    "#datachannel-send",
    "#dfn-chain",
    "#dfn-update-the-negotiation-needed-flag",
    "#dom-datachannel-bufferedamount",
    "#dom-icetransport-gatheringstate",
    "#dom-peerconnection-addicecandidate",
    "#dom-peerconnection-createdatachannel",
    "#dom-peerconnection-setlocaldescription",
    "#dom-peerconnection-setremotedescription",
    "#dom-rtcdatachannel-close",
    "#dom-rtcdatachannelstate",
    "#dom-rtcpeerconnection-addtrack",
    "#dom-rtcpeerconnection-addtransceiver",
    "#dom-rtcpeerconnection-close",
    "#dom-rtcpeerconnection-createanswer",
    "#dom-rtcpeerconnection-createoffer",
    "#dom-rtcpeerconnection-removetrack",
    "#dom-rtcpeerconnection-restartice",
    "#dom-rtcpeerconnection-setconfiguration",
    "#dom-rtcrtpsender-replacetrack",
    "#dom-rtcrtpsender-setstreams",
    "#dom-rtcrtptransceiver-direction",
    "#dom-rtcrtptransceiver-stop",
    "#mediastreamtrack-network-use",
    "#operation",
    "#perfect-negotiation-example",
    "#process-remote-track-removal",
    "#rtcdtlstransportstate-enum",
    "#rtciceconnectionstate-enum",
    "#rtcicegatheringstate-enum",
    "#rtcicetransportstate",
    "#rtcpeerconnectionstate-enum",
    "#rtcrtptransceiver-interface",
    "#rtcsctptransportstate",
    "#rtcsignalingstate-enum",
    "#set-description",
}
"""Looked up in the Editor's Draft of 2026-05-04."""


def told_sources() -> Iterator[tuple[str, str]]:
    """(machine, source) of each chart, trigger, row and derived table."""
    for name, chart in CHARTS.items():
        yield name, chart.source
        for trigger in chart.chart.triggers.values():
            yield name, trigger.cite
            yield from ((name, row.cite) for row in trigger.rows)
    for name, derived in DERIVED.items():
        yield name, derived.cite


def test_every_anchor_is_one_of_the_draft() -> None:
    found = {anchor for _, text in told_sources() for anchor in re.findall(r"#[\w-]+", text)}
    assert found == ANCHORS


def test_a_machine_of_the_specification_names_the_draft() -> None:
    own = {
        "signaling_link",
        "session",
        "signaling_client",
        "room_life",
        "room_member",
        "signaling_hub",
        "busy_signal",
        "peer_status",
        "negotiation_jsep",
        "exchange_unsigned",
        "candidate_pair",
        "consent",
        "flow",
        "track_source",
        "deliveries",
        "call",
        "lifetime",
        "recovery",
        "relay_credentials",
        "file_sending",
        "file_receiving",
    }
    named = {name for name, chart in CHARTS.items() if DRAFT in chart.source}
    assert named == {*CHARTS} - own
    of_the_draft = {name for name, derived in DERIVED.items() if DRAFT in derived.cite}
    assert of_the_draft == {*DERIVED} - {"call_progress", "call_phase"}


@pytest.mark.parametrize("name", CHARTS)
def test_every_machine_and_every_row_names_its_source(name: str) -> None:
    assert CHARTS[name].source
    table = CHARTS[name].chart
    unnamed = {row.trigger for _, row, _ in table.edges() if not row.cite}
    assert unnamed <= {"on_desync"}
