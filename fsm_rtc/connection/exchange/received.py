"""A peer message as the exchange's guards see it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from fsm_rtc.errors import InvalidAccessError, InvalidDescriptionError
from fsm_rtc.messages import Ack, Answer, Offer, PeerMessage, is_genuine
from fsm_rtc.peer.description import SdpType, SessionDescription
from fsm_rtc.peer.sdp import check_description

if TYPE_CHECKING:
    from fsm_rtc.messages import Introduction
    from fsm_rtc.messages.trust import Trust

__all__ = ["Arrival", "ReceivedMessage", "offer_id"]


def offer_id(session: str, number: int) -> str:
    """The id of a session's offer, counted from 1."""
    return f"{session}.{number}"


class Arrival:
    """Somebody who joined, with what is to be known before a word is exchanged.

    Args:
        introduction: as the peer sent it.
        is_genuine: whether its signature is the key's.
        trust: whom this side talks to.
    """

    def __init__(self, introduction: Introduction, is_genuine: bool, trust: Trust) -> None:
        self.introduction = introduction
        self.is_genuine = is_genuine
        self.is_trusted = trust.accepts(introduction.name, introduction.id)


class ReceivedMessage:
    """A message of the peer; what costs time is computed when a guard asks for it, and once.

    Args:
        message: as it was read.
    """

    def __init__(self, message: PeerMessage) -> None:
        self.message = message
        self.room = message.room
        self.sender = message.sender
        self.recipient = message.recipient
        self.sender_session = message.sender_session
        self.recipient_session = message.recipient_session
        self.sequence = message.sequence
        self.offer_id = message.offer_id
        self._verified: tuple[bytes, bool] | None = None

    def is_signed_by(self, public_key: bytes) -> bool:
        """Whether the signature is that key's, over all fields."""
        if self._verified is None or self._verified[0] != public_key:
            self._verified = (public_key, is_genuine(self.message, public_key))
        return self._verified[1]

    @property
    def acknowledged(self) -> int:
        """Of an acknowledgement: every sequence up to this number has arrived; -1 if it says no number."""
        payload = self.message.payload
        is_number = isinstance(self.message, Ack) and payload.isascii() and payload.isdigit() and len(payload) <= 16
        return int(payload) if is_number else -1

    @property
    def offer_number(self) -> int:
        """How many offers the sender's session has made with this one; 0 if the id is not of that form."""
        session, _, number = self.offer_id.rpartition(".")
        is_number = number.isascii() and number.isdigit() and len(number) <= 16
        return int(number) if is_number and session == self.sender_session else 0

    @cached_property
    def description(self) -> SessionDescription:
        """The offer or answer."""
        kind: SdpType = "offer" if isinstance(self.message, Offer) else "answer"
        return SessionDescription(kind, self.message.payload)

    @cached_property
    def _fault(self) -> str:
        if not isinstance(self.message, Offer | Answer):
            return "no media section"
        try:
            check_description(self.description)
        except InvalidDescriptionError as refused:
            return refused.detail
        except InvalidAccessError:
            return "sdp-syntax-error"
        return ""

    @property
    def has_media_section(self) -> bool:
        """Whether it is SDP with at least one media section."""
        return self._fault not in ("sdp-syntax-error", "no media section")

    @property
    def has_ice_credentials(self) -> bool:
        """Whether each media section has its ICE user fragment and password."""
        return self._fault not in ("no ice-ufrag", "no ice-pwd")

    @property
    def has_fingerprint(self) -> bool:
        """Whether each media section has its DTLS fingerprint."""
        return self._fault != "no fingerprint"
