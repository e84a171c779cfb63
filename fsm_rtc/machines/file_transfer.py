"""A file that crosses a call: the side that sends it, and the side that receives it.

Source: docs/files.md. The receiver says where the sender begins (`accept`), at the beginning of every conversation and
whenever something is missing; so one that begins anew, because a process was killed or a connection replaced, goes on
where the receiver's disk ends. Chunks carry their offset: what is not the next one is not written.

Left out: how a message is read (files/wire.py), where the file lies (files/folder.py, files/source.py), how much may be
under way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.file_requests import (
    ask_again,
    keep,
    open_window,
    prepare,
    seek,
    send_accept,
    send_done,
    send_offer,
    send_received,
    send_refused,
    send_withdrawn,
    start_over,
    verify,
    write,
)

__all__ = ["FileReceiving", "FileSending", "ReceivingState", "SendingState"]


class SendingState(StrEnum):
    """Where the sender stands."""

    ALONE = "alone"
    OFFERED = "offered"
    SENDING = "sending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


ALONE, OFFERED, SENDING, SENT, CONFIRMED, REFUSED, WITHDRAWN = SendingState


class SenderMemory(Protocol):
    """What the sender knows."""

    @property
    def size(self) -> int:
        """Of the file, in bytes."""

    @property
    def sha256(self) -> str:
        """Of the file, in hex."""

    @property
    def position(self) -> int:
        """Up to where it was sent, in bytes."""


def within_the_file(memory: SenderMemory, offset: int) -> bool:
    """The offset must lie within the file."""
    return 0 <= offset <= memory.size


def was_sent(memory: SenderMemory, position: int) -> bool:
    """The receiver can't have more than was sent."""
    return 0 <= position <= memory.position


def the_same_checksum(memory: SenderMemory, sha256: str) -> bool:
    """The receiver's checksum must be the file's."""
    return sha256 == memory.sha256


class FileSending(Chart[SendingState, SenderMemory]):
    """The sender of one file."""

    source = "docs/files.md"
    initial = ALONE
    final = frozenset({CONFIRMED, REFUSED, WITHDRAWN})

    on_ready = On(
        Row((ALONE, OFFERED, SENDING, SENT), OFFERED, then=(send_offer,)),
        cite="a conversation begins, or begins anew: the file is offered",
    )
    on_accept = On(
        Row((OFFERED, SENDING, SENT), SENDING, when=(within_the_file,), then=(seek,)),
        cite="the receiver says where to begin",
    )
    on_have = On(
        stay(SENDING, SENT, when=(was_sent,), then=(open_window,)),
        cite="the receiver has written so much",
    )
    end_reached = On(Row(SENDING, SENT, then=(send_done,)), cite="all chunks are sent")
    on_received = On(
        Row((ALONE, OFFERED, SENDING, SENT), CONFIRMED, when=(the_same_checksum,)),
        cite="the receiver has the file, or had it before",
    )
    on_refused = On(
        Row((ALONE, OFFERED, SENDING, SENT), REFUSED), cite="the receiver doesn't want it, or can't have it"
    )
    withdraw = On(
        Row(ALONE, WITHDRAWN),
        Row((OFFERED, SENDING, SENT), WITHDRAWN, then=(send_withdrawn,)),
        cite="the sender stops, or the file has changed",
    )


class ReceivingState(StrEnum):
    """Where the receiver stands."""

    WAITING = "waiting"
    PREPARING = "preparing"
    RECEIVING = "receiving"
    VERIFYING = "verifying"
    RECEIVED = "received"
    DECLINED = "declined"


WAITING, PREPARING, RECEIVING, VERIFYING, RECEIVED, DECLINED = ReceivingState


class Offered(Protocol):
    """An offer."""

    @property
    def transfer(self) -> str:
        """Which file it is: by its name, size and checksum."""


class Placed(Protocol):
    """A piece of the file."""

    @property
    def offset(self) -> int: ...
    @property
    def end(self) -> int: ...


class ReceiverMemory(Protocol):
    """What the receiver knows."""

    @property
    def transfer(self) -> str:
        """Which file is received; empty for none."""

    @property
    def size(self) -> int: ...
    @property
    def position(self) -> int:
        """Up to where the file is there, in bytes."""

    @property
    def has_asked_again(self) -> bool:
        """Whether what is missing was asked for, and hasn't come yet."""

    @property
    def is_resumed(self) -> bool:
        """Whether a part of it was there before."""


def the_same_file(memory: ReceiverMemory, offer: Offered) -> bool:
    """It must be the file that is being received."""
    return offer.transfer == memory.transfer


def comes_next(memory: ReceiverMemory, chunk: Placed) -> bool:
    """The chunk must begin where the file ends, and end within it."""
    return chunk.offset == memory.position and chunk.end <= memory.size


def leaves_a_gap(memory: ReceiverMemory, chunk: Placed) -> bool:
    """Something before the chunk must be missing, and not be asked for yet."""
    return chunk.offset > memory.position and not memory.has_asked_again


def is_complete(memory: ReceiverMemory, event: object) -> bool:
    """All of the file must be there."""
    return memory.position == memory.size


def was_resumed(memory: ReceiverMemory, event: object) -> bool:
    """A part of it must be from an earlier run."""
    return memory.is_resumed


class FileReceiving(Chart[ReceivingState, ReceiverMemory]):
    """The receiver of one file."""

    source = "docs/files.md"
    initial = WAITING
    final = frozenset({DECLINED})

    on_offer = On(
        stay(RECEIVING, when=(the_same_file,), then=(send_accept,)),
        Row((WAITING, PREPARING, RECEIVING, VERIFYING, RECEIVED), PREPARING, then=(prepare,)),
        cite="a conversation begins, or begins anew",
    )
    prepared = On(Row(PREPARING, RECEIVING, then=(send_accept,)), cite="so much is there of the file")
    found = On(Row(PREPARING, RECEIVED, then=(send_received,)), cite="the very file is there already")
    on_chunk = On(
        stay(RECEIVING, when=(comes_next,), then=(write,)),
        stay(RECEIVING, when=(leaves_a_gap,), then=(ask_again,)),
        cite="a piece of the file; one that was sent before the sender heard where to begin is not written",
    )
    on_done = On(
        Row(RECEIVING, VERIFYING, when=(is_complete,), then=(verify,)),
        stay(RECEIVING, then=(send_accept,)),
        cite="the sender has sent all that it was asked for",
    )
    agrees = On(Row(VERIFYING, RECEIVED, then=(keep, send_received)), cite="the checksum is the offer's")
    differs = On(
        Row(VERIFYING, RECEIVING, when=(was_resumed,), then=(start_over, send_accept), cite="the part was damaged"),
        cite="the checksum is not the offer's",
    )
    on_withdrawn = On(
        Row((WAITING, PREPARING, RECEIVING, VERIFYING), WAITING), cite="the sender stops; what is there stays"
    )
    decline = On(
        Row((WAITING, PREPARING, RECEIVING, VERIFYING, RECEIVED), DECLINED, then=(send_refused,)),
        cite="the file is not wanted, or can't be kept",
    )
