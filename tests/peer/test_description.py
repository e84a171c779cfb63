"""Descriptions and candidates in the browser's form."""

from __future__ import annotations

import pytest

from fsm_rtc.errors import InvalidCandidateError, InvalidDescriptionError
from fsm_rtc.peer.description import IceCandidate, SessionDescription


def test_a_description_survives_the_way_through_the_browsers_form() -> None:
    description = SessionDescription("offer", "v=0\r\n")
    assert description.to_dict() == {"type": "offer", "sdp": "v=0\r\n"}
    assert SessionDescription.from_dict(description.to_dict()) == description


def test_a_rollback_needs_no_sdp() -> None:
    assert SessionDescription.from_dict({"type": "rollback"}) == SessionDescription("rollback", "")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "a description is"),
        ("offer", "a description is"),
        ([], "a description is"),
        ({}, "a description is"),
        ({"type": "ofer", "sdp": ""}, "one of offer, pranswer, answer, rollback, not 'ofer'"),
        ({"type": ["offer"], "sdp": ""}, "one of offer"),
        ({"type": "offer", "sdp": 7}, "a string, not int"),
        ({"type": "offer", "sdp": None}, "a string, not NoneType"),
    ],
)
def test_what_is_no_description_is_refused_with_what_is_expected(data: object, says: str) -> None:
    with pytest.raises(InvalidDescriptionError, match=says):
        SessionDescription.from_dict(data)


def test_a_candidate_survives_the_way_through_the_browsers_form() -> None:
    candidate = IceCandidate("candidate:1 1 udp 1 192.0.2.1 9 typ host", "0", 0)
    assert candidate.to_dict() == {"candidate": candidate.candidate, "sdpMid": "0", "sdpMLineIndex": 0}
    assert IceCandidate.from_dict(candidate.to_dict()) == candidate


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (7, "a candidate is"),
        ({"sdpMid": "0"}, "a candidate is"),
        ({"candidate": None}, "are strings"),
        ({"candidate": "", "sdpMid": 0}, "are strings"),
        ({"candidate": "", "sdpMLineIndex": "0"}, "an integer from 0 to 65535, not '0'"),
        ({"candidate": "", "sdpMLineIndex": -1}, "not -1"),
        ({"candidate": "", "sdpMLineIndex": True}, "not True"),
        ({"candidate": "", "sdpMLineIndex": 70000}, "not 70000"),
    ],
)
def test_what_is_no_candidate_is_refused_with_what_is_expected(data: object, says: str) -> None:
    with pytest.raises(InvalidCandidateError, match=says):
        IceCandidate.from_dict(data)
