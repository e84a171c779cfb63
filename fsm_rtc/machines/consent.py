"""Whether the other side still wants what is sent, and whether it is there at all. Two clocks run beside each other:

- Consent, RFC 7675: every 5 s the other side is asked; 30 s without an answer, and nothing may be sent any more, until
  an ICE restart. An answer alone renews it.
- Presence, libwebrtc's habit: 2.5 s without hearing anything (an answer, a question or data) put it in doubt, and it
  is asked quickly; when that brings nothing either, or when several questions of consent in a row weren't answered
  although something is heard, it counts as missing. An answer alone brings it back from there, since hearing it
  doesn't say that it hears.

Left out: the times, which the owner has, and what they lead to in RTCIceTransportState (`ice`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["Consent", "ConsentChanged", "ConsentState"]


class ConsentState(StrEnum):
    """Whether one may send, and whether somebody hears it."""

    FRESH = "fresh"
    DOUBTFUL = "doubtful"
    MISSING = "missing"
    EXPIRED = "expired"


FRESH, DOUBTFUL, MISSING, EXPIRED = ConsentState


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """The ICE transport should know: the other side is missing, or there again, or has to be given up.

    Attributes:
        state: MISSING, FRESH or EXPIRED.
    """

    state: ConsentState


def tell_missing(context: object, event: object) -> ConsentChanged:
    """The transport hears that the other side is missing."""
    return ConsentChanged(MISSING)


def tell_back(context: object, event: object) -> ConsentChanged:
    """The transport hears that the other side is there again."""
    return ConsentChanged(FRESH)


def tell_expired(context: object, event: object) -> ConsentChanged:
    """The transport hears that nothing may be sent any more."""
    return ConsentChanged(EXPIRED)


class Consent(Chart[ConsentState, None]):
    """The other side's consent to what is sent to it."""

    source = "RFC 7675, section 5.1; libwebrtc for what is quicker"
    initial = FRESH

    on_answer = On(
        stay(FRESH),
        Row(DOUBTFUL, FRESH),
        Row(MISSING, FRESH, then=(tell_back,)),
        cite="RFC 7675, section 5.1",
    )
    on_heard = On(stay(FRESH, MISSING), Row(DOUBTFUL, FRESH), cite="libwebrtc: receiving again")
    on_silence = On(Row(FRESH, DOUBTFUL), stay(DOUBTFUL, MISSING), cite="libwebrtc: not receiving after 2.5 s")
    on_loss = On(
        Row((FRESH, DOUBTFUL), MISSING, then=(tell_missing,)),
        stay(MISSING),
        cite="#rtcicetransportstate, disconnected: repeatedly failing to receive a response",
    )
    on_expiry = On(Row(MISSING, EXPIRED, then=(tell_expired,)), cite="RFC 7675, section 5.1: 30 seconds")
