"""What `FileSending` and `FileReceiving` ask of their owner."""

from __future__ import annotations

from dataclasses import dataclass

from fsm_rtc.errors import FileRefusal

__all__ = [
    "FailRefused",
    "FailWithdrawn",
    "Keep",
    "OpenWindow",
    "Prepare",
    "Seek",
    "SendAccept",
    "SendDone",
    "SendFileOffer",
    "SendReceived",
    "SendRefused",
    "SendWithdrawn",
    "StartOver",
    "TellStopped",
    "Verify",
    "Write",
]


class SendFileOffer:
    """Say what there is to be sent."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Send from this offset on."""

    offset: int


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """The receiver has the file up to here; more may be under way."""

    position: int


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


class SendAccept:
    """Say from where on the file is wanted."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write a chunk at the end of what is there."""

    chunk: object


class Verify:
    """Compare the checksum."""


class Keep:
    """Give the file its name."""


class StartOver:
    """Drop what is there, and want the file from its beginning."""


@dataclass(frozen=True, slots=True)
class TellStopped:
    """The sender has stopped, and may begin again: write what waits, and tell the user why."""

    reason: FileRefusal


class SendReceived:
    """Say that the file is there, with its checksum."""


@dataclass(frozen=True, slots=True)
class SendRefused:
    """Say that the file is not wanted, and why."""

    refusal: FileRefusal


@dataclass(frozen=True, slots=True)
class FailRefused:
    """The receiver doesn't want the file, or can't have it: sending ends with that."""

    refusal: object


class FailWithdrawn:
    """The file isn't to be sent any more: sending ends with that."""
