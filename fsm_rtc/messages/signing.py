"""What is signed, byte for byte, and by whom. Source: docs/protocol.md."""

from __future__ import annotations

import base64
import secrets
from typing import TypeVar

import msgspec

from fsm_rtc.engine.doors import told
from fsm_rtc.errors import IdentityError
from fsm_rtc.messages.identity import Identity, is_signed_by, key_id
from fsm_rtc.messages.wire import PROTOCOL, Introduction, PeerMessage

__all__ = [
    "Member",
    "introduction_input",
    "is_genuine",
    "is_genuine_introduction",
    "is_proof",
    "message_input",
    "new_session",
    "proof_input",
    "signing_input",
]

MessageT = TypeVar("MessageT", bound=PeerMessage)

SESSION_BYTES = 16
MAX_NAME_CHARACTERS = 128


def new_session() -> str:
    """A session's id: 16 random bytes as base64url without padding, 22 characters."""
    return base64.urlsafe_b64encode(secrets.token_bytes(SESSION_BYTES)).decode().rstrip("=")


def signing_input(*fields: str) -> bytes:
    """The bytes that are signed: each field's length in UTF-8 as four bytes, big-endian, and then the field."""
    encoded = [field.encode() for field in fields]
    return b"".join(len(field).to_bytes(4, "big") + field for field in encoded)


def message_input(message: PeerMessage) -> bytes:
    """The bytes that a peer message's signature covers."""
    return signing_input(
        PROTOCOL,
        "message",
        message.room,
        message.sender,
        message.recipient,
        message.sender_session,
        message.recipient_session,
        str(message.sequence),
        message.offer_id,
        message.type,
        message.payload,
    )


def introduction_input(introduction: Introduction, room: str) -> bytes:
    """The bytes that an introduction's signature covers."""
    return signing_input(
        PROTOCOL,
        "introduction",
        room,
        introduction.id,
        introduction.session,
        introduction.name,
        *introduction.features,
    )


def proof_input(introduction: Introduction, nonce: bytes, room: str) -> bytes:
    """The bytes that the answer to a challenge covers."""
    return signing_input(
        PROTOCOL, "hello", base64.b64encode(nonce).decode(), room, introduction.id, introduction.session
    )


def is_genuine(message: PeerMessage, public_key: bytes) -> bool:
    """Whether a message is signed by this key, with all its fields as they are."""
    return is_signed_by(public_key, message.signature, message_input(message))


def is_genuine_introduction(introduction: Introduction, room: str) -> bool:
    """Whether an introduction is signed for this room, by the key whose fingerprint is its id."""
    return introduction.id == key_id(introduction.public_key) and is_signed_by(
        introduction.public_key, introduction.signature, introduction_input(introduction, room)
    )


def is_proof(introduction: Introduction, nonce: bytes, room: str, proof: bytes) -> bool:
    """Whether the key of an introduction has signed this challenge."""
    return is_signed_by(introduction.public_key, proof, proof_input(introduction, nonce, room))


class Member:
    """One side of a room: who it is, and its signature.

    Args:
        room: the room's name, at most 128 characters.
        identity: its key; None for a side that signs nothing, whose id is then random.
        name: what it calls itself, at most 128 characters.
        session: its session; a new one if None.
        features: what it can do besides, for the other side to know.

    Attributes:
        introduction: how it introduces itself.

    Raises:
        IdentityError: the room's name, its own or the session is too long, or can't be written in UTF-8.
    """

    def __init__(
        self,
        room: str,
        identity: Identity | None = None,
        name: str = "",
        session: str | None = None,
        features: tuple[str, ...] = (),
    ) -> None:
        if identity is not None and not isinstance(identity, Identity):
            raise IdentityError(f"the identity is {told(identity)}; give Identity.load(path) or Identity.generate()")
        session = new_session() if session is None else session
        for what, text in (("room's name", room), ("name", name), ("session", session)):
            _check_text(what, text)
        self.room = room
        self.identity = identity
        if identity is None:
            self.introduction = Introduction(new_session(), session, name, b"", b"", features)
        else:
            unsigned = Introduction(identity.id, session, name, identity.public_key, b"", features)
            self.introduction = msgspec.structs.replace(
                unsigned, signature=identity.sign(introduction_input(unsigned, room))
            )

    def prove(self, nonce: bytes) -> bytes:
        """The answer to a server's challenge; empty without an identity."""
        return b"" if self.identity is None else self.identity.sign(proof_input(self.introduction, nonce, self.room))

    def sign(self, message: MessageT) -> MessageT:
        """A copy of the message with its signature; without an identity the message as it is."""
        if self.identity is None:
            return message
        return msgspec.structs.replace(message, signature=self.identity.sign(message_input(message)))


def _check_text(what: str, text: object) -> None:
    if not isinstance(text, str):
        raise IdentityError(f"the {what} is {told(text)}; give text, a str")
    if len(text) > MAX_NAME_CHARACTERS:
        raise IdentityError(f"the {what} has {len(text)} characters; choose one of at most {MAX_NAME_CHARACTERS}")
    try:
        text.encode()
    except UnicodeEncodeError as surrogate:
        raise IdentityError(f"the {what} {text!a} is not text that UTF-8 can hold; choose another") from surrogate
