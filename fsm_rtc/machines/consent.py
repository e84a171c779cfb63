"""Whether the other side still wants what is sent, and whether it is there at all. Two clocks run beside each other:

- Consent, RFC 7675: every 5 s the other side is asked; 30 s without an answer, and nothing may be sent any more, until
  an ICE restart. An answer alone renews it.
- Presence, libwebrtc's habit: 2.5 s without hearing anything (an answer, a question or data) put it in doubt, and it
  is asked quickly; when that brings nothing either, it counts as missing, and when several questions of consent in a
  row weren't answered although something is heard, as unanswered. An answer alone brings it back from there, since
  hearing it doesn't say that it hears.

What is heard fires nothing: the times say since when, so that a packet costs nothing. A process that stood still has
neither asked nor listened, so its silence doesn't count, nor does its consent end by that; it asks at once.

Left out: what they lead to in RTCIceTransportState (`ice`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = [
    "Ask",
    "Consent",
    "ConsentState",
    "ConsentTimes",
    "Hearing",
    "TellBack",
    "TellExpired",
    "TellMissing",
]


class ConsentState(StrEnum):
    """Whether one may send, and whether somebody hears it."""

    NEW = "new"
    FRESH = "fresh"
    DOUBTFUL = "doubtful"
    UNANSWERED = "unanswered"
    MISSING = "missing"
    EXPIRED = "expired"


NEW, FRESH, DOUBTFUL, UNANSWERED, MISSING, EXPIRED = ConsentState


@dataclass(frozen=True, slots=True)
class ConsentTimes:
    """How often the other side is asked, and how long it may be silent.

    Attributes:
        interval_seconds: between two questions of consent, 20 % more or less. Source: RFC 7675, section 5.1.
        quiet_seconds: without hearing anything put its presence in doubt. Source: libwebrtc's receiving timeout.
        retry_seconds: between two questions while in doubt or missing.
        lost_seconds: without hearing anything it is missing.
        unanswered_seconds: without an answer it is missing too, whatever else is heard: three questions of consent.
        expiry_seconds: without an answer, and nothing is sent any more. Source: RFC 7675, section 5.1.
    """

    interval_seconds: float = 5.0
    quiet_seconds: float = 2.5
    retry_seconds: float = 0.25
    lost_seconds: float = 4.5
    unanswered_seconds: float = 16.0
    expiry_seconds: float = 30.0


class Hearing(Protocol):
    """What an agent knows of the other side.

    Attributes:
        consent: the times.
        heard_at: when anything came from it last, on the machine's clock.
        answered_at: when it answered last.
        asked_at: when it was asked last.
    """

    @property
    def consent(self) -> ConsentTimes: ...

    @property
    def heard_at(self) -> float: ...

    @property
    def answered_at(self) -> float: ...

    @property
    def asked_at(self) -> float: ...

    def draw_interval_seconds(self) -> float:
        """How long until the next question of consent."""


class Ask:
    """Ask the other side for its consent."""


class TellMissing:
    """Tell the transport that the other side is missing."""


class TellBack:
    """Tell the transport that the other side is there again."""


class TellExpired:
    """Tell the transport that nothing may be sent any more."""


def is_heard(hearing: Hearing, event: object) -> bool:
    """Something must have been heard since the other side was asked last."""
    return hearing.heard_at >= hearing.asked_at


def heard_at(hearing: Hearing) -> float:
    """When anything came from the other side last."""
    return hearing.heard_at


def quiet_since(hearing: Hearing) -> float:
    """When anything came from the other side last; who has just been asked may answer first."""
    return max(hearing.heard_at, hearing.asked_at + hearing.consent.retry_seconds - hearing.consent.quiet_seconds)


def answered_at(hearing: Hearing) -> float:
    """When the other side answered last."""
    return hearing.answered_at


def interval_seconds(hearing: Hearing) -> float:
    """Until the next question of consent."""
    return hearing.draw_interval_seconds()


def quiet_seconds(hearing: Hearing) -> float:
    """Without hearing anything, until there is doubt."""
    return hearing.consent.quiet_seconds


def retry_seconds(hearing: Hearing) -> float:
    """Between two questions while nothing is heard."""
    return hearing.consent.retry_seconds


def doubt_seconds(hearing: Hearing) -> float:
    """How long there is doubt, until the other side is missing."""
    return hearing.consent.lost_seconds - hearing.consent.quiet_seconds


def unanswered_seconds(hearing: Hearing) -> float:
    """Without an answer, until the other side counts as absent, whatever else is heard."""
    return hearing.consent.unanswered_seconds


def expiry_seconds(hearing: Hearing) -> float:
    """Without an answer, until consent has expired."""
    return hearing.consent.expiry_seconds


class Consent(Chart[ConsentState, Hearing]):
    """The other side's consent to what is sent to it."""

    source = "RFC 7675, section 5.1; libwebrtc for what is quicker"
    initial = NEW

    begin = On(Row(NEW, FRESH), cite="RFC 7675, section 5.1: initial consent is obtained using ICE")
    on_answer = On(
        stay(NEW, FRESH),
        Row(DOUBTFUL, FRESH),
        Row((UNANSWERED, MISSING), FRESH, then=(TellBack,)),
        cite="RFC 7675, section 5.1",
    )
    on_silence = On(
        Row(FRESH, DOUBTFUL, then=(Ask,)),
        Row(UNANSWERED, MISSING, then=(Ask,)),
        after=quiet_seconds,
        per="sources",
        since=quiet_since,
        late="postpone",
        cite="libwebrtc: not receiving after 2.5 s",
    )
    ask_again = On(
        Row(DOUBTFUL, FRESH, when=(is_heard,), cite="libwebrtc: receiving again"),
        Row(MISSING, UNANSWERED, when=(is_heard,), cite="libwebrtc: receiving again"),
        stay(DOUBTFUL, MISSING, then=(Ask,), restarts=("ask_again",)),
        after=retry_seconds,
        per="sources",
        cite="libwebrtc: pings of a weak connection",
    )
    on_loss = On(
        Row(DOUBTFUL, MISSING, then=(TellMissing,)),
        after=doubt_seconds,
        since=heard_at,
        late="postpone",
        cite="#rtcicetransportstate, disconnected: repeatedly failing to receive a response",
    )
    on_unanswered = On(
        Row(FRESH, UNANSWERED, then=(TellMissing,)),
        Row(DOUBTFUL, MISSING, then=(TellMissing,)),
        after=unanswered_seconds,
        per="sources",
        since=answered_at,
        late="postpone",
        cite="#rtcicetransportstate, disconnected: repeatedly failing to receive a response",
    )
    on_expiry = On(
        Row((FRESH, DOUBTFUL), EXPIRED, then=(TellMissing, TellExpired)),
        Row((UNANSWERED, MISSING), EXPIRED, then=(TellExpired,)),
        after=expiry_seconds,
        per="sources",
        since=answered_at,
        late="postpone",
        cite="RFC 7675, section 5.1: 30 seconds",
    )
    look_elsewhere = On(
        stay(UNANSWERED, MISSING, EXPIRED), cite="#rtcicetransportstate: another pair is looked for meanwhile"
    )
    ask = On(
        stay(FRESH, UNANSWERED, then=(Ask,), restarts=("ask",)),
        after=interval_seconds,
        per="sources",
        cite="RFC 7675, section 5.1: every 5 seconds, from 0.8 to 1.2 times that",
    )
