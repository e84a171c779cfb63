"""What becomes of a file on its way, for people and programs that follow it."""

from __future__ import annotations

from dataclasses import dataclass

from fsm_rtc.errors import FileRefusal
from fsm_rtc.files.wire import FileOffer

__all__ = ["Began", "FileProgress", "Moved", "Restarted", "Stopped"]


@dataclass(frozen=True, slots=True)
class Began:
    """The file is under way, from `offset` on; in a conversation that begins anew, once more."""

    offer: FileOffer
    offset: int


@dataclass(frozen=True, slots=True)
class Moved:
    """The receiver has written up to `position`."""

    position: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """What was there of an earlier run was damaged, and is received again."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The sender has stopped, for this reason; it may begin again."""

    reason: FileRefusal


FileProgress = Began | Moved | Restarted | Stopped
