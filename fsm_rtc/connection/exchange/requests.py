"""What an `Exchanger` asks of its driver, beside what its machine asks."""

from __future__ import annotations

from dataclasses import dataclass

from fsm_rtc.machines.exchange_requests import AnswerOffer, ApplyAnswer, ApplyOffer, MakeOffer, YieldOffer
from fsm_rtc.messages import EndCode
from fsm_rtc.peer.description import IceCandidate

__all__ = [
    "AddCandidate",
    "ExchangeEnded",
    "ExchangeRequest",
    "PeerIsBusy",
    "PeerWantsNothing",
    "Settled",
    "Transmit",
]


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send this text over the channel."""

    text: str


@dataclass(frozen=True, slots=True)
class AddCandidate:
    """Give the peer's candidate to the peer connection; None says that there are no more."""

    candidate: IceCandidate | None


@dataclass(frozen=True, slots=True)
class PeerIsBusy:
    """The peer has said that it is in a call with somebody else."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Both sides agree, and nothing waits.

    Attributes:
        offer_id: of the offer on which they agree.
    """

    offer_id: str


@dataclass(frozen=True, slots=True)
class ExchangeEnded:
    """The exchange is over.

    Attributes:
        reason: why, for people.
        by_peer: whether the peer ended it.
        for_good: whether by a goodbye: who said it wants nothing any more; else it has failed.
        code: why, for programs; None for no code.
    """

    reason: str
    by_peer: bool
    for_good: bool
    code: EndCode | None = None


@dataclass(frozen=True, slots=True)
class PeerWantsNothing:
    """The peer has said goodbye too, while this side was leaving: what waits for it is not to be kept."""


ExchangeRequest = (
    Transmit
    | MakeOffer
    | YieldOffer
    | ApplyOffer
    | AnswerOffer
    | ApplyAnswer
    | AddCandidate
    | PeerIsBusy
    | Settled
    | ExchangeEnded
    | PeerWantsNothing
)
"""What comes out of an exchange, in order."""
