"""A file that crosses a call: the side that sends it, and the side that receives it.

Source: docs/files.md. The receiver says where the sender begins (`accept`), at the beginning of every conversation and
whenever something is missing; so one that begins anew, because a process was killed or a connection replaced, goes on
where the receiver's disk ends. Chunks carry their offset: what is not the next one is not written.

Left out: how a message is read (files/wire.py), where the file lies (files/folder.py, files/source.py), how much may be
under way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.errors import FileRefusal
from fsm_rtc.machines.file_requests import (
    FailRefused,
    FailWithdrawn,
    Keep,
    OpenWindow,
    Prepare,
    Seek,
    SendAccept,
    SendDone,
    SendFileOffer,
    SendReceived,
    SendRefused,
    SendWithdrawn,
    StartOver,
    TellStopped,
    Verify,
    Write,
)

__all__ = ["WINDOW_BYTES", "FileReceiving", "FileSending", "ReceivingState", "SendingState"]


WINDOW_BYTES = 4 * 1024 * 1024
"""So much is under way at most, whatever the receiver's disk and the way there do."""


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

    @property
    def written(self) -> int:
        """Up to where the receiver has written it, in bytes."""


def within_the_file(memory: SenderMemory, offset: int) -> bool:
    """The offset must lie within the file."""
    return 0 <= offset <= memory.size


def was_sent(memory: SenderMemory, position: int) -> bool:
    """The receiver can't have more than was sent."""
    return 0 <= position <= memory.position


def the_same_checksum(memory: SenderMemory, sha256: str) -> bool:
    """The receiver's checksum must be the file's."""
    return sha256 == memory.sha256


def window_is_open(memory: SenderMemory, event: object) -> bool:
    """Less than a window may be under way; that all is sent may be said at any time."""
    return memory.position == memory.size or memory.position - memory.written < WINDOW_BYTES


class FileSending(Chart[SendingState, SenderMemory]):
    """The sender of one file."""

    source = "docs/files.md"
    initial = ALONE
    final = frozenset({CONFIRMED, REFUSED, WITHDRAWN})
    entry: ClassVar = {OFFERED: (SendFileOffer,), SENT: (SendDone,), WITHDRAWN: (FailWithdrawn,)}

    on_ready = On(
        Row((ALONE, OFFERED, SENDING, SENT), OFFERED, reenters=True),
        cite="a conversation begins, or begins anew: the file is offered",
    )
    on_accept = On(
        Row((OFFERED, SENDING, SENT), SENDING, when=(within_the_file,), then=Seek),
        cite="the receiver says where to begin",
    )
    on_have = On(
        stay(SENDING, SENT, when=(was_sent,), then=OpenWindow),
        cite="the receiver has written so much",
    )
    end_reached = On(Row(SENDING, SENT), cite="all chunks are sent")
    on_received = On(
        Row((ALONE, OFFERED, SENDING, SENT), CONFIRMED, when=(the_same_checksum,)),
        cite="the receiver has the file, or had it before",
    )
    on_cut = On(
        Row((OFFERED, SENDING, SENT), ALONE),
        stay(ALONE),
        cite="nothing can be said any more: all is said again when somebody is there",
    )
    on_refused = On[SenderMemory, object](
        Row((ALONE, OFFERED, SENDING, SENT), REFUSED, then=FailRefused),
        cite="the receiver doesn't want it, or can't have it",
    )
    send_more = On(stay(SENDING, when=(window_is_open,)), cite="docs/files.md: only so much is under way at a time")
    withdraw = On[SenderMemory, FileRefusal](
        Row(ALONE, WITHDRAWN),
        Row((OFFERED, SENDING, SENT), WITHDRAWN, then=SendWithdrawn),
        cite="the sender stops, or the file has changed",
    )


class ReceivingState(StrEnum):
    """Where the receiver stands."""

    WAITING = "waiting"
    PREPARING = "preparing"
    ASKED = "asked"
    RECEIVING = "receiving"
    VERIFYING = "verifying"
    RECEIVED = "received"
    DECLINED = "declined"


WAITING, PREPARING, ASKED, RECEIVING, VERIFYING, RECEIVED, DECLINED = ReceivingState


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
    def is_resumed(self) -> bool:
        """Whether a part of it was there before."""


def the_same_file(memory: ReceiverMemory, offer: Offered) -> bool:
    """It must be the file that is being received."""
    return offer.transfer == memory.transfer


def comes_next(memory: ReceiverMemory, chunk: Placed) -> bool:
    """The chunk must begin where the file ends, and end within it."""
    return chunk.offset == memory.position and chunk.end <= memory.size


def leaves_a_gap(memory: ReceiverMemory, chunk: Placed) -> bool:
    """Something before the chunk must be missing."""
    return chunk.offset > memory.position


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
    entry: ClassVar = {
        PREPARING: (Prepare,),
        ASKED: (SendAccept,),
        VERIFYING: (Verify,),
        RECEIVED: (SendReceived,),
        DECLINED: (SendRefused,),
    }

    on_offer = On(
        Row((ASKED, RECEIVING), ASKED, when=(the_same_file,), reenters=True),
        Row((WAITING, PREPARING, ASKED, RECEIVING, VERIFYING, RECEIVED), PREPARING, reenters=True),
        cite="a conversation begins, or begins anew",
    )
    prepared = On(Row(PREPARING, ASKED), cite="so much is there of the file")
    found = On(Row(PREPARING, RECEIVED), cite="the very file is there already")
    on_chunk = On(
        Row((ASKED, RECEIVING), RECEIVING, when=(comes_next,), then=Write),
        Row(RECEIVING, ASKED, when=(leaves_a_gap,)),
        cite="a piece of the file; one that was sent before the sender heard where to begin is not written",
    )
    on_done = On(
        Row((ASKED, RECEIVING), VERIFYING, when=(is_complete,)),
        Row((ASKED, RECEIVING), ASKED, reenters=True),
        cite="the sender has sent all that it was asked for, and something of it is missing: it is asked for again",
    )
    agrees = On(Row(VERIFYING, RECEIVED, then=Keep), cite="the checksum is the offer's")
    differs = On(
        Row(VERIFYING, ASKED, when=(was_resumed,), then=StartOver, cite="the part was damaged"),
        cite="the checksum is not the offer's",
    )
    on_withdrawn = On[ReceiverMemory, FileRefusal](
        Row((WAITING, PREPARING, ASKED, RECEIVING, VERIFYING), WAITING, then=TellStopped),
        cite="the sender stops; what is there stays",
    )
    on_goodbye = On[ReceiverMemory, FileRefusal](
        Row((PREPARING, ASKED, RECEIVING, VERIFYING), WAITING, then=TellStopped),
        cite="the sender has ended the call before the file was there; its withdrawal waited behind too much of it",
    )
    decline = On[ReceiverMemory, FileRefusal](
        Row((WAITING, PREPARING, ASKED, RECEIVING, VERIFYING, RECEIVED), DECLINED),
        cite="the file is not wanted, or can't be kept",
    )
