"""The sessions' machines in a journal, under numbers: a room's name and a member's id are nobody else's to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from fsm_rtc.engine import Journal
from fsm_rtc.machines.session import Session

__all__ = ["SessionWatch"]


class SessionWatch:
    """Labels sessions ``room.2.session.5`` and lets a journal watch them.

    Args:
        journal: watches each session; None for none.
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._rooms: dict[str, int] = {}
        self._present: Counter[str] = Counter()
        self._watched: dict[Session, tuple[str, Callable[[], None]]] = {}
        self._rooms_begun = 0
        self._sessions_begun = 0

    def begin(self, room: str, session: Session) -> None:
        """Watch a session from its first event on. A room that is empty and comes again has another number."""
        if self._journal is None:
            return
        if room not in self._rooms:
            self._rooms_begun += 1
            self._rooms[room] = self._rooms_begun
        self._sessions_begun += 1
        self._present[room] += 1
        label = f"room.{self._rooms[room]}.session.{self._sessions_begun}"
        self._watched[session] = (room, self._journal.watch(session, label))

    def end(self, session: Session) -> None:
        """Watch a session no longer."""
        room, unwatch = self._watched.pop(session, ("", None))
        if unwatch is not None:
            unwatch()
            self._present[room] -= 1
            if not self._present[room]:
                del self._present[room], self._rooms[room]
