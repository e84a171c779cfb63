"""What a program reads of a chat: one JSON object a line, told apart by ``event``.

| event | with |
| --- | --- |
| me | id, name, room, url, identity (a file, or null for a key of this run only), known_peers (likewise) |
| signaling | status, error, code, retry_seconds |
| joined | id, name |
| negotiated | id, name, offer_id |
| connection | id, name, state |
| ready | id, name |
| ended | id, name, reason, by_peer, error, failure (what is known of it, or null) |
| message | id, name, text (of a chat message), data (any other text) or base64 (bytes) |
| refused | id, name, known_id |
| not_sent, forgetful | error |
| summary, the last one | exit_code, reason, sent, received, calls, refused, failure (if it was given up, or null) |

A field without a value is null.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from fsm_rtc.cli.chat import Chat, Outcome
from fsm_rtc.connection.delivery.messages import chat_text
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import ConnectionStateChanged, Negotiated, Ready, SignalingStatusChanged
from fsm_rtc.messages import Introduction
from fsm_rtc.room.events import PeerArrived, PeerEvent, PeerGone, RoomEvent

__all__ = ["ChatJson"]


class ChatJson:
    """A `Report` for programs.

    Args:
        write: takes each line.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def tell(self, event: str, **fields: object) -> None:
        """Write one object."""
        self._write(json.dumps({"event": event, **fields}))

    def happened(self, event: RoomEvent) -> None:
        match event:
            case SignalingStatusChanged(status, error, retry_seconds):
                code = getattr(error, "code", None)
                self.tell(
                    "signaling",
                    status=status.value,
                    error=_text(error),
                    code=code,
                    retry_seconds=retry_seconds,
                )
            case PeerArrived(peer):
                self.tell("joined", id=peer.id, name=peer.name)
            case PeerEvent(peer, _, Negotiated(offer_id)):
                self.tell("negotiated", id=peer.id, name=peer.name, offer_id=offer_id)
            case PeerEvent(peer, _, ConnectionStateChanged(state)):
                self.tell("connection", id=peer.id, name=peer.name, state=state.value)
            case PeerEvent(peer, _, Ready()):
                self.tell("ready", id=peer.id, name=peer.name)
            case PeerGone(peer, _, reason, by_peer, error, failure):
                self.tell(
                    "ended",
                    id=peer.id,
                    name=peer.name,
                    reason=reason,
                    by_peer=by_peer,
                    error=_text(error),
                    failure=_fields(failure),
                )
            case _:
                pass  # channels and tracks that nobody asked for

    def heard(self, peer: Introduction, message: str | bytes) -> None:
        said = chat_text(message)
        if said is not None:
            self.tell("message", id=peer.id, name=peer.name, text=said)
        elif isinstance(message, str):
            self.tell("message", id=peer.id, name=peer.name, data=message)
        else:
            self.tell("message", id=peer.id, name=peer.name, base64=base64.b64encode(message).decode())

    def kept(self) -> None:
        pass  # a program sees by `ready` when its lines go out

    def not_sent(self, why: str) -> None:
        self.tell("not_sent", error=why)

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        self.tell("refused", id=key_id, name=name, known_id=known_id)

    def forgetful(self, why: str) -> None:
        self.tell("forgetful", error=why)

    def summarise(self, chat: Chat, outcome: Outcome) -> None:
        """Write the last line."""
        self.tell(
            "summary",
            exit_code=outcome.exit_code,
            reason=outcome.reason,
            sent=chat.sent,
            received=chat.received,
            calls=chat.calls,
            refused=chat.refused,
            failure=_fields(outcome.failure),
        )


def _fields(failure: Failure | None) -> dict[str, Any] | None:
    return failure.to_dict() if failure is not None else None


def _text(error: Exception | None) -> str | None:
    return str(error) if error is not None else None
