"""What `FileSending` and `FileReceiving` ask of their owner, and the effects that ask it."""

from __future__ import annotations

from dataclasses import dataclass

from fsm_rtc.errors import FileRefusal

__all__ = [
    "AskAgain",
    "Keep",
    "OpenWindow",
    "Prepare",
    "Seek",
    "SendAccept",
    "SendDone",
    "SendOffer",
    "SendReceived",
    "SendRefused",
    "SendWithdrawn",
    "StartOver",
    "Verify",
    "Write",
    "ask_again",
    "keep",
    "open_window",
    "prepare",
    "seek",
    "send_accept",
    "send_done",
    "send_offer",
    "send_received",
    "send_refused",
    "send_withdrawn",
    "start_over",
    "verify",
    "write",
]


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Say what there is to be sent."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Send from this offset on."""

    offset: int


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """The receiver has the file up to here; more may be under way."""

    position: int


@dataclass(frozen=True, slots=True)
class SendDone:
    """Say that all has been sent."""


@dataclass(frozen=True, slots=True)
class SendWithdrawn:
    """Say that the file won't be sent, and why."""

    reason: FileRefusal


@dataclass(frozen=True, slots=True)
class Prepare:
    """Look what is there of the file already."""

    offer: object


@dataclass(frozen=True, slots=True)
class SendAccept:
    """Say from where on the file is wanted."""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Say from where on the file is wanted, once: something is missing."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write a chunk at the end of what is there."""

    chunk: object


@dataclass(frozen=True, slots=True)
class Verify:
    """Compare the checksum."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Give the file its name."""


@dataclass(frozen=True, slots=True)
class StartOver:
    """Drop what is there, and want the file from its beginning."""


@dataclass(frozen=True, slots=True)
class SendReceived:
    """Say that the file is there, with its checksum."""


@dataclass(frozen=True, slots=True)
class SendRefused:
    """Say that the file is not wanted, and why."""

    refusal: FileRefusal


# The effects.


def send_offer(memory: object, event: object) -> SendOffer:
    """The file is offered."""
    return SendOffer()


def seek(memory: object, offset: int) -> Seek:
    """The file is sent from there on."""
    return Seek(offset)


def open_window(memory: object, position: int) -> OpenWindow:
    """More may be under way."""
    return OpenWindow(position)


def send_done(memory: object, event: object) -> SendDone:
    """The receiver is told that this was all."""
    return SendDone()


def send_withdrawn(memory: object, reason: FileRefusal) -> SendWithdrawn:
    """The receiver is told, and why."""
    return SendWithdrawn(reason)


def prepare(memory: object, offer: object) -> Prepare:
    """What is there already is looked at."""
    return Prepare(offer)


def send_accept(memory: object, event: object) -> SendAccept:
    """The sender is told from where on the file is wanted."""
    return SendAccept()


def ask_again(memory: object, event: object) -> AskAgain:
    """The sender is told, once, from where on the file is wanted."""
    return AskAgain()


def write(memory: object, chunk: object) -> Write:
    """The chunk is written."""
    return Write(chunk)


def verify(memory: object, event: object) -> Verify:
    """The checksum is compared."""
    return Verify()


def keep(memory: object, event: object) -> Keep:
    """The file gets its name."""
    return Keep()


def start_over(memory: object, event: object) -> StartOver:
    """What is there is dropped."""
    return StartOver()


def send_received(memory: object, event: object) -> SendReceived:
    """The sender is told that the file is there."""
    return SendReceived()


def send_refused(memory: object, refusal: FileRefusal) -> SendRefused:
    """The sender is told, and why."""
    return SendRefused(refusal)
