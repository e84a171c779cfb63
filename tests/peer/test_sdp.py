"""What fsm_rtc itself reads in SDP."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.errors import InvalidCandidateError, InvalidDescriptionError, OperationError
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp import candidates_of, check_description, placed_in, read_candidate, sections_of

SESSION = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
TRANSPORT = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA:BB\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n"
CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host"
OFFER = SessionDescription(
    "offer", SESSION + AUDIO + TRANSPORT + f"a={CANDIDATE}\r\n" + DATA + TRANSPORT + f"a={CANDIDATE}\r\n"
)


def offer(sdp: str) -> SessionDescription:
    return SessionDescription("offer", sdp)


def test_sections_are_read_in_order_with_kind_mid_and_index() -> None:
    assert [(one.kind, one.mid, one.index) for one in sections_of(OFFER)] == [
        ("audio", "0", 0),
        ("application", "data", 1),
    ]


def test_a_session_level_attribute_holds_for_every_section() -> None:
    assert check_description(offer(SESSION + TRANSPORT + AUDIO + DATA))


@pytest.mark.parametrize("port", ["65536", "70000", "700000", "9" * 5000])
def test_an_sctp_port_in_the_m_line_has_16_bits(port: str) -> None:
    old = f"m=application 9 DTLS/SCTP {port}\r\na=mid:data\r\n"
    with pytest.raises(OperationError, match=r"line 5 .*an SCTP port has 16 bits"):
        check_description(offer(SESSION + old + TRANSPORT))
    assert check_description(offer(SESSION + old + "a=sctp-port:5000\r\n" + TRANSPORT))


def test_a_section_has_at_most_32_fingerprints_so_that_256_sections_of_a_group_are_compared_with_few() -> None:
    line = "a=fingerprint:sha-256 AA:BB\r\n"
    assert check_description(offer(SESSION + AUDIO + TRANSPORT + line * 31))
    for many in (SESSION + AUDIO + TRANSPORT + line * 32, SESSION + line * 33 + AUDIO + TRANSPORT):
        with pytest.raises(OperationError, match=r"line \d+ .*at most 32 fingerprints"):
            check_description(offer(many))


def test_an_sctp_port_in_the_m_line_counts() -> None:
    old = "m=application 9 DTLS/SCTP 65535\r\na=mid:data\r\n"
    assert [one.sctp_port for one in sections_of(offer(SESSION + old + TRANSPORT))] == [65535]


@pytest.mark.parametrize("missing", ["ice-ufrag", "ice-pwd", "fingerprint"])
def test_fact_6_a_description_without_transport_parameters_is_refused_by_name(missing: str) -> None:
    sdp = "\r\n".join(line for line in OFFER.sdp.split("\r\n") if not line.startswith(f"a={missing}"))
    with pytest.raises(InvalidDescriptionError, match=f"no {missing} in media section 0") as caught:
        check_description(offer(sdp))
    assert caught.value.detail == f"no {missing}"


@pytest.mark.parametrize(
    ("sdp", "says"),
    [
        ("", "not SDP: it must begin with v=0"),
        ("garbage", "not SDP"),
        ("v=0", "line 2 is the o= line"),
        (SESSION, "no media section"),
        (SESSION + "m=audio\r\n", "line 5 .*an m= line has a kind"),
        (SESSION + "m=audio x RTP 0\r\n", "line 5 .*a section has one port"),
        ("v=0" + "x" * 1_100_000, "more than the 1048576"),
    ],
)
def test_fact_6_garbage_is_refused_before_a_library_sees_it(sdp: str, says: str) -> None:
    with pytest.raises(InvalidDescriptionError, match=says):
        check_description(offer(sdp))


def test_a_rejected_section_needs_no_transport_parameters() -> None:
    assert check_description(offer(SESSION + "m=video 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n" + AUDIO + TRANSPORT))


def test_bundled_candidates_are_given_once_with_their_first_section() -> None:
    assert candidates_of(OFFER) == (IceCandidate(CANDIDATE, "0", 0),)


def test_a_candidate_is_completed_with_mid_and_index() -> None:
    assert placed_in(IceCandidate(CANDIDATE, "data"), OFFER) == IceCandidate(CANDIDATE, "data", 1)
    assert placed_in(IceCandidate(CANDIDATE, None, 1), OFFER) == IceCandidate(CANDIDATE, "data", 1)
    assert placed_in(IceCandidate("a=" + CANDIDATE, "0"), OFFER).candidate == CANDIDATE


@pytest.mark.parametrize(
    "candidate", [IceCandidate(CANDIDATE, "1"), IceCandidate(CANDIDATE, None, 2), IceCandidate(CANDIDATE, "nope", 0)]
)
def test_a_candidate_for_no_section_is_refused(candidate: IceCandidate) -> None:
    with pytest.raises(OperationError, match=r"has no media section .* it has '0', 'data'"):
        placed_in(candidate, OFFER)


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "candidate:",
        CANDIDATE.replace("typ host", "typ hots"),
        CANDIDATE.replace("40000", "70000"),
        CANDIDATE.replace(" 1 udp", " one udp"),
        CANDIDATE.replace("2130706431", "99999999999"),
        CANDIDATE.removeprefix("candidate:"),
        CANDIDATE.replace("40000", "٤"),
    ],
)
def test_what_is_no_candidate_is_refused(line: str) -> None:
    with pytest.raises(InvalidCandidateError, match="no ICE candidate"):
        read_candidate(IceCandidate(line))


@given(st.text() | st.text(alphabet="vma=0:- \r\n9udpice-ufrag").map(lambda text: "v=0\r\n" + text))
def test_no_text_raises_anything_but_a_named_error(sdp: str) -> None:
    with suppress(InvalidDescriptionError):
        check_description(offer(sdp))


@given(st.text() | st.text(alphabet="candite:0123 typhosrflxudp."))
def test_no_candidate_raises_anything_but_a_named_error(line: str) -> None:
    with suppress(InvalidCandidateError):
        read_candidate(IceCandidate(line))
