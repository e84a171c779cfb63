"""The offer/answer exchange of two sides over signalling: perfect negotiation, as a table.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #perfect-negotiation-example: of two offers that meet, the polite
side's yields and the impolite side ignores the other. Beyond that text, since signalling can't be trusted: every
message must be signed by the peer that joined, for this room and these two sessions, and is taken once and in order
(docs/protocol.md); an answer must name the offer that it answers.

Two offers can meet only until one side has seen the other's; behind that an offer waits its turn (`PostponeOffer`).
Two profiles: `Exchange`, and `ExchangeUnsigned` for a side without a key, over signalling that it trusts.

Left out: how a frame is read, and repeated until it is acknowledged (connection/); what RTCPeerConnection allows
(`Negotiation`); what becomes of a candidate whose offer is known (`Candidates`).
"""

from __future__ import annotations

from collections.abc import Container
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.exchange_requests import (
    Farewell,
    acknowledge,
    answer_offer,
    apply_answer,
    apply_offer,
    deliver,
    end,
    hold,
    ignore_offer,
    make_offer,
    note_farewell,
    postpone_offer,
    remember_need,
    send_answer,
    send_bye,
    send_offer,
    settle,
    take_candidate,
    yield_offer,
)

__all__ = [
    "IncomingDescription",
    "Exchange",
    "ExchangeMemory",
    "ExchangeState",
    "ExchangeUnsigned",
    "Introduced",
    "IncomingMessage",
]

WINDOW = 256
"""How far ahead of its turn a message may be to be held."""


class ExchangeState(StrEnum):
    """Where the two sides stand between an offer and its answer."""

    IDLE = "idle"
    MAKING_OFFER = "making offer"
    AWAITING_ANSWER = "awaiting answer"
    APPLYING_ANSWER = "applying answer"
    APPLYING_OFFER = "applying offer"
    MAKING_ANSWER = "making answer"
    YIELDING = "yielding"
    LEAVING = "leaving"
    CLOSED = "closed"


(
    IDLE,
    MAKING_OFFER,
    AWAITING_ANSWER,
    APPLYING_ANSWER,
    APPLYING_OFFER,
    MAKING_ANSWER,
    YIELDING,
    LEAVING,
    CLOSED,
) = ExchangeState
OFFERING = (MAKING_OFFER, AWAITING_ANSWER)
BUSY = (MAKING_OFFER, AWAITING_ANSWER, APPLYING_ANSWER, APPLYING_OFFER, MAKING_ANSWER, YIELDING)
LIVE = (IDLE, *BUSY)


class Introduced(Protocol):
    """The payload: who joined, as the peer itself says it."""

    @property
    def is_genuine(self) -> bool:
        """Whether it is signed, for this room, by the key whose fingerprint is the id."""

    @property
    def is_trusted(self) -> bool:
        """Whether this side's trust policy accepts the key under that name."""


class IncomingMessage(Protocol):
    """The payload: a message of the peer."""

    @property
    def room(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def sender_session(self) -> str: ...
    @property
    def recipient_session(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def offer_id(self) -> str: ...
    @property
    def acknowledged(self) -> int:
        """Of an acknowledgement: every sequence up to this number has arrived."""

    def is_signed_by(self, public_key: bytes) -> bool:
        """Whether its signature covers all its fields and is that key's."""


class IncomingDescription(IncomingMessage, Protocol):
    """The payload: an offer or an answer."""

    @property
    def offer_number(self) -> int:
        """How many offers the sender's session has made with this one; 0 if the id is not of that form."""

    @property
    def has_media_section(self) -> bool: ...
    @property
    def has_ice_credentials(self) -> bool: ...
    @property
    def has_fingerprint(self) -> bool: ...


class ExchangeMemory(Protocol):
    """The context: what this side knows of itself, of its peer, and of what they have exchanged."""

    @property
    def room(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def peer_id(self) -> str:
        """The peer's id; empty while nobody has joined."""

    @property
    def peer_session(self) -> str: ...
    @property
    def peer_key(self) -> bytes: ...
    @property
    def next_sequence(self) -> int:
        """The sequence number of the peer's next message."""

    @property
    def last_offer_number(self) -> int:
        """The number of the peer's latest offer that was taken or ignored."""

    @property
    def offer_id(self) -> str:
        """The id of this side's latest offer; empty if it has made none."""

    @property
    def known_offers(self) -> Container[str]:
        """The ids of the offers, of both sides, whose candidates are wanted."""

    @property
    def ignored_offers(self) -> Container[str]:
        """The ids of the peer's offers that were ignored, and of this side's that were taken back."""

    @property
    def bye_sequence(self) -> int:
        """The sequence number of this side's goodbye; 0 before it is said."""


# Guards of introductions.


def somebody_else(memory: ExchangeMemory, introduced: object) -> bool:
    """The peer must be somebody else than this side: another id, or another session."""
    return (memory.peer_id, memory.peer_session) != (memory.id, memory.session)


def introduced_itself(memory: object, introduced: Introduced) -> bool:
    """The introduction must be signed for this room, by the key whose fingerprint is the peer's id."""
    return introduced.is_genuine


def trusted(memory: object, introduced: Introduced) -> bool:
    """The peer's key must be one that this side trusts under that name."""
    return introduced.is_trusted


def somebody_joined(memory: ExchangeMemory, event: object) -> bool:
    """A peer must have joined."""
    return bool(memory.peer_id)


def nobody_joined(memory: ExchangeMemory, event: object) -> bool:
    """No peer has joined yet."""
    return not memory.peer_id


def polite(memory: ExchangeMemory, event: object) -> bool:
    """This side must be the polite one: the one with the smaller id."""
    return (memory.id, memory.session) < (memory.peer_id, memory.peer_session)


def impolite(memory: ExchangeMemory, event: object) -> bool:
    """This side must be the impolite one: the one with the greater id."""
    return (memory.id, memory.session) > (memory.peer_id, memory.peer_session)


# Guards of every message, in the order in which they are asked.


def from_the_peer(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The sender must be the peer that joined."""
    return bool(memory.peer_id) and message.sender == memory.peer_id


def of_this_room(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The message must be for this room."""
    return message.room == memory.room


def for_this_side(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The recipient must be this side."""
    return message.recipient == memory.id


def of_these_sessions(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """Both sessions must be the present ones."""
    return (message.sender_session, message.recipient_session) == (memory.peer_session, memory.session)


def signed_by_the_peer(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The signature must be the peer's, over all the message's fields as they are."""
    return message.is_signed_by(memory.peer_key)


def taken_once(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """A sequence number is taken once; this one has been."""
    return message.sequence >= memory.next_sequence


def next_in_sequence(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The message must be the next one of its sender."""
    return message.sequence == memory.next_sequence


def soon_in_sequence(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The message must be at most 256 ahead of its turn."""
    return memory.next_sequence < message.sequence <= memory.next_sequence + WINDOW


# Guards of offers, answers and candidates.


def newer_offer(memory: ExchangeMemory, message: IncomingDescription) -> bool:
    """The offer must be newer than those that this session of the peer made before, its id SESSION.NUMBER."""
    return message.offer_number > memory.last_offer_number


def media_section(memory: object, message: IncomingDescription) -> bool:
    """The description must be SDP with at least one media section."""
    return message.has_media_section


def ice_credentials(memory: object, message: IncomingDescription) -> bool:
    """Each media section must have its ICE user fragment and password."""
    return message.has_ice_credentials


def fingerprint(memory: object, message: IncomingDescription) -> bool:
    """Each media section must have its DTLS fingerprint."""
    return message.has_fingerprint


def answers_this_offer(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The answer must name the offer that waits for one."""
    return message.offer_id == memory.offer_id


def known_offer(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The candidate must name an offer that this side has made, or has got and not ignored."""
    return message.offer_id in memory.known_offers


def ignored_offer(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The candidate names an offer that came to nothing."""
    return message.offer_id in memory.ignored_offers


def acknowledges_bye(memory: ExchangeMemory, message: IncomingMessage) -> bool:
    """The acknowledgement must cover this side's goodbye."""
    return message.acknowledged >= memory.bye_sequence


ADDRESSED = (from_the_peer, of_this_room, for_this_side, of_these_sessions)
CONNECTABLE = (media_section, ice_credentials, fingerprint)
JOINED = (Row(IDLE, MAKING_OFFER, when=(impolite,), then=(make_offer,)), stay(IDLE))
RECEIVED = (
    stay(*LIVE, LEAVING, when=(next_in_sequence,), then=(deliver,)),
    stay(*LIVE, LEAVING, when=(soon_in_sequence,), then=(hold,)),
)
ACKNOWLEDGED = (
    Row(LEAVING, CLOSED, when=(acknowledges_bye,), then=(acknowledge,)),
    stay(*LIVE, LEAVING, then=(acknowledge,)),
)
CANDIDATE = (
    stay(*LIVE, when=(known_offer,), then=(take_candidate,)),
    stay(*LIVE, when=(ignored_offer,)),
    stay(LEAVING),
)


class Exchange(Chart[ExchangeState, ExchangeMemory]):
    """The offer/answer exchange with one session of one peer; every message signed."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #perfect-negotiation-example; docs/protocol.md"
    initial = IDLE
    final = frozenset({CLOSED})

    on_joined = On(
        *JOINED,
        checks=(somebody_else, introduced_itself, trusted),
        cite="docs/protocol.md, who makes the first offer",
    )
    receive = On(
        *RECEIVED,
        checks=(*ADDRESSED, signed_by_the_peer, taken_once),
        cite="docs/protocol.md, what a receiver checks",
    )
    on_ack = On(
        *ACKNOWLEDGED,
        checks=(*ADDRESSED, signed_by_the_peer),
        cite="docs/protocol.md, acknowledgements",
    )

    negotiate = On[ExchangeMemory, None](
        Row(IDLE, MAKING_OFFER, when=(somebody_joined,), then=(make_offer,)),
        stay(*LIVE, then=(remember_need,)),
        cite="#perfect-negotiation-example, onnegotiationneeded",
    )
    negotiate_now = On[ExchangeMemory, None](
        Row(IDLE, MAKING_OFFER, when=(somebody_joined,), then=(make_offer,)),
        cite="#perfect-negotiation-example, onnegotiationneeded: an exchange that is under way sees to it at its end",
    )
    offer_made = On[ExchangeMemory, object](
        Row(MAKING_OFFER, AWAITING_ANSWER, then=(send_offer,)),
        stay(YIELDING),
        cite="#perfect-negotiation-example, onnegotiationneeded",
    )
    offer_failed = On[ExchangeMemory, None](
        Row(MAKING_OFFER, IDLE),
        stay(YIELDING),
        cite="docs/recovery.md, attempts: an offer that can't be made now, and will be tried again",
    )
    on_answer = On(
        Row(AWAITING_ANSWER, APPLYING_ANSWER, when=(answers_this_offer,), then=(apply_answer,)),
        stay(LEAVING),
        checks=CONNECTABLE,
        cite="#perfect-negotiation-example, onmessage",
    )
    answer_applied = On[ExchangeMemory, None](
        Row(APPLYING_ANSWER, IDLE, then=(settle,)), cite="#perfect-negotiation-example, onmessage"
    )

    on_offer = On(
        Row(IDLE, APPLYING_OFFER, then=(apply_offer,)),
        Row(OFFERING, YIELDING, when=(polite,), then=(yield_offer,)),
        stay(*OFFERING, when=(impolite,), then=(ignore_offer,)),
        stay(APPLYING_ANSWER, APPLYING_OFFER, MAKING_ANSWER, YIELDING, then=(postpone_offer,)),
        stay(LEAVING, then=(ignore_offer,)),
        checks=(newer_offer, *CONNECTABLE),
        cite="#perfect-negotiation-example, onmessage",
    )
    yielded = On[ExchangeMemory, IncomingDescription](
        Row(YIELDING, APPLYING_OFFER, then=(apply_offer,)),
        cite="#perfect-negotiation-example, the implicit rollback of setRemoteDescription",
    )
    offer_applied = On[ExchangeMemory, None](
        Row(APPLYING_OFFER, MAKING_ANSWER, then=(answer_offer,)), cite="#perfect-negotiation-example, onmessage"
    )
    answer_made = On[ExchangeMemory, object](
        Row(MAKING_ANSWER, IDLE, then=(send_answer, settle)), cite="#perfect-negotiation-example, onmessage"
    )

    on_candidate = On(
        *CANDIDATE,
        cite="#perfect-negotiation-example, onmessage",
    )
    on_end_of_candidates = On(
        *CANDIDATE,
        cite="#perfect-negotiation-example, onmessage",
    )

    leave = On[ExchangeMemory, Farewell](
        Row(IDLE, CLOSED, when=(nobody_joined,)),
        Row(LIVE, LEAVING, then=(send_bye,)),
        cite="docs/protocol.md, goodbye",
    )
    on_bye = On[ExchangeMemory, Farewell](
        Row(LIVE, CLOSED, then=(end,)), Row(LEAVING, CLOSED, then=(note_farewell,)), cite="docs/protocol.md, goodbye"
    )
    on_left = On(
        Row(LEAVING, CLOSED), cite="docs/protocol.md, goodbye: who is to hear it is gone, or acknowledges nothing"
    )
    abandon = On(Row((*LIVE, LEAVING), CLOSED), cite="docs/protocol.md, goodbye: nobody is left to hear it")


class ExchangeUnsigned(Exchange):
    """The offer/answer exchange without signatures, over signalling that this side trusts."""

    source = "as Exchange, without its signatures"

    on_joined = On[ExchangeMemory, Introduced](
        *JOINED,
        checks=(somebody_else,),
        cite="docs/protocol.md, who makes the first offer",
    )
    receive = On(
        *RECEIVED,
        checks=(*ADDRESSED, taken_once),
        cite="docs/protocol.md, what a receiver checks",
    )
    on_ack = On(
        *ACKNOWLEDGED,
        checks=ADDRESSED,
        cite="docs/protocol.md, acknowledgements",
    )
