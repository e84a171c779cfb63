"""What a call needs to go on in another run of its program: a plain value, kept by a `Persistence`."""

from __future__ import annotations

import msgspec

from fsm_rtc.engine.snapshot import MachineSnapshot
from fsm_rtc.errors import SnapshotError
from fsm_rtc.messages import Introduction

__all__ = ["FORMAT", "SavedCall", "SavedExchange", "SavedLink", "SavedPeer", "decode_saved", "encode_saved"]

FORMAT = 2
"""The version of this form; another one is refused."""


class SavedLink(msgspec.Struct, frozen=True):
    """A client's counts of its session at the signalling server; see `Resumption`."""

    seen: int
    posts: int
    untaken: tuple[str, ...]
    members: tuple[Introduction, ...]


class SavedExchange(msgspec.Struct, frozen=True):
    """Where the exchange of signed messages with the peer stands.

    Attributes:
        sequence: of this side's last message.
        unacknowledged: those that the peer has not acknowledged, with their numbers.
        next_sequence: of the peer's next message.
        offers_made: how many offers this session has made.
        last_offer_number: of the peer's latest offer.
    """

    sequence: int
    unacknowledged: tuple[tuple[int, str], ...]
    next_sequence: int
    offers_made: int
    last_offer_number: int


class SavedPeer(msgspec.Struct, frozen=True):
    """Somebody with whom there is an exchange.

    Attributes:
        introduction: who.
        exchange: where it stands.
    """

    introduction: Introduction
    exchange: SavedExchange


class SavedCall(msgspec.Struct, frozen=True):
    """A session: of a `Connection`, with one peer, or of a `Room`, with all that are there.

    Attributes:
        room, id, session: whose it is.
        peers: who is on the other side.
        link: to the signalling, where it can be resumed.
        machines: every machine, by label; those of the peer connection, which is gone with its process, to read.
        format: see `FORMAT`.
    """

    room: str
    id: str
    session: str
    peers: tuple[SavedPeer, ...]
    link: SavedLink | None
    machines: dict[str, MachineSnapshot]
    format: int = FORMAT


class _Format(msgspec.Struct):
    format: int


def encode_saved(saved: SavedCall) -> bytes:
    """As JSON."""
    return msgspec.json.encode(saved)


def decode_saved(data: bytes) -> SavedCall:
    """From JSON.

    Raises:
        SnapshotError: it is none, or of another format.
    """
    try:
        found = msgspec.json.decode(data, type=_Format).format
        if found != FORMAT:
            raise SnapshotError(f"this call was kept in format {found}; this version reads {FORMAT}: begin anew")
        return msgspec.json.decode(data, type=SavedCall)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise SnapshotError(f"this is no kept call ({broken}); begin anew, in another place") from broken
