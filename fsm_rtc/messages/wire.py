"""The messages of the signalling protocol, read strictly. Source: docs/protocol.md.

Each frame is one JSON object in UTF-8, whose ``type`` names the message. Messages between a client and the server may
carry fields that are not known here; messages between two peers may not, since what is not known is not signed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, get_args

import msgspec

from fsm_rtc.errors import Malformed, MessageError

__all__ = [
    "MAX_MESSAGE_BYTES",
    "PROTOCOL",
    "Ack",
    "Answer",
    "Bye",
    "Candidate",
    "Challenge",
    "Draining",
    "EndOfCandidates",
    "Error",
    "ErrorCode",
    "Hello",
    "IceServerInfo",
    "IceServers",
    "Introduction",
    "MemberJoined",
    "MemberLeft",
    "Message",
    "Offer",
    "PeerMessage",
    "DeliveriesReceived",
    "Welcome",
    "decode",
    "encode",
]

PROTOCOL = "fsm_rtc/1"
"""The protocol's version; it changes apart from the package's."""

MAX_MESSAGE_BYTES = 262_144
"""A frame that is longer is refused unread."""

SIGNATURE_BYTES = 64

MAX_TOLD_CHARACTERS = 200

Name = Annotated[str, msgspec.Meta(max_length=128)]
Token = Annotated[str, msgspec.Meta(max_length=128)]
JoinToken = Annotated[str, msgspec.Meta(max_length=4096)]
OfferId = Annotated[str, msgspec.Meta(max_length=160)]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Nonce = Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]
PublicKey = Annotated[bytes, msgspec.Meta(max_length=512)]
Signature = Annotated[bytes, msgspec.Meta(max_length=SIGNATURE_BYTES)]
IceUrl = Annotated[str, msgspec.Meta(max_length=512)]
IceUrls = Annotated[tuple[IceUrl, ...], msgspec.Meta(max_length=8)]
IceSecret = Annotated[str, msgspec.Meta(max_length=1024)]
Features = Annotated[tuple[Token, ...], msgspec.Meta(max_length=16)]


class ErrorCode(StrEnum):
    """Why the server refuses. The set is closed."""

    BAD_MESSAGE = "bad_message"
    BAD_HELLO = "bad_hello"
    NO_ACCESS = "no_access"
    WRONG_PROTOCOL = "wrong_protocol"
    WRONG_ROOM = "wrong_room"
    ROOM_FULL = "room_full"
    NOT_HERE = "not_here"
    REPLACED = "replaced"
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    TOO_FAST = "too_fast"
    MAILBOX_FULL = "mailbox_full"
    RECIPIENT_FULL = "recipient_full"
    TOO_MANY_ROOMS = "too_many_rooms"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    SHUTTING_DOWN = "shutting_down"


class Introduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who somebody is, signed by that key for one room.

    Attributes:
        id: the fingerprint of the public key, see `fsm_rtc.messages.key_id`.
        session: new for each `Connection`.
        name: what the peer calls itself.
        public_key: SPKI, DER; empty of a side without a key.
        signature: raw r||s, 64 bytes; empty of a side without a key.
        features: what its side can do besides; see docs/delivery.md.
    """

    id: Token
    session: Token
    name: Name
    public_key: PublicKey
    signature: Signature
    features: Features = ()

    def __post_init__(self) -> None:
        _check_signature(self.signature)

    @property
    def who(self) -> tuple[str, str]:
        """Id and session: what makes it the same one, which another run may have signed with other bytes."""
        return self.id, self.session


class Challenge(msgspec.Struct, frozen=True, tag_field="type", tag="challenge"):
    """Server to client, first: prove your key by signing this.

    Attributes:
        protocol: the version that the server speaks.
        nonce: random bytes.
    """

    protocol: Token
    nonce: Nonce


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """Client to server: who I am, and the challenge signed.

    Attributes:
        protocol: the version that the client speaks.
        room: where it wants to go.
        introduction: handed on to the others as it is.
        proof: the signature over the challenge.
        token: what lets it in, where the server asks for one.
        resume: how many deliveries of this session it has seen, to go on behind them; None to begin.
    """

    protocol: Token
    room: Name
    introduction: Introduction
    proof: Signature
    token: JoinToken = ""
    resume: Sequence | None = None

    def __post_init__(self) -> None:
        _check_signature(self.proof)


class IceServerInfo(msgspec.Struct, frozen=True):
    """A STUN or TURN server that the signalling server offers.

    Attributes:
        urls: its addresses.
        username, credential: for TURN; they expire.
    """

    urls: IceUrls
    username: IceSecret = ""
    credential: IceSecret = ""


class Welcome(msgspec.Struct, frozen=True, tag_field="type", tag="welcome"):
    """Server to client: you are in the room, with these.

    Attributes:
        members: who else is there; nobody if the session goes on, which is told what has changed.
        resumed: whether the session goes on behind the last delivery seen.
        received: how many peer messages of this session were taken.
        ice_servers: for the peer connection.
    """

    members: tuple[Introduction, ...]
    resumed: bool = False
    received: Sequence = 0
    ice_servers: Annotated[tuple[IceServerInfo, ...], msgspec.Meta(max_length=8)] = ()


class IceServers(msgspec.Struct, frozen=True, tag_field="type", tag="ice_servers"):
    """Server to client: these instead of those that you were told, for their credentials end.

    Attributes:
        ice_servers: for the peer connections, those that there are included.
    """

    ice_servers: Annotated[tuple[IceServerInfo, ...], msgspec.Meta(max_length=8)]


class DeliveriesReceived(msgspec.Struct, frozen=True, tag_field="type", tag="received"):
    """Either way: so many deliveries of this session were seen, or so many of its peer messages taken."""

    number: Sequence


class Draining(msgspec.Struct, frozen=True, tag_field="type", tag="draining"):
    """Server to client: it stops in so many seconds; nobody new is let in until then."""

    seconds: float


class MemberJoined(msgspec.Struct, frozen=True, tag_field="type", tag="joined"):
    """Server to client, or peer to peer where there is no server: somebody came."""

    member: Introduction


class MemberLeft(msgspec.Struct, frozen=True, tag_field="type", tag="left"):
    """Server to client: somebody went."""

    id: Token
    session: Token


class Error(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """Server to client: something was refused; most codes are followed by the end of the link."""

    code: ErrorCode
    message: str


class PeerMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """What every message between two peers has. The server hands it on unchanged.

    Attributes:
        room: both sides' room.
        sender: the sender's id.
        recipient: the recipient's id.
        sender_session: the sender's session.
        recipient_session: the recipient's session.
        sequence: counts the sender's messages to this session, from 1; 0 of an acknowledgement.
        offer_id: which offer it is about: ``SESSION.NUMBER``; empty of a goodbye and an acknowledgement.
        payload: see each type.
        signature: over all of these and the type; raw r||s, 64 bytes; empty of a side without a key.
    """

    room: Name
    sender: Token
    recipient: Token
    sender_session: Token
    recipient_session: Token
    sequence: Sequence
    offer_id: OfferId
    payload: str
    signature: Signature

    def __post_init__(self) -> None:
        _check_signature(self.signature)

    @property
    def type(self) -> str:
        """The message's type, as it is signed."""
        return str(self.__struct_config__.tag)


class Offer(PeerMessage, frozen=True, tag="offer"):
    """An offer; the payload is the SDP."""


class Answer(PeerMessage, frozen=True, tag="answer"):
    """An answer; the payload is the SDP."""


class Candidate(PeerMessage, frozen=True, tag="candidate"):
    """An ICE candidate; the payload is ``{"candidate": …, "sdpMid": …, "sdpMLineIndex": …}`` as JSON text."""


class EndOfCandidates(PeerMessage, frozen=True, tag="end_of_candidates"):
    """There are no more candidates for this offer or its answer; no payload."""


class Bye(PeerMessage, frozen=True, tag="bye"):
    """The sender leaves; the payload says why, for people."""


class Ack(PeerMessage, frozen=True, tag="ack"):
    """Every message up to the number in the payload has arrived."""


ServerMessage = (
    Challenge | Hello | Welcome | IceServers | MemberJoined | MemberLeft | DeliveriesReceived | Draining | Error
)
Message = ServerMessage | Offer | Answer | Candidate | EndOfCandidates | Bye | Ack


class _MessageKind(msgspec.Struct):
    type: str


_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Message))
_KIND = msgspec.json.Decoder(_MessageKind)
_MESSAGE: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_ENCODER = msgspec.json.Encoder()


def encode(message: Message | PeerMessage) -> str:
    """The message as the text of a frame."""
    return _ENCODER.encode(message).decode()


def decode(frame: str | bytes) -> Message:
    """The message in a frame.

    Args:
        frame: the text, or its bytes.

    Raises:
        MessageError: it is none; `MessageError.reason` says in which way.
    """
    data = _utf8(frame)
    try:
        kind = _KIND.decode(data).type
        if kind in _TYPES:
            return _MESSAGE.decode(data)
    except msgspec.ValidationError as wrong:
        # The text names fields as the frame has them: whatever they hold, it stays short and printable.
        told = ascii(str(wrong)[:MAX_TOLD_CHARACTERS])[1:-1]
        raise MessageError(f"{told}; see docs/protocol.md for its fields", reason=Malformed.WRONG_SHAPE) from wrong
    except RecursionError as deep:
        raise MessageError(
            "nested too deep; no message has more than an object in an array in an object", reason=Malformed.TOO_DEEP
        ) from deep
    except UnicodeDecodeError as binary:
        raise MessageError("the frame is not UTF-8; send text", reason=Malformed.NOT_UTF8) from binary
    except msgspec.DecodeError as broken:
        raise MessageError(f"not JSON: {broken}; send one JSON object a frame", reason=Malformed.NOT_JSON) from broken
    raise MessageError(
        f"unknown type {kind[:40]!a}; {PROTOCOL} has {', '.join(sorted(_TYPES))}", reason=Malformed.UNKNOWN_TYPE
    )


def _utf8(frame: str | bytes) -> bytes:
    """The frame's bytes, known to be UTF-8 and not too many."""
    if not isinstance(frame, str | bytes):
        raise MessageError(f"a frame is a str or bytes, not {type(frame).__name__}", reason=Malformed.NOT_JSON)
    if len(frame) > MAX_MESSAGE_BYTES:
        raise MessageError(
            f"a frame of {len(frame)} is too long; at most {MAX_MESSAGE_BYTES} bytes are read",
            reason=Malformed.OVERSIZED,
        )
    try:
        if isinstance(frame, bytes):
            frame.decode()
            return frame
        data = frame.encode()
    except UnicodeError as binary:
        raise MessageError("the frame is not UTF-8; send text", reason=Malformed.NOT_UTF8) from binary
    return data if len(data) <= MAX_MESSAGE_BYTES else _utf8(data)


def _check_signature(signature: bytes) -> None:
    if len(signature) not in (0, SIGNATURE_BYTES):
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes, or none")
