"""What `Exchange` asks of its owner, and the effects that ask it.

A request's `message` is one of the peer, given back to the owner as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "Acknowledge",
    "AnswerOffer",
    "ApplyAnswer",
    "ApplyOffer",
    "DeliverMessage",
    "EndExchange",
    "Farewell",
    "Hold",
    "IgnoreOffer",
    "MakeOffer",
    "NoteFarewell",
    "PostponeOffer",
    "RememberNeed",
    "SendAnswer",
    "SendBye",
    "SendOffer",
    "Settle",
    "TakeCandidate",
    "YieldOffer",
    "acknowledge",
    "answer_offer",
    "apply_answer",
    "apply_offer",
    "deliver",
    "end",
    "hold",
    "ignore_offer",
    "make_offer",
    "note_farewell",
    "postpone_offer",
    "remember_need",
    "send_answer",
    "send_bye",
    "send_offer",
    "settle",
    "take_candidate",
    "yield_offer",
]


class Acknowledging(Protocol):
    """An acknowledgement."""

    @property
    def acknowledged(self) -> int:
        """Every sequence up to this number has arrived."""


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    """It is this message's turn: fire its own trigger."""

    message: object


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep a message until those before it have come."""

    message: object


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The peer has every message up to this sequence number."""

    sequence: int


@dataclass(frozen=True, slots=True)
class MakeOffer:
    """Create this side's offer and apply it; then `offer_made`."""


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Send the offer that was made."""

    description: object


@dataclass(frozen=True, slots=True)
class ApplyAnswer:
    """Apply the peer's answer; then `answer_applied`."""

    message: object


@dataclass(frozen=True, slots=True)
class YieldOffer:
    """Take this side's own offer back; then `yielded`, with the peer's."""

    message: object


@dataclass(frozen=True, slots=True)
class IgnoreOffer:
    """The peer's offer counts no more; its candidates neither."""

    message: object


@dataclass(frozen=True, slots=True)
class PostponeOffer:
    """Keep the peer's offer until the present exchange is settled."""

    message: object


@dataclass(frozen=True, slots=True)
class ApplyOffer:
    """Apply the peer's offer; then `offer_applied`."""

    message: object


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    """Create the answer and apply it; then `answer_made`."""


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """Send the answer that was made."""

    description: object


@dataclass(frozen=True, slots=True)
class Settle:
    """Both sides agree: go on with an offer that was postponed, else with what still needs negotiation."""


@dataclass(frozen=True, slots=True)
class RememberNeed:
    """Negotiation is needed; not now."""


@dataclass(frozen=True, slots=True)
class TakeCandidate:
    """A candidate of the peer, or the end of them."""

    message: object


@dataclass(frozen=True, slots=True)
class Farewell:
    """That a side leaves.

    Attributes:
        reason: why, for people.
        offer_id: the offer with which the exchange has failed; empty of a goodbye.
        code: why, for programs (docs/protocol.md, bye); empty for no code.
    """

    reason: str
    offer_id: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class SendBye:
    """Tell the peer that this side leaves, and why."""

    farewell: Farewell


@dataclass(frozen=True, slots=True)
class EndExchange:
    """The peer has left, and why."""

    farewell: Farewell


@dataclass(frozen=True, slots=True)
class NoteFarewell:
    """The peer leaves as well, and why."""

    farewell: Farewell


# The effects.


def deliver(memory: object, message: object) -> DeliverMessage:
    """It is the message's turn."""
    return DeliverMessage(message)


def hold(memory: object, message: object) -> Hold:
    """The message is kept until its turn."""
    return Hold(message)


def acknowledge(memory: object, message: Acknowledging) -> Acknowledge:
    """What the peer has got is not sent again."""
    return Acknowledge(message.acknowledged)


def make_offer(memory: object, event: object) -> MakeOffer:
    """An offer is made."""
    return MakeOffer()


def send_offer(memory: object, description: object) -> SendOffer:
    """The offer is sent."""
    return SendOffer(description)


def apply_answer(memory: object, message: object) -> ApplyAnswer:
    """The answer is applied."""
    return ApplyAnswer(message)


def yield_offer(memory: object, message: object) -> YieldOffer:
    """This side's own offer is taken back."""
    return YieldOffer(message)


def ignore_offer(memory: object, message: object) -> IgnoreOffer:
    """The peer's offer is ignored."""
    return IgnoreOffer(message)


def postpone_offer(memory: object, message: object) -> PostponeOffer:
    """The peer's offer waits its turn."""
    return PostponeOffer(message)


def apply_offer(memory: object, message: object) -> ApplyOffer:
    """The peer's offer is applied."""
    return ApplyOffer(message)


def answer_offer(memory: object, event: object) -> AnswerOffer:
    """An answer is made."""
    return AnswerOffer()


def send_answer(memory: object, description: object) -> SendAnswer:
    """The answer is sent."""
    return SendAnswer(description)


def settle(memory: object, event: object) -> Settle:
    """What has waited goes on."""
    return Settle()


def remember_need(memory: object, event: object) -> RememberNeed:
    """The need is remembered."""
    return RememberNeed()


def take_candidate(memory: object, message: object) -> TakeCandidate:
    """The candidate is kept, or applied."""
    return TakeCandidate(message)


def send_bye(memory: object, farewell: Farewell) -> SendBye:
    """The peer is told, and why."""
    return SendBye(farewell)


def note_farewell(memory: object, farewell: Farewell) -> NoteFarewell:
    """The owner is told that the peer leaves as well, and why."""
    return NoteFarewell(farewell)


def end(memory: object, farewell: Farewell) -> EndExchange:
    """The owner is told, and why."""
    return EndExchange(farewell)
