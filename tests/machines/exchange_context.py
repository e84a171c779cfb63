"""What the exchange's guards read: this side's memory and a message of the peer, as one object."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meeting:
    """A context for the exchange of offers, and a payload for its triggers: a message of the peer, in its turn."""

    room: str = "room"
    id: str = "a"
    session: str = "s"
    peer_id: str = "b"
    peer_session: str = "t"
    peer_key: bytes = b""
    next_sequence: int = 1
    last_offer_number: int = 0
    offer_id: str = "s.1"
    known_offers: tuple[str, ...] = ("s.1",)
    ignored_offers: tuple[str, ...] = ("s.2",)
    bye_sequence: int = 1
    sender: str = "b"
    recipient: str = "a"
    sender_session: str = "t"
    recipient_session: str = "s"
    sequence: int = 1
    acknowledged: int = 1
    offer_number: int = 1
    has_media_section: bool = True
    has_ice_credentials: bool = True
    has_fingerprint: bool = True
    is_genuine: bool = True
    is_trusted: bool = True
    is_signed: bool = True

    def is_signed_by(self, public_key: bytes) -> bool:
        return self.is_signed
