"""What two descriptions agree on, and what they leave to be negotiated."""

from __future__ import annotations

from typing import Literal

import pytest

from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.testing.agreed import Agreed

Kind = Literal["offer", "answer"]

SESSION = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"


def described(kind: Kind, *sections: str) -> SessionDescription:
    """A description with these lines, each a section's media line and attributes, by number."""
    lines = [line for section in sections for line in section.split()]
    sdp = "".join(
        f"m={line[2:]} 9 RTP/SAVPF 0\r\n" if line.startswith("m=") else f"a={line}\r\n" for line in ["mid:none", *lines]
    )
    return SessionDescription(kind, f"{SESSION}{sdp}")


def agreed(local: SessionDescription, remote: SessionDescription, wanted: str = "") -> Agreed:
    return Agreed.of(local, remote, [("0", wanted)] if wanted else [])


CASES = """
we      here      there     wanted    covered by
offer   sendrecv  sendrecv  -         sendrecv
offer   sendrecv  recvonly  -         sendrecv sendonly
offer   sendrecv  sendonly  -         sendrecv recvonly
offer   sendrecv  inactive  -         sendrecv inactive
offer   recvonly  sendonly  -         recvonly
offer   recvonly  inactive  -         recvonly inactive
offer   inactive  inactive  -         inactive
answer  sendrecv  sendrecv  sendrecv  sendrecv
answer  recvonly  sendrecv  recvonly  recvonly
answer  recvonly  sendonly  recvonly  recvonly
answer  recvonly  sendonly  sendrecv  recvonly sendrecv
answer  sendonly  recvonly  sendrecv  sendonly sendrecv
answer  inactive  recvonly  recvonly  recvonly inactive
answer  inactive  sendonly  sendonly  sendonly inactive
"""
ALL = {"sendrecv", "sendonly", "recvonly", "inactive"}


@pytest.mark.parametrize("case", CASES.strip().splitlines()[1:])
def test_which_directions_need_no_further_negotiation(case: str) -> None:
    kind, here, there, wanted, *covering = case.split()
    other = "answer" if kind == "offer" else "offer"
    outcome = agreed(
        described(kind, f"m=audio mid:0 {here}"),  # type: ignore[arg-type]
        described(other, f"m=audio mid:0 {there}"),  # type: ignore[arg-type]
        wanted.strip("-"),
    )
    assert {direction for direction in ALL if outcome.covers("0", direction)} == set(covering)


def test_before_any_negotiation_nothing_is_covered() -> None:
    assert not Agreed().has_data
    assert not Agreed().covers("0", "inactive")
    assert not Agreed().covers(None, "inactive")


def test_a_transceiver_without_a_section_or_with_an_unknown_one_is_not_covered() -> None:
    outcome = agreed(described("offer", "m=audio mid:0"), described("answer", "m=audio mid:0"))
    assert outcome.covers("0", "sendrecv")
    assert not outcome.covers(None, "sendrecv")
    assert not outcome.covers("1", "sendrecv")


def test_a_data_section_is_agreed_on_when_it_is_there() -> None:
    data = "m=application mid:0"
    assert agreed(described("offer", data), described("answer", data)).has_data
    assert not agreed(described("offer", "m=audio mid:0"), described("answer", "m=audio mid:0")).has_data


def test_a_rejected_section_asks_for_no_further_negotiation() -> None:
    refused = SessionDescription("answer", SESSION + "m=audio 0 RTP/SAVPF 0\r\na=mid:0\r\na=inactive\r\n")
    outcome = agreed(described("offer", "m=audio mid:0 sendonly"), refused)
    assert all(outcome.covers("0", direction) for direction in ALL)
    bundled = SessionDescription("answer", refused.sdp + "a=bundle-only\r\n")
    assert not agreed(described("offer", "m=audio mid:0 sendonly"), bundled).covers("0", "recvonly")


def test_a_sections_own_direction_goes_before_the_sessions() -> None:
    session = SessionDescription("answer", SESSION + "a=inactive\r\nm=audio 9 RTP/SAVPF 0\r\na=mid:0\r\na=sendonly\r\n")
    outcome = agreed(described("offer", "m=audio mid:0 recvonly"), session)
    assert outcome.remote == {"0": "recvonly"}


def test_sections_without_a_mid_are_known_by_an_empty_one() -> None:
    outcome = agreed(
        SessionDescription("offer", SESSION + "m=audio 9 RTP/SAVPF 0\r\n"),
        SessionDescription("answer", SESSION + "m=audio 9 RTP/SAVPF 0\r\n"),
    )
    assert outcome.covers("", "sendrecv")
