"""What goes over a data channel with the protocol ``fsm-rtc.1``. Source: docs/delivery.md.

A text frame is a text message. A binary frame's first byte says what follows: 0 a binary message, 1 a control frame,
which is JSON.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from fsm_rtc.engine.doors import text
from fsm_rtc.errors import Malformed, MessageError
from fsm_rtc.messages import CODES_FEATURE
from fsm_rtc.peer.data_channel import MAX_MESSAGE_BYTES as MAX_FRAME_BYTES

__all__ = [
    "CHANNEL_PROTOCOL",
    "FEATURE",
    "FEATURES",
    "MAX_DATA_BYTES",
    "Acknowledged",
    "StreamBegin",
    "Control",
    "StreamGoodbye",
    "StreamPing",
    "Pong",
    "StreamHello",
    "data_frame",
    "decode_frame",
    "encode_control",
    "size_of",
]

CHANNEL_PROTOCOL = "fsm-rtc.1"
"""The subprotocol of a channel that carries these frames."""

FEATURE = "delivery"

FEATURES = (FEATURE, CODES_FEATURE)
"""What a side of this version says of itself."""

"""What an introduction says of a side that can use them."""

MAX_DATA_BYTES = MAX_FRAME_BYTES - 1
"""The longest message: a frame less its first byte."""

BINARY, CONTROL = b"\x00", b"\x01"

MAX_STREAMS = 16

StreamId = Annotated[str, msgspec.Meta(max_length=64)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class StreamHello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame of either side.

    Attributes:
        stream: the id of the sender's stream.
        received: up to which number it has the messages of the streams that it knows.
    """

    stream: StreamId
    received: dict[StreamId, Number]


class StreamBegin(msgspec.Struct, frozen=True, tag_field="type", tag="begin"):
    """The next message on this channel has this number."""

    number: Number


class Acknowledged(msgspec.Struct, frozen=True, tag_field="type", tag="ack"):
    """The sender needs no message up to this number again."""

    number: Number


class StreamPing(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Are you there?"""


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """I am."""


class StreamGoodbye(msgspec.Struct, frozen=True, tag_field="type", tag="bye", omit_defaults=True):
    """The last frame: the call is over.

    Attributes:
        reason: why, for people.
        failed: whether that is no goodbye, but the call has failed: what isn't delivered is kept.
    """

    reason: str
    failed: bool = False


Control = StreamHello | StreamBegin | Acknowledged | StreamPing | Pong | StreamGoodbye

_CONTROL: msgspec.json.Decoder[Control] = msgspec.json.Decoder(Control)
_ENCODER = msgspec.json.Encoder()


def data_frame(message: str | bytes) -> str | bytes:
    """A message as a frame."""
    return message if isinstance(message, str) else BINARY + message


def encode_control(control: Control) -> bytes:
    """A control frame."""
    return CONTROL + _ENCODER.encode(control)


def decode_frame(frame: str | bytes) -> Control | str | bytes:
    """What a frame holds.

    Raises:
        MessageError: it is no frame of this protocol.
    """
    if isinstance(frame, str):
        return frame
    if frame[:1] == BINARY:
        return frame[1:]
    if frame[:1] != CONTROL:
        raise MessageError("a binary frame begins with 0 or 1; see docs/delivery.md", reason=Malformed.UNKNOWN_TYPE)
    try:
        control = _CONTROL.decode(memoryview(frame)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise MessageError("no control frame; see docs/delivery.md", reason=Malformed.WRONG_SHAPE) from wrong
    if isinstance(control, StreamHello) and len(control.received) > MAX_STREAMS:
        raise MessageError("a hello with too many streams", reason=Malformed.OVERSIZED)
    return control


def size_of(message: str | bytes) -> int:
    """How many bytes a message has.

    Raises:
        TypeError: it is neither text nor bytes.
        ValueError: it is too long.
    """
    if not isinstance(message, str | bytes):
        raise TypeError(f"a data channel sends str or bytes, not {type(message).__name__}; encode the message first")
    size = len(message) if isinstance(message, bytes) else len(text(message, "the message", is_secret=True).encode())
    if size > MAX_DATA_BYTES:
        raise ValueError(f"a message of {size} bytes is too long; send at most {MAX_DATA_BYTES} bytes at a time")
    return size
