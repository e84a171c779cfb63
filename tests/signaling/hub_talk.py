"""What the tests of the hub say to it, and how its answers are read."""

from __future__ import annotations

from typing import Any

from fsm_rtc.messages.wire import ErrorCode, Introduction, Offer, decode
from fsm_rtc.signaling.seats import Attach, DeliverText, Effect, Refuse, Send

__all__ = ["attached", "codes", "deliveries", "introduction", "letter", "message", "said"]


def introduction(who: str, session: str = "s1") -> Introduction:
    return Introduction(id=who, session=session, name=who, public_key=b"", signature=b"")


def letter(sender: str, recipient: str, room: str, session: str, to_session: str) -> dict[str, Any]:
    return {
        "room": room,
        "sender": sender,
        "recipient": recipient,
        "sender_session": session,
        "recipient_session": to_session,
        "sequence": 1,
        "offer_id": "o1",
        "payload": "v=0",
        "signature": b"",
    }


def message(sender: str, recipient: str, room: str = "kitchen", session: str = "s1", to_session: str = "s1") -> Offer:
    return Offer(**letter(sender, recipient, room, session, to_session))


def codes(effects: tuple[Effect[int], ...]) -> list[tuple[int, ErrorCode]]:
    """Who is refused, and by which code."""
    return [(effect.to, effect.code) for effect in effects if isinstance(effect, Refuse)]


def said(effects: tuple[Effect[int], ...]) -> list[tuple[int, Any]]:
    """What the server says on which socket."""
    return [(effect.to, effect.message) for effect in effects if isinstance(effect, Send)]


def deliveries(effects: tuple[Effect[int], ...]) -> list[tuple[str, Any]]:
    """What is put into whose mailbox: messages of the server's own, or texts of a peer."""
    return [
        (effect.to.introduction.id, decode(effect.text) if effect.text.startswith('{"type"') else effect.text)
        for effect in effects
        if isinstance(effect, DeliverText)
    ]


def attached(effects: tuple[Effect[int], ...]) -> list[tuple[str, int, int]]:
    """Whose mailbox is sent on which socket, behind which number."""
    return [
        (effect.seat.introduction.id, effect.socket, effect.seen) for effect in effects if isinstance(effect, Attach)
    ]
