"""What `Exchange` asks of its owner, and the effects that ask it.

A letter is a message of the peer, given back to the owner as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "Acknowledge",
    "AnswerOffer",
    "ApplyAnswer",
    "ApplyOffer",
    "Deliver",
    "End",
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
class Deliver:
    """It is this message's turn: fire its own trigger."""

    letter: object


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep a message until those before it have come."""

    letter: object


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

    letter: object


@dataclass(frozen=True, slots=True)
class YieldOffer:
    """Take this side's own offer back; then `yielded`, with the peer's."""

    letter: object


@dataclass(frozen=True, slots=True)
class IgnoreOffer:
    """The peer's offer counts no more; its candidates neither."""

    letter: object


@dataclass(frozen=True, slots=True)
class PostponeOffer:
    """Keep the peer's offer until the present exchange is settled."""

    letter: object


@dataclass(frozen=True, slots=True)
class ApplyOffer:
    """Apply the peer's offer; then `offer_applied`."""

    letter: object


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

    letter: object


@dataclass(frozen=True, slots=True)
class Farewell:
    """That a side leaves.

    Attributes:
        reason: why, for people.
        offer_id: the offer with which the exchange has failed; empty of a goodbye.
    """

    reason: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class SendBye:
    """Tell the peer that this side leaves, and why."""

    farewell: Farewell


@dataclass(frozen=True, slots=True)
class End:
    """The peer has left, and why."""

    farewell: Farewell


@dataclass(frozen=True, slots=True)
class NoteFarewell:
    """The peer leaves as well, and why."""

    farewell: Farewell


# The effects.


def deliver(memory: object, letter: object) -> Deliver:
    """It is the message's turn."""
    return Deliver(letter)


def hold(memory: object, letter: object) -> Hold:
    """The message is kept until its turn."""
    return Hold(letter)


def acknowledge(memory: object, letter: Acknowledging) -> Acknowledge:
    """What the peer has got is not sent again."""
    return Acknowledge(letter.acknowledged)


def make_offer(memory: object, event: object) -> MakeOffer:
    """An offer is made."""
    return MakeOffer()


def send_offer(memory: object, description: object) -> SendOffer:
    """The offer is sent."""
    return SendOffer(description)


def apply_answer(memory: object, letter: object) -> ApplyAnswer:
    """The answer is applied."""
    return ApplyAnswer(letter)


def yield_offer(memory: object, letter: object) -> YieldOffer:
    """This side's own offer is taken back."""
    return YieldOffer(letter)


def ignore_offer(memory: object, letter: object) -> IgnoreOffer:
    """The peer's offer is ignored."""
    return IgnoreOffer(letter)


def postpone_offer(memory: object, letter: object) -> PostponeOffer:
    """The peer's offer waits its turn."""
    return PostponeOffer(letter)


def apply_offer(memory: object, letter: object) -> ApplyOffer:
    """The peer's offer is applied."""
    return ApplyOffer(letter)


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


def take_candidate(memory: object, letter: object) -> TakeCandidate:
    """The candidate is kept, or applied."""
    return TakeCandidate(letter)


def send_bye(memory: object, farewell: Farewell) -> SendBye:
    """The peer is told, and why."""
    return SendBye(farewell)


def note_farewell(memory: object, farewell: Farewell) -> NoteFarewell:
    """The owner is told that the peer leaves as well, and why."""
    return NoteFarewell(farewell)


def end(memory: object, farewell: Farewell) -> End:
    """The owner is told, and why."""
    return End(farewell)
