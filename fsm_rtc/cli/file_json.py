"""What a program reads of a file that crosses: one JSON object a line, told apart by ``event``.

| event | with |
| --- | --- |
| me, signaling, joined, negotiated, connection, ready, ended, refused, forgetful | as of `join`, see `chat_json` |
| began | name, size, sha256, offset; once more in each conversation that begins anew |
| progress | position: the receiver has written so much |
| restarted | what was there of an earlier run was damaged, and is received again |
| stopped | reason: the sender has stopped |
| summary, the last one | exit_code, reason, refusal, path, conversations, failure (as of `join`) |

A field without a value is null. A ``reason`` of the file's own, and ``refusal``, is one of `FileRefusal`.
"""

from __future__ import annotations

from fsm_rtc.cli.chat_json import ChatJson
from fsm_rtc.cli.file_call import FileCall, FileOutcome
from fsm_rtc.files import Began, FileProgress, Moved, Restarted
from fsm_rtc.room.events import RoomEvent

__all__ = ["FileJson"]


class FileJson:
    """A `FileReport` for programs.

    Args:
        lines: writes the objects.
    """

    def __init__(self, lines: ChatJson) -> None:
        self._lines = lines

    def happened(self, event: RoomEvent) -> None:
        self._lines.happened(event)

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        self._lines.refused(name, key_id, known_id)

    def forgetful(self, why: str) -> None:
        self._lines.forgetful(why)

    def progress(self, event: FileProgress) -> None:
        match event:
            case Began(offer, offset):
                self._lines.tell("began", name=offer.name, size=offer.size, sha256=offer.sha256, offset=offset)
            case Moved(position):
                self._lines.tell("progress", position=position)
            case Restarted():
                self._lines.tell("restarted")
            case _:
                self._lines.tell("stopped", reason=event.reason.value)

    def summarise(self, call: FileCall, outcome: FileOutcome) -> None:
        """Write the last line."""
        self._lines.tell(
            "summary",
            exit_code=outcome.exit_code,
            reason=outcome.reason,
            refusal=outcome.refusal.value if outcome.refusal is not None else None,
            path=str(outcome.path) if outcome.path is not None else None,
            conversations=call.conversations,
            failure=outcome.failure.to_dict() if outcome.failure is not None else None,
        )
