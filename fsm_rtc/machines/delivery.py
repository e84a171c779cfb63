"""The messages of a call on their way over its data channels: each once, in order, over one channel after the other.

Source: docs/delivery.md. Each side numbers the messages that it sends from 1, in a stream of its own that outlives the
channels. On a new channel each side greets the other with what it has of its stream, and what isn't acknowledged is
sent again behind that. Only a goodbye ends them, this side's or the peer's; a call that fails leaves them away.

Left out: the frames, what is kept for sending again, and for how long (connection/).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = [
    "AcceptAcknowledgement",
    "BeginAt",
    "Deliveries",
    "DeliveryState",
    "ForgetMessages",
    "Greet",
    "HandOver",
    "Resume",
    "Skip",
]


class DeliveryState(StrEnum):
    """Whether messages can go over a channel."""

    AWAY = "away"
    GREETING = "greeting"
    FLOWING = "flowing"
    OVER = "over"


AWAY, GREETING, FLOWING, OVER = DeliveryState


class DeliveryMemory(Protocol):
    """The context: what was sent, and what has come."""

    @property
    def sent(self) -> int:
        """The number of this side's last message."""

    @property
    def next_number(self) -> int:
        """The number of the peer's next message on this channel; 0 while it hasn't said it."""

    @property
    def knows_stream(self) -> bool:
        """Whether something of the peer's stream has come before, on any channel."""

    @property
    def peer_stream(self) -> str:
        """The id of the peer's stream, as it said on the latest channel on which it has greeted; empty before."""

    @property
    def handed_over(self) -> int:
        """The number of the peer's last message that was handed over, on any channel."""


class Greeting(Protocol):
    """The payload: the peer's greeting."""

    @property
    def has_received(self) -> int:
        """The number up to which it has this side's messages."""

    @property
    def stream(self) -> str:
        """The id of its stream."""


@dataclass(frozen=True, slots=True)
class Greet:
    """Say which stream is this side's, and what it has of the peer's."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Send what the peer has not, from the number behind what it has."""

    received: int


@dataclass(frozen=True, slots=True)
class BeginAt:
    """The peer's next message on this channel has this number."""

    number: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """A message whose turn it is."""

    message: object


@dataclass(frozen=True, slots=True)
class Skip:
    """A message that was handed over before."""


@dataclass(frozen=True, slots=True)
class AcceptAcknowledgement:
    """The peer has every message up to this number."""

    number: int


@dataclass(frozen=True, slots=True)
class ForgetMessages:
    """Keep nothing of these messages any longer, delivered or not."""


def peer_has_what_was_sent(memory: DeliveryMemory, greeting: Greeting) -> bool:
    """The peer can't have more messages than were sent to it."""
    return greeting.has_received <= memory.sent


def is_the_same_stream(memory: DeliveryMemory, greeting: Greeting) -> bool:
    """On one channel the peer can't begin another stream."""
    return greeting.stream == memory.peer_stream


def leaves_no_gap(memory: DeliveryMemory, number: int) -> bool:
    """Of a stream of which something has come, the peer's next message must not lie further on than the next one."""
    return number >= 1 and (number <= memory.handed_over + 1 or not memory.knows_stream)


def number_is_known(memory: DeliveryMemory, message: object) -> bool:
    """The peer must have said the number of its first message on this channel."""
    return memory.next_number > 0


def has_not_come(memory: DeliveryMemory, message: object) -> bool:
    """The message has not come on an earlier channel."""
    return memory.next_number > memory.handed_over


def was_sent(memory: DeliveryMemory, number: int) -> bool:
    """A message can be acknowledged only when it has been sent."""
    return number <= memory.sent


def greet(memory: object, event: object) -> Greet:
    """Say which stream is this side's, and what it has of the peer's."""
    return Greet()


def resume(memory: object, greeting: Greeting) -> Resume:
    """Send again what the peer has not."""
    return Resume(greeting.has_received)


def begin_at(memory: object, number: int) -> BeginAt:
    """Count the peer's messages on this channel from its number."""
    return BeginAt(number)


def hand_over(memory: object, message: object) -> HandOver:
    """Hand the message over; it is its turn."""
    return HandOver(message)


def skip(memory: object, message: object) -> Skip:
    """Leave out a message that has come before."""
    return Skip()


def forget_messages(memory: object, event: object) -> ForgetMessages:
    """Keep nothing of the messages."""
    return ForgetMessages()


def accept_acknowledgement(memory: object, number: int) -> AcceptAcknowledgement:
    """Keep no longer what the peer has."""
    return AcceptAcknowledgement(number)


class Deliveries(Chart[DeliveryState, DeliveryMemory]):
    """The messages with one peer, either way."""

    source = "docs/delivery.md"
    initial = AWAY
    final = frozenset({OVER})

    on_open = On(Row(AWAY, GREETING, then=(greet,)), cite="docs/delivery.md, greeting")
    on_hello = On(
        Row(GREETING, FLOWING, then=(resume,)),
        stay(
            FLOWING,
            when=(is_the_same_stream,),
            then=(greet, resume),
            cite="it asks again, so this side's greeting was lost",
        ),
        checks=(peer_has_what_was_sent,),
        cite="docs/delivery.md, greeting",
    )
    send = On(stay(FLOWING), cite="docs/delivery.md, greeting: behind both sides' greetings")
    on_begin = On(
        stay(FLOWING, when=(leaves_no_gap,), then=(begin_at,)),
        stay(GREETING, then=(greet,), cite="it has heard this side, so its own greeting was lost: ask again"),
        cite="docs/delivery.md, numbers",
    )
    on_message = On(
        stay(FLOWING, when=(has_not_come,), then=(hand_over,)),
        stay(FLOWING, then=(skip,)),
        checks=(number_is_known,),
        cite="docs/delivery.md, numbers",
    )
    on_acknowledged = On(
        stay(FLOWING, then=(accept_acknowledgement,)), checks=(was_sent,), cite="docs/delivery.md, acknowledgements"
    )
    on_lost = On(Row((GREETING, FLOWING), AWAY), idempotent=True, cite="the channel is closed, or lost")
    on_goodbye = On(
        Row((AWAY, GREETING, FLOWING), OVER, then=(forget_messages,)), cite="docs/delivery.md, what ends them"
    )
