"""The journal file: JSON Lines, one record a line, read back strictly.

A file holds `started` and `event` records as `fsm_rtc.engine.journal.line_of` writes them, and at its end perhaps the
summary of a demo. Nothing is guessed: a line that is not exactly one of these is a `JournalError` with its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fsm_rtc.engine import Dropped, Entry, Record, Started
from fsm_rtc.engine.regular_file import open_regular
from fsm_rtc.errors import JournalError, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DroppedRecord",
    "EventRecord",
    "JournalFile",
    "StartedRecord",
    "SummaryRecord",
    "load_journal",
    "read_journal",
]


class StartedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="record", tag="started"):
    """A line that says that a machine began to be watched; the fields are those of `fsm_rtc.engine.Started`."""

    time: float
    label: str
    machine: str
    digest: str
    generation: int
    state: str
    armed: dict[str, float] = {}

    def decoded(self) -> Started:
        """The record as the engine has it."""
        return Started(self.time, self.label, self.machine, self.digest, self.generation, self.state, self.armed)


class EventRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="record", tag="event"):
    """A line that says what became of one event; the fields are those of `fsm_rtc.engine.Entry`."""

    time: float
    label: str
    machine: str
    generation: int
    trigger: str
    accepted: bool
    source: str
    target: str
    guards: tuple[str, ...] = ()
    reason: Reason | None = None
    guard: str | None = None
    first: str | None = None
    armed: dict[str, float] = {}

    def __post_init__(self) -> None:
        if self.accepted and (self.reason or self.guard or self.first):
            raise ValueError("an accepted event has no `reason`, `guard` or `first`")
        if not self.accepted and self.reason is None:
            raise ValueError("a rejected event needs its `reason`")
        if not self.accepted and (self.source != self.target or self.guards):
            raise ValueError("a rejected event doesn't move: `source` and `target` are the same, and `guards` is empty")

    def decoded(self) -> Entry:
        """The record as the engine has it."""
        reason = None if self.reason is None else self.reason.value
        return Entry(
            self.time,
            self.label,
            self.machine,
            self.generation,
            self.trigger,
            self.accepted,
            self.source,
            self.target,
            self.guards,
            reason,
            self.guard,
            self.first,
            self.armed,
        )


class DroppedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="record", tag="dropped"):
    """A line that says that a request was dropped; the fields are those of `fsm_rtc.engine.Dropped`."""

    time: float
    label: str
    machine: str
    generation: int
    state: str
    request: str

    def decoded(self) -> Dropped:
        """The record as the engine has it."""
        return Dropped(self.time, self.label, self.machine, self.generation, self.state, self.request)


class SummaryRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last line of a demo's journal.

    Attributes:
        ok: whether both sides connected, exchanged and closed.
        connected_seconds: how long it took to connect, or None if it never did.
        messages: how many chat messages arrived.
        video_frames: how many video frames arrived.
        accepted: how many events the tables accepted.
        rejected: how many they rejected.
        record: ``summary``, or left out.
    """

    ok: bool
    connected_seconds: float | None
    messages: int
    video_frames: int
    accepted: int
    rejected: int
    record: str = "summary"


class _RecordKind(msgspec.Struct):
    record: str | None = None


@dataclass(frozen=True, slots=True)
class JournalFile:
    """What a journal file holds.

    Attributes:
        records: in order; the first is line 1 of the file.
        summary: the demo's last line, or None.
    """

    records: tuple[Record, ...]
    summary: SummaryRecord | None = None


_KIND = msgspec.json.Decoder(_RecordKind)
_STARTED = msgspec.json.Decoder(StartedRecord)
_EVENT = msgspec.json.Decoder(EventRecord)
_DROPPED = msgspec.json.Decoder(DroppedRecord)
_SUMMARY = msgspec.json.Decoder(SummaryRecord)


def load_journal(path: Path | str) -> JournalFile:
    """Read a journal file.

    Args:
        path: the file, of JSON Lines.

    Raises:
        JournalError: it can't be opened, or is no journal; with the line's number where there is one.
    """
    try:
        with open_regular(Path(path)) as raw, BufferedReader(raw) as file:
            return read_journal(file)
    except OSError as refused:
        reason = refused.strerror or str(refused)
        raise JournalError(f"{path} can't be read: {reason}; give the path of a journal") from refused


def read_journal(lines: Iterable[bytes]) -> JournalFile:
    """Read a journal from its lines.

    Args:
        lines: as a binary file gives them; a line end may be missing on the last.

    Raises:
        JournalError: it is no journal; with the number of the line that isn't.
    """
    records: list[Record] = []
    summary: SummaryRecord | None = None
    for number, line in enumerate(lines, start=1):
        if summary is not None:
            raise JournalError("there is more behind the summary, which is the last line of a journal", line=number)
        decoded = _decoded(line, number)
        if isinstance(decoded, SummaryRecord):
            summary = decoded
        else:
            records.append(decoded.decoded())
    if not records:
        raise JournalError("the file holds no record; write one with: fsm-rtc demo --json > call.jsonl")
    return JournalFile(tuple(records), summary)


def _decoded(line: bytes, number: int) -> StartedRecord | EventRecord | DroppedRecord | SummaryRecord:
    if not line.strip():
        raise JournalError("the line is empty; delete it", line=number)
    try:
        line.decode()
        kind = _KIND.decode(line).record
        if kind == "started":
            return _STARTED.decode(line)
        if kind == "event":
            return _EVENT.decode(line)
        if kind == "dropped":
            return _DROPPED.decode(line)
        if kind in (None, "summary"):
            return _SUMMARY.decode(line)
    except UnicodeDecodeError as binary:
        raise JournalError("not text in UTF-8; is this a journal of fsm-rtc?", line=number) from binary
    except msgspec.ValidationError as wrong:
        raise JournalError(f"{wrong}; no such line is written by a journal, so it was changed", line=number) from wrong
    except (msgspec.DecodeError, RecursionError) as broken:
        raise JournalError(_why_not_json(line, broken), line=number) from broken
    raise JournalError(f"unknown record {kind!r}; known are 'started', 'event', 'dropped' and 'summary'", line=number)


def _why_not_json(line: bytes, broken: Exception) -> str:
    if not line.endswith(b"\n") and line.lstrip().startswith(b"{"):
        return "the line is cut off, as when the writer was stopped; delete it to replay what comes before"
    return f"not JSON ({broken}); a journal has one JSON object on each line"
