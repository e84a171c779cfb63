"""Timers: triggers that become due by themselves, as a row of the table says.

``On(…, after=4.5)`` arms a timer when the machine comes to a state in which the trigger has a row, and clears it when
it goes. What holds:

- The scope ``state``: armed anew at each change of state. The scope ``sources``: armed on coming to any of the
  trigger's states from elsewhere, and kept while the machine moves among them: a bound over several states.
- A row that stays arms nothing but what it names in ``restarts``; so a trigger that comes again and again is
  ``On(stay(A, restarts=("poll",)), after=5.0)`` under the name ``poll``.
- ``after`` is a number of seconds or a function of the context, which is asked once, when the timer is armed; infinity
  means never.
- ``since`` is a function of the context: when something was last heard, on the machine's clock, or None. It is asked
  when the timer is due; if so little time has passed since, the timer runs on and nothing has happened. So what is
  heard costs nothing.
- ``late`` says what a machine's sleep means: a process that stood still for a while heard nothing because it didn't
  listen (``postpone``); a lease or a limit runs on (``fire``). See `Ticking.stood_still`.
- ``jitter="full"``: the time is drawn between 0 and ``after``.
- A timed trigger has no checks, and ends in each state with a row that nothing can refuse: a timer whose guards all
  refuse would never come again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

__all__ = ["After", "Jitter", "Late", "Scope", "Since", "Timer"]

After = float | Callable[[Any], float]
Since = Callable[[Any], float | None]
Scope = Literal["state", "sources"]
Late = Literal["fire", "postpone"]
Jitter = Literal["none", "full"]


@dataclass(frozen=True, slots=True)
class Timer:
    """When a trigger is due by itself.

    Attributes:
        trigger: its name.
        index: its place in the table, from 1.
        sources: the states in which it has a row.
        after: seconds from when it is armed, or a function of the context that gives them.
        per: ``state`` or ``sources``; see the module.
        since: when the time began anew without an event, or None.
        late: ``fire`` or ``postpone``.
        jitter: ``none`` or ``full``.
    """

    trigger: str
    index: int
    sources: frozenset[StrEnum]
    after: After
    per: Scope = "state"
    since: Since | None = None
    late: Late = "fire"
    jitter: Jitter = "none"

    def describe(self) -> str:
        """The timer in words: ``after 4.5 s``."""
        seconds = f"{self.after:g} s" if not callable(self.after) else self.after.__name__
        drawn = "up to " if self.jitter == "full" else ""
        since = f" since {self.since.__name__}" if self.since is not None else ""
        scope = " in all these states" if self.per == "sources" and len(self.sources) > 1 else ""
        return f"after {drawn}{seconds}{since}{scope}"

    def text(self) -> str:
        """What of it a table's digest holds: not the seconds, which are settings."""
        after = self.after.__name__ if callable(self.after) else "seconds"
        since = self.since.__name__ if self.since is not None else ""
        return f"after={after} per={self.per} since={since} late={self.late} jitter={self.jitter}"
