"""RTCStatsIceCandidatePairState: what is known of one way between two candidates.

Source: RFC 8445, sections 6.1.2.6, 7.2.5 and 7.3.1.4, whose names for these states webrtc-stats takes over. Beyond it:
a pair that was checked may be checked again without leaving its state, as libwebrtc does until one is nominated; no RFC
asks for that, but a peer that restarts ICE in earnest looks at what arrives after it has the answer. An answer that
comes when nobody waits for it any more tells as much as one in time.

Left out: nomination, which is another question, and when a pair is checked.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["CandidatePair", "CandidatePairState"]


class CandidatePairState(StrEnum):
    """RTCStatsIceCandidatePairState."""

    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


FROZEN, WAITING, IN_PROGRESS, SUCCEEDED, FAILED = CandidatePairState


class CandidatePair(Chart[CandidatePairState, None]):
    """One candidate pair of a checklist."""

    source = "RFC 8445, section 6.1.2.6; W3C webrtc-stats, RTCStatsIceCandidatePairState"
    initial = FROZEN

    unfreeze = On(Row(FROZEN, WAITING), cite="RFC 8445, section 6.1.2.6 and 7.2.5.3.3")
    check = On(
        Row((FROZEN, WAITING), IN_PROGRESS),
        stay(IN_PROGRESS, SUCCEEDED),
        cite="RFC 8445, section 6.1.4.2; again, as libwebrtc does",
    )
    ordinary_check = On(stay(FROZEN, WAITING), cite="RFC 8445, section 6.1.4.2: no check was sent, or one is due again")
    nominate = On(stay(SUCCEEDED), cite="RFC 8445, section 8.1.1: the other side has answered")
    on_request = On(
        Row((FROZEN, FAILED), WAITING),
        stay(WAITING, IN_PROGRESS, SUCCEEDED),
        cite="RFC 8445, section 7.3.1.4, triggered checks",
    )
    on_answer = On(
        Row((WAITING, IN_PROGRESS, FAILED), SUCCEEDED),
        stay(SUCCEEDED),
        cite="RFC 8445, section 7.2.5.3",
    )
    on_role_conflict = On(
        Row((IN_PROGRESS, FAILED), WAITING),
        stay(WAITING, SUCCEEDED),
        cite="RFC 8445, section 7.2.5.1",
    )
    on_failure = On(
        Row((WAITING, IN_PROGRESS, SUCCEEDED), FAILED),
        stay(FAILED),
        cite="RFC 8445, section 7.2.5.2: no answer, a refusal, or one from another address",
    )
