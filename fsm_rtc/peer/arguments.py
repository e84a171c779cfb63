"""What public methods ask of their arguments before anything else: a TypeError with a sentence, as Web IDL has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

KINDS = ("audio", "video")
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


def is_integer(value: object, lowest: int, highest: int) -> bool:
    """Whether it is an integer in this range."""
    return isinstance(value, int) and lowest <= value <= highest


def is_list_with(attribute: str, value: object) -> bool:
    """Whether it is a list or tuple of objects that have this attribute."""
    return isinstance(value, list | tuple) and all(hasattr(one, attribute) for one in value)


def kind_of(track: Any) -> str:
    """The kind of a track.

    Raises:
        TypeError: it is no track.
    """
    kind = getattr(track, "kind", None)
    if kind not in KINDS or not isinstance(kind, str):
        raise TypeError(f"a track is a MediaStreamTrack of kind audio or video, not {type(track).__name__}")
    return kind


def check_kind(track_or_kind: Any) -> str:
    """The kind of what a transceiver is to be made for: of a track, or the kind itself.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(track_or_kind, str):
        return kind_of(track_or_kind)
    if track_or_kind not in KINDS:
        raise TypeError(f"a transceiver's kind is audio or video, not {track_or_kind[:80]!r}")
    return track_or_kind


def check_direction(direction: object) -> None:
    """Refuse what is no direction to begin with.

    Raises:
        TypeError: it is none.
    """
    if direction not in DIRECTIONS:
        raise TypeError(f"a transceiver's direction is one of {', '.join(DIRECTIONS)}, not {str(direction)[:80]!r}")


def as_streams(streams: Any) -> tuple[Any, ...]:
    """Streams, each once.

    Raises:
        TypeError: one of them has no id, as a MediaStream has, or they are no list.
    """
    given = tuple(streams) if isinstance(streams, Iterable) else (streams,)
    for stream in given:
        if not isinstance(getattr(stream, "id", None), str):
            raise TypeError(f"a stream is a MediaStream, not {type(stream).__name__}")
    return tuple({id(stream): stream for stream in given}.values())
